"""Rows of the table of robustness, from the cases: means over patients, the worst, the flagged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rows import Row, mean_row

Line = Mapping[str, str]
Values = NDArray[np.float64]

FEWEST = 5
"""A disturbance that fewer patients have been through is not summed up."""

POOR = 0.8
"""A study whose mean Dice is below this is one that a person should have been sent to."""

STRUCTURES = ("lv", "myo", "rv")
UNDISTURBED = "none"


def rows_of(cases: Sequence[Line], fewest: int = FEWEST) -> Iterator[Row]:
    """The rows of every disturbance that enough patients have been through.

    Args:
        cases: lines of cases.csv.
        fewest: patients that are enough.
    """
    usual = {one["patient"]: one["lv_ef"] for one in cases if one["family"] == UNDISTURBED}
    groups: dict[tuple[str, str], list[Line]] = {}
    for case in cases:
        groups.setdefault((case["family"], case["level"]), []).append(case)
    for (family, level), group in groups.items():
        if len(group) >= fewest:
            where = _conditions(group[-1], f"{family}: {level}")
            yield from _agreement(group, where)
            judged = {**where, "commit": group[-1]["judged"]}
            yield from _fraction(group, usual, judged)
            yield from _verdicts(group, judged)


def _conditions(case: Line, configuration: str) -> dict[str, str]:
    return {
        "date": case["date"],
        "commit": case["commit"],
        "data": case["data"],
        "split": case["part"],
        "model": case["model"],
        "seed": case["seed"],
        "configuration": configuration,
        "hardware": case["hardware"],
    }


def dice_of(case: Line, what: str = "dice", structures: Iterable[str] = STRUCTURES) -> float:
    """Mean over both phases of some structures; `what` is "before" for the undisturbed mask."""
    named = [f"{what}_{one}_{phase}" for one in structures for phase in ("ed", "es")]
    return float(np.mean([float(case[name]) for name in named if case[name]]))


def _agreement(group: Sequence[Line], where: Mapping[str, str]) -> Iterator[Row]:
    for structure in ("mean", *STRUCTURES):
        some = STRUCTURES if structure == "mean" else (structure,)
        found, before = (
            np.array([dice_of(case, what, some) for case in group]) for what in ("dice", "before")
        )
        place = {**where, "structure": structure, "phase": "all"}
        yield mean_row("Dice", "1", found, **place)
        yield mean_row("Dice before", "1", before, **place)
        yield mean_row("Dice lost", "1", before - found, **place)
        if structure == "mean":
            yield _worst("Dice lost", "1", before - found, group, place)
    far = np.array([_distance(case) for case in group])
    if np.isfinite(far).any():
        yield mean_row("HD95", "mm", far[np.isfinite(far)], **{**where, "structure": "mean"})
    changed = max(int(case["changed_voxels"]) for case in group)
    yield _row("voxels that differ from before", "voxels", changed, "largest", group, where)


def _distance(case: Line) -> float:
    """Mean over structures and phases that have one, in mm; NaN where none has."""
    values = [float(value) for key, value in case.items() if key.startswith("hd95_") and value]
    return float(np.mean(values)) if values else float("nan")


def _fraction(
    group: Sequence[Line], usual: Mapping[str, str], where: Mapping[str, str]
) -> Iterator[Row]:
    """How far the LV EF is from that of the undisturbed image.

    Of studies that have one and are not rejected, since those are said to hold nothing to measure;
    the largest change among those that pass stands apart: nobody is told of that one.
    """
    both = [
        case
        for case in group
        if case["lv_ef"] and usual.get(case["patient"]) and case["verdict"] in ("pass", "review")
    ]
    for measure, some in (
        ("lv_ef, change", both),
        ("lv_ef, change that passes", [case for case in both if not flagged(case)]),
    ):
        if some:
            pairs = [(float(case["lv_ef"]), float(usual[case["patient"]])) for case in some]
            change = np.abs(np.subtract(*np.transpose(pairs)))
            yield mean_row(measure, "1", change, **where)
            yield _worst(measure, "1", change, some, where)
    yield _row("no lv_ef", "studies", len(group) - len(both), "count", group, where)


def _verdicts(group: Sequence[Line], where: Mapping[str, str]) -> Iterator[Row]:
    """How many are flagged, how many are poor, and how many of these are flagged."""
    poor = [case for case in group if dice_of(case) < POOR]
    counts = {"flagged": group, f"Dice below {POOR}": poor, f"flagged, Dice below {POOR}": poor}
    for measure, some in counts.items():
        chosen = some if measure.startswith("Dice") else [one for one in some if flagged(one)]
        yield _row(measure, "studies", len(chosen), "count", group, where)


def flagged(case: Line) -> bool:
    """Whether the user hears that a person should look, or gets no numbers at all."""
    return case["verdict"] != "pass"


def _worst(
    measure: str, unit: str, values: Values, group: Sequence[Line], where: Mapping[str, str]
) -> Row:
    """The patient with the largest value, and what was said of the study."""
    worst = group[int(np.argmax(values))]
    said = f"largest ({worst['patient']}, {worst['verdict']})"
    return _row(measure, unit, float(values.max()), said, group, where)


def _row(
    measure: str,
    unit: str,
    value: float,
    statistic: str,
    group: Sequence[Line],
    where: Mapping[str, str],
) -> Row:
    return Row(
        measure=measure,
        unit=unit,
        runs=str(len(group)),
        statistic=statistic,
        value=f"{value:.4g}",
        low="-",
        high="-",
        **where,
    )
