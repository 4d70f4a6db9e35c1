"""The arches of the apical views."""

import re
from dataclasses import replace

import pytest

from heartseg.core.finding import Finding, Report
from heartseg.report.apical_segments import apical_segments
from heartseg.report.bullseye import SIZE
from tests.report.cases import html_of

FOUR = {
    "4ch_basal_inferoseptal_motion_mm": 1.5,
    "4ch_mid_inferoseptal_motion_mm": 2.5,
    "4ch_apical_septal_motion_mm": 3.5,
    "4ch_apical_lateral_motion_mm": 4.5,
    "4ch_mid_anterolateral_motion_mm": 5.5,
    "4ch_basal_anterolateral_motion_mm": 6.5,
}
THREE = {"3ch_apical_lateral_motion_mm": 7.5, "3ch_apical_anterior_motion_mm": 8.5}


def texts(svg: str) -> dict[str, tuple[float, float]]:
    """Where each text stands: right of the middle, and up from the picture's lower edge."""
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return {said: (float(x) - SIZE / 2, SIZE - float(y)) for x, y, said in found}


def test_the_septum_is_left_and_the_apex_above(report: Report) -> None:
    where = texts("".join(apical_segments(replace(report, segments=FOUR))))

    assert where["1.5"][0] < where["2.5"][0] < where["3.5"][0] < 0
    assert 0 < where["4.5"][0] < where["5.5"][0] < where["6.5"][0]
    assert where["1.5"][1] < where["2.5"][1] < where["3.5"][1]
    assert where["3.5"][1] == where["4.5"][1]
    assert where["inferoseptal"][0] < 0 < where["anterolateral"][0]
    assert "Inward motion, 4-chamber (mm)" in where
    assert "sides of the picture, walls not named" not in where


def test_the_lateral_apex_of_a_3_chamber_view_is_left(report: Report) -> None:
    where = texts("".join(apical_segments(replace(report, segments=THREE))))

    assert where["7.5"][0] < 0 < where["8.5"][0]


def test_walls_without_a_name_are_said_to_be_the_pictures_sides(report: Report) -> None:
    named = dict.fromkeys(FOUR)
    neutral = {f"4ch_{level}_{side}_motion_mm": 1.5 for side in ("left", "right")
               for level in ("basal", "mid", "apical")}  # fmt: skip
    strain = Finding(key="lv_gls_4ch", name="LV geometric strain", value=-0.1874, unit="1")

    where = texts(
        "".join(apical_segments(replace(report, segments=named | neutral, findings=(strain,))))
    )

    assert where["left"][0] < 0 < where["right"][0]
    assert "sides of the picture, walls not named" in where
    assert where["-18.7 %"][0] == 0


def test_without_motion_there_is_no_drawing(report: Report) -> None:
    for segments in ({}, dict.fromkeys(FOUR), {"4ch_basal_left_motion_mm": float("nan")},
                     {"1_motion_mm": 3.0}):  # fmt: skip
        assert apical_segments(replace(report, segments=segments)) == ()


@pytest.mark.parametrize("key", ["4ch_basal_<b>_motion_mm", "9ch_basal_left_motion_mm"])
def test_a_strangers_key_is_not_drawn(report: Report, key: str) -> None:
    assert apical_segments(replace(report, segments={key: 3.0})) == ()


def test_the_page_shows_them(report: Report) -> None:
    page = html_of(replace(report, segments=FOUR))

    assert "Segments of the apical views" in page
    assert "Segments of the apical views" not in html_of(report)
