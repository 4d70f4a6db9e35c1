"""Put the rows of adaptation, known truth and adversaries into the page that tells of them.

    python benchmarks/translation_tables.py [--check]

docs/explanation/adaptation.md, between its marks. What has no rows says so. With --check nothing is
written, and the exit code is 1 when the page is not fresh. Rows of the test part are shown, and
those of the part that choices are made on only where there are none of it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from adaptation_arms import ARMS, CURVE, NONE, SUPERVISED, TRANSLATORS
from adaptation_rows import SHARE
from adversarial_rows import ARMS as ADVERSARIES
from adversarial_rows import CLEAN, SHIFTED
from pages import NOT_RUN, PARTS, markdown_table, value, with_ends, with_table, write_or_check
from rows import RESULTS, ROOT, csv_lines

PAGE = ROOT / "docs" / "explanation" / "adaptation.md"
DICE = "Dice on true images of the target"

Lines = Sequence[Mapping[str, str]]


def main() -> None:
    """Write the tables, or say that they are not fresh."""
    again = "python benchmarks/translation_tables.py"
    write_or_check(PAGE, lambda now: with_tables(now, RESULTS), again)


def with_tables(text: str, results: Path) -> str:
    """The page with the tables of the rows in a folder of results."""
    adaptation = shown_part(csv_lines(results / "translation" / "adaptation.csv"))
    phantoms = csv_lines(results / "translation" / "known_truth.csv")
    tables = {
        "arms": arms(adaptation),
        "scarcity": scarcity(adaptation),
        "sets": sets(csv_lines(results / "translation" / "adaptation-sets.csv")),
        "truth": truth(phantoms),
        "ablation": ablation(phantoms),
        "adversaries": adversaries(shown_part(csv_lines(results / "adversarial" / "table.csv"))),
    }
    for name, table in tables.items():
        text = with_table(text, f"translation_tables.py: {name}", table)
    return text


def shown_part(rows: Lines) -> Lines:
    """Those of the test part, else of the other; of several budgets those that came last."""
    part = "test" if any(row["split"] == "test" for row in rows) else "validate"
    mine = [row for row in rows if row["split"] == part]
    budget = _budget(mine[-1]) if mine else ""
    return [row for row in mine if _budget(row) == budget]


def _budget(row: Mapping[str, str]) -> str:
    return row["configuration"].partition(", ")[2]


def arms(rows: Lines) -> str:
    """A line an arm: Dice, distances, and how much of the gap it recovers."""
    found = {(row["model"], row["measure"], row["structure"]): row for row in rows}
    heads = ("arm", "LV Dice", "myocardium Dice", "mean Dice (95 %)", "HD95, px", "boundary IoU")
    heads = (*heads, "gap recovered: LV", "myocardium", "mean (95 %)")
    lines = []
    for arm in (one.name for one in ARMS):
        failed = found.get((arm, "trained", "mean"))
        cells = [
            *(value(found.get((arm, "Dice", one))) for one in ("lv", "myo")),
            with_ends(found.get((arm, "Dice", "mean"))),
            value(found.get((arm, "HD95", "mean")), 1),
            value(found.get((arm, "boundary IoU, 3 px", "mean"))),
            *(value(found.get((arm, SHARE, one)), 2) for one in ("lv", "myo")),
            with_ends(found.get((arm, SHARE, "mean")), 2),
        ]
        if failed:
            cells = [failed["statistic"], *["-"] * (len(cells) - 1)]
        if arm in (NONE, SUPERVISED):
            cells[5:] = ["-"] * 3
        lines.append([arm, *cells])
    return f"{_conditions(rows)}\n\n{markdown_table(heads, lines)}"


def scarcity(rows: Lines) -> str:
    """A line a number of annotated patients, without translated images and with."""
    wanted = ("Dice", "mean")
    found = {row["model"]: row for row in rows if (row["measure"], row["structure"]) == wanted}
    numbers = sorted({one.annotated for one in CURVE if one.annotated})
    heads = ("annotated patients", "mean Dice without translated images", "with them")
    lines = [
        [
            str(number),
            *(with_ends(found.get(one.name)) for one in CURVE if one.annotated == number),
        ]
        for number in numbers
    ]
    return markdown_table(heads, lines)


def sets(rows: Lines) -> str:
    """A line a translator: means over seeds of what the anatomy report says."""
    heads = ("translator", "images accepted", "Dice of the way back", "moved, px", "edges kept")
    heads = (*heads, "histogram: after, before, floor", "Frechet: after, before, floor")
    last = rows[-1]["budget"] if rows else ""
    lines = []
    for name, title in TRANSLATORS.items():
        mine = [r for r in rows if (r["translator"], r["budget"]) == (name, last)]
        if not mine:
            lines.append([title, *[NOT_RUN] * 6])
            continue
        count = sum(int(row["accepted"]) for row in mine)
        cells = [f"{count} of {sum(int(row['images']) for row in mine)}"]
        cells += [_mean(mine, key) for key in ("dice_back", "moved_px", "edges")]
        for key in ("histogram", "frechet"):
            names = (key, f"{key}_before", f"{key}_floor")
            cells.append(", ".join(_mean(mine, one) for one in names))
        lines.append([title, *cells])
    return markdown_table(heads, lines)


KNOWN: Mapping[str, tuple[str, str]] = {
    "PSNR, dB": ("PSNR of the translation", "-"),
    "SSIM": ("SSIM of the translation", "-"),
    "SSIM near the ventricles": ("SSIM of the translation, near the ventricles", "-"),
    "Dice LV": (DICE, "lv"),
    "myocardium": (DICE, "myo"),
    "RV": (DICE, "rv"),
    "mean (95 %)": (DICE, "mean"),
    "gap recovered (95 %)": ("recovered share of the gap in Dice", "mean"),
}
"""Columns of the table of phantoms: measure and structure."""


def truth(rows: Lines) -> str:
    """A line a direction and arm, where the true image is known."""
    newest = {(r["data"], r["model"], r["measure"], r["structure"]): r for r in rows}
    ways = dict.fromkeys((r["data"], r["model"]) for r in rows if " -> " in r["data"])
    lines = []
    for data, arm in ways:
        cells = []
        for head, (measure, structure) in KNOWN.items():
            row = newest.get((data, arm, measure, structure))
            cells.append(_known(row, ends="95 %" in head))
        lines.append([data.removeprefix("phantom ").partition(",")[0], arm, *cells])
    return markdown_table(
        ("direction", "arm", *KNOWN), lines or [["-", NOT_RUN, *["-"] * len(KNOWN)]]
    )


def _known(row: Mapping[str, str] | None, *, ends: bool) -> str:
    """Not every arm has every number: the ends of the gap recover nothing of it."""
    if row is None:
        return "-"
    return (with_ends if ends else value)(row, 1 if row["unit"] == "dB" else 3)


def ablation(rows: Lines) -> str:
    """A line an arm of edges and fusion, on the phantom's CT; the mean of the seeds it has."""
    mine = [r for r in rows if " -> " not in r["data"]]
    measures = list(dict.fromkeys(r["measure"] for r in mine)) or [DICE]
    lines = []
    for arm in dict.fromkeys(r["model"] for r in mine):
        own = [r for r in mine if r["model"] == arm]
        each = [[r for r in own if r["measure"] == measure] for measure in measures]
        lines.append([arm, *map(_of_seeds, each), str(max(map(len, each)))])
    return markdown_table(
        ("arm", *measures, "seeds"), lines or [[NOT_RUN, *["-"] * len(measures), "0"]]
    )


