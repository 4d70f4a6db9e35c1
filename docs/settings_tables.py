"""The page "Settings and warm starts, tried": what one change did, from rows and logs alone."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from learning_curves import Lines, logs, panels
from paper_figures import curves
from paper_rows import NOT_RUN, RESULTS, Cell, Found, found, short, shown
from sheets import markdown_table
from what_to_use import SETS, SETTINGS

DICE = "Dice"
GAP = "validation less training loss"
STRUCTURES: Mapping[str, str] = {"lv": "LV", "myo": "myocardium", "rv": "RV", "la": "LA"}
FAR = ("HD95, mm", "HD95, px")
"""Images without millimetres have neither, unless the grid asks for pixels."""

PATIENTS = ("2", "5", "10", "20")
FROZEN = ", encoder frozen"
BEGUN: Mapping[str, str] = {
    "none": "nothing",
    "scenes": "synthetic hearts",
    "mr": "cine MR of ACDC",
}
"""What a network began with, in words."""

LEAD = """A small U-Net from nothing (`runs/acdc/settings.toml`, `runs/camus/settings.toml`), 3,200
images seen, no augmentation, AdamW at 1e-3, cross-entropy and Dice: `base`. Each line of a table
changes one thing and nothing else. Scores are of patients who also chose the checkpoint, so they
compare settings and are no test. One seed: the interval is over patients, and a difference within
it says nothing. A gap compares within a table, and among losses not even there."""

WARM = """Networks that began with weights of another task, and those that did not, by how many
patients they learnt from; 1,600 images seen, the last weights count. *Encoder frozen*: only the
decoder learnt."""


NOTES: Mapping[str, str] = {
    "dropout": "The U-Net of paper 003 (`runs/acdc/study003.toml`), 200 slices, 2,000 images seen.",
}
"""On grids that begin elsewhere."""


def page(results: Path = RESULTS) -> str:
    """The text of the page."""
    drawn = figures(results)
    settings, transfer = _settings(results, drawn), _transfer(results, drawn)
    return "\n\n".join([LEAD, *settings, "## Warm starts", WARM, *transfer])


def figures(results: Path = RESULTS) -> dict[str, str]:
    """Pictures by file name, of what was kept."""
    drawn = {
        f"settings-{name}.svg": panels(
            f"Losses: {question}", _ordered(results, name, axis, found_of(name, results))
        )
        for name, axis, _, question in SETTINGS
    }
    for data, title in SETS.items():
        drawn[f"transfer-{data}.svg"] = curves(
            f"Warm starts on {title}: Dice against patients",
            PATIENTS,
            {
                _name(source, learns): [
                    cell.value(DICE) if (cell := _at(grid, patients, source, learns)) else None
                    for patients in PATIENTS
                ]
                for grid in (found(f"transfer/{data}", f"transfer-{data}", results),)
                for source, learns in _arms(grid)
            },
            dashed=FROZEN,
        )
    return {name: text for name, text in drawn.items() if text}


def found_of(name: str, results: Path) -> Found:
    """The cells of a grid of settings."""
    return found(f"settings/{name}", f"settings-{name}", results)


def _ordered(results: Path, name: str, axis: str, grid: Found) -> Mapping[str, Lines]:
    """Logs in the order of the table."""
    there = logs(results / "runs" / f"settings-{name}.zip", axis)
    labels = [short(cell.labels)[axis] for cell in grid.cells]
    return {label: there[label] for label in labels if label in there}


def _settings(results: Path, drawn: Collection[str]) -> Iterator[str]:
    for name, axis, usual, question in SETTINGS:
        grid = found_of(name, results)
        yield f"## {question}"
        if name in NOTES:
            yield NOTES[name]
        if not grid.cells:
            yield f"`runs/grids/settings-{name}.toml`: {NOT_RUN}."
            continue
        structures = [
            key for key in STRUCTURES if any((DICE, key) in one.rows for one in grid.cells)
        ]
        far = [one for one in FAR if any(cell.value(one) is not None for cell in grid.cells)]
        heads = [axis, "mean Dice (95 %)", *(STRUCTURES[key] for key in structures)]
        heads += [*far, GAP, "minutes", "images seen"]
        lines = [
            [
                _marked(short(cell.labels)[axis], usual),
                _with_ends(cell),
                *(shown(cell.value(DICE, key)) for key in structures),
                *(shown(cell.value(one), "mm") for one in far),
                shown(cell.value(GAP, "-")),
                shown(cell.value("training time", "-"), "min"),
                cell.images,
            ]
            for cell in grid.cells
        ]
        yield markdown_table(heads, lines)
        if f"settings-{name}.svg" in drawn:
            yield f"![Losses of training and validation](settings-{name}.svg)"


def _transfer(results: Path, drawn: Collection[str]) -> Iterator[str]:
    for data, title in SETS.items():
        grid = found(f"transfer/{data}", f"transfer-{data}", results)
        yield f"### {title}"
        if not grid.cells:
            yield f"`runs/grids/transfer-{data}.toml`: {NOT_RUN}."
            continue
        lines = [
            [
                _name(*arm),
                *(_with_ends(_at(grid, patients, *arm)) for patients in PATIENTS),
            ]
            for arm in _arms(grid)
        ]
        yield markdown_table(("begun with", *(f"{n} patients" for n in PATIENTS)), lines)
        if f"transfer-{data}.svg" in drawn:
            yield f"![Dice against patients](transfer-{data}.svg)"


def _arms(grid: Found) -> list[tuple[str, str]]:
    """Source and what learns, in the order of the rows."""
    labels = (short(cell.labels) for cell in grid.cells)
    return list(dict.fromkeys((one["source"], one["learns"]) for one in labels))


def _at(grid: Found, patients: str, source: str, learns: str) -> Cell | None:
    return grid.at({"patients": patients, "source": source, "learns": learns})


def _name(source: str, learns: str) -> str:
    return BEGUN.get(source, source) + (FROZEN if learns == "decoder" else "")


def _marked(label: str, usual: str) -> str:
    return f"**`{label}`** (usual)" if label == usual else f"`{label}`"


def _with_ends(cell: Cell | None) -> str:
    row = cell.rows.get((DICE, "mean")) if cell else None
    if row is None:
        return NOT_RUN
    low, high = float(row["low"]), float(row["high"])
    return f"{float(row['value']):.3f} ({low:.3f} to {high:.3f})"
