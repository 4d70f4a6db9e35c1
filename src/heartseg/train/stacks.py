"""Batches for networks of volumes, and for networks that lose a margin of what they see.

A crop is what the network sees; the truth is cut to what it answers. Beyond the borders of an image
a crop is mirrored as the window of inference mirrors it: through the plane always, as a window
fills up the network's stride, and in the plane for networks that lose a margin there. A whole frame
is seen through that window itself, so that what is scored is what a bundle will answer.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.augment import SpatialChange, StackChange
from heartseg.augment.spatial import places_read
from heartseg.augment.stacks import mirrored_in_plane, read_labels, read_stacks, slices_read
from heartseg.losses import IGNORED
from heartseg.models import Architecture
from heartseg.models.architecture import per_axis
from heartseg.prepare.neighbours import with_neighbours
from heartseg.segment.window import Window, slices_through
from heartseg.train.batches import Batches, Planes
from heartseg.train.data import PreparedFrame, PreparedSet
from heartseg.train.shown import window_of


def batches_for(
    described: Architecture,
    frames: Sequence[PreparedFrame],
    device: torch.device,
    stack: StackChange | None = None,
    *,
    ignored_as: int = IGNORED,
    neighbours: int = 0,
    ends: float = 0.0,
) -> Batches:
    """The batches that a network can learn from; see `heartseg.train.shown` for their sizes.

    Args:
        described: the network.
        frames: what it learns from.
        device: where they shall be.
        stack: how stacks are cut, for networks of volumes; None takes the defaults.
        ignored_as: the class that `IGNORED` voxels become, see `PreparedSet`.
        neighbours: slices on each side that a network of planes is shown, as channels.
        ends: share of planes drawn where the heart begins or ends; whole stacks hold both.
    """
    window = window_of(described)
    prepared = PreparedSet(frames, device, ignored_as, neighbours, ends)
    if window is None:
        return Planes(prepared)
    margin = per_axis(described.margin, described.dimensions)
    return Stacks(prepared, window, margin, stack or StackChange())


class Stacks:
    """Stacks of slices for a window of three axes, single planes for one of two.

    Args:
        prepared: all planes, and how many neighbours are shown with each.
        window: how the network is shown an image.
        margin: what the network loses on each side, (y, x) or (z, y, x); a window may cut off more.
        change: how stacks are cut; of single planes nothing can be cut.
    """

    def __init__(
        self,
        prepared: PreparedSet,
        window: Window,
        margin: tuple[int, ...],
        change: StackChange,
    ) -> None:
        prepared.require_annotated()
        self._prepared, self._window = prepared, window
        self.device = prepared.planes.device
        self._margin = (0, *margin)[-3:]
        if window.axes == 3:
            self._change, self._stacks = change, prepared.stacks
        else:
            self._change = StackChange(slices=1, shift=0, flip=0.0)
            first = torch.arange(len(prepared), device=self.device)
            self._stacks = torch.stack([first, torch.ones_like(first)], dim=1)

    def draw(
        self,
        count: int,
        away: float,
        change: SpatialChange,
        classes: int,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Crops (n, slices or channels, s, s), and the truth of their middle (n, [z,] y, x)."""
        index = self._drawn(count, generator)
        first, slices = self._stacks[index].unbind(1)
        planes = first[:, None] + slices_read(slices, self._change, self._margin[0], generator)
        if self._prepared.neighbours:
            planes = self._prepared.draw_shown(first, change.reverse, generator)
        centres = self._prepared.draw_centres(first, away, generator)
        size = self._prepared.planes.shape[-2:]
        places = places_read(centres, size, change, generator)
        if any(self._margin[1:]):
            corners, sizes = self._prepared.corners[first], self._prepared.sizes[first]
            places = mirrored_in_plane(places, corners, sizes)
        crops = read_stacks(self._prepared.planes[planes].float(), places)
        through, down, right = self._margin
        answered = planes[:, _inner(planes.shape[1], through + self._prepared.neighbours)]
        middle = places[:, _inner(places.shape[1], down), _inner(places.shape[2], right)]
        truth = read_labels(self._prepared.classes[answered], middle, classes)
        truth = self._prepared.only_annotated(truth, answered)
        return crops, truth if self._window.axes == 3 else truth[:, 0]

    def _drawn(self, count: int, generator: torch.Generator) -> Tensor:
        if self._window.axes == 2:
            return self._prepared.draw_planes(count, generator)
        device = generator.device
        return torch.randint(len(self._stacks), (count,), generator=generator, device=device)

    def as_input(self, crops: Tensor) -> Tensor:
        """(n, 1, z, y, x) for networks of volumes, (n, channels, y, x) for those of planes."""
        return crops[:, None] if self._window.axes == 3 else crops

    def answered(self, network: nn.Module, slices: NDArray[np.float32]) -> Tensor:
        """Through the window, as a bundle is."""

        def look(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            shown = torch.from_numpy(pixels).to(self.device)
            logits: NDArray[np.float32] = network(shown).float().cpu().numpy()
            return logits

        pixels = with_neighbours(slices, self._prepared.neighbours)
        return torch.from_numpy(slices_through(self._window, look)(pixels))


def _inner(length: int, margin: int) -> slice:
    return slice(margin, length - margin)
