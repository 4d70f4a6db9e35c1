"""How a network meets the data: batches of moved crops to learn from, whole frames to be scored on.

Padded networks of planes see planes. Networks of volumes, and those that lose a margin, see stacks
(`heartseg.train.stacks`), and whole frames through the window that their bundle will have.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.augment import SpatialChange, move_planes
from heartseg.prepare.neighbours import with_neighbours
from heartseg.train.data import PreparedSet


class Batches(Protocol):
    """What the task of segmentation asks of its data.

    Attributes:
        device: where everything is.
    """

    device: torch.device

    def draw(
        self,
        count: int,
        away: float,
        change: SpatialChange,
        classes: int,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Moved crops (n, slices or channels, y, x), and the truth (n, ...) of what is answered."""
        ...

    def as_input(self, crops: Tensor) -> Tensor:
        """Crops (n, slices or channels, y, x) as the network takes them."""
        ...

    def answered(self, network: nn.Module, slices: NDArray[np.float32]) -> Tensor:
        """Logits (z, channels, y, x) of a whole frame (z, y, x), by a network in eval mode."""
        ...


class Planes:
    """Planes one by one, for padded networks.

    Args:
        prepared: all planes, and how many neighbours are shown with each.
    """

    def __init__(self, prepared: PreparedSet) -> None:
        prepared.require_annotated()
        self._prepared, self.device = prepared, prepared.planes.device

    def draw(
        self,
        count: int,
        away: float,
        change: SpatialChange,
        classes: int,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Crops (n, channels, s, s) and truth (n, s, s), s = `change.size_px`."""
        drawn = self._prepared.draw(count, away, generator, change.reverse)
        return move_planes(*drawn, change, classes, generator)

    def as_input(self, crops: Tensor) -> Tensor:
        """As they are."""
        return crops

    def answered(self, network: nn.Module, slices: NDArray[np.float32]) -> Tensor:
        """All planes at once."""
        planes = torch.from_numpy(with_neighbours(slices, self._prepared.neighbours))
        logits: Tensor = network(planes.to(self.device))
        return logits
