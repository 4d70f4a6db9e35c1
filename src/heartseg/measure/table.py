"""A line of a table of measures, and the findings that a table gives of one heart.

The tables are `STACK` and `LONG_AXIS` in `measures.py`. A measure is a function of what is known
(`heart.Heart` of a stack, `apical.Apical` of long-axis views) that gives a `Number`: a value, or
the reason why there is none. Everything else about it stands in its line.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from heartseg.core.anatomy import Code
from heartseg.core.finding import Finding, Interval
from heartseg.core.study import Modality, View
from heartseg.measure.body import per_square_metre
from heartseg.measure.number import Number


class Kind(NamedTuple):
    """What sort of quantity a measure is: its unit, and how the keys of its kind end."""

    unit: str
    ending: str


FRACTION = Kind("1", "")
VOLUME = Kind("mL", "_ml")
MASS = Kind("g", "_g")
LENGTH = Kind("mm", "_mm")
SURFACE = Kind("m2", "_m2")
FLOW = Kind("L/min", "_l_min")
RATE = Kind("mL/s", "_ml_s")
MASS_TO_VOLUME = Kind("g/mL", "_ratio")

NOT_INDEXED = Number(None, "is not given per square metre of body surface")
"""The surface of a body, for measures of which none is indexed."""

PER_M2 = "_per_m2"
"""End of the key of what is given per square metre of body surface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The concept of a standard, or several where it depends on how the heart was seen.

    Attributes:
        any: however it was seen.
        by: of a modality, where that has its own.
        echo: of an echo's views, where those have their own; both views 4-chamber first.
    """

    any: Code | None = None
    by: Mapping[Modality, Code] = field(default_factory=dict)
    echo: Mapping[tuple[View, ...], Code] = field(default_factory=dict)

    def of(self, modality: Modality, views: tuple[View, ...] = ()) -> Code | None:
        """The code of a measure that was taken like that; None where there is none."""
        if modality is Modality.US and views in self.echo:
            return self.echo[views]
        return self.by.get(modality, self.any)


NO_CODE = Codes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """That a measure is also given per square metre of body surface.

    Attributes:
        codes: of the indexed one.
        after: a key whose indexed one stands before it, where the table's order is not meant.
    """

    codes: Codes = NO_CODE
    after: str | None = None


Seen = TypeVar("Seen", bound="Known")
Other = TypeVar("Other", bound="Known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Generic[Seen]):
    """A line of a table.

    Attributes:
        name: for people. `{view}` or `{beat}` in it and in the key: one for each of them.
        of: the function; the first line of its docstring is the definition that the reference
            prints.
        kind: gives the unit and how the key ends.
        codes: of standards; where no concept means the same there is none.
        indexed: also given per square metre of body surface.
        as_drawn: no choice of the laboratory may change it (see `choices.Choices`).
        from_long_axis: taken from long-axis views, where a study has some that show it.
    """

    name: str
    of: Callable[[Seen], Number]
    kind: Kind
    codes: Codes = NO_CODE
    indexed: Indexed | None = None
    as_drawn: bool = False
    from_long_axis: bool = False

    def by(
        self,
        of: "Callable[[Other], Number]",
        *,
        echo: Mapping[tuple[View, ...], Code] = MappingProxyType({}),
        indexed_echo: Mapping[tuple[View, ...], Code] = MappingProxyType({}),
    ) -> "Measure[Other]":
        """The same measure taken in another way, with the codes that echo has for that."""
        if self.indexed is None:
            indexed = None
        else:
            indexed = Indexed(codes=replace(self.indexed.codes, echo=indexed_echo))
        return Measure(
            name=self.name,
            of=of,
            kind=self.kind,
            codes=replace(self.codes, echo=echo),
            indexed=indexed,
        )

    def keys(self, key: str) -> tuple[str, ...]:
        """Its key, and that of the indexed one where there is one."""
        return (key, f"{key}{PER_M2}") if self.indexed else (key,)

    def per_m2(self) -> tuple[str, str, Codes]:
        """Name, unit and codes of the indexed one."""
        codes = self.indexed.codes if self.indexed else NO_CODE
        return f"{self.name}, indexed", f"{self.kind.unit}/m2", codes


class Part(NamedTuple):
    """One view or one beat of what is known: how its keys and names say it, and it alone."""

    key: str
    name: str
    seen: Any


class Known(Protocol):
    """What is known of a heart; what the functions look at beyond this is theirs."""

    @property
    def surface(self) -> Number:
        """Of the body, in m2; or the reason why it is not known."""

    @property
    def modality(self) -> Modality:
        """Decides codes."""

    @property
    def shown(self) -> tuple[View, ...]:
        """The long-axis views, 4-chamber first; none of a stack."""

    def parts(self, place: str) -> Iterable[Part]:
        """Each `view` or `beat` on its own."""


PLACES = ("view", "beat")

Reference = Callable[[str], Interval | None]
"""The reference range of a finding with a value, by its key."""


def measured(
    table: Mapping[str, Measure[Seen]], seen: Seen, reference: Reference
) -> tuple[Finding, ...]:
    """Every finding of a table, in the report's order; indexed ones last.

    Args:
        table: of measures by key.
        seen: what is known of the heart.
        reference: asked for findings that have a value.
    """
    found: dict[str, Finding] = {}

    def add(key: str, title: tuple[str, str, Codes], number: Number, of: Seen) -> None:
        name, unit, codes = title
        found[key] = Finding(
            key=key,
            name=name,
            value=number.value,
            unit=unit,
            reference=None if number.value is None else reference(key),
            problem=number.problem,
            code=codes.of(of.modality, of.shown),
        )

    for key, measure, part in lines(table, seen):
        add(key, (measure.name, measure.kind.unit, measure.codes), measure.of(part), part)
    for key in indexed_keys(table):
        plain = Number(found[key].value, found[key].problem)
        number = per_square_metre(plain, seen.surface)
        add(f"{key}{PER_M2}", table[key].per_m2(), number, seen)
    return tuple(found.values())


def lines(
    table: Mapping[str, Measure[Seen]], seen: Seen
) -> Iterator[tuple[str, Measure[Seen], Seen]]:
    """The lines with what each looks at; neighbours that have a place are filled in together."""
    for place, group in groupby(table.items(), lambda line: _place(line[0])):
        if not place:
            yield from ((key, measure, seen) for key, measure in group)
            continue
        several = list(group)
        for part in seen.parts(place):
            for key, measure in several:
                named = replace(measure, name=measure.name.replace(f"{{{place}}}", part.name))
                yield key.replace(f"{{{place}}}", part.key), named, part.seen


def indexed_keys(table: Mapping[str, Measure[Any]]) -> tuple[str, ...]:
    """Keys of the measures that are also indexed, in the order of those findings."""
    order = [key for key, measure in table.items() if measure.indexed]
    for key in tuple(order):
        indexed = table[key].indexed
        if indexed is not None and indexed.after in order:
            order.remove(key)
            order.insert(order.index(indexed.after) + 1, key)
    return tuple(order)


def _place(key: str) -> str:
    return next((place for place in PLACES if f"{{{place}}}" in key), "")
