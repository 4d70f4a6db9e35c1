"""From lines of patients to results/translation/adaptation.csv: means, differences, the share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from adaptation_arms import ARMS, CURVE, NONE, PLAIN, SUPERVISED
from adaptation_cases import MEASURES, Case
from cells import common_seeds, fair_groups
from numpy.typing import NDArray
from rows import Row

from heartseg.measure.statistics import bootstrap_interval, bootstrap_mean

SHARE = "recovered share of the gap"
GAIN = f"Dice, less that of {PLAIN}"
DATA = "ACDC to EMIDEC"
STRUCTURES = ("mean", "lv", "myo")
Values = Mapping[str, Mapping[str, float]]
"""By arm and patient."""


def rows_of(cases: Sequence[Case]) -> Iterator[Row]:
    """All rows: of each part and budget, over the seeds that all of its arms have."""
    for some in fair_groups(cases):
        yield from _of_group(some)


def values_of(cases: Sequence[Case], measure: str, structure: str) -> Values:
    """By arm and patient, the mean over seeds and, for "mean", over structures."""
    found: dict[str, dict[str, list[float]]] = {}
    for one in cases:
        value = getattr(one, measure)
        if value != "" and structure in ("mean", one.structure):
            found.setdefault(one.arm, {}).setdefault(one.case, []).append(float(value))
    return {
        arm: {case: float(np.mean(v)) for case, v in by_case.items()}
        for arm, by_case in found.items()
    }


def _of_group(some: Sequence[Case]) -> Iterator[Row]:
    seeds = common_seeds(some)
    names = [arm.name for arm in (*ARMS, *CURVE)]
    arms = sorted({one.arm for one in some}, key=names.index)
    for arm in arms:
        mine = [one for one in some if one.arm == arm]
        failed = [one for one in mine if one.problem]
        if failed:
            yield _row(mine, seeds, "trained", "mean", "0", ("-", "-"), failed[0].problem, "1")
            continue
        for structure in STRUCTURES:
            yield from _of_arm(arm, mine, some, seeds, structure)


def _of_arm(
    arm: str, mine: Sequence[Case], some: Sequence[Case], seeds: Sequence[str], structure: str
) -> Iterator[Row]:
    """Its measures, its share of the gap, and what it has more than the plain translation."""
    for key, name in MEASURES.items():
        values = np.array(list(values_of(mine, key, structure).get(arm, {}).values()))
        if len(values) > 1:
            unit = "px" if key in ("hausdorff95", "assd") else "1"
            ends = _ends(bootstrap_mean(values))
            said = f"mean of {len(values)} patients (95 % interval)"
            yield _row(mine, seeds, name, structure, f"{values.mean():.4g}", ends, said, unit)
    dice = values_of(some, "dice", structure)
    if arm not in (NONE, SUPERVISED) and {NONE, SUPERVISED} <= set(dice):
        share = share_of(dice, arm)
        if share is not None:
            value, interval = share
            said = "share of means (95 % interval over patients)"
            ends = _ends(interval)
            yield _row(mine, seeds, SHARE, structure, f"{value:.4g}", ends, said, "1")
    if arm != PLAIN and PLAIN in dice and arm not in {one.name for one in CURVE}:
        gaps = _table(dice, (arm, PLAIN))
        more = gaps[:, 0] - gaps[:, 1]
        if len(more) > 1:
            ends, said = _ends(bootstrap_mean(more)), "mean difference (95 % interval)"
            yield _row(mine, seeds, GAIN, structure, f"{more.mean():.4g}", ends, said, "1")


def share_of(dice: Values, arm: str) -> tuple[float, tuple[float, float]] | None:
    """(Dice - none) / (supervised - none) of the means over patients, with its interval.

    Patients are drawn together with all three of their values. None where nobody has all three, or
    where there is no gap to recover: supervision is no better than nothing.
    """
    values = _table(dice, (arm, NONE, SUPERVISED))
    if len(values) < 2 or values[:, 2].mean() <= values[:, 1].mean():
        return None
    return float(recovered(values, axis=0)), bootstrap_interval(values, recovered)


def recovered(values: NDArray[np.float64], *, axis: int) -> Any:
    """(..., patients, 3) of an arm, none and supervised -> the share, patients along `axis`."""
    arm, none, supervised = np.moveaxis(values.mean(axis=axis), -1, 0)
    gap = supervised - none
    return (arm - none) / np.where(gap == 0, np.nan, gap)


def _table(values: Values, arms: Sequence[str]) -> NDArray[np.float64]:
    """(patients, arms) of the patients whom all of these have."""
    shared = sorted(set.intersection(*(set(values.get(arm, {})) for arm in arms)))
    return np.array([[values[arm][case] for arm in arms] for case in shared]).reshape(
        len(shared), len(arms)
    )


def _ends(interval: tuple[float, float]) -> tuple[str, str]:
    return f"{interval[0]:.4g}", f"{interval[1]:.4g}"


def _row(
    mine: Sequence[Case],
    seeds: Sequence[str],
    measure: str,
    structure: str,
    value: str,
    ends: tuple[str, str],
    statistic: str,
    unit: str,
) -> Row:
    last = mine[-1]
    return Row(
        date=last.date,
        commit=last.commit,
        measure=measure,
        structure=structure,
        phase="-",
        unit=unit,
        data=DATA,
        split=last.split,
        model=last.arm,
        seed=" ".join(seeds),
        configuration=f"runs/translate/late-{last.run}.toml, {last.budget}",
        images_seen=last.images_seen or "-",
        hardware=last.hardware,
        runs=str(len({one.case for one in mine if one.case})),
        statistic=statistic,
        value=value,
        low=ends[0],
        high=ends[1],
    )
