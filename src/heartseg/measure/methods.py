"""Several methods on the same cases: who is better, may it be chance, and the human limit.

What is compared, in these words: for each pair of methods, one value a case and structure (the mean
over its phases), over the cases that both have a value for; the size of the error of each finding
likewise. Every test made together is corrected together, by Holm's steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from heartseg.core.finding import Interval
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.metrics import HEADLINE, METRICS
from heartseg.measure.readers import READERS_DICE, READERS_DIFFER
from heartseg.measure.statistics import NonInferiority, holm, non_inferiority, paired_wilcoxon
from heartseg.measure.summary import ALL, Selection, by_case

Rows = Sequence[AgreementRow]
Errors = Mapping[str, Mapping[str, float]]
"""|measured - reference| by finding and case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What one method gave: agreement over whole stacks, and the errors of its findings."""

    rows: Rows
    errors: Errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One method against another in one measure, over the cases that both have.

    Attributes:
        measure: key of a metric, or of a finding whose absolute error it is.
        structure: "" for a finding.
        first: name of a method.
        second: name of the other.
        cases: that both have a value for.
        first_mean: over these cases.
        second_mean: the same.
        difference: mean of first - second.
        interval: bootstrap interval of that mean; None for fewer than two cases.
        p_value: Wilcoxon signed-rank test; None for too few cases.
        p_holm: corrected for all tests of the comparison.
        better: the name of the method that is better at 5 % after correction; "" for neither.
    """

    measure: str
    structure: str
    first: str
    second: str
    cases: int
    first_mean: float
    second_mean: float
    difference: float
    interval: Interval | None
    p_value: float | None
    p_holm: float | None = None
    better: str = ""


SIGNIFICANT = 0.05


def compare_methods(methods: Mapping[str, Method]) -> tuple[Difference, ...]:
    """All pairs of methods, in `HEADLINE` by structure and in the findings; nothing for one."""
    found = [
        difference
        for first, second in combinations(methods, 2)
        for measure, structure in _measures(methods[first])
        if (difference := _difference(methods, (first, second), measure, structure)) is not None
    ]
    corrected = holm([one.p_value for one in found])
    return tuple(_judged(one, p) for one, p in zip(found, corrected, strict=True))


def _measures(method: Method) -> Iterator[tuple[str, str]]:
    structures = dict.fromkeys(row.structure.key for row in method.rows)
    yield from ((metric, structure) for metric in HEADLINE for structure in structures)
    yield from ((finding, "") for finding in method.errors)


def _values(method: Method, measure: str, structure: str) -> Mapping[str, float]:
    """One value a case."""
    if not structure:
        return method.errors.get(measure, {})
    return by_case(method.rows, measure, Selection("", structure, ALL))[0]


def _difference(
    methods: Mapping[str, Method], names: tuple[str, str], measure: str, structure: str
) -> Difference | None:
    ours, theirs = (_values(methods[name], measure, structure) for name in names)
    shared = [case for case in ours if case in theirs]
    if not shared:
        return None
    first, second = ([one[case] for case in shared] for one in (ours, theirs))
    test = paired_wilcoxon(first, second)
    return Difference(
        measure=measure,
        structure=structure,
        first=names[0],
        second=names[1],
        cases=len(shared),
        first_mean=float(np.mean(first)),
        second_mean=float(np.mean(second)),
        difference=test.mean_difference,
        interval=test.interval,
        p_value=test.p_value,
    )


def _judged(one: Difference, p_holm: float | None) -> Difference:
    higher = bool(one.structure) and METRICS[one.measure].better == "higher"
    ahead = one.first if (one.difference > 0) == higher else one.second
    clear = p_holm is not None and p_holm < SIGNIFICANT and one.difference != 0
    return replace(one, p_holm=p_holm, better=ahead if clear else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanLimit:
    """One method against what expert readers reach among themselves.

    Attributes:
        method: its name.
        measure: "dice", or the finding whose absolute error it is.
        structure: "" for a finding.
        readers: the least and the greatest of what two of them reach.
        result: against the two that agree best, the stricter end.
    """

    method: str
    measure: str
    structure: str
    readers: Interval
    result: NonInferiority


def against_readers(methods: Mapping[str, Method]) -> tuple[HumanLimit, ...]:
    """Each method's Dice and errors against the human limit of short-axis cine MR.

    The readers' numbers come from other patients than the method's: it is a yardstick, not a test
    on the same hearts. Meaningful for short-axis cine MR alone.
    """
    return tuple(
        limit
        for name, method in methods.items()
        for limit in (*_dice_limits(name, method), *_error_limits(name, method))
    )


def _dice_limits(name: str, method: Method) -> Iterator[HumanLimit]:
    for structure, readers in READERS_DICE.items():
        values = np.array(list(_values(method, "dice", structure).values()))
        result = non_inferiority(values, max(readers), higher_is_better=True)
        if result is not None:
            yield HumanLimit(
                method=name, measure="dice", structure=structure, readers=readers, result=result
            )


def _error_limits(name: str, method: Method) -> Iterator[HumanLimit]:
    for finding, readers in READERS_DIFFER.items():
        values = np.array(list(method.errors.get(finding, {}).values()))
        result = non_inferiority(values, min(readers), higher_is_better=False)
        if result is not None:
            yield HumanLimit(
                method=name, measure=finding, structure="", readers=readers, result=result
            )
