"""Put the newest rows of benchmarks/results into two pages, between their markers.

    python benchmarks/tables.py [--check]

The README has what a user gets who asks for nothing; benchmarks/results/README.md has the newest
row of every condition. With --check nothing is written, and the exit code is 1 when one is stale.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from pages import markdown_table, with_table, write_or_check
from rows import RESULTS, ROOT, Row, read

from heartseg.choice import DEFAULT_MODELS

README = ROOT / "README.md"
EVERYTHING = RESULTS / "README.md"
AS_SHIPPED = "turns 1"
"""How accuracy is measured when nothing is asked for."""

SLOW = ", f32"
"""In the configuration of rows that were measured to be compared with."""

NOTHING = "Nothing is measured yet."

STRUCTURES: Mapping[str, tuple[str, str]] = {
    "lv": ("LV cavity", ".92 to .94"),
    "myo": ("LV myocardium", ".87 to .88"),
    "rv": ("RV cavity", ".87 to .89"),
    "mean": ("mean of the three", "-"),
}
"""By key: the name, and the mean Dice of two human readers (protocol.md says whose)."""

FINDINGS: Mapping[str, tuple[str, str]] = {
    "lv_ef": ("LV ejection fraction", "4.6 to 7.5 points"),
    "lv_edv_ml": ("LV end-diastolic volume", "15 to 28 mL"),
    "lv_esv_ml": ("LV end-systolic volume", "14 to 22 mL"),
    "lv_mass_g": ("LV mass", "20 to 35 g"),
    "rv_ef": ("RV ejection fraction", "-"),
    "rv_edv_ml": ("RV end-diastolic volume", "-"),
    "rv_esv_ml": ("RV end-systolic volume", "-"),
}
"""By key: the name, and how far the readers of core laboratories differ (protocol.md)."""

Set = tuple[str, str, str]
"""Data, split and configuration of rows that make one table."""


def main() -> None:
    """Write the tables, or say that they are not fresh."""
    rows = newest()
    for page, shown in ((README, headlines(rows)), (EVERYTHING, rows)):
        write_or_check(page, partial(with_tables, rows=shown), "make docs")


def newest() -> list[Row]:
    """The newest row of each measure under the same conditions, in the order of the files.

    Hardware is one of the conditions, but of accuracy, which does not depend on it. Of models those
    that are taken unless another is asked for.
    """
    taken = set(DEFAULT_MODELS.values())
    latest: dict[tuple[str, ...], Row] = {}
    for path in sorted(RESULTS.glob("*.csv")):
        for row in read(path):
            if row.model != "-" and row.model.split()[0] not in taken:
                continue
            what = (row.measure, row.structure, row.phase)
            hardware = row.hardware if row.split == "-" else ""
            latest[*what, row.data, row.split, row.configuration, hardware] = row
    return list(latest.values())


def headlines(rows: Sequence[Row]) -> list[Row]:
    """What a user gets who asks for nothing, at its newest.

    Args:
        rows: of `newest`.

    Returns:
        Of unseen patients those of the default way to look; of speed, memory and size one row a
        measure: the last that was taken, in the precision that was chosen.
    """
    plain: dict[str, Row] = {}
    for row in sorted(rows, key=lambda one: (one.date, SLOW not in one.configuration)):
        if row.split == "-":
            plain[row.measure] = row
    kept = [row for row in rows if plain.get(row.measure) is row]
    return [row for row in rows if row.configuration == AS_SHIPPED and row.split != "-"] + kept


def with_tables(text: str, rows: Sequence[Row]) -> str:
    """The text with the tables of these rows between the markers."""
    return with_table(text, "tables.py", "\n\n".join(_blocks(rows)) or NOTHING)


def _blocks(rows: Sequence[Row]) -> Iterator[str]:
    """The tables: of unseen patients by data and configuration, then everything else."""
    sets: dict[Set, list[Row]] = {}
    for row in rows:
        if row.split in ("test", "external"):
            sets.setdefault((row.data, row.split, row.configuration), []).append(row)
    for (data, split, configuration), some in sets.items():
        yield _heading(data, split, configuration, some)
        yield from (table for table in (_overlaps(some), _findings(some), _outside(some)) if table)
    plain = [row for row in rows if row.split == "-"]
    if plain:
        yield "**Speed, memory and size**"
        yield _plain(plain)


def _heading(data: str, split: str, configuration: str, rows: Sequence[Row]) -> str:
    one = rows[0]
    count = max((int(row.runs) for row in rows), default=0)
    cases = "1 patient" if count == 1 else f"{count} patients"
    model, _, sha256 = one.model.partition(", sha256 ")
    where = "the test part" if split == "test" else "another hospital's"
    return (
        f"**{data}**, {where}, {cases}: {model} (weights {sha256[:12]}, seed {one.seed}), "
        f"{configuration}, commit {one.commit}"
    )


def _overlaps(rows: Sequence[Row]) -> str:
    """A line a structure: Dice by phase, beside the human limit, and distances."""
    found = {(row.measure, row.structure, row.phase): row for row in rows}
    lines = []
    for key, (name, human) in STRUCTURES.items():
        dice = [found.get(("Dice", key, phase)) for phase in ("ED", "ES")]
        whole = [found.get((measure, key, "all")) for measure in ("Dice", "HD95", "ASSD")]
        if any(whole):
            both, *far = whole
            cells = [name, *map(_value, dice), f"**{_value(both)}**", _range(both), human]
            lines.append([*cells, *map(_value, far)])
    heads = ("", "Dice ED", "Dice ES", "Dice", "95 % interval", "two readers", "HD95", "ASSD")
    return _table(heads, lines)


def _findings(rows: Sequence[Row]) -> str:
    """A line a finding over many patients: error, bias, correlation, beside human readers."""
    found = {row.measure: row for row in rows}
    lines = []
    for key, (name, human) in FINDINGS.items():
        error, bias, r = (found.get(f"{key}, {what}") for what in ("MAE", "bias", "r"))
        if error and bias:
            cells = (_value(error), _range(error), human, _value(bias), _range(bias), _value(r))
            lines.append([name, f"**{cells[0]}**", *cells[1:]])
    heads = ("", "mean error", "95 % interval", "readers differ", "bias", "limits", "r")
    return _table(heads, lines)


def _outside(rows: Sequence[Row]) -> str:
    """A line a finding of one patient: what was measured beside what the contours give."""
    found = {row.measure: row for row in rows}
    sides = ("measured", "measured, phases detected", "reference")
    lines = []
    for key, (name, _) in FINDINGS.items():
        cells = [_value(found.get(f"{key}, {side}")) for side in sides]
        if cells[0] != "-":
            lines.append([name, f"**{cells[0]}**", *cells[1:]])
    return _table(("", "measured", "with its own phases", "from the contours"), lines)


def _plain(rows: Iterable[Row]) -> str:
    lines = []
    for row in rows:
        one = row.runs == "1"
        made = "one run" if one else f"{row.statistic} of {row.runs}"
        cells = (row.measure, f"**{_value(row)}**", "-" if one else _range(row), made)
        lines.append([*cells, row.configuration, row.hardware, row.commit])
    return _table(("what", "value", "range", "from", "how", "on", "commit"), lines)


def _value(row: Row | None) -> str:
    return "-" if row is None else _shown(row, row.value)


def _range(row: Row | None) -> str:
    if row is None or row.low == "-":
        return "-"
    return f"{_shown(row, row.low)} to {_shown(row, row.high)}"


def _shown(row: Row, number: str) -> str:
    """A fraction of volumes in points of a percent; another number with its unit."""
    key, _, what = row.measure.partition(", ")
    if key.endswith("_ef") and row.unit == "1" and what != "r":
        return f"{100 * float(number):.1f} points"
    if row.unit == "1":
        return f"{float(number):.3f}"
    return f"{float(number):.3g} {row.unit}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Markdown; empty without lines."""
    return markdown_table(heads, lines) if lines else ""


if __name__ == "__main__":
    main()
