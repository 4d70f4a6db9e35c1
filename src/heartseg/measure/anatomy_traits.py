"""Numbers that say what a segmented heart looks like: sizes, proportions, places, smoothness.

Without scale where that is possible, logarithms of ratios, so that they are spread evenly about
their usual value. What cannot be had, for want of a structure, is left out. Legend: (z, y, x)
slices, rows, columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure, enclosure
from heartseg.core.discs import slice_distance_mm
from heartseg.core.geometry import Geometry
from heartseg.measure.volumes import around_heart, with_scar_as_myocardium

Traits = Mapping[str, float]
Mask = NDArray[np.bool_]

_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A mask (z, y, x), slice by slice; centres and radii in mm, NaN where a slice is empty.

    Attributes:
        mask: of the structure.
        areas: (z,) mm2.
        centres: (z, 2) of its pixels.
        axes: (z, 2) standard deviations along its short and its long axis, mm.
        borders: (z,) length of its pixels' outer edges, mm.
        distance: of the slices, mm.
    """

    mask: Mask
    areas: NDArray[np.float64]
    centres: NDArray[np.float64]
    axes: NDArray[np.float64]
    borders: NDArray[np.float64]
    distance: float

    @property
    def slices(self) -> NDArray[np.intp]:
        """That hold some of it."""
        return np.flatnonzero(self.areas)

    @property
    def volume(self) -> float:
        """In mm3."""
        return float(self.areas.sum() * self.distance)

    @property
    def radius(self) -> float:
        """Of the disc of its mean area, mm."""
        return float(np.sqrt(self.areas[self.slices].mean() / np.pi))

    def mean(self, values: NDArray[np.float64]) -> float:
        """Of a value a slice (z,), each weighing as much as its area."""
        here = self.slices
        return float(np.average(values[here], weights=self.areas[here]))


def solid_of(mask: Mask, grid: Geometry) -> Solid:
    """The slices of a mask (z, y, x), measured."""
    step = np.array(grid.spacing[1:])
    areas, borders = np.zeros(len(mask)), np.zeros(len(mask))
    centres, axes = np.full((len(mask), 2), np.nan), np.full((len(mask), 2), np.nan)
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        places = np.argwhere(mask[z]) * step
        areas[z] = len(places) * step.prod()
        centres[z] = places.mean(axis=0)
        around = (places - centres[z]).T
        spread = around @ around.T / len(places) + np.diag(step**2) / 12  # of the pixels themselves
        axes[z] = np.sqrt(np.linalg.eigvalsh(spread))
        padded = np.pad(mask[z], 1)
        borders[z] = sum(
            np.count_nonzero(np.diff(padded, axis=axis)) * step[1 - axis] for axis in (0, 1)
        )
    return Solid(mask, areas, centres, axes, borders, slice_distance_mm(grid))


def frame_traits(labels: Labels, grid: Geometry) -> dict[str, float]:
    """Of one frame's labels (z, y, x); only what needs no structure that is absent."""
    labels = around_heart(with_scar_as_myocardium(labels))
    lv, wall, rv = (_some(labels == one, grid) for one in (_LV, _MYO, _RV))
    found: dict[str, float] = {}
    if lv is not None:
        found["size of the LV"] = log(lv.volume) / 3
        found["length of the LV"] = log(len(lv.slices) * lv.distance) - log(lv.volume) / 3
        found |= _alone("LV", lv)
    if lv is not None and wall is not None:
        heart = solid_of((labels == _LV) | (labels == _MYO), grid)
        found["share of the wall"] = log(wall.volume / lv.volume)
        found["slices of the wall"] = log(len(wall.slices) / len(lv.slices))
        found["ring about the LV"] = lv.mean(_enclosures(labels, _LV))
        off = np.linalg.norm(lv.centres - heart.centres, axis=1)
        found["middle of the ring"] = lv.mean(off) / heart.radius
        found["outline of the wall"] = heart.mean(_roughness(heart))
    if lv is not None and rv is not None:
        found["size of the RV beside the LV"] = log(rv.volume / lv.volume)
        found["slices of the RV beside the LV"] = log(len(rv.slices) / len(lv.slices))
        found |= _alone("RV", rv)
        both = np.intersect1d(lv.slices, rv.slices)
        if len(both):
            away = np.linalg.norm(lv.centres[both] - rv.centres[both], axis=1).mean()
            found["place of the RV"] = log(away / (lv.radius + rv.radius))
        if wall is not None:
            found["contact of the RV"] = rv.mean(_enclosures(labels, _RV))
    return found


def beat_traits(ed: Labels, es: Labels, grid: Geometry) -> dict[str, float]:
    """What changes from end-diastole to end-systole, both (z, y, x)."""
    ed, es = around_heart(with_scar_as_myocardium(np.stack([ed, es])))
    found: dict[str, float] = {}
    for structure in (_LV, _MYO, _RV):
        first, second = ed == structure, es == structure
        counts = np.count_nonzero(first), np.count_nonzero(second)
        if not all(counts):
            continue
        name = structure.title
        slices = [np.count_nonzero(mask.any(axis=(1, 2))) for mask in (first, second)]
        found[f"change of the {name}"] = log(counts[1] / counts[0])
        found[f"change of the slices of the {name}"] = log(slices[1] / slices[0])
        shared = np.count_nonzero(first & second) / min(counts)
        found[f"overlap of the {name}"] = shared
    return found


def _alone(name: str, solid: Solid) -> dict[str, float]:
    """How round and how smooth a cavity is, in its slices and through them."""
    found = {
        f"roundness of the {name}": solid.mean(solid.axes[:, 0] / solid.axes[:, 1]),
        f"outline of the {name}": solid.mean(_roughness(solid)),
    }
    here = solid.slices
    if len(here) > 2:
        areas = solid.areas[here] / solid.areas.max()
        found[f"ends of the {name}"] = float(min(areas[0], areas[-1]))
        found[f"largest step of the {name}"] = float(np.abs(np.diff(areas)).max())
        bends = np.abs(np.diff(np.pad(areas, 1), 2))
        found[f"areas of the {name}"] = log(bends.sum())
        steps = np.linalg.norm(np.diff(solid.centres[here], axis=0), axis=1)
        found[f"axis of the {name}"] = log(1 + steps.mean() / solid.radius)
    return found


def _roughness(solid: Solid) -> NDArray[np.float64]:
    """(z,) length of the border over that of a circle, whose pixels' edges run as a square's."""
    return solid.borders / np.sqrt(64 / np.pi * np.maximum(solid.areas, 1e-9))


def _enclosures(labels: Labels, cavity: Structure) -> NDArray[np.float64]:
    return np.array([enclosure(plane, cavity) or 0.0 for plane in labels])


def _some(mask: Mask, grid: Geometry) -> Solid | None:
    return solid_of(mask, grid) if mask.any() else None
