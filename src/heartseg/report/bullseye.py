"""The bull's eyes of the AHA segments, as inline SVG: wall thickness, thickening, motion, strain.

The base is outside, the apex inside, the anterior wall above and the septum left, as in Cerqueira
et al., Circulation 2002;105:539. The scales are fixed, so that two pages can be compared; beyond
their ends the colour stays. The numbers are printed, so that nothing hangs on colour alone.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from heartseg.core.finding import Report
from heartseg.report.language import ENGLISH, Language
from heartseg.report.palette import INK, MUTED, css

SIZE, TITLE = 300, 26
RADII = (142.0, 100.0, 60.0, 22.0)
"""Of the rings' borders: base, mid, apical, apex."""

PALE, DEEP = (247, 251, 255), (66, 146, 198)
ABSENT = "#e9ecef"


@dataclass(frozen=True, slots=True)
class Eye:
    """One bull's eye: which values, how they are printed, and the ends of their scale."""

    ending: str
    title: str
    factor: float
    places: int
    low: float
    high: float


EYES = (
    Eye("_wall_ed_mm", "Wall thickness at ED (mm)", 1.0, 1, 4.0, 16.0),
    Eye("_thickening", "Thickening (%)", 100.0, 0, 0.0, 100.0),
    Eye("_motion_mm", "Inward motion (mm)", 1.0, 1, 0.0, 12.0),
    Eye("_circumferential_strain", "Geometric circumferential strain (%)", 100.0, 0, 0.0, -30.0),
)


def bullseyes(report: Report, language: Language = ENGLISH) -> tuple[str, ...]:
    """An SVG drawing of each measure of the segments; nothing where nothing was measured."""
    drawn = [eye for eye in EYES if any(_values(report.segments, eye).values())]
    return tuple(_eye(_values(report.segments, eye), eye, language) for eye in drawn)


def _values(segments: Mapping[str, float | None], eye: Eye) -> dict[int, float]:
    """By number of the segment, in the unit that is printed; those that were measured."""
    found = {}
    for number in range(1, 18):
        value = segments.get(f"{number}{eye.ending}")
        if value is not None and math.isfinite(value):
            found[number] = eye.factor * value
    return found


def _eye(values: Mapping[int, float], eye: Eye, language: Language) -> str:
    shapes = "".join(
        part for number in range(1, 18) for part in _segment(number, values, eye, language)
    )
    said, label = language.say(eye.title), language.say(f"{eye.title} of the AHA segments")
    title = (
        f'<text x="{SIZE / 2}" y="16" font-size="14" text-anchor="middle" fill="{css(INK)}">'
        f"{escape(said)}</text>"
    )
    return (
        f'<svg class="eye" viewBox="0 0 {SIZE} {SIZE + TITLE}" role="img" '
        f'aria-label="{escape(label)}">{title}{shapes}</svg>'
    )


def _segment(
    number: int, values: Mapping[int, float], eye: Eye, language: Language
) -> Iterator[str]:
    x, y = _middle(number)
    value = values.get(number)
    colour = ABSENT if value is None else shade((value - eye.low) / (eye.high - eye.low))
    yield f'<path d="{_outline(number)}" fill="{colour}" stroke="#fff" stroke-width="2"/>'
    said = "–" if value is None else language.number(f"{value:.{eye.places}f}")
    yield (
        f'<text x="{x:.1f}" y="{y + 2:.1f}" font-size="14" text-anchor="middle" '
        f'fill="{css(INK)}">{said}</text>'
        f'<text x="{x:.1f}" y="{y + 14:.1f}" font-size="9" text-anchor="middle" '
        f'fill="{css(MUTED)}">{number}</text>'
    )


def shade(share: float) -> str:
    """The colour of a share of the scale; beyond its ends that of the end."""
    share = min(max(share, 0.0), 1.0)
    r, g, b = (round(pale + share * (deep - pale)) for pale, deep in zip(PALE, DEEP, strict=True))
    return css((r, g, b))


def _sector(number: int) -> tuple[float, float, float, float]:
    """Inner and outer radius, first and last angle in degrees against the clock from the right."""
    if number <= 12:
        level, place = divmod(number - 1, 6)
        first = 60.0 + 60.0 * place
        return RADII[level + 1], RADII[level], first, first + 60.0
    first = 45.0 + 90.0 * (number - 13)
    return RADII[3], RADII[2], first, first + 90.0


def _point(radius: float, degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return SIZE / 2 + radius * math.cos(angle), TITLE + SIZE / 2 - radius * math.sin(angle)


def _middle(number: int) -> tuple[float, float]:
    if number == 17:
        return SIZE / 2, TITLE + SIZE / 2
    inner, outer, first, last = _sector(number)
    return _point((inner + outer) / 2, (first + last) / 2)


def _outline(number: int) -> str:
    if number == 17:
        radius = RADII[3]
        left, y = _point(radius, 180.0)
        half = f"a{radius} {radius} 0 1 0 "
        return f"M{left:.1f} {y:.1f}{half}{2 * radius} 0{half}{-2 * radius} 0Z"
    inner, outer, first, last = _sector(number)
    (ax, ay), (bx, by) = _point(outer, first), _point(outer, last)
    (cx, cy), (dx, dy) = _point(inner, last), _point(inner, first)
    return (
        f"M{ax:.1f} {ay:.1f}A{outer} {outer} 0 0 0 {bx:.1f} {by:.1f}"
        f"L{cx:.1f} {cy:.1f}A{inner} {inner} 0 0 1 {dx:.1f} {dy:.1f}Z"
    )
