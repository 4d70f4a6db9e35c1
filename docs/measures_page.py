"""The page of measures: what each is, when it is null, and the reference ranges."""

from typing import Any

import hearts
from docstrings import first_line
from sheets import markdown_table

from heartseg.core.study import Body, Modality
from heartseg.measure import measures, ranges
from heartseg.measure.conventions import ACDC


def page() -> str:
    """A table for each kind of image, and the ranges."""
    stacks, views = hearts.of_stacks(), hearts.of_long_axes()
    tables = {
        "A stack of short-axis slices": (measures.STACK, stacks),
        "Its wall": (measures.RINGS, stacks),
        "Long-axis views": (measures.LONG_AXIS, views),
        "Their endocardium": (measures.LONGITUDINAL, views),
    }
    heads = ("measure", "key", "unit", "per m2", "is", "code", "null with")
    blocks = [
        f"## {title}\n\n"
        + markdown_table(
            heads,
            [
                (
                    one.name,
                    f"`{key}`",
                    one.kind.unit,
                    "yes" if one.indexed else "",
                    first_line(one.of),
                    _coded(key, one.codes),
                    ", ".join(hearts.null_when(cases, key)),
                )
                for key, one in table.items()
            ],
        )
        for title, (table, cases) in tables.items()
    ]
    return "\n\n".join([_MEASURES_LEAD, *blocks, _reference_ranges()])


_MEASURES_LEAD = """What `report.json` holds under `findings`, in its order. A number that cannot be
had is null, and `problem` says why. *Null with* names what a whole heart was robbed of until the
measure had no value; the reasons in full stand in the report. `{view}` is `4ch`, `2ch` or, of the
endocardium, `3ch`; `{beat}` is a number. What has *per m2* is also given per square metre of body
surface, under its key with `_per_m2` behind it, after the others of its table. [How they are
taken, and why](../explanation/conventions.md). [How to add
one](../how-to/add-a-part.md#what-a-measure-is)."""


def _coded(key: str, codes: Any) -> str:
    """Every code of a measure, the modality or the views beside it where it depends on these."""
    said = [f"{codes.any.scheme} {codes.any.value}"] if codes.any else []
    said += [f"{one.scheme} {one.value} ({modality})" for modality, one in codes.by.items()]
    said += [
        f"{one.scheme} {one.value} (echo, {' and '.join(views)})"
        for views, one in codes.echo.items()
        if "{view}" not in key or len(views) == 1
    ]
    return ", ".join(said)


def _reference_ranges() -> str:
    """The ranges of both sexes at an age that the sources cover."""
    people = [Body(sex=sex, age_years=60) for sex in ("F", "M")]

    def of_stack(key: str, body: Any) -> Any:
        return ranges.reference(key, body, Modality.MR, ACDC)[0]

    found = {
        ranges.SOURCE: (measures.STACK, of_stack),
        ranges.ECHO_SOURCE: (measures.LONG_AXIS, ranges.echo_reference),
    }
    parts = [
        "## Reference ranges",
        "Given where sex, age, modality and convention match the source.",
    ]
    for source, (table, of) in found.items():
        keys = [key for plain, measure in table.items() for key in measure.keys(plain)]
        rows = [(key, *(of(key, body) for body in people)) for key in keys]
        shown = [(f"`{key}`", *map(_interval, ends)) for key, *ends in rows if any(ends)]
        parts += [source, markdown_table(("key", "women", "men"), shown)]
    return "\n\n".join(parts)


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:g} to {ends[1]:g}"
