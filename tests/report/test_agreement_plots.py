"""Plots: what they show, at the right place, and nothing that a name could smuggle in."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from heartseg.report import chart
from heartseg.report.agreement_plots import (
    Agreed,
    bland_altman_svg,
    boxes_svg,
    correlation_svg,
    density,
    violins_svg,
)

SVG = "{http://www.w3.org/2000/svg}"


def agreed(**changes) -> Agreed:
    values = {
        "title": "lv_edv_ml, mine",
        "unit": "mL",
        "measured": [100.0, 150.0, 210.0],
        "reference": [110.0, 140.0, 200.0],
        "bias": (10 / 3, (-20.0, 25.0)),
        "limits": ((-19.3, 26.0), ((-60.0, 20.0), (-13.0, 66.0))),
        "note": "n = 3",
    }
    return Agreed(**{**values, **changes})


def parts(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}{tag}"))


def words(svg: str) -> str:
    return " | ".join(str(element.text) for element in parts(svg, "text"))


def places(svg: str) -> np.ndarray:
    return np.array([[float(c.get(k)) for k in ("cx", "cy")] for c in parts(svg, "circle")])


def test_bland_altman_shows_every_case_the_bias_and_both_limits() -> None:
    svg = bland_altman_svg(agreed())
    assert len(places(svg)) == 3
    assert "measured - reference (mL)" in words(svg)
    for said in ("bias | 3.33", "-1.96 SD | -19.3", "+1.96 SD | 26", "n = 3"):
        assert said in words(svg)
    bands = [r for r in parts(svg, "rect") if r.get("fill-opacity")]
    assert len(bands) == 3
    x, y = places(svg).T
    assert (np.diff(x) > 0).all()  # means 105, 145, 205
    assert y[0] > y[1] == y[2]  # -10 lies below +10, and SVG counts downwards
    ratio = (x[2] - x[1]) / (x[1] - x[0])
    assert ratio == pytest.approx(60 / 40, abs=0.01)


def test_without_limits_there_is_the_bias_alone() -> None:
    svg = bland_altman_svg(agreed(measured=[3.0], reference=[2.0], bias=(1.0, None), limits=None))
    assert "bias" in words(svg)
    assert "SD" not in words(svg)
    assert not [r for r in parts(svg, "rect") if r.get("fill-opacity")]


def test_correlation_has_equal_axes_and_the_line_of_identity() -> None:
    svg = correlation_svg(agreed(measured=[1.0, 4.0], reference=[1.0, 2.0]))
    (low, high) = places(svg)
    identity = next(p.get("d") for p in parts(svg, "path") if p.get("stroke-dasharray"))
    x0, y0, x1, y1 = map(float, re.findall(r"-?[\d.]+", identity))
    share = (low[0] - x0) / (x1 - x0)
    assert (y0 - low[1]) / (y0 - y1) == pytest.approx(share, abs=0.01)  # equal values lie on it
    assert (y0 - high[1]) / (y0 - y1) > (high[0] - x0) / (x1 - x0)  # measured more lies above


def test_boxes_show_quartiles_and_every_case_by_method() -> None:
    values = [0.7, 0.8, 0.85, 0.9, 0.95]
    groups = {"LV": {"a": values, "b": [0.5]}, "RV": {"a": [0.6, 0.65], "b": []}}
    svg = boxes_svg("Dice by structure", "Dice", groups)
    assert len(places(svg)) == 5 + 1 + 2
    assert all(name in words(svg) for name in ("LV", "RV", "a", "b", "Dice"))
    first = next(r for r in parts(svg, "rect") if r.get("fill-opacity"))
    top, height = float(first.get("y")), float(first.get("height"))
    heights = places(svg)[:5, 1]
    assert top == pytest.approx(heights[3], abs=0.11)  # 0.9, the upper quartile of the five
    assert top + height == pytest.approx(heights[1], abs=0.11)  # 0.8, the lower
    assert "no values" in words(boxes_svg("t", "l", {"LV": {"a": []}}))


def outlines(svg: str) -> list[np.ndarray]:
    """Points of every violin."""
    closed = [p.get("d") for p in parts(svg, "path") if str(p.get("d")).endswith("Z")]
    return [np.array(re.findall(r"-?[\d.]+", d), float).reshape(-1, 2) for d in closed]


def test_violins_show_density_quartiles_the_median_and_every_case() -> None:
    values = [0.70, 0.88, 0.89, 0.90, 0.91, 0.92, 0.94]
    svg = violins_svg("Dice by structure", "Dice", {"LV": {"a": values, "b": [0.5, 0.6]}})
    cases, b = places(svg)[:7], places(svg)[-2:]
    median = places(svg)[7]
    (outline,) = outlines(svg)
    assert len(places(svg)) == 7 + 1 + 2
    assert all(name in words(svg) for name in ("LV", "a", "b", "Dice"))
    assert median[1] == pytest.approx(cases[3][1])  # 0.90; cases go upwards
    assert b[0][0] == b[1][0]  # two cases have no density
    # It ends at the last cases, is widest where they crowd, and holds them all.
    assert outline[:, 1].min() == pytest.approx(cases[6][1], abs=0.11)
    assert outline[:, 1].max() == pytest.approx(cases[0][1], abs=0.11)
    widest = outline[np.abs(outline[:, 0] - median[0]).argmax()]
    assert widest[1] == pytest.approx(cases[3][1], abs=12)
    bar = next(r for r in parts(svg, "rect") if r.get("fill-opacity"))
    top, height = float(bar.get("y")), float(bar.get("height"))
    assert top == pytest.approx(cases[4:6, 1].mean(), abs=0.11)  # 0.915, the upper quartile
    assert top + height == pytest.approx(cases[1:3, 1].mean(), abs=0.11)  # 0.885, the lower
    for x, y in cases:
        near = outline[np.abs(outline[:, 1] - y).argsort()[:2], 0]
        assert near.min() - 0.2 <= x <= near.max() + 0.2
    assert "no values" in words(violins_svg("t", "l", {"LV": {"a": []}}))


def test_the_density_is_that_of_another_library() -> None:
    from scipy.stats import gaussian_kde

    rng = np.random.default_rng(8)
    values, at = rng.gamma(2.0, 3.0, 40), np.linspace(0, 20, 33)
    spread = min(values.std(ddof=1), np.subtract(*np.percentile(values, [75, 25])) / 1.34)
    theirs = gaussian_kde(values, 0.9 * spread * 40**-0.2 / values.std(ddof=1))(at)
    assert density(values, at) == pytest.approx(theirs / theirs.max())
    assert np.isfinite(density(np.array([1.0, 1, 1, 1, 2]), at)).all()  # quartiles that are equal


def test_names_are_escaped_and_files_load_nothing() -> None:
    evil = '<script>alert(1)</script>"&'
    svgs = [
        bland_altman_svg(agreed(title=evil, note=evil, unit=evil)),
        correlation_svg(agreed(title=evil)),
        boxes_svg(evil, evil, {evil: {evil: [1.0], "b": [2.0]}}),
        violins_svg(evil, evil, {evil: {evil: [1.0, 2, 3, 4, 5], "b": [2.0]}}),
    ]
    for svg in svgs:
        assert not parts(svg, "script")
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_equal_values_still_have_an_axis() -> None:
    for svg in (
        correlation_svg(agreed(measured=[0.0, 0.0], reference=[0.0, 0.0])),
        boxes_svg("t", "l", {"LV": {"a": [1.0, 1.0]}}),
        violins_svg("t", "l", {"LV": {"a": [1.0] * 6, "b": [1.0] * 5 + [1.1]}}),
        bland_altman_svg(agreed(measured=[1.0], reference=[1.0], bias=(0.0, None), limits=None)),
    ):
        assert np.isfinite(places(svg)).all()


@pytest.mark.parametrize("span", [(0, 1), (-0.03, 0.004), (1e4, 1.7e5), (-7, -6.9)])
def test_ticks_are_round_and_within(span: tuple[float, float]) -> None:
    ticks = chart.upward(*span).ticks
    assert 2 <= len(ticks) <= 8
    assert all(span[0] - 1e-9 <= tick <= span[1] + 1e-9 for tick in ticks)
    assert len({round(b - a, 9) for a, b in pairwise(ticks)}) == 1
