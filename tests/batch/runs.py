"""Runs over small studies, and what they leave on the disk."""

import csv
from pathlib import Path

from heartseg.batch import Outcome, Plan, run
from tests import doors


def done(plan: Plan) -> dict[str, Outcome]:
    """What was heard of each study, by id."""
    heard: list[Outcome] = []
    tally = run(plan, heard.append)
    assert tally.studies == tuple(outcome.id for outcome in heard)
    assert tally.failed == sum(outcome.status == "failed" for outcome in heard)
    return {outcome.id: outcome for outcome in heard}


def summary(out: Path) -> dict[str, dict[str, str]]:
    with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
        return {row["study"]: row for row in csv.DictReader(file)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def patients(folder: Path, *numbers: int) -> list[Path]:
    return [doors.write_patient(folder / f"patient{number:03d}") for number in numbers]
