"""A chart as a stand-alone SVG file: a frame with round ticks, and marks in the units of the data.

No fonts, scripts or other files are named, so it opens everywhere and prints sharply. Every text is
escaped here, whoever wrote it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from heartseg.report.palette import INK, MUTED, css
from heartseg.report.words import clean

WIDTH, HEIGHT = 640, 460
LEFT, RIGHT, TOP, BOTTOM = 78, 96, 46, 62

TICKS = 5
"""About so many an axis."""

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)

_TEXT = "font-family='Helvetica, Arial, sans-serif'"


@dataclass(frozen=True, slots=True)
class Scale:
    """From data to places along one axis.

    Attributes:
        low: data at the start of the axis.
        high: data at its end.
        start: place of `low`.
        end: place of `high`.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round values within."""
        step = round_step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(number * step for number in range(first, last + 1))


def round_step(rough: float) -> float:
    """A round distance of ticks, at least `rough`, which is above 0."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in _ROUND if factor * power >= rough * 0.999)


def spanning(values: Sequence[float], margin: float = 0.06) -> tuple[float, float]:
    """Ends of an axis that shows all of the values, with room around them."""
    low, high = min(values), max(values)
    room = margin * (high - low) or 0.5 * abs(high) or 1.0
    return low - room, high + room


def across(low: float, high: float) -> Scale:
    """The horizontal axis."""
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def upward(low: float, high: float) -> Scale:
    """The vertical axis."""
    return Scale(low, high, HEIGHT - BOTTOM, TOP)


def drawing(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    """The whole file; with more height there is room below the chart."""
    said = text(LEFT, TOP - 20, title, anchor="start", size=16)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">'
        f"<title>{_safe(title)}</title>"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        + said
        + "".join(parts)
        + "</svg>\n"
    )


def vertical_axis(y: Scale, label: str) -> list[str]:
    """Ticks with grid lines on the left, and what they mean."""
    parts = []
    for tick in y.ticks:
        place = y.at(tick)
        parts.append(f'<path d="M{LEFT} {place:.1f}H{WIDTH - RIGHT}" stroke="#e3e7ec"/>')
        parts.append(text(LEFT - 8, place + 4, f"{tick:.6g}", colour=css(MUTED), anchor="end"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'<g transform="translate(20 {middle:.1f}) rotate(-90)">{text(0, 0, label)}</g>'
    return [*parts, turned]


def horizontal_axis(x: Scale, label: str) -> list[str]:
    """Ticks below, and what they mean."""
    floor = HEIGHT - BOTTOM
    parts = [f'<path d="M{LEFT} {floor}H{WIDTH - RIGHT}" stroke="#8b94a1"/>']
    for tick in x.ticks:
        place = x.at(tick)
        parts.append(f'<path d="M{place:.1f} {floor}v5" stroke="#8b94a1"/>')
        parts.append(text(place, floor + 20, f"{tick:.6g}", colour=css(MUTED)))
    return [*parts, text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, label)]


def text(
    x: float,
    y: float,
    said: str,
    *,
    colour: str = css(INK),
    anchor: str = "middle",
    size: int = 13,
) -> str:
    """Words at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" '
        f'text-anchor="{anchor}" {_TEXT}>{_safe(said)}</text>'
    )


def dot(x: float, y: float, colour: str, radius: float = 4) -> str:
    """One case."""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}" fill-opacity="0.65" '
        f'stroke="{colour}"/>'
    )


def line(start: tuple[float, float], end: tuple[float, float], colour: str, dash: str = "") -> str:
    """A straight one, dashed where `dash` says how."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="1.6"{dashed}/>'
    )


def _safe(said: str) -> str:
    return escape(clean(said, longest=200))
