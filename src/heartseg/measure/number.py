"""A value, or the reason why there is none: what the measures pass among themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

NO_MILLIMETRES = "the image has no spacing: pass its pixel size with --spacing-mm"


@dataclass(frozen=True, slots=True)
class Number:
    """A value, or the reason why there is none; `problem` may also qualify a value."""

    value: float | None
    problem: str | None = None

    def minded(self, remark: str | None) -> "Number":
        """The same value with something to mind about it; nothing is added where there is none."""
        if self.value is None or not remark:
            return self
        return Number(self.value, f"{self.problem}; {remark}" if self.problem else remark)

    def times(self, factor: float) -> "Number":
        """The value times a factor, or the same reason."""
        return self if self.value is None else Number(self.value * factor, self.problem)


def of_both(first: Number, second: Number, combined: Callable[[float, float], float]) -> Number:
    """What two values give together, or the reason of the first that is missing."""
    if first.value is None or second.value is None:
        return Number(None, first.problem if first.value is None else second.problem)
    return Number(combined(first.value, second.value))


def difference(first: Number, second: Number) -> Number:
    """`first` less `second`."""
    return of_both(first, second, lambda one, other: one - other)


def ejected_share(end_diastolic: Number, end_systolic: Number) -> Number:
    """Ejection fraction of two volumes in any one unit."""
    return of_both(end_diastolic, end_systolic, lambda edv, esv: 1.0 - esv / edv)


def mean_of_beats(numbers: Sequence[Number]) -> Number:
    """Mean of those that could be measured, with their number where there are several."""
    values = [one.value for one in numbers if one.value is not None]
    if not values:
        return numbers[0]
    said = f"mean of {len(values)} beats" if len(numbers) > 1 else numbers[0].problem
    return Number(sum(values) / len(values), said)
