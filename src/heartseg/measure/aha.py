"""The 16 segments of the short axis: wall thickness, thickening, motion, geometric strain.

Cerqueira et al., Circulation 2002;105:539 (AHA), as SCMR 2020 uses it: basal, mid and apical thirds
of the slices whose cavity myocardium rings at end-diastole. The anterior insertion of the RV
divides segment 1 from 2 (7 from 8), sixths follow round the septum; apically quarters, the septal
one about the middle of the septum. Segment 17, the apex, needs a long axis and has no value.

Everything is taken from areas: in a sector of angle d about the cavity's centre an area A of cavity
has the radius sqrt(2 A / d), and with the wall's area the outer one. That is right for rings of any
pixel size, and says nothing of what the tissue does along the wall: the strains are geometric.

Pictures are turned as they are shown, seen from the apex: the septum lies left, and angles run from
the anterior insertion round the septum, against the clock.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.volumes import around_heart, with_scar_as_myocardium
from heartseg.measure.wall import ring_slices

SEGMENTS = 17
TOUCHING_PIXELS = 2
"""RV and wall that lie so close touch: experts leave a seam."""

LEVELS = ("basal", "mid", "apical")
_ASKED = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)

Angles = NDArray[np.float64]
Values = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Ring:
    """Radii of the wall in a sector, in mm."""

    inner: float
    outer: float

    @property
    def thickness(self) -> float:
        """Of the wall."""
        return self.outer - self.inner

    @property
    def middle(self) -> float:
        """Radius of the middle of the wall."""
        return 0.5 * (self.inner + self.outer)


@dataclass(frozen=True, slots=True)
class Sector:
    """A segment's part of a slice: from `start` on against the clock by `width`, in radians."""

    number: int
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Segments:
    """What was measured in the segments, and a sentence for the page.

    `values` holds `<number>_wall_ed_mm`, `_wall_es_mm`, `_thickening`, `_motion_mm` (inwards) and
    `_circumferential_strain` (of the middle of the wall) for 1 to 17; it is empty where segments
    cannot be named, and `said` tells why.
    """

    values: Values
    said: str


def segments(segmentation: Segmentation, phases: Phases | None) -> Segments:
    """Measure the segments of a stack.

    Args:
        segmentation: (t, z, y, x) labels of a stack whose place in the patient is known.
        phases: without an end-systole there is thickness at end-diastole only.
    """
    why = _why_not(segmentation, phases)
    if why or phases is None:
        return Segments({}, f"AHA segments: none ({why}).")
    geometry = segmentation.geometry
    turn = geometry.canonical()
    spacing = geometry.oriented(turn).spacing[1:]
    frames = [phases.ed] if phases.es is None else [phases.ed, phases.es]
    upright = with_scar_as_myocardium(around_heart(turn.apply(segmentation.labels[frames])))
    levels = _levels(upright[0])
    if levels is None:
        return Segments({}, "AHA segments: none (fewer than three slices with a closed ring).")
    septum = _septa(upright[0], levels, (spacing[0], spacing[1]))
    if septum is None:
        return Segments({}, "AHA segments: none (the RV does not touch the LV's wall).")
    values = _values(upright, levels, septum, (spacing[0], spacing[1]))
    return Segments(values, SAID)


SAID = (
    "AHA segments 1-16 from the slices with a closed ring at end-diastole, divided at the anterior"
    " RV insertion; 17 needs a long axis. Slices are compared with themselves at end-systole,"
    " whatever moves through them; thickening and strain are geometric, from areas of the masks."
)


def _why_not(segmentation: Segmentation, phases: Phases | None) -> str | None:
    if phases is None:
        return "no LV cavity in any frame"
    missing = [one.title for one in _ASKED if one not in segmentation.structures]
    if missing:
        return f"{missing[0]} was not looked for"
    if segmentation.geometry.unit != "mm":
        return "the image has no spacing"
    if not segmentation.geometry.oblique:
        return "the file does not tell how the patient lies: a reader must name the segments"
    return None


def _levels(labels: Labels) -> tuple[NDArray[np.intp], ...] | None:
    """Slices of each level, of (z, y, x) labels whose z points to the base."""
    closed = np.array(ring_slices(labels), np.intp)[::-1]
    return tuple(np.array_split(closed, len(LEVELS))) if len(closed) >= len(LEVELS) else None


