"""From a trained network to a bundle that anyone can run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from heartseg.config import from_changes, load, to_table
from heartseg.core.errors import ModelError
from heartseg.core.image import Image
from heartseg.core.provenance import now
from heartseg.models import architecture
from heartseg.models.background import answer_with_background
from heartseg.read import Candidate
from heartseg.segment import Bundle, Description, load_bundle, write_bundle
from heartseg.segment.description import BF16_SCORE
from heartseg.segment.precision import bf16_label_difference
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.device import choose_device
from heartseg.train.examples import (
    Example,
    candidates_of,
    name_of,
    settings_of_arrays,
    settings_of_folder,
)
from heartseg.train.export import compress_to_float16, export_onnx
from heartseg.train.familiar import familiar_patients
from heartseg.train.log import Watcher, hours_of
from heartseg.train.ranks import Ranks, several
from heartseg.train.record import read_record
from heartseg.train.run import train
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.shown import exported_size, window_of

COMPARED_STUDIES = 8
"""Studies over which f32 and bf16 labels are compared."""


def trained_network(settings: RunSettings, checkpoint: Path) -> nn.Module:
    """The network with the moving-average weights of a checkpoint, ready to infer.

    It answers with a channel for each class, the background too.

    Raises:
        ModelError: not a whole checkpoint, or one of another network.
    """
    channels = settings.loss.channels(len(settings.classes()))
    network = architecture(settings.model).deployed.build(settings.preparation.channels, channels)
    try:
        trained = load_checkpoint(checkpoint)["task"]["average"]
        network.load_state_dict({name: trained[name] for name in network.state_dict()})
    except (RuntimeError, LookupError, TypeError) as fault:
        raise ModelError(
            f"checkpoint {checkpoint.name}",
            got=f"weights of another network: {str(fault)[:200]}",
            do="use the settings that it was trained with",
        ) from fault
    if settings.loss.activation == "sigmoid":
        answer_with_background(network)
    return network.eval()


def train_model(
    source: Path | str | Sequence[Example],
    out: Path | str,
    *,
    changes: Sequence[str] = (),
    resume: bool = False,
    device: str = "auto",
    watch: Watcher | None = None,
    processes: int = 1,
    nodes: int = 1,
) -> Bundle:
    """Train a network and write it to `out`/bundle.

    What it learns from is a RUN.toml, or data of your own: a folder of images and labels that
    heartseg can read, or `Example`s of arrays. Of your own data a fifth of the patients (a third of
    less than five) is kept to test, and as many validate; `changes` says otherwise.

    Args:
        source: a RUN.toml, see `RunSettings`; a folder; or examples.
        out: folder for checkpoints, log and bundle.
        changes: `section.name=value`, over what the file says or the defaults.
        resume: go on where an earlier run in `out` stopped.
        device: "auto", "cpu" or "cuda".
        watch: called with (step, numbers) as they are logged.
        processes: that train together on this computer, one a graphics card; on the processor they
            divide each batch.
        nodes: computers that do so, which share the folder `out`.

    Raises:
        ConfigError: a setting that does not exist, or that does not fit.
        InputError: the data cannot be read.
        ModelError: training diverged.
        OutputError: `out` cannot be written, or holds another run.

    Example:
        bundle = hs.train_model("my-hearts", "out/mine", changes=["schedule.minutes=30"])
        masks = hs.segment_study(study, model="out/mine/bundle")
    """
    folder = Path(out)
    settings, root, given = _taken(source, folder, changes)
    chosen = choose_device(device)
    ranks = Ranks()
    if (processes, nodes) != (1, 1):
        ranks = several(chosen.type, processes, nodes)
        chosen = ranks.device
    checkpoint = train(
        settings,
        root,
        folder,
        device=chosen,
        resume=resume,
        watch=watch,
        given=given,
        ranks=ranks,
    )
    if ranks.leads:
        write_artefact(settings, root, checkpoint, folder / "bundle", given)
    ranks.wait()
    return load_bundle(folder / "bundle")


def _taken(
    source: Path | str | Sequence[Example], out: Path, changes: Sequence[str]
) -> tuple[RunSettings, Path, list[Candidate] | None]:
    """The settings, the folder that paths start from, and the studies where they are arrays."""
    if not isinstance(source, (str, Path)):
        table = {"name": name_of(out), **settings_of_arrays(source)}
        settings = from_changes(RunSettings, table, changes)
        return settings, Path(), candidates_of(source, settings.modality, settings.view)
    path = Path(source)
    if not path.is_dir():
        return load(RunSettings, path, changes), path.parent, None
    table = {"name": name_of(out), **settings_of_folder(path)}
    return from_changes(RunSettings, table, changes), Path(), None


def write_artefact(
    settings: RunSettings,
    root: Path,
    checkpoint: Path,
    folder: Path,
    given: Sequence[Candidate] | None = None,
) -> Bundle:
    """Export a checkpoint as a bundle, and measure on training images whether bf16 is safe.

    Args:
        settings: of the run.
        root: folder of the RUN.toml.
        checkpoint: which weights.
        folder: of the bundle.
        given: studies in place of those in `settings.folder`.

    Raises:
        ModelError: the export would not load again.
        OutputError: the folder cannot be written.
    """
    state = load_checkpoint(checkpoint)
    described = architecture(settings.model)
    network, size = trained_network(settings, checkpoint), exported_size(described)
    shown = settings.preparation.channels
    onnx = compress_to_float16(export_onnx(network, shown, size, free=described.free_export))
    scores: dict[str, Any] = {}
    if settings.validate_on:
        scores["validation_dice"] = round(float(state["best"]), 4)
    training = _training(settings, read_record(checkpoint.parent), int(state["step"]))
    training |= hours_of(checkpoint.parent, int(state["step"]))
    description = _description(settings, training, scores)
    seen = select(settings, root, given).training
    description = replace(description, familiar=familiar_patients(seen, settings.view))
    bundle = write_bundle(folder, onnx, description)
    difference = bf16_label_difference(bundle, _some_images(settings, root, given))
    if difference is not None:
        scores[BF16_SCORE] = difference
    return write_bundle(folder, onnx, replace(bundle, scores=scores))


def _some_images(
    settings: RunSettings, root: Path, given: Sequence[Candidate] | None
) -> list[Image]:
    chosen = select(settings, root, given).training[:COMPARED_STUDIES]
    return [one.load().images[settings.view] for one in chosen]


def _description(
    settings: RunSettings, training: Mapping[str, Any], scores: dict[str, Any]
) -> Description:
    return Description(
        name=settings.name,
        version=settings.version,
        licence=settings.licence,
        modality=settings.modality,
        view=settings.view,
        structures=settings.classes(),
        architecture={
            "name": settings.model.get("name", "unet"),
            # defaults too: they may change one day
            **to_table(architecture(settings.model).deployed),
        },
        preparation=settings.preparation,
        activation=settings.loss.activation,
        training=training,
        scores=scores,
        window=window_of(architecture(settings.model)),
    )


def _training(settings: RunSettings, record: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Whence the weights are: what was so when training began, not when it was exported."""
    data = record.get("data", {}).get("training", {})
    weights, begun_with = settings.model.get("weights"), settings.start.weights_from
    counted = {"volumes": data["frames"], "planes": data["planes"]} if data else {}
    validation = {"validate_on": list(settings.validate_on)} if settings.validate_on else {}
    return {
        "data": settings.training_data,
        "parts": list(settings.train_on),
        **validation,
        **({"patients": len(data["patients"])} if data else {}),
        **record.get("cohort", {}),
        **counted,
        "split": to_table(replace(settings.split, file=_name(settings.split.file))),
        "seed": settings.seed,
        **({"encoder_from": _name(weights)} if weights else {}),
        **({"weights_from": _name(begun_with)} if begun_with else {}),
        "steps": steps,
        "images": steps * settings.learning.images,
        "commit": record.get("commit") or "unknown",
        "started": record.get("started") or "unknown",
        "exported": now(),
        "torch": record.get("torch", str(torch.__version__)),
        **{key: record[key] for key in ("hardware", "precision") if record.get(key)},
        **{
            name: to_table(getattr(settings, name))
            for name in ("learning", "schedule", "loss", "spatial", "stack", "sparse", "intensity")
            if getattr(settings, name) is not None
        },
    }


def _name(path: str | None) -> str | None:
    """A file without the folders of somebody's machine."""
    return Path(path).name if path else None
