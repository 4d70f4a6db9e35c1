"""A trained network as it stands, without the way through a bundle: to score it, not to ship it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from heartseg.models import architecture
from heartseg.segment.torch_runtime import probabilities
from heartseg.segment.window import slices_through
from heartseg.train.artefact import trained_network
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint
from heartseg.train.loop import BEST, LAST
from heartseg.train.settings import RunSettings
from heartseg.train.shown import window_of

TRAINED = "trained.pt"
"""What is kept of a run that is done: a checkpoint of the chosen weights, no optimiser."""


class Trained:
    """A network with the weights of a checkpoint, in f32.

    Args:
        settings: that it was trained with.
        checkpoint: of the run.
        device: to compute on.

    Attributes:
        parameters: trainable ones.
        steps: of the optimiser, that led to these weights.

    Raises:
        ModelError: not a whole checkpoint, or one of another network.
    """

    def __init__(self, settings: RunSettings, checkpoint: Path, device: torch.device) -> None:
        self._device = device
        self._network = trained_network(settings, checkpoint).to(device)
        self.steps = int(load_checkpoint(checkpoint)["step"])
        self._window = window_of(architecture(settings.model))
        weights = self._network.parameters()
        self.parameters = sum(one.numel() for one in weights if one.requires_grad)

    def look(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Prepared slices (z, channels, y, x) of a frame -> probabilities (z, structures, y, x)."""
        if self._window is not None:
            return slices_through(self._window, self._infer)(pixels)
        return self._infer(pixels)

    def _infer(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return probabilities(self._network, pixels, self._device)


def keep_weights(checkpoint: Path) -> Path:
    """Put the weights that a finished run is judged by into `TRAINED`, and drop the rest.

    What is needed to resume is several times as large, and nothing is left to resume. The file is
    a checkpoint still: `write_artefact` makes a bundle of it.

    Raises:
        ModelError, OutputError: as reading and writing checkpoints.
    """
    state: dict[str, Any] = load_checkpoint(checkpoint)
    kept = checkpoint.with_name(TRAINED)
    save_checkpoint(kept, {**state, "task": {"average": state["task"]["average"]}})
    for name in (LAST, BEST):
        with suppress(OSError):
            checkpoint.with_name(name).unlink(missing_ok=True)
    return kept


def card_name(device: torch.device) -> str | None:
    """The graphics card's own name; None for the processor."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None
