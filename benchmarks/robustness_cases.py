"""The lines of results/robustness/cases.csv: a study, a disturbance, what came of it."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Case:
    """A disturbed study; empty is no value.

    Dice and HD95 (mm) are in 3-D, by structure and phase: of what was found, and of what had been
    found in the undisturbed image (`before`). Fractions and volumes are the report's; `true` ones
    are counted in the moved truth.
    """

    date: str
    commit: str
    hardware: str
    data: str
    part: str
    model: str
    seed: str
    patient: str
    family: str
    level: str
    dice_lv_ed: str = ""
    dice_lv_es: str = ""
    dice_myo_ed: str = ""
    dice_myo_es: str = ""
    dice_rv_ed: str = ""
    dice_rv_es: str = ""
    before_lv_ed: str = ""
    before_lv_es: str = ""
    before_myo_ed: str = ""
    before_myo_es: str = ""
    before_rv_ed: str = ""
    before_rv_es: str = ""
    hd95_lv_ed: str = ""
    hd95_lv_es: str = ""
    hd95_myo_ed: str = ""
    hd95_myo_es: str = ""
    hd95_rv_ed: str = ""
    hd95_rv_es: str = ""
    lv_ef: str = ""
    lv_ef_true: str = ""
    lv_edv_ml: str = ""
    rv_edv_ml: str = ""
    changed_voxels: str
    seconds: str
    verdict: str
    reasons: str
    judged: str
    problem: str = ""


def said_of(case: Case) -> str:
    """A line for the screen."""
    dice = np.mean([float(value) for key, value in asdict(case).items() if key.startswith("dice_")])
    return (
        f"{case.family}: {case.level}, {case.patient}: Dice {dice:.3f}, {case.verdict}"
        f" {case.reasons}{case.problem} ({case.seconds} s)"
    )


def read_cases(path: Path) -> Iterator[Case]:
    """The lines of a file; none where there is no file."""
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                yield Case(**line)


def add_case(path: Path, case: Case) -> None:
    """Write a line at once: the next may never come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(Case)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(case))


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write all lines anew."""
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    for case in cases:
        add_case(unfinished, case)
    unfinished.replace(path)
