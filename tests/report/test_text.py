from dataclasses import replace

from heartseg.core.finding import Finding, Report
from heartseg.report import words
from heartseg.report.text import report_text, table_rows


def test_the_table_says_percent_reasons_and_ranges(report: Report) -> None:
    rows = table_rows(report)
    assert rows[0] == ("LV lv_edv_ml", "152 mL", "148 – 157", "80 – 140")
    assert rows[1][1] == "height not known"
    assert rows[2][1:3] == ("54.3 %", "52.0 – 56.1")
    assert rows[3][1] == "-7.2 mL"


def test_columns_are_aligned_and_unused_ones_left_out(report: Report) -> None:
    lines = report_text(report).splitlines()
    heading = next(line for line in lines if line.startswith("Measure"))
    volume = next(line for line in lines if "152 mL" in line)
    assert heading.index("Interval") == volume.index("148")
    bare = replace(report, findings=(replace(report.findings[0], interval=None, reference=None),))
    assert "Interval " not in report_text(bare)
    assert "Reference" not in report_text(bare)


def test_what_could_not_be_measured_is_said_once_a_reason(report: Report) -> None:
    lines = report_text(report).splitlines()
    (line,) = [line for line in lines if "height not known" in line]
    assert line.startswith("Not measured (height not known): ")
    missing = [f.name for f in report.findings if f.problem == "height not known"]
    assert missing
    assert all(name in line for name in missing)


def test_remarks_on_values_are_said_once_each(report: Report) -> None:
    text = report_text(report)

    assert text.count("Mind (look at the base): LV sv_difference_ml") == 1
    assert "Mind (height not known)" not in text


def test_what_one_view_gives_has_a_table_of_its_own(report: Report) -> None:
    plain = report.findings[0]
    one = replace(
        plain, key="lv_edv_4ch_ml", name="LV end-diastolic volume, 4-chamber single plane"
    )
    other = replace(plain, key="lv_ef_area_length", name="LV ejection fraction, area-length")

    left, right = words.columns((plain, one, other))

    assert [group.title for group in left] == ["Left ventricle"]
    assert [(group.title, words.short_name(group.findings[0], group)) for group in right] == [
        ("Left ventricle, 4-chamber view alone", "End-diastolic volume"),
        ("Left ventricle, area-length", "Ejection fraction"),
    ]


def test_the_fraction_of_one_view_is_a_key_figure_where_there_is_no_other(report: Report) -> None:
    both = next(one for one in report.findings if one.key == "lv_ef")
    four = replace(both, key="lv_ef_4ch", value=0.627)
    two = replace(both, key="lv_ef_2ch", value=None)

    def named(*findings: Finding) -> list[str]:
        return [name for name, _ in words.key_figures(replace(report, findings=findings))]

    assert named(replace(both, value=None), four, two) == ["LV EF", "LV EF, 4-chamber"]
    assert named(both, four, two) == ["LV EF"]


def test_intervals_say_what_they_cover(report: Report) -> None:
    said = "Intervals: 90 % segmentation interval; reader and rescan variation not included"
    assert said in report_text(report)
    assert "Intervals" not in report_text(replace(report, interval_level=None))


def test_text_cannot_command_the_terminal(report: Report) -> None:
    text = report_text(replace(report, study="a\x1b]0;title\x07\nfake: line\x9b1m"))
    assert not set(text) & {"\x1b", "\x07", "\x9b"}
    assert text.splitlines()[0].startswith("a ]0;title fake: line 1m: MR short axis")


def test_indexed_values_follow_their_base(report: Report) -> None:
    shuffled = replace(report, findings=report.findings[2:] + report.findings[1::-1])
    names = [row[0] for row in table_rows(shuffled)]
    assert names.index("LV lv_edv_ml_per_m2") == names.index("LV lv_edv_ml") + 1


def test_research_use_verdict_and_licence_are_said(report: Report) -> None:
    text = report_text(report)
    assert "Research use only, not for diagnosis. Model licence: CC BY 4.0" in text
    assert "Quality: Review needed\n  - the base is uncertain\n" in text
