"""What every measure of the tables has to keep; a new line there is tested by that alone.

But for one thing: a value worked out by hand, in `known.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from pydicom.sr._concepts_dict import concepts

from heartseg.core.finding import Finding
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Modality, View
from heartseg.measure import table
from heartseg.measure.apical import Apical
from heartseg.measure.contours import Contours, lines_of
from heartseg.measure.echo import VIEWS
from heartseg.measure.function import heart_of
from heartseg.measure.heart import Heart
from heartseg.measure.long_axis import long_axis
from heartseg.measure.measures import LONG_AXIS, LONGITUDINAL, RINGS, STACK
from heartseg.measure.number import Number
from heartseg.measure.table import (
    FRACTION,
    LENGTH,
    PER_M2,
    VOLUME,
    Indexed,
    Kind,
    Known,
    Measure,
)
from heartseg.measure.wall_strain import wall_strain
from tests.measure import known

KINDS = {value for value in vars(table).values() if isinstance(value, Kind)}
POWER = {"1": 0, "g/mL": 0, "mm": 1, "mL": 3, "g": 3, "mL/s": 3, "L/min": 3}
"""By which power of the voxels' size a unit grows; the body's surface does not."""

ADVICE = "add what it is of the heart in tests/measure/known.py, worked out by hand, under its key"


class Case(NamedTuple):
    """A table, and what is known by hand of its heart."""

    table: Mapping[str, Measure[Any]]
    by_hand: Mapping[str, Any]


CASES = {
    "stack": Case(STACK, known.OF_STACK),
    "rings": Case(RINGS, known.OF_RINGS),
    "long axis": Case(LONG_AXIS, known.OF_LONG_AXIS),
    "endocardium": Case(LONGITUDINAL, known.OF_LONGITUDINAL),
}
LINES = [(which, key) for which, case in CASES.items() for key in case.table]


def seen(
    which: str,
    *,
    scale: float | None = 1.0,
    body: Body = known.BODY,
    drawn: bool = True,
    looked_for: bool = True,
) -> Known:
    """The known heart, on voxels of another size or of none, or with nothing drawn."""
    flat = which in ("stack", "rings")
    masks = {View.SAX: known.stack()} if flat else {**known.apical()}
    for view, one in masks.items():
        labels = one.labels if drawn else np.zeros_like(one.labels)
        masks[view] = replace(
            one,
            labels=labels,
            geometry=_resized(one, scale),
            structures=one.structures if looked_for else (),
        )
    if flat:
        heart = heart_of(masks[View.SAX], None, body)
        return heart if which == "stack" else wall_strain(heart.segmentation, heart.phases)
    views = tuple(long_axis(view, masks[view], None) for view in VIEWS)
    if which == "long axis":
        return Apical(views=views, body=body)
    lines = tuple(lines_of(view) for view in views)
    return Contours(views=views, lines=lines, modality=Modality.US)


def _resized(one: Segmentation, scale: float | None) -> Geometry:
    grid = one.geometry
    if scale is None:
        return Geometry.from_pixels(grid.shape)
    return grid.respaced(tuple(scale * step for step in grid.spacing))


@cache
def found(which: str, **how: Any) -> Mapping[str, Finding]:
    """Every finding of the known heart by key; the kinds of heart are few, so each is kept."""
    measured = table.measured(CASES[which].table, seen(which, **how), lambda key: None)
    return {finding.key: finding for finding in measured}


@cache
def keys_of(which: str, line: str) -> tuple[str, ...]:
    """The keys of a line, which may be one for each view or beat."""
    measure, title = CASES[which].table[line], re.escape(line)
    pattern = title.replace(r"\{view\}", "[24]ch").replace(r"\{beat\}", r"\d+")
    keys = tuple(key for key in found(which) if re.fullmatch(pattern, key))
    assert keys, f"{line}, {measure.name}: no finding of the known heart has this key"
    return keys


@pytest.fixture(params=LINES, ids=lambda line: f"{line[0]}-{line[1]}")
def line(request: pytest.FixtureRequest) -> tuple[str, str, Measure[Any]]:
    which, key = request.param
    return which, key, CASES[which].table[key]


def test_a_known_value_by_hand(line: tuple[str, str, Measure[Any]]) -> None:
    which, key, _ = line
    by_hand = CASES[which].by_hand
    keys = [one for one in keys_of(which, key) if one in by_hand]
    assert keys, f"{which}, {key}: no known value; {ADVICE}"
    for one in keys:
        value = found(which)[one].value
        assert value is not None
        assert np.isfinite(value)
        wanted = by_hand[one]
        assert value == (pytest.approx(wanted) if isinstance(wanted, float) else wanted), one


def test_the_key_says_the_unit_and_the_function_says_what_it_is(
    line: tuple[str, str, Measure[Any]],
) -> None:
    which, key, measure = line
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+|_\{(view|beat)\})*", key)
    assert measure.kind in KINDS
    assert key.endswith(measure.kind.ending)
    if measure.kind is FRACTION:
        assert not key.endswith(tuple(kind.ending for kind in KINDS if kind.ending))
    assert ("{" in key) == ("{" in measure.name)
    assert re.fullmatch(r"[A-Z].*[^.]", measure.name)
    first, _, _ = (measure.of.__doc__ or "").partition("\n")
    assert first.endswith("."), f"{which}, {key}: the function's docstring defines the measure"
    for one in keys_of(which, key):
        finding = found(which)[one]
        assert finding.unit == measure.kind.unit
        assert "{" not in finding.name


def test_it_is_indexed_where_its_line_says_so(line: tuple[str, str, Measure[Any]]) -> None:
    which, key, measure = line
    for one in keys_of(which, key):
        plain, indexed = found(which)[one], found(which).get(f"{one}{PER_M2}")
        assert (indexed is not None) == (measure.indexed is not None)
        if indexed is not None:
            assert plain.value is not None
            assert indexed.value == pytest.approx(plain.value / 2)  # the body has 2 m2
            assert indexed.unit == f"{plain.unit}/m2"
            assert indexed.name == f"{plain.name}, indexed"
            bare = found(which, body=Body())[f"{one}{PER_M2}"]
            assert (bare.value, bare.problem) == (None, "height not known")


@pytest.mark.parametrize("how", ["nothing drawn", "nothing looked for"])
def test_given_nothing_it_has_no_value_and_says_why(
    line: tuple[str, str, Measure[Any]], how: str
) -> None:
    which, key, measure = line
    given = {"drawn": False} if how == "nothing drawn" else {"looked_for": False}
    empty = found(which, body=Body(), **given)
    keys = [one for one in keys_of(which, key) if one in empty]
    assert keys or "{beat}" in key  # there are no beats to tell of
    for one in (*keys, *(f"{one}{PER_M2}" for one in keys if measure.indexed)):
        assert empty[one].value is None, one
        assert empty[one].problem, one


def test_it_grows_with_the_voxels_as_its_unit_does(line: tuple[str, str, Measure[Any]]) -> None:
    which, key, measure = line
    power = POWER.get(measure.kind.unit, 0)
    for one in keys_of(which, key):
        once, twice = (found(which, scale=scale)[one].value for scale in (1.0, 2.0))
        assert once is not None
        assert twice == pytest.approx(once * 2**power)


def test_without_millimetres_it_says_so_or_needs_none(line: tuple[str, str, Measure[Any]]) -> None:
    which, key, measure = line
    pixels, power = found(which, scale=None), POWER.get(measure.kind.unit, 0)
    for one in (one for one in keys_of(which, key) if one in pixels):
        finding = pixels[one]
        assert (finding.value is None) <= bool(finding.problem)
        if power:
            assert finding.value is None
            assert "--spacing-mm" in str(finding.problem) or "scale" in str(finding.problem)


def test_its_codes_are_those_of_pydicoms_tables(line: tuple[str, str, Measure[Any]]) -> None:
    _, _, measure = line
    _, _, indexed = measure.per_m2()
    for codes in (measure.codes, indexed):
        for code in filter(None, (codes.any, *codes.by.values(), *codes.echo.values())):
            tabled = {v: entry[0] for named in concepts[code.scheme].values()
                      for v, entry in named.items()}  # fmt: skip
            assert tabled[code.value].casefold() == code.meaning.casefold()


@pytest.mark.parametrize("which", CASES)
def test_the_report_has_every_line_in_the_tables_order(which: str) -> None:
    measures = CASES[which].table
    keys = list(found(which))
    plain = [key for key in keys if not key.endswith(PER_M2)]
    assert keys[: len(plain)] == plain  # indexed ones last
    places = [
        max(plain.index(one) for one in keys_of(which, key)) for key in measures if "{" not in key
    ]
    assert places == sorted(places)
    assert len({finding.name for finding in found(which).values()}) == len(keys)


def test_the_order_of_the_reports_is_kept() -> None:
    """Programs that read summaries by position, and readers, are used to it."""
    indexed = [key for key in found("stack") if key.endswith(PER_M2)]
    assert [key.removesuffix(PER_M2) for key in indexed] == [
        *("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_mass_g", "co_l_min"),
        *("rv_edv_ml", "rv_esv_ml", "rv_sv_ml", "la_esv_ml"),
    ]
    of_views = [key for key in found("long axis") if "ch" in key]
    assert of_views == [
        f"lv_{one.replace('*', view)}"
        for view in ("4ch", "2ch")
        for one in ("edv_*_ml", "esv_*_ml", "ef_*", "length_ed_*_mm", "length_es_*_mm")
    ]


def test_what_both_tables_have_is_the_same_measure() -> None:
    for key in STACK.keys() & LONG_AXIS.keys():
        one, other = STACK[key], LONG_AXIS[key]
        assert (one.name, one.kind) == (other.name, other.kind)
        assert (one.codes.any, one.codes.by) == (other.codes.any, other.codes.by)
        assert (one.indexed is None) == (other.indexed is None)


def test_every_known_value_belongs_to_a_measure() -> None:
    for which, case in CASES.items():
        assert set(case.by_hand) <= set(found(which))


def test_the_codes_of_the_contract() -> None:
    both = (View.LAX_4CH, View.LAX_2CH)

    def value(measures: Mapping[str, Measure[Any]], key: str, *how: Any) -> str | None:
        code = measures[key].codes.of(*how)
        return None if code is None else code.value

    assert value(STACK, "lv_ef", Modality.MR) == "8811-2"
    assert value(STACK, "rv_ef", Modality.MR) == "8818-7"
    assert value(STACK, "rv_ef", Modality.US) is None
    assert value(STACK, "lv_edv_ml", Modality.MR) == "8821-1"
    assert value(STACK, "lv_esv_ml", Modality.CT) == "8823-7"
    assert value(LONG_AXIS, "lv_ef", Modality.US, both) == "79991-6"
    assert value(LONG_AXIS, "lv_ef_{view}", Modality.US, (View.LAX_4CH,)) == "79993-2"
    assert value(LONG_AXIS, "lv_edv_{view}_ml", Modality.US, (View.LAX_2CH,)) == "79998-1"
    assert value(LONG_AXIS, "lv_edv_{view}_ml", Modality.MR, (View.LAX_2CH,)) is None
    assert value(LONG_AXIS, "lv_ef", Modality.MR, both) == "8811-2"
    assert value(LONG_AXIS, "lv_ef_area_length", Modality.US, both) is None
    assert LONG_AXIS["la_esv_ml"].per_m2()[2].of(Modality.US, both).value == "79984-1"


def test_a_measure_is_one_function_and_one_line() -> None:
    """As docs/how-to/add-a-part.md shows it."""

    def lv_rv_ratio(heart: Heart) -> Number:
        """LV over RV volume at end-diastole; needs no millimetres."""
        counts = [heart.found.counts(one) for one in (known.LV, known.RV)]
        if heart.ed is None or not counts[1][heart.ed]:
            return Number(None, "no RV at end-diastole")
        return Number(float(counts[0][heart.ed] / counts[1][heart.ed]))

    theirs = Measure(name="LV to RV volume", of=lv_rv_ratio, kind=FRACTION)
    more = {**STACK, "lv_rv_volumes": theirs}

    findings = table.measured(more, seen("stack"), lambda key: (0.5, 2.0))
    one = next(finding for finding in findings if finding.key == "lv_rv_volumes")

    assert (one.value, one.unit, one.reference) == (pytest.approx(672 / 189), "1", (0.5, 2.0))
    assert len(findings) == len(found("stack")) + 1


def test_a_line_for_each_view_and_an_indexed_one_need_no_more() -> None:
    def width(one: Apical) -> Number:
        """Width of the base."""
        return Number(float(len(one.views)))

    theirs = {
        "b_{view}_mm": Measure(name="Base, {view}", of=width, kind=LENGTH),
        "c_ml": Measure(name="C", of=width, kind=VOLUME, indexed=Indexed(after="a_ml")),
        "a_ml": Measure(name="A", of=width, kind=VOLUME, indexed=Indexed()),
    }
    findings = table.measured(theirs, seen("long axis"), lambda key: None)
    assert {one.key: (one.name, one.value) for one in findings} == {
        "b_4ch_mm": ("Base, 4-chamber", 1.0),
        "b_2ch_mm": ("Base, 2-chamber", 1.0),
        "c_ml": ("C", 2.0),
        "a_ml": ("A", 2.0),
        "a_ml_per_m2": ("A, indexed", 1.0),
        "c_ml_per_m2": ("C, indexed", 1.0),
    }
    assert [one.key for one in findings][-2:] == ["a_ml_per_m2", "c_ml_per_m2"]
