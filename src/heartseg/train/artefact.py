"""From a trained network to a bundle that anyone can run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from heartseg.config import load, to_table
from heartseg.core.errors import ModelError
from heartseg.core.image import Image
from heartseg.core.provenance import now
from heartseg.models import architecture
from heartseg.read import find_studies
from heartseg.segment import Bundle, Description, write_bundle
from heartseg.segment.description import BF16_SCORE
from heartseg.segment.precision import bf16_label_difference
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.export import compress_to_float16, export_onnx
from heartseg.train.loop import Watcher
from heartseg.train.record import read_record
from heartseg.train.run import RunSettings, choose_device, train
from heartseg.train.shown import exported_size, window_of
from heartseg.train.split import part_of

COMPARED_STUDIES = 8
"""Studies over which f32 and bf16 labels are compared."""


def trained_network(settings: RunSettings, checkpoint: Path) -> nn.Module:
    """The network with the moving-average weights of a checkpoint, ready to infer.

    Raises:
        ModelError: not a whole checkpoint, or one of another network.
    """
    network = architecture(settings.model).deployed.build(1, len(settings.classes()))
    try:
        trained = load_checkpoint(checkpoint)["task"]["average"]
        network.load_state_dict({name: trained[name] for name in network.state_dict()})
    except (RuntimeError, LookupError, TypeError) as fault:
        raise ModelError(
            f"checkpoint {checkpoint.name}",
            got=f"weights of another network: {str(fault)[:200]}",
            do="use the settings that it was trained with",
        ) from fault
    return network.eval()


def train_model(
    run_toml: Path | str,
    out: Path | str,
    *,
    changes: Sequence[str] = (),
    resume: bool = False,
    device: str = "auto",
    watch: Watcher | None = None,
) -> Bundle:
    """Train a network as a RUN.toml says and write it to `out`/bundle.

    Args:
        run_toml: settings, see `RunSettings`.
        out: folder for checkpoints, log and bundle.
        changes: `section.name=value`, over what the file says.
        resume: go on where an earlier run in `out` stopped.
        device: "auto", "cpu" or "cuda".
        watch: called with (step, numbers) as they are logged.

    Raises:
        ConfigError: a setting that does not exist.
        InputError: the data cannot be read.
        ModelError: training diverged.
    """
    settings = load(RunSettings, Path(run_toml), changes)
    root, folder = Path(run_toml).parent, Path(out)
    checkpoint = train(
        settings, root, folder, device=choose_device(device), resume=resume, watch=watch
    )
    return write_artefact(settings, root, checkpoint, folder / "bundle")


def write_artefact(settings: RunSettings, root: Path, checkpoint: Path, folder: Path) -> Bundle:
    """Export a checkpoint as a bundle, and measure on training images whether bf16 is safe.

    Raises:
        ModelError: the export would not load again.
        OutputError: the folder cannot be written.
    """
    state = load_checkpoint(checkpoint)
    described = architecture(settings.model)
    network, size = trained_network(settings, checkpoint), exported_size(described)
    onnx = compress_to_float16(export_onnx(network, 1, size, free=described.free_export))
    scores: dict[str, Any] = {}
    if settings.validate_on:
        scores["validation_dice"] = round(float(state["best"]), 4)
    record = read_record(checkpoint.parent)
    description = _description(settings, record, int(state["step"]), scores)
    bundle = write_bundle(folder, onnx, description)
    difference = bf16_label_difference(bundle, _some_images(settings, root))
    if difference is not None:
        scores[BF16_SCORE] = difference
    return write_bundle(folder, onnx, replace(bundle, scores=scores))


def _some_images(settings: RunSettings, root: Path) -> list[Image]:
    found = find_studies(root / settings.folder)
    chosen = [one for one in found if part_of(one.id) in settings.train_on][:COMPARED_STUDIES]
    return [one.load().images[settings.view] for one in chosen]


def _description(
    settings: RunSettings, record: Mapping[str, Any], steps: int, scores: dict[str, Any]
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
        training=_training(settings, record, steps),
        scores=scores,
        window=window_of(architecture(settings.model)),
    )


def _training(settings: RunSettings, record: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Whence the weights are: what was so when training began, not when it was exported."""
    data = record.get("data", {}).get("training", {})
    weights = settings.model.get("weights")
    counted = {"patients": len(data["patients"]), "planes": data["planes"]} if data else {}
    return {
        "data": settings.training_data,
        "parts": list(settings.train_on),
        **counted,
        "seed": settings.seed,
        **({"encoder_from": Path(weights).name} if weights else {}),
        "steps": steps,
        "images": steps * settings.learning.batch,
        "commit": record.get("commit") or "unknown",
        "started": record.get("started") or "unknown",
        "exported": now(),
        "torch": record.get("torch", str(torch.__version__)),
        **{
            name: to_table(getattr(settings, name))
            for name in ("learning", "spatial", "stack", "intensity")
            if getattr(settings, name) is not None
        },
    }
