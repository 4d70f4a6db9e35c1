"""Lines of the page on robustness, from the rows of benchmarks/results/robustness/table.csv."""

import re
from collections.abc import Mapping, Sequence

Rows = Sequence[Mapping[str, str]]
Found = dict[tuple[str, str, str], Mapping[str, str]]

FAMILIES = (
    *("disturbance", "strength that costs most", "patients", "Dice before → after"),
    *("mean loss (95 % interval)", "worst patient's loss", "who", "flagged"),
)
STRENGTHS = (
    *("disturbance", "patients", "Dice", "mean loss (95 % interval)", "LV", "wall", "RV"),
    *(
        "worst loss",
        "LV EF: mean change, largest, largest that passes",
        "flagged",
        "Dice below 0.8",
        "of these flagged",
    ),
)
UNDISTURBED = "none: as it is"


def families(rows: Rows) -> list[list[str]]:
    """A line a family: its costliest strength, and its worst patient at any strength."""
    found = _by_strength(rows)
    named: dict[str, list[str]] = {}
    for strength in found:
        if strength != UNDISTURBED:
            named.setdefault(strength.partition(": ")[0], []).append(strength)
    lines = []
    for family, strengths_of_it in named.items():
        most = max(strengths_of_it, key=lambda one: _value(found[one], "Dice lost"))
        worst = max(strengths_of_it, key=lambda one: _value(found[one], "Dice lost", "largest"))
        patient, verdict = _who(found[worst]["Dice lost", "mean", "largest"])
        if _shown(_value(found[worst], "Dice lost", "largest")) == _shown(0):
            patient, verdict = "-", "-"
        level = "" if worst == most else f" ({worst.partition(': ')[2]})"
        lines.append(
            [
                family,
                most.partition(": ")[2],
                found[most]["Dice lost", "mean", "mean"]["runs"],
                " → ".join(_shown(_value(found[most], one)) for one in ("Dice before", "Dice")),
                _loss(found[most]),
                f"{_shown(_value(found[worst], 'Dice lost', 'largest'))}{level}",
                patient,
                "no" if verdict == "pass" else verdict,
            ]
        )
    return lines


def strengths(rows: Rows) -> list[list[str]]:
    """A line a strength, in the order of the rows."""
    return [
        [
            name,
            one["Dice", "mean", "mean"]["runs"],
            _shown(_value(one, "Dice")),
            _loss(one),
            *(_shown(_value(one, "Dice lost", structure=part)) for part in ("lv", "myo", "rv")),
            _shown(_value(one, "Dice lost", "largest")),
            _fraction(one),
            f"{_count(one, 'flagged')} of {one['flagged', '-', 'count']['runs']}",
            str(_count(one, "Dice below 0.8")),
            _flagged_of_poor(one),
        ]
        for name, one in _by_strength(rows).items()
    ]


def gate(rows: Rows) -> tuple[int, int]:
    """Disturbed studies whose Dice is below 0.8, and how many of them are flagged."""
    some = [one for name, one in _by_strength(rows).items() if name != UNDISTURBED]
    poor = sum(_count(one, "Dice below 0.8") for one in some)
    return poor, sum(_count(one, "flagged, Dice below 0.8") for one in some)


def _by_strength(rows: Rows) -> dict[str, Found]:
    """Rows by measure, structure and first word of the statistic, of each strength."""
    found: dict[str, Found] = {}
    for row in rows:
        key = row["measure"], row["structure"], row["statistic"].partition(" ")[0]
        found.setdefault(row["configuration"], {})[key] = row
    return found


def _value(found: Found, measure: str, kind: str = "mean", structure: str = "mean") -> float:
    return float(found[measure, structure, kind]["value"])


def _count(found: Found, measure: str) -> int:
    return int(found[measure, "-", "count"]["value"])


def _loss(found: Found) -> str:
    row = found["Dice lost", "mean", "mean"]
    value, low, high = (_shown(float(row[key])) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _shown(value: float) -> str:
    """Three decimals; what rounds to nothing has no sign."""
    return f"{round(value, 3) + 0.0:.3f}"


def _who(row: Mapping[str, str]) -> tuple[str, str]:
    """The patient of a worst row, and the verdict."""
    match = re.fullmatch(r"largest \((.+), (.+)\)", row["statistic"])
    if match is None:
        raise ValueError(f"no patient in {row['statistic']}")
    return match[1], match[2]


def _fraction(found: Found) -> str:
    """In points; how many studies have no ejection fraction to use stands behind."""
    asked = (
        *(("lv_ef, change", kind) for kind in ("mean", "largest")),
        ("lv_ef, change that passes", "largest"),
    )
    said = [
        f"{100 * _value(found, measure, kind, '-'):.1f}"
        if (measure, "-", kind) in found
        else "none"
        for measure, kind in asked
    ]
    missing = _count(found, "no lv_ef")
    return ", ".join(said) + (f" ({missing} without EF)" if missing else "")


def _flagged_of_poor(found: Found) -> str:
    poor = _count(found, "Dice below 0.8")
    return f"{_count(found, 'flagged, Dice below 0.8')} of {poor}" if poor else "-"
