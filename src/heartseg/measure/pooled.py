"""Agreement of all structures and patients in one count: how paper 003 (Sinha 2020) scores.

Equations 4 to 8 of the paper take TP, FP, FN and TN over the three channels of its masks at once,
and over all images. A patient with a large heart weighs more than one with a small heart, and a
slice without a heart costs nothing. Whether one of its channels is the background, the paper does
not say; with it, Dice is the share of voxels that are right, and a large field flatters it. Both
readings are here, so that a table can show them beside the mean over patients.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import GeometryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Voxels of all channels together, each channel a question with yes and no.

    Attributes:
        tp, fp, fn, tn: how often yes was right and wrong, and no was wrong and right.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def dice(self) -> float:
        """Equation 4, in [0, 1]; 1 where there is nothing and nothing was found."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def jaccard(self) -> float:
        """Equation 5, in [0, 1]; 1 where there is nothing and nothing was found."""
        return _share(self.tp, self.tp + self.fp + self.fn)

    @property
    def accuracy(self) -> float:
        """Equation 6, in [0, 1]."""
        return _share(self.tp + self.tn, self.tp + self.tn + self.fp + self.fn)

    @property
    def precision(self) -> float | None:
        """Equation 7, in [0, 1]; None where nothing was found."""
        found = self.tp + self.fp
        return self.tp / found if found else None

    @property
    def recall(self) -> float | None:
        """Equation 8, in [0, 1]; None where there is nothing."""
        there = self.tp + self.fn
        return self.tp / there if there else None


def pooled(confusion: NDArray[np.int64], *, background: bool) -> Pooled:
    """The counts of all channels together.

    Args:
        confusion: (classes, classes) voxels, true classes in rows, the background first.
        background: whether it is a channel too.

    Raises:
        GeometryError: not a square table of at least two classes.
    """
    if confusion.ndim != 2 or len(confusion) < 2 or len(set(confusion.shape)) > 1:
        got = " x ".join(map(str, confusion.shape))
        raise GeometryError("confusion", got=got, allowed="classes x classes, two at least")
    first = 0 if background else 1
    right = confusion.diagonal()[first:].sum()
    found, there = confusion[:, first:].sum(), confusion[first:].sum()
    channels = len(confusion) - first
    false, missed = found - right, there - right
    rest = channels * confusion.sum() - right - false - missed
    return Pooled(tp=int(right), fp=int(false), fn=int(missed), tn=int(rest))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
