"""Measures of other packages, beside heartseg's own, without a fork.

A package names its lines as entry points of a group: `heartseg.measures.stack` for those of a
`Heart`, `heartseg.measures.long_axis` for those of an `Apical`. The name of the entry point is the
key, its object a `Measure`. What is offered is measured in every report, and the report says whose
it is; what cannot be used is said there too, and heartseg's own keys win. A function that fails is
a finding without a value, and its report is written.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic

from heartseg.core.errors import ConfigError
from heartseg.measure.number import Number
from heartseg.measure.table import PER_M2, PLACES, Measure, Seen

STACK_GROUP = "heartseg.measures.stack"
LONG_AXIS_GROUP = "heartseg.measures.long_axis"

_KEY = re.compile(rf"[a-z][a-z0-9]*(_[a-z0-9]+|_\{{({'|'.join(PLACES)})\}}){{0,9}}")


@dataclass(frozen=True, slots=True)
class Offered(Generic[Seen]):
    """A table with what other packages add to it.

    Attributes:
        measures: heartseg's own, then theirs.
        said: a sentence for the page about each of theirs.
    """

    measures: Mapping[str, Measure[Seen]]
    said: tuple[str, ...]


def with_offers(own: Mapping[str, Measure[Seen]], group: str) -> Offered[Seen]:
    """A table of heartseg with what installed packages offer in a group."""
    every, said = dict(own), list[str]()
    for point in _points(group):
        try:
            measure = _accepted(point, every)
        except ConfigError as fault:
            said.append(f"Not measured: {fault}.")
            continue
        every[point.name] = measure
        said.append(f"{measure.name}: measured by package {_package(point)}.")
    return Offered(every, tuple(said))


@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    """What is installed does not change while the program runs, and looking takes its time."""
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))


def _accepted(point: EntryPoint, taken: Mapping[str, Measure[Any]]) -> Measure[Any]:
    if point.name in taken:
        raise ConfigError(_who(point), got="a key that is in use already, and stays as it is")
    if not _KEY.fullmatch(point.name) or point.name.endswith(PER_M2):
        raise ConfigError(_who(point), got="this key", allowed="words of a-z and 0-9 joined by _")
    try:
        measure = point.load()
    except Exception as fault:  # somebody else's code, which may do anything
        raise ConfigError(_who(point), got=_said(fault), do="tell its author") from fault
    if not isinstance(measure, Measure):
        raise ConfigError(_who(point), got=type(measure).__name__, allowed="a Measure")
    if not point.name.endswith(measure.kind.ending):
        raise ConfigError(_who(point), got="this key", allowed=f"one in {measure.kind.ending}")
    return replace(measure, of=_Guarded(point, measure.of))


@dataclass(frozen=True, slots=True)
class _Guarded:
    """A function of theirs, whose failure is a reason and not the end of the report."""

    point: EntryPoint
    of: Any

    def __call__(self, seen: Any) -> Number:
        try:
            number = self.of(seen)
        except Exception as fault:  # noqa: BLE001 (as above; the finding says it)
            return Number(None, f"{_who(self.point)} failed: {_said(fault)}")
        if not isinstance(number, Number):
            return Number(None, f"{_who(self.point)} gave {type(number).__name__}, not a Number")
        if number.value is None:
            return number if number.problem else Number(None, f"{_who(self.point)} gave no reason")
        if not math.isfinite(number.value):
            return Number(None, f"{_who(self.point)} gave {number.value}")
        return Number(float(number.value), number.problem)


def _said(fault: Exception) -> str:
    return f"{type(fault).__name__}: {str(fault)[:200]}"


def _who(point: EntryPoint) -> str:
    return f"measure '{point.name[:64]}' of package {_package(point)}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
