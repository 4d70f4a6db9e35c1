"""Sparse annotation: which voxels of the training patients anybody said anything about.

Çiçek 2016 (paper 004) trains a network of volumes from a few annotated slices: a voxel that nobody
annotated weighs 0 in the loss, so that it is neither background nor structure. Here the published
labels of whole stacks are thinned to some of their slices, or a data set's scribbles stand in their
place. What validates and what is scored stays whole.

The paper's slices lie in three directions; those of a short-axis stack lie in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.train.split import chance

OF_DISTANCE = ("dice-and-boundary", "dice-and-hausdorff", "border-cross-entropy")
"""Losses of the distance to a border: where annotation ends there is none."""

_CHANCES = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparse:
    """What of the training patients counts as annotated; all other voxels count nowhere.

    Attributes:
        drawn: `whole`, the published labels; or `scribbles`, a data set's sparse ones.
        slices: so many slices of each stack, evenly spread; none for all. Their places are drawn by
            `seed`, stack by stack. Fewer are not among more, as they would not be even then.
        folds: into so many parts the slices of each stack are dealt out, as cards are; none for no
            parts. So slices of the same stacks are divided for a cross-validation.
        fold: the part that is left out, from 0.
        seed: of the places.
    """

    drawn: Literal["whole", "scribbles"] = "whole"
    slices: int | None = None
    folds: int | None = None
    fold: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.slices is not None and self.slices < 1:
            raise ConfigError("sparse.slices", got=str(self.slices), allowed="1 or more, or none")
        folds = 1 if self.folds is None else self.folds
        if self.folds == 1 or folds < 1 or not 0 <= self.fold < folds:
            got = f"fold {self.fold} of {self.folds}"
            allowed = "0 <= fold < folds, folds >= 2; or neither"
            raise ConfigError("sparse.fold", got=got, allowed=allowed)
        if self.drawn == "whole" and self.slices is None and self.folds is None:
            allowed = "drawn = 'scribbles', slices or folds"
            do = "leave [sparse] out to train on whole labels"
            raise ConfigError("sparse", got="every voxel annotated", allowed=allowed, do=do)

    def kept(self, frame: str, count: int) -> NDArray[np.bool_]:
        """(count,) True for the slices of a stack that count as annotated.

        Args:
            frame: name of the stack, on which chance depends.
            count: its slices.
        """
        mine = np.flatnonzero(~self.left_out(frame, count))
        wanted = len(mine) if self.slices is None else min(self.slices, len(mine))
        share = chance(self.seed, frame) / _CHANCES
        places = ((np.arange(wanted) + share) * len(mine) / max(1, wanted)).astype(int)
        kept = np.zeros(count, bool)
        kept[mine[places]] = True
        return kept

    def left_out(self, frame: str, count: int) -> NDArray[np.bool_]:
        """(count,) True for the slices of the part that is left out; none without `folds`."""
        if self.folds is None:
            return np.zeros(count, bool)
        first = chance(self.seed, f"{frame} folds") % self.folds
        out: NDArray[np.bool_] = (np.arange(count) + first) % self.folds == self.fold
        return out


def frame_name(patient: str, phase: int) -> str:
    """What the chance of a stack depends on: whose it is, and which frame."""
    return f"{patient}/{phase}"


def require_sparse(terms: Sequence[str], *, ends: float, slices: int | None) -> None:
    """Refuse settings of a run that cannot be had from sparse labels.

    Args:
        terms: names of the losses.
        ends: `learning.ends`.
        slices: `split.slices`.

    Raises:
        ConfigError: with the setting to leave out.
    """
    far = [name for name in terms if name in OF_DISTANCE]
    if far:
        got = f"{far[0]} with sparse labels, whose edges are no borders"
        raise ConfigError("loss.terms", got=got, allowed="losses that look at single voxels")
    if ends:
        got = f"{ends:g} with sparse labels, which do not show where the heart ends"
        raise ConfigError("learning.ends", got=got, allowed="0")
    if slices is not None:
        do = "say sparse.slices, or take fewer patients by split.patients"
        raise ConfigError("split.slices", got=f"{slices} with sparse labels", do=do)
