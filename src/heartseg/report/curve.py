"""The volume curve over the heart's cycle, as inline SVG."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.study import Phases
from heartseg.report.language import ENGLISH, Language
from heartseg.report.palette import COLOURS, INK, MUTED, css

FEWEST_FRAMES = 3
"""Fewer points than these are no curve."""

WIDTH, HEIGHT = 940, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 52, 26, 44

_LINES = (
    ("lv_ml", "LV", Structure.LV_CAVITY),
    ("rv_ml", "RV", Structure.RV_CAVITY),
    ("la_ml", "LA", Structure.LEFT_ATRIUM),
)

_TIMES = "time_ms"
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Axes:
    """From times and volumes to the places on the drawing."""

    times: Sequence[float]
    highest: float

    def x(self, time: float) -> float:
        """Of a time."""
        first, last = self.times[0], self.times[-1]
        return LEFT + (time - first) / ((last - first) or 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, volume: float) -> float:
        """Of a volume."""
        return HEIGHT - BOTTOM - volume / self.highest * (HEIGHT - TOP - BOTTOM)


def curve_svg(report: Report, language: Language = ENGLISH) -> str:
    """The drawing; nothing when there are fewer than three frames or no volumes."""
    lines = {key: report.curves[key] for key, _, _ in _LINES if _drawable(report, key)}
    if not lines:
        return ""
    frames = max(len(values) for values in lines.values())
    times, timed = _times(report, frames)
    peak = max(value for values in lines.values() for value in _finite(values))
    step = _step(peak / 4)
    axes = Axes(times, step * max(1, math.ceil(peak * 1.04 / step)))
    phases = next(iter(report.phases.values()), None)
    say = language.say
    parts = [*_grid(axes, step, timed, language), *_phase_marks(axes, phases, language)]
    for key, name, structure in _LINES:
        if key in lines:
            parts += _line(axes, lines[key], say(name), css(COLOURS[structure]))
    label = say("Volumes of the ventricles over the cycle, end-diastole and end-systole marked")
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">' + "".join(parts) + "</svg>"
    )


def _drawable(report: Report, key: str) -> bool:
    return len(_finite(report.curves.get(key, ()))) >= FEWEST_FRAMES


def _finite(values: Values) -> list[float]:
    return [v for v in values if v is not None and math.isfinite(v)]


def _times(report: Report, frames: int) -> tuple[Sequence[float], bool]:
    """Milliseconds where every frame has its own, else frames counted from 1."""
    times = _finite(report.curves.get(_TIMES, ()))
    rising = all(a < b for a, b in pairwise(times))
    if len(times) == frames and rising:
        return times, True
    return [float(frame + 1) for frame in range(frames)], False


def _step(rough: float) -> float:
    """A round distance of grid lines, at least `rough`."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in _ROUND if factor * power >= rough * 0.999)


def _text(
    x: float, y: float, said: str, colour: str, anchor: str = "middle", size: int = 13
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" '
        f'text-anchor="{anchor}">{escape(said)}</text>'
    )


def _grid(axes: Axes, step: float, timed: bool, language: Language) -> Iterator[str]:
    muted, right, floor = css(MUTED), WIDTH - RIGHT, HEIGHT - BOTTOM
    for number in range(round(axes.highest / step) + 1):
        y = axes.y(number * step)
        shade = "#8b94a1" if number == 0 else "#e3e7ec"
        yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{shade}"/>'
        yield _text(LEFT - 8, y + 4, language.number(f"{number * step:g}"), muted, "end")
    yield _text(LEFT - 8, TOP - 10, language.say("mL"), muted, "end")
    first, last = axes.times[0], axes.times[-1]
    apart = _step((last - first) / 8) if timed else max(1.0, _step((last - first) / 10))
    tick = math.ceil(first / apart) * apart
    while tick <= last + 1e-9:
        yield f'<path d="M{axes.x(tick):.1f} {floor}v5" stroke="#8b94a1"/>'
        yield _text(axes.x(tick), floor + 19, language.number(f"{tick:g}"), muted)
        tick += apart
    below = language.say("time (ms)" if timed else "frame")
    yield _text((LEFT + right) / 2, HEIGHT - 6, below, muted)


def _phase_marks(axes: Axes, phases: Phases | None, language: Language) -> Iterator[str]:
    if phases is None:
        return
    marks = [("ED", phases.ed), ("ES", phases.es), ("RV ES", phases.rv_es)]
    marks = marks[: 3 if phases.rv_es != phases.es else 2]
    for name, frame in marks:
        if frame is None or not 0 <= frame < len(axes.times):
            continue
        x = axes.x(axes.times[frame])
        anchor = "start" if name == "ED" else _away_from_neighbour(name, phases)
        shade = css(MUTED) if name == "RV ES" else css(INK)
        yield (
            f'<path d="M{x:.1f} {TOP - 6}V{HEIGHT - BOTTOM}" stroke="{shade}" '
            f'stroke-dasharray="4 4"/>'
        )
        nudge = {"start": 2, "end": -2}.get(anchor, 0)
        yield _text(x + nudge, TOP - 10, language.say(name), shade, anchor)


def _away_from_neighbour(name: str, phases: Phases) -> str:
    """Neighbouring frames would write over each other: the ventricles' ES part sideways."""
    if phases.es is None or phases.rv_es is None or phases.rv_es == phases.es:
        return "middle"
    first = "ES" if phases.es < phases.rv_es else "RV ES"
    return "end" if name == first else "start"


def _line(axes: Axes, values: Values, name: str, colour: str) -> Iterator[str]:
    points = [
        None if value is None or not math.isfinite(value) else (axes.x(time), axes.y(value))
        for time, value in zip(axes.times, values, strict=False)
    ]
    for present, run in groupby(points, key=lambda point: point is not None):
        if present:
            path = " ".join(f"{p[0]:.1f},{p[1]:.1f}" for p in run if p is not None)
            yield (
                f'<polyline points="{path}" fill="none" stroke="{colour}" '
                f'stroke-width="2.5" stroke-linejoin="round"/>'
            )
    held = [point for point in points if point is not None]
    for x, y in held:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}" stroke="#fff"/>'
    yield _text(held[-1][0] + 9, held[-1][1] + 5, name, colour, "start", 15)
