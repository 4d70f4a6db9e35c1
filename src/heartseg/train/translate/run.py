"""A translation's training from its settings to a translator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from heartseg.config import load, to_table
from heartseg.core.errors import ConfigError, ModelError
from heartseg.core.provenance import now
from heartseg.models.generators import generator
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.data import PreparedFrame
from heartseg.train.device import choose_device, hardware_of
from heartseg.train.export import compress_to_float16, export_onnx
from heartseg.train.log import Watcher, hours_of
from heartseg.train.loop import LAST, fit, prepare_folder
from heartseg.train.record import begin_record, read_record
from heartseg.train.selection import select
from heartseg.train.translate.contrast_task import ContrastTranslate
from heartseg.train.translate.cycle_task import BACK, THERE, CycleTranslate
from heartseg.train.translate.frames import frames_of_side
from heartseg.train.translate.methods import CycleGAN
from heartseg.train.translate.pictures import picture_watcher
from heartseg.train.translate.settings import Side, TranslateSettings
from heartseg.train.translate.translator import (
    OUTPUT,
    KindOfImage,
    Translator,
    TranslatorText,
    write_translator,
)
from heartseg.train.translate.unpaired import Unpaired, fixed_crops
from heartseg.train.translate.witness import witness_of
from heartseg.train.watching import all_of, tensorboard_watcher

FOLDER = "translator"
"""In the run's folder, what is kept of it."""

