"""Whether an image and the heart drawn in it look like those that a model learnt from.

Of its training patients a model keeps the mean and the standard deviation of each trait (see
`image_traits`, `anatomy_traits`), of the image and of the contours that people drew: the section
[familiar] of its bundle. What was learnt from little is no ground to trust an answer, whatever the
model says of itself: networks are sure of much that they never saw.

Traits are compared in groups. Of each group the root mean square of the departures counts, since
many traits may be somewhat off, and the largest departure, since one may be far off alone; both as
multiples of what is rare among the training patients themselves, each compared with the others.
The largest of all these numbers is held against a limit that is set on them in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.anatomy_traits import beat_traits, frame_traits
from heartseg.measure.image_traits import image_traits, scaled, tissue_traits

Traits = Mapping[str, float]
LEAST_SPREAD = 0.03
"""A trait that hardly varies in contours drawn by hand varies this much in good predictions."""

RARE = 0.9
"""Share of the training patients that lie within what is taken as the measure of a group."""

FLAGGED = 0.05
"""Share of the training patients, each compared with the others, that lie beyond the limit."""

NAMED = 3
"""So many traits are named, the farthest first, and only those beyond `WORTH_NAMING`."""

WORTH_NAMING = 2.5

FEWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The traits of one study, in groups that are compared each by itself; empty: not to be had."""

    image: Traits
    tissue_at_ed: Traits
    tissue_at_es: Traits
    heart_at_ed: Traits
    heart_at_es: Traits
    beat: Traits


GROUPS = tuple(field.name for field in fields(Looks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What a group of traits is like in training patients.

    Attributes:
        traits: mean and standard deviation of each.
        mean_square: root mean square of departures that `RARE` of the patients stay below.
        farthest: the same of the largest departure.
    """

    traits: Mapping[str, tuple[float, float]]
    mean_square: float
    farthest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Familiar:
    """What a model's training patients looked like.

    Attributes:
        patients: how many they were.
        limit: of `unlikeness`, beyond which a study is strange.
        groups: by the names of the fields of `Looks`.
    """

    patients: int
    limit: float
    groups: Mapping[str, Group]


_SAID: Mapping[str, str] = {
    "image": "the image is unlike those that the model learnt from",
    "tissue_at_ed": "blood and muscle in the contours at end-diastole are unlike the usual",
    "tissue_at_es": "blood and muscle in the contours at end-systole are unlike the usual",
    "heart_at_ed": "the heart at end-diastole is unlike those that the model learnt from",
    "heart_at_es": "the heart at end-systole is unlike those that the model learnt from",
    "beat": "the heart's beat is unlike those that the model learnt from",
}


def looks_of(
    voxels: NDArray[Any] | None, segmentation: Segmentation, phases: Phases
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
    frames = [one for one in (phases.ed, phases.es) if one is not None]
    drawn = [segmentation.labels[frame] for frame in frames]
    pixels = None if voxels is None else scaled(voxels[frames])
    tissues = [{} if pixels is None else tissue_traits(pixels[i], one, grid)
               for i, one in enumerate(drawn)]  # fmt: skip
    hearts = [frame_traits(one, grid) for one in drawn]
    return Looks(
        image={} if pixels is None else image_traits(pixels, grid),
        tissue_at_ed=tissues[0],
        tissue_at_es=tissues[1] if len(drawn) > 1 else {},
        heart_at_ed=hearts[0],
        heart_at_es=hearts[1] if len(drawn) > 1 else {},
        beat=beat_traits(drawn[0], drawn[1], grid) if len(drawn) > 1 else {},
    )


def familiar_of(looks: Sequence[Looks]) -> Familiar:
    """What is kept of the training patients; a trait that a patient lacks is taken of the others.

    Raises:
        MeasureError: fewer than `FEWEST` of them, too few to say what is usual.
    """
    if len(looks) < FEWEST:
        raise MeasureError("familiar", got=f"{len(looks)} patients", allowed=f"at least {FEWEST}")
    groups = {name: _group([getattr(one, name) for one in looks]) for name in GROUPS}
    every = Familiar(patients=len(looks), limit=0.0, groups=groups)
    alone = [
        strangeness(one, replace(every, groups=_without(looks, number, groups)))
        for number, one in enumerate(looks)
    ]
    return replace(every, limit=_rounded(np.quantile(alone, 1 - FLAGGED)))


def _group(seen: Sequence[Traits]) -> Group:
    """Of all patients; what is rare is seen on each of them against the others."""
    squares, farthest = [], []
    for number, one in enumerate(seen):
        off = departures(one, _usual([*seen[:number], *seen[number + 1 :]]))
        squares.append(_root_mean_square(off))
        farthest.append(max(map(abs, off.values()), default=0.0))
    return Group(
        traits=_usual(seen),
        mean_square=max(_rounded(np.quantile(squares, RARE)), LEAST_SPREAD),
        farthest=max(_rounded(np.quantile(farthest, RARE)), LEAST_SPREAD),
    )


def _without(looks: Sequence[Looks], number: int, groups: Mapping[str, Group]) -> dict[str, Group]:
    rest = [*looks[:number], *looks[number + 1 :]]
    return {
        name: replace(group, traits=_usual([getattr(one, name) for one in rest]))
        for name, group in groups.items()
    }


def _usual(seen: Sequence[Traits]) -> dict[str, tuple[float, float]]:
    found = {}
    for name in dict.fromkeys(name for one in seen for name in one):
        values = [one[name] for one in seen if name in one]
        spread = max(float(np.std(values)), LEAST_SPREAD)
        found[name] = (_rounded(np.mean(values)), _rounded(spread))
    return found


def _rounded(value: Any) -> float:
    """Four digits: a bundle's file should stay readable."""
    return float(f"{value:.4g}")


def departures(seen: Traits, usual: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """How many standard deviations each trait that both know lies off, with its sign."""
    return {
        name: (seen[name] - mean) / max(spread, LEAST_SPREAD)
        for name, (mean, spread) in usual.items()
        if name in seen
    }


def _root_mean_square(off: Mapping[str, float]) -> float:
    return float(np.sqrt(np.mean(np.square(list(off.values()))))) if off else 0.0


def _strange(off: Mapping[str, float], group: Group) -> float:
    if not off:
        return 0.0
    return max(
        _root_mean_square(off) / max(group.mean_square, LEAST_SPREAD),
        max(map(abs, off.values())) / max(group.farthest, LEAST_SPREAD),
    )


def strangeness(looks: Looks, familiar: Familiar) -> float:
    """How unlike the training patients a study is: about 1 is rare in any one group, 0 the mean."""
    return max(
        (
            _strange(departures(getattr(looks, name), group.traits), group)
            for name, group in familiar.groups.items()
            if name in GROUPS
        ),
        default=0.0,
    )


def unlikeness(looks: Looks, familiar: Familiar) -> tuple[str, ...]:
    """Reasons to look, the traits that are farthest off named in each; none is the usual case."""
    reasons = []
    for name in GROUPS:
        group = familiar.groups.get(name)
        off = {} if group is None else departures(getattr(looks, name), group.traits)
        if group is None or _strange(off, group) <= familiar.limit:
            continue
        farthest = sorted(off, key=lambda trait: -abs(off[trait]))[:NAMED]
        named = [trait for trait in farthest if abs(off[trait]) > WORTH_NAMING] or farthest[:1]
        reasons.append(f"{_SAID[name]}: {', '.join(named)}")
    return tuple(reasons)
