"""From a trained network to a bundle that anyone can run."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from heartseg.core.provenance import now, source_commit
from heartseg.models import architecture
from heartseg.segment import Bundle, Description, write_bundle
from heartseg.segment.description import BF16_SCORE
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.data import PreparedFrame
from heartseg.train.export import compress_to_float16, export_onnx
from heartseg.train.run import RunSettings

COMPARED_FRAMES = 16
"""Frames over which f32 and bf16 labels are compared."""


def trained_network(settings: RunSettings, checkpoint: Path) -> nn.Module:
    """The network with the moving-average weights of a checkpoint, ready to infer.

    Raises:
        ModelError: not a whole checkpoint.
    """
    network = architecture(settings.model).build(1, len(settings.classes()))
    network.load_state_dict(load_checkpoint(checkpoint)["task"]["average"])
    return network.eval()


def write_artefact(
    settings: RunSettings, checkpoint: Path, folder: Path, frames: list[PreparedFrame]
) -> Bundle:
    """Export a checkpoint as a bundle, and measure on `frames` whether bf16 is safe.

    Raises:
        ModelError: the export would not load again.
        OutputError: the folder cannot be written.
    """
    network = trained_network(settings, checkpoint)
    state = load_checkpoint(checkpoint)
    stride = architecture(settings.model).stride
    onnx = compress_to_float16(export_onnx(network, 1, stride))
    scores: dict[str, Any] = {}
    if settings.validate_on:
        scores["validation_dice"] = round(float(state["best"]), 4)
    bundle = write_bundle(folder, onnx, _description(settings, int(state["step"]), scores))
    scores[BF16_SCORE] = _bf16_difference(bundle, frames[:COMPARED_FRAMES])
    return write_bundle(folder, onnx, _description(settings, int(state["step"]), scores))


def _description(settings: RunSettings, steps: int, scores: dict[str, Any]) -> Description:
    return Description(
        name=settings.name,
        version=settings.version,
        licence=settings.licence,
        modality=settings.modality,
        view=settings.view,
        structures=settings.classes(),
        architecture=dict(settings.model) or {"name": "unet"},
        preparation=settings.preparation,
        training={
            "data": settings.training_data,
            "parts": list(settings.train_on),
            "seed": settings.seed,
            "steps": steps,
            "images": steps * settings.learning.batch,
            "commit": source_commit() or "unknown",
            "finished": now(),
            "torch": str(torch.__version__),
            "learning": asdict(settings.learning),
        },
        scores=scores,
    )


def _bf16_difference(bundle: Bundle, frames: list[PreparedFrame]) -> float:
    """Share of pixels whose label changes when the network computes in bf16."""
    from heartseg.segment.openvino_runtime import OpenVinoRuntime

    exact, rounded = (
        OpenVinoRuntime(bundle, precision="f32"),
        OpenVinoRuntime(bundle, precision="bf16"),
    )
    changed = total = 0
    for frame in frames:
        pixels = frame.pixels[:, None].astype(np.float32)
        first, second = (one.infer(pixels).argmax(1) for one in (exact, rounded))
        changed += int(np.count_nonzero(first != second))
        total += first.size
    return changed / total
