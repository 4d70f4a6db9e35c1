"""The 16 segments of the short axis: wall thickness, thickening, motion, geometric strain.

Cerqueira et al., Circulation 2002;105:539 (AHA), as SCMR 2020 uses it: basal, mid and apical thirds
of the slices whose cavity myocardium rings at end-diastole. The anterior insertion of the RV
divides segment 1 from 2 (7 from 8), sixths follow round the septum; apically quarters, the septal
one about the middle of the septum. Segment 17, the apex, needs a long axis and has no value.

Everything is taken from areas (`rings`), and says nothing of what the tissue does along the wall:
the strains are geometric. Thickening is the radial one. Motion is inwards, towards the centre of
the same frame's cavity, since end-diastole and from frame to frame.

Pictures are turned as they are shown, seen from the apex: the septum lies left, and angles run from
the anterior insertion round the septum, against the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.image import Segmentation
from heartseg.core.stack_order import directions_contradicted
from heartseg.core.study import Phases
from heartseg.measure.phases import FEWEST_CURVE
from heartseg.measure.rings import Ring, Sector, angles_about_lv, rings
from heartseg.measure.volumes import around_heart, with_scar_as_myocardium
from heartseg.measure.wall import ring_slices

SEGMENTS = 17
TOUCHING_PIXELS = 2
"""RV and wall that lie so close touch: experts leave a seam."""

LEVELS = ("basal", "mid", "apical")
_ASKED = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)

Values = dict[str, float | None]
Curve = tuple[float | None, ...]
Rings = tuple[Ring | None, ...]
"""Of one segment: its ring in each of its slices."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What was measured in the segments, and a sentence for the page.

    `values` holds `<number>_wall_ed_mm`, `_wall_es_mm`, `_thickening`, `_motion_mm` (inwards) and
    `_circumferential_strain` (of the middle of the wall) for 1 to 17; it is empty where segments
    cannot be named, and `said` tells why. `curves` holds `<number>_motion_mm` since end-diastole
    and `<number>_step_mm` since the frame before, of a cine.
    """

    values: Values
    said: str
    curves: Mapping[str, Curve] = field(default_factory=dict)


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
    upright = with_scar_as_myocardium(around_heart(turn.apply(segmentation.labels)))
    start = upright[phases.ed]
    levels = _levels(start)
    if levels is None:
        return Segments({}, "AHA segments: none (fewer than three slices with a closed ring).")
    septum = _septa(start, levels, (spacing[0], spacing[1]))
    if septum is None:
        return Segments({}, "AHA segments: none (the RV does not touch the LV's wall).")
    against = _anatomy_against(segmentation, phases.ed, septum)
    if against:
        return Segments({}, f"AHA segments: none ({against}).")
    cine = len(upright) >= FEWEST_CURVE
    wanted = {phases.ed} if phases.es is None else {phases.ed, phases.es}
    if cine:
        wanted |= {frame for frame in range(len(upright)) if segmentation.covers(frame)}
    found = {
        frame: _by_segment(upright[frame], levels, septum, (spacing[0], spacing[1]))
        for frame in sorted(wanted)
    }
    return Segments(
        _values(found[phases.ed], None if phases.es is None else found[phases.es]),
        SAID,
        _curves(found, phases.ed, len(upright)) if cine else {},
    )


SAID = (
    "AHA segments 1-16 from the slices with a closed ring at end-diastole, divided at the anterior"
    " RV insertion; 17 needs a long axis. Slices are compared with themselves at end-systole,"
    " whatever moves through them; thickening (radial strain) and circumferential strain are"
    " geometric, from areas of the masks. Motion is inwards, towards the centre of the cavity."
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


def _anatomy_against(
    segmentation: Segmentation, ed: int, septa: tuple[tuple[float, float], ...]
) -> str | None:
    """What the heart itself has against the directions that the file states; None as a rule.

    Mirrored and turned conversions are common, and would give each wall another one's name.
    """
    if directions_contradicted(segmentation.geometry, segmentation.labels[ed]):
        return "the heart tapers against the file's directions: a reader must name the segments"
    middle = np.mean([np.exp(1j * (start + 0.5 * width)) for start, width in septa])
    if middle.real > 0:
        return "the RV lies against the file's directions: a reader must name the segments"
    return None


def _septum(plane: Labels, spacing: tuple[float, float]) -> tuple[float, float] | None:
    """Where the RV touches the wall of a (y, x) slice: from where, and how far round."""
    from scipy.ndimage import binary_dilation

    right = binary_dilation(plane == Structure.RV_CAVITY, iterations=TOUCHING_PIXELS)
    touching = right & (plane == Structure.LV_MYOCARDIUM)
    if np.count_nonzero(touching) < 2:
        return None
    angles = np.sort(angles_about_lv(plane, spacing, touching))
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    widest = int(gaps.argmax())
    return float(angles[(widest + 1) % len(angles)]), float(2 * np.pi - gaps[widest])


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


def _by_segment(
    frame: Labels,
    levels: tuple[NDArray[np.intp], ...],
    septa: tuple[tuple[float, float], ...],
    spacing: tuple[float, float],
) -> dict[int, Rings]:
    """The rings of every segment in (z, y, x) labels, by its number."""
    found: dict[int, Rings] = {}
    for level, slices in enumerate(levels):
        sectors = _sectors(level, septa[level])
        planes = [rings(frame[z], sectors, spacing) for z in slices]
        for place, sector in enumerate(sectors):
            found[sector.number] = tuple(plane[place] for plane in planes)
    return dict(sorted(found.items()))


def _values(at_ed: Mapping[int, Rings], at_es: Mapping[int, Rings] | None) -> Values:
    values: Values = {}
    for number, before in at_ed.items():
        values |= _of_segment(number, before, () if at_es is None else at_es[number])
    return values | _of_segment(SEGMENTS, (), ())


def _of_segment(number: int, at_ed: Rings, at_es: Rings) -> Values:
    """Means over a segment's slices; what compares phases, over slices that both phases show."""
    pairs = _pairs(at_ed, at_es)
    before, after = (_mean([pair[i].thickness for pair in pairs]) for i in (0, 1))
    return {
        f"{number}_wall_ed_mm": _mean([ring.thickness for ring in at_ed if ring is not None]),
        f"{number}_wall_es_mm": after,
        f"{number}_thickening": after / before - 1.0 if before and after else None,
        f"{number}_motion_mm": _inwards(at_ed, at_es),
        f"{number}_circumferential_strain": _mean([es.middle / ed.middle - 1 for ed, es in pairs]),
    }


def _curves(found: Mapping[int, Mapping[int, Rings]], ed: int, frames: int) -> dict[str, Curve]:
    """Motion of every segment, a value a frame; None where a frame was not drawn."""
    curves: dict[str, Curve] = {}
    for number, start in found[ed].items():
        curves[f"{number}_motion_mm"] = tuple(
            _inwards(start, found[frame][number]) if frame in found else None
            for frame in range(frames)
        )
        curves[f"{number}_step_mm"] = tuple(
            _inwards(found[frame - 1][number], found[frame][number])
            if frame in found and frame - 1 in found
            else None
            for frame in range(frames)
        )
    return curves


def _inwards(before: Rings, after: Rings) -> float | None:
    return _mean([old.inner - new.inner for old, new in _pairs(before, after)])


def _pairs(before: Rings, after: Rings) -> list[tuple[Ring, Ring]]:
    """The rings of the slices that have one both times."""
    both = zip(before, after, strict=False)
    return [(old, new) for old, new in both if old is not None and new is not None]


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
