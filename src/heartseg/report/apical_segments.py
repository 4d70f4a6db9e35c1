"""The segments of each apical view as inline SVG: inward motion of either wall, apex above.

Named walls stand as in the usual display, the septal, inferior or inferolateral one on the left;
walls without a name stand where the picture has them. The scale is that of the bull's eye of
motion; numbers are printed, so that nothing hangs on colour alone.
"""

import math
import re
from collections.abc import Iterator, Mapping
from html import escape

from heartseg.core.finding import Report
from heartseg.report.bullseye import ABSENT, SIZE, TITLE, shade
from heartseg.report.language import ENGLISH, Language
from heartseg.report.palette import INK, MUTED, css
from heartseg.report.words import view_title

LOW_MM, HIGH_MM = 0.0, 12.0

ACROSS, UP, BAND = 104.0, 216.0, 44.0
"""Outer half axes of the wall's arch, and how thick it is drawn."""

FLOOR = TITLE + SIZE - 46
"""Of the arch, above the names of the walls."""

_SEGMENT = re.compile(r"(?P<view>[234]ch)_(?P<level>basal|mid|apical)_(?P<wall>[a-z]+)_motion_mm")

_LEFT_WALLS: Mapping[str, tuple[str, ...]] = {
    "4ch": ("inferoseptal", "septal", "left"),
    "2ch": ("inferior", "left"),
    "3ch": ("inferolateral", "lateral", "left"),
}
_LEVELS = ("basal", "mid", "apical")

Segments = dict[tuple[str, str], tuple[str, float]]
"""Name of the wall and motion in mm, by side and level."""


def apical_segments(report: Report, language: Language = ENGLISH) -> tuple[str, ...]:
    """A drawing of each view; nothing where no segment of an apical view has a motion."""
    return tuple(
        _arch(view, found, report.value(f"lv_gls_{view}"), language)
        for view in ("4ch", "2ch", "3ch")
        if (found := _segments(report.segments, view))
    )


def _segments(values: Mapping[str, float | None], view: str) -> Segments:
    found: Segments = {}
    for key, value in values.items():
        match = _SEGMENT.fullmatch(key)
        if match and match["view"] == view and value is not None and math.isfinite(value):
            side = "left" if match["wall"] in _LEFT_WALLS[view] else "right"
            found[side, match["level"]] = (match["wall"], value)
    return found


def _arch(view: str, found: Segments, strain: float | None, language: Language) -> str:
    ink, muted, say = css(INK), css(MUTED), language.say
    title = f"Inward motion, {view_title(view)} (mm)"
    parts = [_text(SIZE / 2, 16, say(title), ink, 14)]
    for side in ("left", "right"):
        for place, level in enumerate(_LEVELS):
            parts += _segment(side, place, found.get((side, level)), language)
        wall, _ = found.get((side, "basal"), (side, 0.0))
        x = SIZE / 2 + (-1 if side == "left" else 1) * (ACROSS - BAND / 2)
        parts.append(_text(x, FLOOR + 20, say(wall), muted, 13))
    if ("left", "basal") in found and found["left", "basal"][0] == "left":
        unnamed = say("sides of the picture, walls not named")
        parts.append(_text(SIZE / 2, FLOOR + 38, unnamed, muted, 11))
    if strain is not None and math.isfinite(strain):
        parts.append(
            _text(SIZE / 2, FLOOR - 70, f"{language.number(f'{100 * strain:.1f}')} %", ink, 18)
        )
        parts.append(_text(SIZE / 2, FLOOR - 53, say("geometric"), muted, 11))
        parts.append(_text(SIZE / 2, FLOOR - 40, say("strain"), muted, 11))
    return (
        f'<svg class="eye" viewBox="0 0 {SIZE} {SIZE + TITLE}" role="img" '
        f'aria-label="{escape(say(f"{title} of the segments"))}">{"".join(parts)}</svg>'
    )


def _segment(
    side: str, place: int, known: tuple[str, float] | None, language: Language
) -> Iterator[str]:
    """The part of the arch from `place` thirds of the way up on, with its number."""
    turns = [(place + step / 12) / 3 * 90 for step in range(13)]
    outer = [_point(side, turn, 0.0) for turn in turns]
    inner = [_point(side, turn, BAND) for turn in reversed(turns)]
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (*outer, *inner))
    value = None if known is None else known[1]
    colour = ABSENT if value is None else shade((value - LOW_MM) / (HIGH_MM - LOW_MM))
    yield f'<polygon points="{corners}" fill="{colour}" stroke="#fff" stroke-width="2"/>'
    x, y = _point(side, (place + 0.5) * 30, BAND / 2)
    yield _text(x, y + 5, "–" if value is None else language.number(f"{value:.1f}"), css(INK), 14)


def _point(side: str, degrees: float, inwards: float) -> tuple[float, float]:
    """On the arch, so many degrees up from its foot."""
    sign = -1 if side == "left" else 1
    x = (ACROSS - inwards) * math.cos(math.radians(degrees))
    y = (UP - inwards) * math.sin(math.radians(degrees))
    return SIZE / 2 + sign * x, FLOOR - y


def _text(x: float, y: float, said: str, colour: str, size: int) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="middle" '
        f'fill="{colour}">{escape(said)}</text>'
    )
