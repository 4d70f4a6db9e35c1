"""Curves over the heart's cycle, as inline SVG: volumes, and geometric strain."""

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

_STRAINS = (
    ("lv_gls_4ch", "longitudinal, 4-chamber", (232, 74, 42)),
    ("lv_gls_2ch", "longitudinal, 2-chamber", (46, 143, 230)),
    ("lv_gls_3ch", "longitudinal, 3-chamber", (0, 158, 115)),
    ("lv_gcs", "circumferential, short axis", (128, 100, 210)),
)
"""Strains that shorten, and the colours of their lines."""

STRAIN = "Geometric strain over the cycle, end-systole ringed"

_TIMES = "time_ms"
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Axes:
    """From times and values to the places on the drawing."""

    times: Sequence[float]
    highest: float
    lowest: float = 0.0

    def x(self, time: float) -> float:
        """Of a time."""
        first, last = self.times[0], self.times[-1]
        return LEFT + (time - first) / ((last - first) or 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Of a value."""
        share = (value - self.lowest) / (self.highest - self.lowest)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


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
    parts = [*_grid(axes, step, "mL", timed, language), *_phase_marks(axes, phases, language)]
    for key, name, structure in _LINES:
        if key in lines:
            colour = css(COLOURS[structure])
            parts += _line(axes, axes.times, lines[key], colour)
            parts += _name(axes, lines[key], language.say(name), colour)
    label = "Volumes of the ventricles over the cycle, end-diastole and end-systole marked"
    return _drawing(language.say(label), parts)


def strain_svg(report: Report, language: Language = ENGLISH) -> str:
    """The drawing of every strain that has a curve, in percent; a ring marks its end-systole.

    Views are recorded one after the other: each line has its own times and its own end-systole.
    """
    drawn = [(key, name, css(colour)) for key, name, colour in _STRAINS if _drawable(report, key)]
    if not drawn:
        return ""
    values = {key: [None if v is None else 100 * v for v in report.curves[key]]
              for key, _, _ in drawn}  # fmt: skip
    every = [v for line in values.values() for v in _finite(line)]
    step = _step((max(*every, 0.0) - min(*every, 0.0)) / 4)
    low, high = min(math.floor(min(every) / step), -1), max(math.ceil(max(every) / step), 0)
    own = {key: _times(report, len(values[key]), _times_key(key)) for key in values}
    timed = all(known for _, known in own.values())
    at = {key: times if timed else [float(n + 1) for n in range(len(times))]
          for key, (times, _) in own.items()}  # fmt: skip
    axes = Axes(sorted({t for times in at.values() for t in times}), step * high, step * low)
    parts = [*_grid(axes, step, "%", timed, language)]
    for place, (key, name, colour) in enumerate(drawn):
        parts += _line(axes, at[key], values[key], colour)
        parts += _end_systole(axes, report, key, at[key])
        said = language.say(name)
        parts.append(_text(LEFT + 60 + 210 * place, TOP - 10, said, colour, "start"))
    return _drawing(language.say(STRAIN), parts)


def _times_key(key: str) -> str:
    return f"{_TIMES}{key.removeprefix('lv_gls')}" if key.startswith("lv_gls") else _TIMES


def _end_systole(axes: Axes, report: Report, key: str, times: Sequence[float]) -> Iterator[str]:
    view = key.removeprefix("lv_gls_") if key.startswith("lv_gls") else "sax"
    es = next((phases.es for one, phases in report.phases.items() if one == view), None)
    value = None if es is None or es >= len(times) else report.curves[key][es]
    if es is not None and value is not None:
        yield (
            f'<circle cx="{axes.x(times[es]):.1f}" cy="{axes.y(100 * value):.1f}" r="7.5" '
            f'fill="none" stroke="{css(INK)}" stroke-width="1.5"/>'
        )


def _drawing(label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">' + "".join(parts) + "</svg>"
    )


def _drawable(report: Report, key: str) -> bool:
    return len(_finite(report.curves.get(key, ()))) >= FEWEST_FRAMES


def _finite(values: Values) -> list[float]:
    return [v for v in values if v is not None and math.isfinite(v)]


def _times(report: Report, frames: int, key: str = _TIMES) -> tuple[Sequence[float], bool]:
    """Milliseconds where every frame has its own, else frames counted from 1."""
    times = _finite(report.curves.get(key, ()))
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


def _grid(axes: Axes, step: float, unit: str, timed: bool, language: Language) -> Iterator[str]:
    muted, right, floor = css(MUTED), WIDTH - RIGHT, HEIGHT - BOTTOM
    for number in range(round(axes.lowest / step), round(axes.highest / step) + 1):
        y = axes.y(number * step)
        shade = "#8b94a1" if number == 0 else "#e3e7ec"
        yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{shade}"/>'
        yield _text(LEFT - 8, y + 4, language.number(f"{number * step:g}"), muted, "end")
    yield _text(LEFT - 8, TOP - 10, language.say(unit), muted, "end")
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


def _points(axes: Axes, times: Sequence[float], values: Values) -> list[tuple[float, float] | None]:
    return [
        None if value is None or not math.isfinite(value) else (axes.x(time), axes.y(value))
        for time, value in zip(times, values, strict=False)
    ]


def _line(axes: Axes, times: Sequence[float], values: Values, colour: str) -> Iterator[str]:
    points = _points(axes, times, values)
    for present, run in groupby(points, key=lambda point: point is not None):
        if present:
            path = " ".join(f"{p[0]:.1f},{p[1]:.1f}" for p in run if p is not None)
            yield (
                f'<polyline points="{path}" fill="none" stroke="{colour}" '
                f'stroke-width="2.5" stroke-linejoin="round"/>'
            )
    for x, y in (point for point in points if point is not None):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}" stroke="#fff"/>'


def _name(axes: Axes, values: Values, name: str, colour: str) -> Iterator[str]:
    """At the line's end."""
    *_, (x, y) = (point for point in _points(axes, axes.times, values) if point is not None)
    yield _text(x + 9, y + 5, name, colour, "start", 15)
