"""Put the rows of edges and fusion into the page that explains them.

    python benchmarks/edges_tables.py [--check]

docs/explanation/edge-attention.md, between its marks. What has no rows says so. With --check
nothing is written, and the exit code is 1 when the page is not fresh.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edges import ARMS, DATA, MEASURES, PAIRS, UNITS, measured, network_of
from pages import NOT_RUN, PARTS, markdown_table, value, with_ends, with_table, write_or_check
from rows import RESULTS, ROOT, csv_lines

PAGE = ROOT / "docs" / "explanation" / "edge-attention.md"
WRITER = "edges_tables.py"

Lines = Sequence[Mapping[str, str]]


def main() -> None:
    """Write the tables, or say that they are not fresh."""
    write_or_check(
        PAGE, lambda now: with_tables(now, RESULTS / "edges"), f"python benchmarks/{WRITER}"
    )


def with_tables(text: str, results: Path) -> str:
    """The page with the tables of the rows in a folder of results."""
    scores, compared = (csv_lines(results / f"{name}.csv") for name in ("scores", "compared"))
    for data in DATA:
        mine, pairs = (newest(rows, data) for rows in (scores, compared))
        shown = [f"{DATA[data]}: {NOT_RUN} yet."]
        if mine:
            shown = [conditions(mine), arms(mine, data), differences(pairs, data)]
        text = with_table(text, f"{WRITER}: {data}", "\n\n".join(shown))
    return text


def newest(rows: Lines, data: str) -> Lines:
    """Those of a data set that came last together: earlier ones had fewer seeds, say."""
    mine = [row for row in rows if row["data"] == DATA[data]]
    return [row for row in mine if _run(row) == _run(mine[-1])]


def _run(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[key] for key in ("split", "seed", "configuration", "commit"))


def conditions(rows: Lines) -> str:
    """A sentence on where the rows are from."""
    row = rows[0]
    patients, seeds = row["runs"], row["seed"].replace(" ", ", ")
    return (
        f"{row['data']}, {PARTS[row['split']]}, {patients} patients; seeds {seeds}; "
        f"{row['configuration']}, {row['images_seen']} images seen; {row['hardware']}; "
        f"commit {row['commit']}."
    )


def arms(rows: Lines, data: str) -> str:
    """A line a network: means over patients, of all structures together and Dice of each."""
    found = {(row["model"], row["measure"], row["structure"]): row for row in rows}
    structures = [one for one in dict.fromkeys(row["structure"] for row in rows) if one != "mean"]
    named = [measured(key, UNITS[data]) for key in MEASURES]
    heads = [_head(one) for one in named]
    lines = []
    for network in map(network_of, ARMS):
        cells = [
            with_ends(found.get((network, one["measure"], "mean")), _digits(one)) for one in named
        ]
        cells += [value(found.get((network, "Dice", one))) for one in structures]
        lines.append([f"`{network}`", *cells])
    return markdown_table(("network", *heads, *(f"Dice {one}" for one in structures)), lines)


def differences(rows: Lines, data: str) -> str:
    """A line a pair: by how much the first is more, and Holm's p."""
    found = {(row["model"], row["against"], row["measure"]): row for row in rows}
    named = [measured(key, UNITS[data]) for key in MEASURES]
    lines = []
    for arm, other in PAIRS:
        first, second = network_of(arm), network_of(other)
        cells = [_difference(found.get((first, second, one["measure"])), one) for one in named]
        lines.append([f"`{first}` less `{second}`", *cells])
    return markdown_table(("difference", *(f"{_head(one)}; p (Holm)" for one in named)), lines)


def _difference(row: Mapping[str, str] | None, measure: Mapping[str, str]) -> str:
    return NOT_RUN if row is None else f"{with_ends(row, _digits(measure))}; {row['holm']}"


def _head(measure: Mapping[str, str]) -> str:
    name, unit = measure["measure"], measure["unit"]
    return name if unit == "1" else f"{name}, {unit}"


def _digits(measure: Mapping[str, str]) -> int:
    return 3 if measure["unit"] == "1" else 2


if __name__ == "__main__":
    main()
