import re
from dataclasses import replace

import pytest

from heartseg.core.finding import Report
from heartseg.report.bullseye import SIZE, TITLE, bullseyes
from tests.report.cases import html_of

THICKNESS = {f"{n}_wall_ed_mm": 5.0 + n / 2 for n in range(1, 17)} | {"17_wall_ed_mm": None}


def texts(svg: str) -> dict[str, tuple[float, float]]:
    """Where each text stands, from the middle of the eye: right and up."""
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="14"[^>]*>([^<]*)</text>', svg)
    return {said: (float(x) - SIZE / 2, TITLE + SIZE / 2 - float(y)) for x, y, said in found}


def test_the_anterior_wall_is_above_and_the_septum_left(report: Report) -> None:
    where = texts(bullseyes(replace(report, segments=THICKNESS))[0])

    anterior, septal, inferior, lateral = (where[f"{5 + n / 2:.1f}"] for n in (1, 2, 4, 6))
    assert anterior[1] > 100
    assert abs(anterior[0]) < 5
    assert septal[0] < -80
    assert septal[1] > 30
    assert inferior[1] < -100
    assert lateral[0] > 80
    assert lateral[1] > 30
    apical = {n: where[f"{5 + n / 2:.1f}"] for n in (13, 14, 15, 16)}
    assert apical[14][0] < -30
    assert apical[13][1] > 30
    assert apical[15][1] < -30
    assert apical[16][0] > 30
    assert abs(where["–"][0]) < 1  # the apex has no value


def test_fractions_are_percent_and_unmeasured_eyes_are_left_out(report: Report) -> None:
    eyes = bullseyes(replace(report, segments={"3_thickening": 0.437, "4_motion_mm": None}))
    svg = "".join(eyes)

    assert "Thickening (%)" in svg
    assert ">44<" in svg
    assert "Inward motion" not in svg
    assert svg.count("<svg") == 1


@pytest.mark.parametrize("segments", [{}, {"1_wall_ed_mm": None}, {"1_wall_ed_mm": float("nan")}])
def test_nothing_measured_is_nothing_drawn(report: Report, segments) -> None:
    assert bullseyes(replace(report, segments=segments)) == ()
    assert "Segments (AHA)" not in html_of(replace(report, segments=segments))


def test_the_page_shows_them(report: Report) -> None:
    page = html_of(replace(report, segments=THICKNESS))

    assert "Segments (AHA)" in page
    assert "Wall thickness at ED (mm)" in page


def test_thicker_is_darker_and_the_scale_has_ends(report: Report) -> None:
    def shade(value: float) -> int:
        (svg,) = bullseyes(replace(report, segments={"1_wall_ed_mm": value}))
        return int(re.search(r'fill="#(?!e9ecef)([0-9a-f]{6})" stroke="#fff"', svg)[1], 16)

    assert shade(5.0) > shade(9.0) > shade(15.0)
    assert shade(16.0) == shade(40.0)
    assert shade(4.0) == shade(1.0)
