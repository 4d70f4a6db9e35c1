import re
from dataclasses import replace

import pytest

from heartseg.core.finding import Quality, Report
from heartseg.core.study import Phases, View
from heartseg.report.curve import curve_svg, strain_svg
from tests.report.cases import html_of

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>]]></style>{{7*7}}\x1b\u202e"


def hostile(report: Report) -> Report:
    return replace(
        report,
        study=HOSTILE,
        quality=Quality(verdict="reject", reasons=(HOSTILE,)),
        findings=(
            *(replace(f, name=HOSTILE, problem=HOSTILE, unit=HOSTILE) for f in report.findings[:2]),
        ),
        strategy={HOSTILE: HOSTILE},
        conventions=(HOSTILE,),
        model=replace(report.model, name=HOSTILE, licence=HOSTILE, precision=HOSTILE),
        provenance=replace(
            report.provenance,
            version=HOSTILE,
            created=HOSTILE,
            inputs=(HOSTILE,),
            person=HOSTILE,
            settings={HOSTILE: {HOSTILE: [HOSTILE]}},
        ),
        interval_covers=HOSTILE,
    )


def test_hostile_text_is_escaped_everywhere(report: Report) -> None:
    plain, page = html_of(report), html_of(hostile(report))
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "49" not in re.findall(r"alert\(2\)&gt;\]\]&gt;&lt;/style&gt;(\S*)", page)
    # Not an attribute, tag or end of the style that the honest page has not.
    assert page.count("</style>") == plain.count("</style>") == 1
    tags = re.compile(r"<(/?[a-zA-Z]+)")
    assert set(tags.findall(page)) <= set(tags.findall(plain))


def test_the_page_is_closed_to_the_network(report: Report) -> None:
    page = html_of(report, mosaic=(b"\x89PNG", ()))
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not re.search(r"https?:|//|url\(|@import|<link|<iframe|\bhref", page)
    assert 'src="data:image/jpeg;base64,iVBORw=="' in page


def test_fractions_are_percent_and_absent_values_are_their_reason(report: Report) -> None:
    page = html_of(report)
    assert "<b>54.3</b>" in page
    assert "52.0 – 56.1" in page
    assert "0.5432" not in page
    assert re.search(r'<td class="why"[^>]*>height not known</td>', page)
    assert "None" not in page
    not_a_number = replace(report.findings[0], value=float("nan"), problem=None)
    page = html_of(replace(report, findings=(not_a_number,)))
    assert "not measured" in page
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)


def test_a_value_outside_of_its_reference_is_marked(report: Report) -> None:
    assert re.search(r'aria-label="above">▲</b>80 – 140', html_of(report))
    inside = replace(report.findings[0], reference=(80.0, 160.0))
    assert "▲" not in html_of(replace(report, findings=(inside,)))


@pytest.mark.parametrize(
    ("verdict", "words"), [("pass", "Passed"), ("review", "Review needed"), ("reject", "Rejected")]
)
def test_the_verdict_is_said_in_words(report: Report, verdict: str, words: str) -> None:
    page = html_of(replace(report, quality=Quality(verdict=verdict, reasons=("because",))))
    assert f"<b>{words}</b>" in page
    assert "<li>because</li>" in page


def test_research_use_and_licence_are_on_the_page(report: Report) -> None:
    page = html_of(report)
    assert page.count("Research use only, not for diagnosis") >= 3
    assert page.count("CC BY 4.0") >= 2


def test_the_curve_marks_the_phases_at_their_frames(report: Report) -> None:
    drawing = curve_svg(report)
    places = re.findall(r'circle cx="([\d.]+)"[^>]*fill="#e84a2a"', drawing)
    assert len(places) == 4
    marks = re.findall(r'<path d="M([\d.]+) 20V\d+"', drawing)
    assert marks == [places[1], places[3], places[2]]
    assert ">ED<" in drawing
    assert ">RV ES<" in drawing


