import math
from dataclasses import replace

import pytest

from heartseg.core.errors import OutputError
from heartseg.core.finding import Report
from heartseg.report.bullseye import RADII, SIZE, TITLE, _outline, bullseyes
from heartseg.report.curve import curve_svg
from heartseg.report.lettering import Lettering
from heartseg.report.vector import Drawing, _outlines


@pytest.mark.parametrize("number", range(1, 18))
def test_arcs_lie_on_their_circles_and_enclose_the_segment(number: int) -> None:
    (line,) = _outlines(_outline(number))
    far = [math.dist(point, (SIZE / 2, TITLE + SIZE / 2)) for point in line]
    assert all(min(abs(r - radius) for radius in RADII) < 0.1 for r in far)
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(line, line[1:] + line[:1]))) / 2  # noqa: B905
    ring = 0 if number <= 6 else 1 if number <= 12 else 2 if number <= 16 else 3
    inner = RADII[ring + 1] if ring < 3 else 0.0
    share = 1 if ring == 3 else 4 if ring == 2 else 6
    assert area == pytest.approx(math.pi * (RADII[ring] ** 2 - inner**2) / share, rel=0.01)


class Recorder:
    """Stands in for a canvas: remembers what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str):
        def called(*args: object, **_: object) -> "Recorder":
            self.calls.append((name, args))
            return self

        return called

    def of(self, name: str) -> list[tuple[object, ...]]:
        return [args for called, args in self.calls if called == name]


def drawn(svg: str) -> Recorder:
    drawing = Drawing(svg, Lettering())
    drawing.wrap(drawing.wide / 2, 1000.0)
    drawing.canv = Recorder()
    drawing.draw()
    return drawing.canv


def test_the_curve_has_its_points_its_marks_and_its_words(report: Report) -> None:
    svg = curve_svg(report)
    canvas = drawn(svg)
    assert canvas.of("scale") == [(0.5, 0.5)]
    assert len(canvas.of("circle")) == svg.count("<circle")
    assert len(canvas.of("setDash")) == 3
    said = [args[0] for args in canvas.of("textOut")]
    assert {"ED", "ES", "RV ES", "LV", "RV", "mL"} <= set(said)


def test_up_on_the_screen_is_up_on_paper(report: Report) -> None:
    high, low = drawn(curve_svg(replace(report, curves={"lv_ml": (100.0, 90.0, 10.0)}))).of(
        "circle"
    )[::2]
    assert high[1] > low[1]


def test_every_eye_is_drawn(report: Report) -> None:
    (eye,) = bullseyes(replace(report, segments={f"{n}_wall_ed_mm": 8.0 for n in range(1, 17)}))
    assert len(drawn(eye).of("drawPath")) == 17


def test_what_it_does_not_know_is_an_error() -> None:
    with pytest.raises(OutputError, match="'rect' in a drawing"):
        drawn('<svg viewBox="0 0 10 10"><rect/></svg>')
    with pytest.raises(OutputError, match="'C' in a drawing"):
        drawn('<svg viewBox="0 0 10 10"><path d="M0 0C1 1 2 2 3 3" fill="#fff"/></svg>')
