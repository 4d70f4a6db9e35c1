import csv
from dataclasses import replace
from pathlib import Path

import pytest

from heartseg.core.errors import OutputError
from heartseg.core.finding import Report
from heartseg.report.summary import COLUMNS, failed_row, summary_row, write_summary


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "summary.csv"


def test_columns_are_stable_and_values_are_plain(report: Report, path: Path) -> None:
    write_summary(path, [summary_row(report)])
    row = read(path)[0]
    assert [column for column in row if column in COLUMNS] == list(COLUMNS)
    assert row["study"] == "case-7"
    assert (row["ed_frame"], row["es_frame"], row["rv_es_frame"]) == ("1", "3", "2")
    assert float(row["lv_ef"]) == 0.5432
    assert row["verdict"] == "review"
    assert row["reasons"] == "the base is uncertain"


def test_absent_is_an_empty_cell_and_its_reason(report: Report, path: Path) -> None:
    write_summary(path, [summary_row(report)])
    row = read(path)[0]
    assert row["lv_edv_ml_per_m2"] == ""
    assert row["rv_edv_ml"] == ""
    assert "lv_edv_ml_per_m2: height not known" in row["problems"]


def test_negative_numbers_stay_numbers(report: Report, path: Path) -> None:
    write_summary(path, [summary_row(report)])
    assert float(read(path)[0]["sv_difference_ml"]) == -7.25


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝", "  =", "-1+"])
def test_formulas_are_disarmed_once_and_for_all(start: str, path: Path, report: Report) -> None:
    hostile = f"{start}cmd|' /C calc'!A0"
    write_summary(path, [failed_row(hostile, hostile)])
    for _ in range(2):  # adding rows reads and writes the hostile one again
        write_summary(path, [summary_row(report)])
    row = read(path)[0]
    for cell in (row["study"], row["error"]):
        assert cell[0] == "'"
        assert cell[1] not in "'\t\r"


def test_a_second_run_replaces_its_rows_and_keeps_the_others(report: Report, path: Path) -> None:
    write_summary(path, [failed_row("case-7", "no slices"), failed_row("=2", "truncated")])
    write_summary(path, [summary_row(report), failed_row("=2", "mended in part")])
    rows = read(path)
    assert [row["study"] for row in rows] == ["case-7", "'=2"]
    assert rows[0]["error"] == ""
    assert rows[1]["error"] == "mended in part"


def test_findings_of_other_kinds_get_columns_and_earlier_rows_stay(
    report: Report, path: Path
) -> None:
    write_summary(path, [summary_row(report)])
    extra = replace(report.findings[0], key="la_esv_ml", value=61.0)
    write_summary(path, [summary_row(replace(report, study="case-8", findings=(extra,)))])
    first, second = read(path)
    assert first["la_esv_ml"] == ""
    assert float(first["lv_edv_ml"]) == 152.44
    assert float(second["la_esv_ml"]) == 61.0
    assert list(first)[-2:] == ["problems", "error"]


def test_line_breaks_and_quotes_stay_inside_their_cell(path: Path) -> None:
    write_summary(path, [failed_row("a", 'said "no",\nthen\x1b[2J stopped')])
    assert read(path) == [
        {**dict.fromkeys(COLUMNS, ""), "study": "a", "error": 'said "no", then [2J stopped'}
    ]


@pytest.mark.parametrize("content", [b"name,age\nx,3\n", b"\xff\xfe\x00"])
def test_a_file_of_somebody_else_is_left_alone(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"summary\.csv"):
        write_summary(path, [failed_row("a", "b")])
    assert path.read_bytes() == content
