"""The summary of a long run: whole at the end, and never more than its share of the time."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from heartseg.core.errors import OutputError
from heartseg.report import growing_summary
from heartseg.report.growing_summary import SHARE, GrowingSummary
from heartseg.report.summary import failed_row, write_summary


def studies(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["study"] for row in csv.DictReader(file)]


class Machine:
    """A clock, and a disk on which writing takes as long as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, writing_s: float) -> None:
        self.now, self.written = 100.0, 0
        real = growing_summary.write_summary

        def slow(path: Path, rows: object) -> None:
            self.written += 1
            self.now += writing_s
            real(path, rows)  # type: ignore[arg-type]

        monkeypatch.setattr(growing_summary, "write_summary", slow)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Machine]:
    return lambda writing_s: Machine(monkeypatch, writing_s=writing_s)


def test_each_study_is_there_at_once_where_studies_take_long(machine, tmp_path) -> None:
    place = machine(0.01)
    with GrowingSummary(tmp_path / "summary.csv", place.clock) as summary:
        for number in range(3):
            place.now += 2.0
            summary.add(failed_row(f"s{number}", "no"))
            assert len(studies(tmp_path / "summary.csv")) == number + 1


def test_writing_takes_its_share_of_a_long_run_and_loses_no_row(machine, tmp_path) -> None:
    place = machine(0.3)  # ten thousand rows are there already
    start = place.now
    with GrowingSummary(tmp_path / "summary.csv", place.clock) as summary:
        for number in range(200):
            place.now += 1.0
            summary.add(failed_row(f"s{number}", "no"))
    spent = place.written * 0.3
    assert spent / (place.now - start) < SHARE + 2 * 0.3 / 200  # and the first and the last time
    assert studies(tmp_path / "summary.csv") == [f"s{number}" for number in range(200)]


def test_what_waits_is_written_when_the_run_is_interrupted(machine, tmp_path) -> None:
    place = machine(1.0)
    path = tmp_path / "summary.csv"

    def interrupted() -> None:
        with GrowingSummary(path, place.clock) as summary:
            summary.add(failed_row("a", "no"))
            assert studies(path) == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert studies(path) == ["a"]


def test_a_foreign_file_is_said_at_once(tmp_path) -> None:
    path = tmp_path / "summary.csv"
    path.write_text("patient,price\n")
    with pytest.raises(OutputError, match="other columns"):
        GrowingSummary(path)


def test_rows_of_another_run_stay(tmp_path) -> None:
    path = tmp_path / "summary.csv"
    with GrowingSummary(path) as summary:
        write_summary(path, [failed_row("other", "no")])
        summary.add(failed_row("mine", "no"))
    assert studies(path) == ["other", "mine"]
