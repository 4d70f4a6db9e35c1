"""Whether an image and the heart drawn in it look like those that a model learnt from.

Of its training patients a model keeps the mean and the standard deviation of each trait (see
`image_traits`, `anatomy_traits`), of the image and of the contours that people drew: the section
[familiar] of its bundle. What was learnt from little is no ground to trust an answer, whatever the
model says of itself: networks are sure of much that they never saw. A trait far off alone is a
reason to look, and so are many that are somewhat off. The distance is the root mean square of the
traits' departures; with as few patients as such data sets have, a covariance of the traits did not
separate better (benchmarks/LOG.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.anatomy_traits import beat_traits, frame_traits
from heartseg.measure.image_traits import image_traits

Traits = Mapping[str, float]
Usual = Mapping[str, tuple[float, float]]
"""Mean and standard deviation of each trait."""

LEAST_SPREAD = 0.03
"""A trait that hardly varies in contours drawn by hand varies this much in good predictions."""

FAR = 7.0
"""Departure of one trait, in standard deviations, that is a reason by itself."""

UNLIKE = 2.2
"""Root mean square of the departures of a group of traits that is a reason."""

NAMED = 3
"""So many traits are named, the farthest first, and only those beyond `WORTH_NAMING`."""

WORTH_NAMING = 3.0

MOST_TRAITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The traits of one study, in groups that are compared each by itself; empty: not to be had."""

    image: Traits
    end_diastole: Traits
    end_systole: Traits
    beat: Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Familiar:
    """What a model's training patients looked like.

    Attributes:
        patients: how many they were.
        image, end_diastole, end_systole, beat: as the groups of `Looks`.
    """

    patients: int
    image: Usual
    end_diastole: Usual
    end_systole: Usual
    beat: Usual


GROUPS = tuple(field.name for field in fields(Looks))

_SAID: Mapping[str, str] = {
    "image": "the image is unlike those that the model learnt from",
    "end_diastole": "the heart at end-diastole is unlike those that the model learnt from",
    "end_systole": "the heart at end-systole is unlike those that the model learnt from",
    "beat": "the heart's beat is unlike those that the model learnt from",
}


def looks_of(
    voxels: NDArray[np.generic] | None, segmentation: Segmentation, phases: Phases
) -> Looks | None:
    """The traits of a study; None on a grid without millimetres, where none can be had.

    Args:
        voxels: (t, z, y, x) of the image; None for the contours alone.
        segmentation: of it.
        phases: that were measured.
    """
    grid = segmentation.geometry
    if grid.unit != "mm" or not grid.depth_known:
        return None
    ed = segmentation.labels[phases.ed]
    es = None if phases.es is None else segmentation.labels[phases.es]
    return Looks(
        image={} if voxels is None else _of_image(voxels, segmentation, phases, grid),
        end_diastole=frame_traits(ed, grid),
        end_systole={} if es is None else frame_traits(es, grid),
        beat={} if es is None else beat_traits(ed, es, grid),
    )


def _of_image(
    voxels: NDArray[np.generic], segmentation: Segmentation, phases: Phases, grid: Geometry
) -> Traits:
    frames = [phases.ed] if phases.es is None else [phases.ed, phases.es]
    return image_traits(voxels[frames], segmentation.labels[frames], grid)


def familiar_of(looks: Sequence[Looks]) -> Familiar:
    """What is kept of the training patients; a trait that a patient lacks is taken of the others.

    Four digits are kept: a bundle's file should stay readable.
    """
    usual = {
        group: {
            name: _usual([one[name] for one in seen if name in one])
            for name in dict.fromkeys(name for one in seen for name in one)
        }
        for group in GROUPS
        for seen in [[getattr(one, group) for one in looks]]
    }
    return Familiar(patients=len(looks), **usual)


def _usual(values: Sequence[float]) -> tuple[float, float]:
    spread = max(float(np.std(values)), LEAST_SPREAD)
    return float(f"{np.mean(values):.4g}"), float(f"{spread:.4g}")


def departures(seen: Traits, usual: Usual) -> dict[str, float]:
    """How many standard deviations each trait that both know lies off, with its sign."""
    return {
        name: (seen[name] - mean) / max(spread, LEAST_SPREAD)
        for name, (mean, spread) in usual.items()
        if name in seen
    }


def distance(departed: Iterable[float]) -> float:
    """Root mean square of departures: about 1 for a patient like those of training, 0 for none."""
    every = np.array(list(departed))
    return float(np.sqrt(np.mean(every**2))) if every.size else 0.0


def unlikeness(looks: Looks, familiar: Familiar) -> tuple[str, ...]:
    """Reasons to look, the traits that are farthest off named in each; none is the usual case."""
    reasons = []
    for group in GROUPS:
        off = departures(getattr(looks, group), getattr(familiar, group))
        if distance(off.values()) <= UNLIKE and max(map(abs, off.values()), default=0.0) <= FAR:
            continue
        farthest = sorted(off, key=lambda name: -abs(off[name]))[:NAMED]
        named = [name for name in farthest if abs(off[name]) > WORTH_NAMING] or farthest[:1]
        reasons.append(f"{_SAID[group]}: {', '.join(named)}")
    return tuple(reasons)