def _septa(
    labels: Labels, levels: tuple[NDArray[np.intp], ...], spacing: tuple[float, float]
) -> tuple[tuple[float, float], ...] | None:
    """Anterior insertion and width of the septum at each level, in radians.

    The mean over the level's slices; a level whose slices do not touch the RV takes the next one's.
    """
    found: list[tuple[float, float] | None] = []
    for slices in levels:
        arcs = [arc for z in slices if (arc := _septum(labels[z], spacing)) is not None]
        if not arcs:
            found.append(None)
            continue
        mean = np.mean([np.exp(1j * start) for start, _ in arcs])
        found.append((float(np.angle(mean)), float(np.mean([width for _, width in arcs]))))
    known = [arc for arc in found if arc is not None]
    if not known:
        return None
    near = [known[0] if found[0] is None else found[0]]
    for arc in found[1:]:
        near.append(near[-1] if arc is None else arc)
    return tuple(near)


def _septum(plane: Labels, spacing: tuple[float, float]) -> tuple[float, float] | None:
    """Where the RV touches the wall of a (y, x) slice: from where, and how far round."""
    from scipy.ndimage import binary_dilation

    right = binary_dilation(plane == Structure.RV_CAVITY, iterations=TOUCHING_PIXELS)
    touching = right & (plane == Structure.LV_MYOCARDIUM)
    if np.count_nonzero(touching) < 2:
        return None
    angles = np.sort(_angles(plane, spacing)[touching])
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    widest = int(gaps.argmax())
    return float(angles[(widest + 1) % len(angles)]), float(2 * np.pi - gaps[widest])


def _angles(plane: Labels, spacing: tuple[float, float]) -> Angles:
    """(y, x) angle of every pixel about the LV's centre, against the clock from the right."""
    y, x = np.indices(plane.shape)
    row, column = np.argwhere(plane == Structure.LV_CAVITY).mean(axis=0)
    angles: Angles = np.arctan2((row - y) * spacing[0], (x - column) * spacing[1])
    return angles


def _sectors(level: int, septum: tuple[float, float]) -> tuple[Sector, ...]:
    """The segments of a level; the first one begins where the numbering does not: at segment 2."""
    start, width = septum
    if level < 2:
        sixth = np.pi / 3
        numbers = (2, 3, 4, 5, 6, 1)
        return tuple(Sector(n + 6 * level, start + k * sixth, sixth) for k, n in enumerate(numbers))
    quarter = np.pi / 2
    first = start + 0.5 * width - 0.5 * quarter
    return tuple(Sector(n, first + k * quarter, quarter) for k, n in enumerate((14, 15, 16, 13)))


def _values(
    frames: Labels,
    levels: tuple[NDArray[np.intp], ...],
    septa: tuple[tuple[float, float], ...],
    spacing: tuple[float, float],
) -> Values:
    values: Values = {}
    for level, slices in enumerate(levels):
        for sector in _sectors(level, septa[level]):
            rings = [[_ring(frame[z], sector, spacing) for frame in frames] for z in slices]
            values |= _of_segment(sector.number, rings)
    values |= _of_segment(SEGMENTS, [])
    return dict(sorted(values.items(), key=lambda one: int(one[0].partition("_")[0])))


def _of_segment(number: int, rings: list[list[Ring | None]]) -> Values:
    """Means over a segment's slices; what compares phases, over slices that both phases show."""
    at_ed = [one[0].thickness for one in rings if one[0] is not None]
    both = ((one[0], one[1]) for one in rings if len(one) > 1)
    pairs = [(ed, es) for ed, es in both if ed is not None and es is not None]
    before, after = (_mean([pair[i].thickness for pair in pairs]) for i in (0, 1))
    return {
        f"{number}_wall_ed_mm": _mean(at_ed),
        f"{number}_wall_es_mm": after,
        f"{number}_thickening": after / before - 1.0 if before and after else None,
        f"{number}_motion_mm": _mean([ed.inner - es.inner for ed, es in pairs]),
        f"{number}_circumferential_strain": _mean([es.middle / ed.middle - 1 for ed, es in pairs]),
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _ring(plane: Labels, sector: Sector, spacing: tuple[float, float]) -> Ring | None:
    """Radii of a sector of a (y, x) slice; None where it has no cavity or no wall."""
    if not (plane == Structure.LV_CAVITY).any():
        return None
    inside = np.mod(_angles(plane, spacing) - sector.start, 2 * np.pi) < sector.width
    pixel = spacing[0] * spacing[1]
    cavity, wall = (
        np.count_nonzero(inside & (plane == structure)) * pixel
        for structure in (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    )
    if not cavity or not wall:
        return None
    return Ring(
        inner=float(np.sqrt(2 * cavity / sector.width)),
        outer=float(np.sqrt(2 * (cavity + wall) / sector.width)),
    )
