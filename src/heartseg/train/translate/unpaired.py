"""Two data sets of images that know nothing of each other, and batches of crops from both.

Patients are drawn first, then their planes, so that one with many slices does not count more. Where
the same patient is on both sides, the two planes of a pair are never both that patient's: what is
learnt is one kind of image against another, not one examination's second picture.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from heartseg.augment import SpatialChange, move_planes
from heartseg.core.errors import StudyError
from heartseg.losses import IGNORED
from heartseg.train.data import PreparedFrame, PreparedSet

MOST_SHOWN = 16
"""Crops of each kind that pictures and numbers on the way are made of."""


class Crops(NamedTuple):
    """(n, channels, s, s) of each kind, and (n, s, s) classes of the source's, or `IGNORED`."""

    source: Tensor
    truth: Tensor
    target: Tensor


class Unpaired:
    """All planes of both kinds, ready to draw batches from.

    Args:
        source, target: frames of each kind, at least one; classes are `IGNORED` where nobody knows.
        device: where the tensors are.
        classes: of the source's labels, background included.
        neighbours: slices on each side that are shown with a plane, as its channels.

    Raises:
        StudyError: the only patient of the target is one of the source too.
    """

    def __init__(
        self,
        source: Sequence[PreparedFrame],
        target: Sequence[PreparedFrame],
        device: torch.device,
        *,
        classes: int,
        neighbours: int = 0,
    ) -> None:
        self._classes, self.device = classes, device
        self._source, self._target = (
            PreparedSet(frames, device, ignored_as=classes, neighbours=neighbours)
            for frames in (source, target)
        )
        self._of_source, self._of_target = _Patients(source, device), _Patients(target, device)
        names = self._of_target.names
        twins = [names.index(n) if n in names else len(names) for n in self._of_source.names]
        self._twins = torch.tensor(twins, device=device)
        if len(names) == 1 and 0 in twins:
            got = f"{names[0]}, who is in the source too, and no other patient"
            raise StudyError("target", got=got, allowed="a patient who is not")

    @property
    def labelled(self) -> bool:
        """Whether anything was drawn in the source."""
        classes = self._source.classes
        return bool(((classes > 0) & (classes < self._classes)).any())

    def draw(
        self, count: int, away: float, change: SpatialChange, generator: torch.Generator
    ) -> Crops:
        """A random batch of moved crops.

        Args:
            count: of each kind.
            away: share of the source's crops that are centred on the image, not on the heart.
            change: how crops are cut and moved, both kinds alike.
            generator: the run's randomness.
        """
        _, ours, theirs = self.draw_pairs(count, generator)
        source = self._cut(self._source, ours, away, change, generator)
        target = self._cut(self._target, theirs, 1.0, change, generator)
        truth = source[1].where(source[1] != self._classes, IGNORED)
        return Crops(source[0], truth, target[0])

    def draw_pairs(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(n,) patients of the source, their planes, and planes of other patients of the target."""
        whose = _below(torch.full((count,), len(self._of_source.names)), generator)
        twin, many = self._twins[whose], len(self._of_target.names)
        other = _below(many - (twin < many).long(), generator)
        other = other + (other >= twin).long()  # the twin's place is stepped over
        ours = self._of_source.planes(whose, generator)
        return whose, ours, self._of_target.planes(other, generator)

    def _cut(
        self,
        prepared: PreparedSet,
        index: Tensor,
        away: float,
        change: SpatialChange,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        centres = prepared.draw_centres(index, away, generator)
        shown = prepared.draw_shown(index, change.reverse, generator)
        planes, classes = prepared.planes[shown].float(), prepared.classes[index]
        return move_planes(planes, classes, centres, change, self._classes + 1, generator)


def fixed_crops(
    source: Sequence[PreparedFrame],
    target: Sequence[PreparedFrame],
    change: SpatialChange,
    device: torch.device,
    *,
    classes: int,
    neighbours: int = 0,
) -> Crops:
    """The same crops whenever asked: planes evenly through all, unmoved, in the middle.

    Args:
        source, target: frames of each kind, at least one.
        change: the size of crops; what else it says does not happen.
        device: where they are.
        classes: of the source's labels, background included.
        neighbours: slices on each side that are shown with a plane.
    """
    size = change.size_px
    still = replace(change, **_STILL, resize_px=size if change.resize_px else None)
    parts = []
    for frames in (source, target):
        prepared = PreparedSet(frames, device, ignored_as=classes, neighbours=neighbours)
        places = np.linspace(0, len(prepared) - 1, min(MOST_SHOWN, len(prepared)))
        index = torch.from_numpy(places.round().astype(np.int64)).to(device)
        planes, found = prepared.planes[prepared.shown[index]].float(), prepared.classes[index]
        middle = torch.full((len(index), 2), (prepared.planes.shape[-1] - 1) / 2, device=device)
        generator = torch.Generator(device).manual_seed(0)  # of strengths that are 0
        parts.append(move_planes(planes, found, middle, still, classes + 1, generator))
    (ours, truth), (theirs, _) = parts
    return Crops(ours, truth.where(truth != classes, IGNORED), theirs)


_STILL: dict[str, Any] = {
    "rotation_degrees": 0.0,
    "scaling": (1.0, 1.0),
    "stretch": 0.0,
    "shift_px": 0.0,
    "flip": 0.0,
    "shift_share": 0.0,
    "elastic_px": 0.0,
}
"""What moves nothing."""


class _Patients:
    """Which planes are whose."""

    def __init__(self, frames: Sequence[PreparedFrame], device: torch.device) -> None:
        self.names = sorted({frame.patient for frame in frames})
        owners = [self.names.index(frame.patient) for frame in frames for _ in frame.pixels]
        order = np.argsort(owners, kind="stable")
        counts = np.bincount(owners, minlength=len(self.names))
        self._order = torch.from_numpy(order).to(device)
        self._counts = torch.from_numpy(counts).to(device)
        self._firsts = torch.from_numpy(np.cumsum(counts) - counts).to(device)

    def planes(self, patients: Tensor, generator: torch.Generator) -> Tensor:
        """A plane of each of these."""
        within = _below(self._counts[patients], generator)
        return self._order[self._firsts[patients] + within]


def _below(limits: Tensor, generator: torch.Generator) -> Tensor:
    """A whole number from 0 below each limit."""
    shares = torch.rand(len(limits), generator=generator, device=generator.device)
    limits = limits.to(generator.device)
    return (shares * limits).long().minimum(limits - 1)  # a share of almost 1 rounds up
