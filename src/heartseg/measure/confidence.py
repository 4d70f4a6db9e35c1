"""How sure a model was of each structure, summed up a frame at a time while it predicts.

The soft Dice confidence of Borges et al. (2024, "Soft Dice Confidence: a near-optimal confidence
estimator for selective prediction in semantic segmentation"): the Dice that is to be expected of
the likeliest labels, were the probabilities true. Of a structure with the mask M and the
probability p it is 2 sum(p in M) / (|M| + sum(p)). It needs three sums of each slice, so that no
frame has to be kept. What the rules of anatomy then changed says something too: a model that drew
a good heart leaves them little to do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.probability import BACKGROUND_CERTAIN, Region
from heartseg.core.study import Phases

LEAST_EXPECTED: Mapping[Structure, float] = {
    Structure.LV_CAVITY: 0.9,
    Structure.LV_MYOCARDIUM: 0.87,
    Structure.RV_CAVITY: 0.88,
}
"""Expected Dice below which a model is unsure of a structure (set by benchmarks/gate.py)."""

MENDED = 0.25
"""Share of a structure that the rules of anatomy may change."""

Sums = NDArray[np.float64]
"""(t, structures, z, 3): voxels of the mask, sum of its probability, the part within the mask."""


@dataclass(frozen=True, slots=True, eq=False)
class Sureness:
    """What a model's probabilities said of itself, before any rule of anatomy.

    Attributes:
        sums: (t, structures, z, 3), see `Sums`.
        structures: of the second axis; no background.
    """

    sums: Sums
    structures: tuple[Structure, ...]

    def expected_dice(self, structure: Structure, frame: int) -> float | None:
        """Of the whole stack, in [0, 1]; None when nothing of it is in the frame or sought.

        A probability that nowhere wins makes it 0.
        """
        if structure not in self.structures:
            return None
        chosen, total, within = self.sums[frame, self.structures.index(structure)].sum(axis=0)
        return float(2 * within / (chosen + total)) if chosen + total else None

    def chosen(self, structure: Structure, frame: int) -> NDArray[np.float64]:
        """(z,) voxels of each slice whose likeliest structure it was."""
        counted: NDArray[np.float64] = self.sums[frame, self.structures.index(structure), :, 0]
        return counted


class Watching:
    """What a model says of each frame as it comes, summed up on its way.

    Args:
        regions: of the frames; they can be taken once.
        structures: of each channel; the first is the background.
    """

    def __init__(self, regions: Iterable[Region], structures: Sequence[Structure]) -> None:
        self._regions, self._structures = regions, tuple(structures)
        self._sums: list[Sums] = []

    def __iter__(self) -> Iterator[Region]:
        for region in self._regions:
            self._sums.append(_summed(region.values))
            yield region

    def seen(self) -> Sureness:
        """What there was to see in all frames that came."""
        return Sureness(np.stack(self._sums), self._structures[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a structure stands in one of the two phases.

    Attributes:
        structure: that was sought.
        phase: "end-diastole" or "end-systole".
        expected: Dice, see `Sureness.expected_dice`; None where there was nothing of it.
        mended: see `mended_share`.
    """

    structure: Structure
    phase: str
    expected: float | None
    mended: float


def standings(
    sureness: Sureness, segmentation: Segmentation, phases: Phases
) -> tuple[Standing, ...]:
    """Of the structures that have a threshold, at the phases that were measured.

    Args:
        sureness: of the model.
        segmentation: what the rules of anatomy made of its answer.
        phases: that were measured.
    """
    return tuple(
        Standing(
            structure=structure,
            phase=name,
            expected=sureness.expected_dice(structure, frame),
            mended=mended_share(sureness, segmentation, structure, frame),
        )
        for name, frame in (("end-diastole", phases.ed), ("end-systole", phases.es))
        for structure in LEAST_EXPECTED
        if frame is not None and structure in sureness.structures
    )


def unsureness(
    stood: Iterable[Standing], least: Mapping[Structure, float] = LEAST_EXPECTED
) -> tuple[str, ...]:
    """Reasons to look: what the model was unsure of, or drew as no heart can be.

    Args:
        stood: see `standings`.
        least: Dice that it must expect of each structure.
    """
    reasons = []
    for one in stood:
        if one.expected is not None and one.expected < least[one.structure]:
            reasons.append(f"the model is unsure of the {one.structure.title} at {one.phase}")
        elif one.mended > MENDED:
            reasons.append(
                f"much of what the model drew as {one.structure.title} at {one.phase}"
                " broke the rules of anatomy"
            )
    return tuple(reasons)


def mended_share(
    sureness: Sureness, segmentation: Segmentation, structure: Structure, frame: int
) -> float:
    """How much of a structure the rules of anatomy took or gave, slice by slice, as a share of it.

    0 where neither the model nor the rules have any.
    """
    drawn = sureness.chosen(structure, frame)
    left = np.count_nonzero(segmentation.labels[frame] == structure, axis=(1, 2))
    most = max(drawn.sum(), left.sum())
    return float(np.abs(drawn - left).sum() / most) if most else 0.0


def _summed(probabilities: NDArray[np.float32]) -> Sums:
    """(structures but the background, z, 3) sums of a frame (structures, z, y, x)."""
    sums = np.zeros((len(probabilities) - 1, probabilities.shape[1], 3))
    unsure = (probabilities[0] < BACKGROUND_CERTAIN).any(axis=0)
    if not unsure.any():
        return sums
    rows, columns = (np.flatnonzero(unsure.any(axis=axis)) for axis in (1, 0))
    box = np.s_[:, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    for z, planes in enumerate(np.moveaxis(probabilities[box], 1, 0)):  # a slice fits the cache
        winner = planes.max(axis=0)
        for channel, plane in enumerate(planes[1:]):
            mask = (plane == winner) & (plane > planes[0])
            sums[channel, z] = (
                np.count_nonzero(mask),
                plane.sum(dtype=np.float64),
                plane[mask].sum(dtype=np.float64),
            )
    return sums
