"""From lines of adversarial.py to its table: clean, shifted, what was lost, and the difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from cells import common_seeds, fair_groups
from rows import Row, mean_row, number

from heartseg.measure.statistics import holm, paired_wilcoxon

ARMS = ("plain", "perturbed", "masks", "both")
CLEAN, SHIFTED = "clean", "shifted, all"
STRUCTURES = ("mean", "lv", "myo", "rv")
DATA = "ACDC"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One structure in one phase of one patient, in an image as it is or shifted."""

    date: str
    commit: str
    hardware: str
    split: str
    budget: str
    seed: str
    arm: str
    images_seen: str
    minutes: str
    case: str
    shift: str
    phase: str
    structure: str
    dice: str
    hausdorff95_mm: str


@dataclass(frozen=True, kw_only=True)
class ShiftRow(Row):
    """A row of one shift; p of a difference from `plain`, by itself and adjusted by Holm."""

    shift: str
    p: str = "-"
    holm: str = "-"


def rows_of(cases: Sequence[Case]) -> Iterator[ShiftRow]:
    """All rows: of each part and budget, over the seeds that all of its arms have."""
    for some in fair_groups(cases):
        arms = [arm for arm in ARMS if any(one.arm == arm for one in some)]
        yield from _of_group(some, arms, " ".join(common_seeds(some)))


def means(
    cases: Sequence[Case], arm: str, shift: str, structure: str, measure: str = "dice"
) -> dict[str, float]:
    """By patient, the mean over seeds, phases, structures and, for all of them, shifts."""
    found: dict[str, list[float]] = {}
    for one in cases:
        wanted = one.shift != CLEAN if shift == SHIFTED else one.shift == shift
        value = getattr(one, measure)
        if one.arm == arm and wanted and structure in ("mean", one.structure) and value != "":
            found.setdefault(one.case, []).append(float(value))
    return {case: float(np.mean(values)) for case, values in found.items()}


def _of_group(cases: Sequence[Case], arms: Sequence[str], seeds: str) -> Iterator[ShiftRow]:
    shifts = list(dict.fromkeys(one.shift for one in cases))
    shifts = [CLEAN, SHIFTED, *(one for one in shifts if one != CLEAN)]
    for arm in arms:
        mine = [one for one in cases if one.arm == arm]
        for structure in STRUCTURES:
            clean = means(mine, arm, CLEAN, structure)
            for shift in shifts:
                dice = means(mine, arm, shift, structure)
                yield _row(mine, seeds, "Dice", structure, shift, list(dice.values()))
                if shift != CLEAN:
                    lost = [clean[case] - dice[case] for case in dice if case in clean]
                    yield _row(mine, seeds, "Dice lost", structure, shift, lost)
            if structure == "mean":
                for shift in (CLEAN, SHIFTED):
                    far = means(mine, arm, shift, structure, "hausdorff95_mm")
                    yield _row(mine, seeds, "HD95", structure, shift, list(far.values()), "mm")
    yield from _compared(cases, arms, seeds)


def _compared(cases: Sequence[Case], arms: Sequence[str], seeds: str) -> Iterator[ShiftRow]:
    """Each arm less plain, clean and shifted, over the same patients; Holm over all of these."""
    if "plain" not in arms:
        return
    found = []
    for arm in (one for one in arms if one != "plain"):
        for shift in (CLEAN, SHIFTED):
            ours, theirs = (means(cases, one, shift, "mean") for one in (arm, "plain"))
            shared = sorted(ours.keys() & theirs.keys())
            pair = [[some[case] for case in shared] for some in (ours, theirs)]
            found.append((arm, shift, pair, paired_wilcoxon(*pair)))
    adjusted = holm([test.p_value for *_, test in found])
    for (arm, shift, (ours, theirs), test), p in zip(found, adjusted, strict=True):
        mine = [one for one in cases if one.arm == arm]
        gaps = [a - b for a, b in zip(ours, theirs, strict=True)]
        both = {"p": number(test.p_value), "holm": number(p)}
        yield _row(mine, seeds, "Dice, less that of plain", "mean", shift, gaps, **both)


def _row(
    mine: Sequence[Case],
    seeds: str,
    measure: str,
    structure: str,
    shift: str,
    values: Sequence[float],
    unit: str = "1",
    **tests: str,
) -> ShiftRow:
    last = mine[-1]
    return mean_row(
        measure,
        unit,
        values,
        kind=ShiftRow,
        statistic="mean (95 % interval over patients)",
        date=last.date,
        commit=last.commit,
        structure=structure,
        phase="all",
        data=DATA,
        split=last.split,
        model=last.arm,
        seed=seeds,
        configuration=f"runs/adversarial/{last.arm}.toml, {last.budget}",
        images_seen=last.images_seen,
        hardware=last.hardware,
        shift=shift,
        **tests,
    )


def said_of(row: ShiftRow) -> str:
    """A line for the screen."""
    tested = f", p {row.holm} (Holm)" if row.holm != "-" else ""
    return (
        f"{row.split}, {row.model}, {row.shift}: {row.measure} {row.value} "
        f"({row.low}, {row.high}){tested}"
    )
