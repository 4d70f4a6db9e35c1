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
from heartseg.models import Architecture, architecture
from heartseg.models.architecture import legal_size, per_axis
from heartseg.models.background import answer_with_background
from heartseg.read import Candidate
from heartseg.segment import Bundle, Description, write_bundle
from heartseg.segment.description import BF16_SCORE
from heartseg.segment.precision import bf16_label_difference
from heartseg.segment.window import Window
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.export import compress_to_float16, export_onnx
from heartseg.train.log import Watcher
from heartseg.train.record import read_record
from heartseg.train.run import RunSettings, choose_device, train
from heartseg.train.selection import select

COMPARED_STUDIES = 8
"""Studies over which f32 and bf16 labels are compared."""


def trained_network(settings: RunSettings, checkpoint: Path) -> nn.Module:
    """The network with the moving-average weights of a checkpoint, ready to infer.

    It answers with a channel for each class, the background too.

    Raises:
        ModelError: not a whole checkpoint, or one of another network.
    """
    channels = settings.loss.channels(len(settings.classes()))
    network = architecture(settings.model).deployed.build(1, channels)
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
    size = legal_size(architecture(settings.model), (1, 2))
    onnx = compress_to_float16(export_onnx(trained_network(settings, checkpoint), 1, size))
    scores: dict[str, Any] = {}
    if settings.validate_on:
        scores["validation_dice"] = round(float(state["best"]), 4)
    record = read_record(checkpoint.parent)
    description = _description(settings, record, int(state["step"]), scores)
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
        activation=settings.loss.activation,
        training=_training(settings, record, steps),
        scores=scores,
        window=window_of(architecture(settings.model)),
    )


def window_of(described: Architecture) -> Window | None:
    """How a network that loses a margin is shown an image; None for padded ones, shown it whole."""
    margin = per_axis(described.margin, described.dimensions)
    if not any(margin):
        return None
    return Window(
        margin_px=margin,
        smallest_px=described.smallest_size,
        stride_px=per_axis(described.stride, described.dimensions),
        largest_px=described.native_size,
    )


def _training(settings: RunSettings, record: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Whence the weights are: what was so when training began, not when it was exported."""
    data = record.get("data", {}).get("training", {})
    weights, begun_with = settings.model.get("weights"), settings.start.weights_from
    counted = {"patients": len(data["patients"]), "planes": data["planes"]} if data else {}
    return {
        "data": settings.training_data,
        "parts": list(settings.train_on),
        **counted,
        "seed": settings.seed,
        **({"encoder_from": Path(weights).name} if weights else {}),
        **({"weights_from": Path(begun_with).name} if begun_with else {}),
        "steps": steps,
        "images": steps * settings.learning.images,
        "commit": record.get("commit") or "unknown",
        "started": record.get("started") or "unknown",
        "exported": now(),
        "torch": record.get("torch", str(torch.__version__)),
        **{
            name: to_table(getattr(settings, name))
            for name in ("learning", "loss", "spatial", "intensity")
        },
    }
