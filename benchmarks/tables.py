"""Put the newest rows of benchmarks/results into the README, between its markers.

    python benchmarks/tables.py [--check]

With --check nothing is written, and the exit code is 1 when the README is not fresh.
"""

import argparse
import sys

from rows import RESULTS, ROOT, Row, read

README = ROOT / "README.md"
BEGIN = "<!-- numbers: written by benchmarks/tables.py -->"
END = "<!-- end of numbers -->"
NOTHING = "Nothing is measured yet."


def main() -> None:
    """Write the table, or say that it is not fresh."""
    parser = argparse.ArgumentParser(description="generate the README's table of numbers")
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    now = README.read_text(encoding="utf-8")
    fresh = with_table(now, newest())
    if options.check and now != fresh:
        sys.exit("README.md is not fresh: run make docs")
    if not options.check:
        README.write_text(fresh, encoding="utf-8")


def newest() -> list[Row]:
    """The newest row of each measure, data, split and hardware, in the order of the files."""
    latest: dict[tuple[str, ...], Row] = {}
    for path in sorted(RESULTS.glob("*.csv")):
        for row in read(path):
            latest[row.measure, row.data, row.split, row.hardware] = row
    return list(latest.values())


def with_table(text: str, rows: list[Row]) -> str:
    """The text with the table of these rows between the markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{_table(rows) if rows else NOTHING}\n\n{END}{after}"


def _table(rows: list[Row]) -> str:
    lines = [
        "| what | value | range | from | data | on | commit |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        unit = "" if row.unit == "1" else f" {row.unit}"
        data = row.data if row.split == "-" else f"{row.data}, {row.split}"
        cells = (
            f"{row.measure} ({row.configuration})",
            f"**{row.value}{unit}**",
            "-" if row.runs == "1" else f"{row.low} to {row.high}",
            "one run" if row.runs == "1" else f"{row.statistic} of {row.runs}",
            data,
            row.hardware,
            row.commit,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