def test_the_curve_runs_in_time_and_breaks_at_gaps(report: Report) -> None:
    drawing = curve_svg(report)
    x = [float(p) for p in re.findall(r'circle cx="([\d.]+)"[^>]*fill="#e84a2a"', drawing)]
    assert (x[1] - x[0]) / (x[3] - x[0]) == pytest.approx(40 / 130, abs=0.01)
    y = [float(p) for p in re.findall(r'cy="([\d.]+)"[^>]*fill="#e84a2a"', drawing)]
    assert y[1] < y[0] < y[2] < y[3]  # the larger, the higher up
    assert drawing.count("<polyline") == 3
    assert "time (ms)" in drawing


@pytest.mark.parametrize(("rv", "lv"), [(1, 3), (3, 1)])
def test_labels_of_neighbouring_phases_part_sideways(report: Report, rv: int, lv: int) -> None:
    phases = {View.SAX: replace(report.phases[View.SAX], ed=0, es=lv, rv_es=rv)}
    drawing = curve_svg(replace(report, phases=phases))
    anchors = dict(re.findall(r'text-anchor="(\w+)">(ES|RV ES)<', drawing))
    first, second = ("RV ES", "ES") if rv < lv else ("ES", "RV ES")
    assert {said: anchor for anchor, said in anchors.items()} == {first: "end", second: "start"}


def test_without_times_the_curve_counts_frames(report: Report) -> None:
    curves = {**report.curves, "time_ms": (None, None, None, None)}
    assert ">frame<" in curve_svg(replace(report, curves=curves))


def test_two_frames_are_no_curve(report: Report) -> None:
    assert curve_svg(replace(report, curves={"lv_ml": (2.0, 1.0)})) == ""
    assert "<svg" not in html_of(replace(report, curves={}))


def strained(report: Report, **more: tuple[float | None, ...]) -> Report:
    phases = {View.LAX_4CH: Phases(ed=0, es=2, how="given")}
    curves = {"lv_gls_4ch": (0.0, -0.05, -0.2, -0.1), "time_ms_4ch": (0.0, 40.0, 80.0, 160.0)}
    return replace(report, curves={**curves, **more}, phases=phases)


def test_strain_hangs_from_zero_with_a_ring_at_end_systole(report: Report) -> None:
    drawing = strain_svg(strained(report))

    points = re.findall(r'circle cx="([\d.]+)" cy="([\d.]+)" r="3.2"', drawing)
    (ring,) = re.findall(r'circle cx="([\d.]+)" cy="([\d.]+)" r="7.5"', drawing)
    x, y = ([float(point[axis]) for point in points] for axis in (0, 1))
    assert ring == points[2]
    assert y[0] < y[1] < y[3] < y[2]
    assert (x[1] - x[0]) / (x[3] - x[0]) == pytest.approx(0.25, abs=0.01)
    assert ">-20<" in drawing
    assert ">%<" in drawing
    assert "longitudinal, 4-chamber" in drawing
    assert "Geometric strain over the cycle" in html_of(strained(report))


def test_views_of_other_times_have_their_own_and_else_frames_are_counted(report: Report) -> None:
    two = {"lv_gls_2ch": (0.0, -0.1, -0.1), "time_ms_2ch": (0.0, 80.0, 320.0)}

    both = strain_svg(strained(report, **two))
    untimed = strain_svg(strained(report, lv_gls_2ch=two["lv_gls_2ch"]))

    red, blue = (re.findall(rf'cx="([\d.]+)"[^>]*fill="{colour}"', both)
                 for colour in ("#e84a2a", "#2e8fe6"))  # fmt: skip
    assert red[2] == blue[1]  # 80 ms
    assert "time (ms)" in both
    assert ">frame<" in untimed


def test_a_heart_that_does_not_move_and_gaps_do_no_harm(report: Report) -> None:
    still = strain_svg(strained(report, lv_gls_4ch=(0.0, 0.0, 0.0, None)))
    assert "nan" not in still
    assert still.count("<svg") == 1
    assert strain_svg(report) == ""


def test_volumes_of_zero_and_phases_beyond_the_curve_do_no_harm(report: Report) -> None:
    phases = {View.SAX: replace(report.phases[View.SAX], es=99)}
    drawing = curve_svg(replace(report, curves={"lv_ml": (0.0, 0.0, 0.0)}, phases=phases))
    assert "nan" not in drawing
    assert ">ES<" not in drawing