def _of_seeds(rows: Lines) -> str:
    """The mean of seeds between the least and the most; of one seed, with its own interval."""
    if len(rows) < 2:
        return _known(rows[0] if rows else None, ends=True)
    values = [float(row["value"]) for row in rows]
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _mean(rows: Lines, key: str) -> str:
    values = [float(row[key]) for row in rows if row[key]]
    return f"{np.mean(values):.3f}" if values else "-"


def adversaries(rows: Lines) -> str:
    """A line an arm: clean, shifted, what was lost; then the loss by shift."""
    found = {
        (row["model"], row["measure"], row["shift"]): row
        for row in rows
        if row["structure"] == "mean"
    }
    shifts = [row["shift"] for row in rows if row["shift"] not in (CLEAN, SHIFTED)]
    shifts = list(dict.fromkeys(shifts))
    heads = ("", "clean", "shifted", "lost", "shifted, less plain", "p (Holm)", *shifts)
    lines = []
    for arm in ADVERSARIES:
        more = found.get((arm, "Dice, less that of plain", SHIFTED))
        cells = [
            with_ends(found.get((arm, "Dice", CLEAN))),
            with_ends(found.get((arm, "Dice", SHIFTED))),
            with_ends(found.get((arm, "Dice lost", SHIFTED))),
            "-" if arm == "plain" else with_ends(more),
            "-" if arm == "plain" else (more["holm"] if more else NOT_RUN),
            *(value(found.get((arm, "Dice", shift))) for shift in shifts),
        ]
        lines.append([arm, *cells])
    return f"{_conditions(rows)}\n\n{markdown_table(heads, lines)}"


def _conditions(rows: Lines) -> str:
    """A sentence on where the rows are from."""
    if not rows:
        return "Not run yet."
    row = rows[-1]
    return (
        f"{row['data']}, {PARTS[row['split']]}; seeds {row['seed']}; "
        f"{row['images_seen']} images seen; budget: {_budget(row)}; {row['hardware']}; "
        f"commit {row['commit']}."
    )


if __name__ == "__main__":
    main()