Translate = CycleTranslate | ContrastTranslate


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What a run learns from: prepared frames of one kind of image, and who is who."""

    training: list[PreparedFrame]
    validation: list[PreparedFrame]
    parts: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def shown(self) -> list[PreparedFrame]:
        """What pictures are made of: patients who do not train, where there are any."""
        return self.validation or self.training


def train_translator(
    source: Path | str,
    out: Path | str,
    *,
    changes: Sequence[str] = (),
    resume: bool = False,
    device: str = "auto",
    watch: Watcher | None = None,
) -> Translator:
    """Train a translator and write it to `out`/translator; pictures of the way to `out`/pictures.

    Args:
        source: a RUN.toml, see `TranslateSettings`.
        out: folder for checkpoints, log, pictures and the translator.
        changes: `section.name=value`, over what the file says.
        resume: go on where an earlier run in `out` stopped; it ends the same to the bit.
        device: "auto", "cpu" or "cuda".
        watch: called with (step, numbers) as they are logged.

    Raises:
        ConfigError: a setting that does not exist, or that does not fit.
        InputError: the data cannot be read.
        ModelError: training diverged, or a checkpoint or bundle is broken.
        OutputError: `out` cannot be written, or holds another run.
    """
    path, folder = Path(source), Path(out)
    settings = load(TranslateSettings, path, changes)
    require_fit(settings)
    chosen = choose_device(device)
    prepare_folder(folder, resume=resume)
    ours = _learnt(settings.source, path.parent, settings)
    theirs = _learnt(settings.target, path.parent, None)
    task = build_task(settings, ours, theirs, chosen, path.parent)
    begin_record(
        folder,
        settings,
        [*ours.training, *theirs.training],
        [*ours.validation, *theirs.validation],
        {**_table("source", ours), **_table("target", theirs)},
        precision=settings.learning.of_generators().precision_on(chosen),
        told={"hardware": hardware_of(chosen)},
    )
    watchers = [picture_watcher(task, folder), *([watch] if watch else [])]
    if settings.log.tensorboard:
        watchers.append(tensorboard_watcher(folder))
    fit(task, settings.schedule, folder, resume=resume, watch=all_of(watchers))
    return write_made(settings, folder / LAST, folder / FOLDER)


def require_fit(settings: TranslateSettings) -> None:
    """Refuse sizes that generators and discriminators cannot take.

    Raises:
        ConfigError: with those that they can.
    """
    described, size = generator(settings.generator), settings.spatial.size_px
    least = max(described.smallest_px, settings.discriminator.smallest_px)
    if size % described.stride or size < least:
        allowed = f"multiples of {described.stride}, at least {least}"
        raise ConfigError("spatial.size_px", got=str(size), allowed=allowed)
    for name, side in (("source", settings.source), ("target", settings.target)):
        stride = side.preparation.stride
        if stride % described.stride:
            allowed = f"multiples of the generator's stride, {described.stride}"
            raise ConfigError(f"{name}.preparation.stride", got=str(stride), allowed=allowed)


def build_task(
    settings: TranslateSettings, ours: Learnt, theirs: Learnt, device: torch.device, root: Path
) -> Translate:
    """Data on the device, networks with their first weights, everything seeded.

    Args:
        settings: of the run.
        ours, theirs: images of the source and of the target.
        device: where to compute.
        root: folder of the RUN.toml, from which a bundle is looked for.

    Raises:
        ConfigError, ModelError: a witness that does not fit.
        StudyError: nobody on one side who is not on the other.
    """
    classes, neighbours = len(settings.classes()), settings.source.preparation.neighbours
    about = {"classes": classes, "neighbours": neighbours}
    data = Unpaired(ours.training, theirs.training, device, **about)
    fixed = fixed_crops(ours.shown, theirs.shown, settings.spatial, device, **about)
    torch.manual_seed(settings.seed)
    witness = witness_of(settings, root, device, labelled=data.labelled)
    method = settings.method
    if isinstance(method, CycleGAN):
        return CycleTranslate(settings, method, data, fixed, witness)
    return ContrastTranslate(settings, method, data, fixed, witness)


def _learnt(side: Side, root: Path, labels_of: TranslateSettings | None) -> Learnt:
    """The frames of a side; labels are read where there is something that says of what."""
    chosen = select(side, root)
    classes = labels_of.classes() if labels_of else ()
    ignored = labels_of.ignores if labels_of else ()
    training = frames_of_side(chosen.training, side, classes, ignored)
    validation = frames_of_side(chosen.validation, side, classes, ignored)
    return Learnt(training, validation, chosen.table())


def _table(name: str, learnt: Learnt) -> dict[str, list[str]]:
    return {f"{name}_{part}": patients for part, patients in learnt.parts.items()}


def write_made(settings: TranslateSettings, checkpoint: Path, folder: Path) -> Translator:
    """Export the generators of a checkpoint as a translator.

    Raises:
        ModelError: the export would not load again, or the checkpoint is another run's.
        OutputError: the folder cannot be written.
    """
    state = load_checkpoint(checkpoint)
    names = (THERE, BACK) if isinstance(settings.method, CycleGAN) else (THERE,)
    made = [_exported(settings, state["task"]["makers"]["average"], name) for name in names]
    steps = int(state["step"])
    training = _training(settings, read_record(checkpoint.parent), steps)
    text = TranslatorText(
        name=settings.name,
        version=settings.version,
        licence=settings.licence,
        method="cyclegan" if isinstance(settings.method, CycleGAN) else "fastcut",
        source=_kind(settings.source),
        target=_kind(settings.target),
        stride=generator(settings.generator).stride,
        generator={
            "name": settings.generator.get("name", "resnet"),
            **to_table(generator(settings.generator)),
        },
        training={**training, **hours_of(checkpoint.parent, steps)},
    )
    return write_translator(folder, made[0], made[1] if len(made) > 1 else None, text)


def _exported(settings: TranslateSettings, average: Mapping[str, Any], name: str) -> bytes:
    """One generator with its moving-average weights as the bytes of an ONNX file."""
    described = generator(settings.generator)
    network = described.build(settings.channels)
    lead = f"{name}."
    mine = {k.removeprefix(lead): v for k, v in average.items() if k.startswith(lead)}
    try:
        network.load_state_dict(mine)
    except RuntimeError as fault:
        got = f"weights of another generator: {str(fault)[:200]}"
        raise ModelError(f"checkpoint {LAST}", got=got, do="use the run's own settings") from fault
    side = max(described.smallest_px, described.stride)
    size = (side + described.stride, side + 2 * described.stride)
    onnx = export_onnx(network.eval(), settings.channels, size, answer=OUTPUT)
    return compress_to_float16(onnx)


def _kind(side: Side) -> KindOfImage:
    return KindOfImage(modality=side.modality, view=side.view, preparation=side.preparation)


def _training(settings: TranslateSettings, record: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Whence the weights are; folders of somebody's machine stay out."""
    data = record.get("data", {}).get("training", {})
    anatomy = settings.anatomy
    if anatomy is not None and anatomy.frozen is not None:
        anatomy = replace(anatomy, frozen=Path(anatomy.frozen).name)
    return {
        "data": settings.training_data,
        "source": Path(settings.source.folder).name,
        "target": Path(settings.target.folder).name,
        **({"patients": len(data["patients"]), "planes": data["planes"]} if data else {}),
        "seed": settings.seed,
        "steps": steps,
        "commit": record.get("commit") or "unknown",
        "started": record.get("started") or "unknown",
        "exported": now(),
        "torch": record.get("torch", str(torch.__version__)),
        **{key: record[key] for key in ("hardware", "precision") if record.get(key)},
        "method": to_table(settings.method),
        "discriminator": to_table(settings.discriminator),
        **({"anatomy": to_table(anatomy)} if anatomy else {}),
        "structures": list(settings.structures),
        "learning": to_table(settings.learning),
        "schedule": to_table(settings.schedule),
        "spatial": to_table(settings.spatial),
    }
