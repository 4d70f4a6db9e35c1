"""Edges and fusion of thesis 000, neither, each alone and both: ACDC and CAMUS, on equal terms.

    python benchmarks/edges.py OUT [--data acdc camus] [--part validate] [--steps N] [--cells N]

The runs are those of runs/grids/edges-*.toml, trained and scored as `heartseg benchmark` does, on
one thread, one after the other: for each seed, for each data set, the four arms. Stopped and
started again it goes on where it was, started twice the two share the work. `--cells` stops after
so many that were left to do; `--steps` gives every run another budget (and so another name).
Nothing chooses a checkpoint: the last one is scored, and no patient of the part that is scored was
looked at before.

The engine keeps numbers; this script looks at each scored patient once more and keeps what borders
are judged by: 95 % Hausdorff distance, mean surface distance and boundary IoU. For ACDC they are in
3-D and millimetres (bands of 2 mm), for CAMUS, which has none, in pixels of the pictures of 512 x
512 (bands of 6 pixels). It stops where its Dice is not the engine's.

When all four arms of a seed are there, rows go to results/edges/: scores.csv, means over patients
of the mean over seeds, phases and, where it says so, structures; compared.csv, the differences
between arms over the same patients with a Wilcoxon signed-rank test, adjusted by Holm over all of
one data set. hardest-DATA.svg shows the patients that the network without both ideas does worst,
and those that the one with both does worst, each before and after: outlines, no pixels. With
`--dry-run` rows are printed and the drawing stays in OUT.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cells import each_left, held
from edges_judged import BORDERS, Masks, judge_again, read_masks
from outlines import Square, attribution, sheet, window_of
from rows import RESULTS, ROOT, Row, append_new, commit, csv_lines, mean_row, number, today

from heartseg.benchmark.cell import Job, case_means, do
from heartseg.benchmark.engine import write_report
from heartseg.benchmark.grid import Cell, Grid, read_grid
from heartseg.benchmark.hardware import processor
from heartseg.benchmark.ledger import Ledger
from heartseg.benchmark.score import patients_of
from heartseg.config import to_table
from heartseg.measure.statistics import holm, paired_wilcoxon
from heartseg.train.device import choose_device
from heartseg.train.trained import card_name

DATA: Mapping[str, str] = {"acdc": "ACDC", "camus": "CAMUS, four chambers"}
UNITS: Mapping[str, str] = {"acdc": "mm", "camus": "px"}
ARMS = ("base", "edges", "fusion", "both")
PAIRS = (
    *(("edges", "base"), ("fusion", "base"), ("both", "base")),
    *(("both", "edges"), ("both", "fusion")),
)
"""What is compared: each idea with neither, both with neither, and both with each alone."""

MEASURES: Mapping[str, str] = {
    "dice": "Dice",
    "boundary_iou": "boundary IoU",
    "hausdorff95": "HD95",
    "assd": "ASSD",
}
HARDEST = 4
"""Patients of the drawing, for either network; most are hard for both."""

Lines = Mapping[str, Sequence[Mapping[str, str]]]
"""By arm, of all seeds that every arm has."""


@dataclass(frozen=True, kw_only=True)
class Compared(Row):
    """A difference between two arms: of `model` less that of `against`."""

    against: str
    p: str
    holm: str


def main() -> None:
    """Train, score, look again; then sum up what every arm has."""
    options = _options()
    import torch

    torch.set_num_threads(1)
    grids = {data: grid_of(data, options.part, options.steps) for data in options.data}
    left = each_left(
        in_turn(grids),
        lambda one: options.out / "locks" / f"{one[0]}-{one[1].run}",
        lambda one: (_scored(options.out / one[0], one[1], options.part) / BORDERS).exists(),
        options.cells,
    )
    for data, cell in left:
        row = done(grids[data], cell, options.out / data, options.device)
        print(f"{data} {cell.run}: {row['status']} {row.get('reason', '')}", flush=True)
    for data, grid in grids.items():
        told(data, grid, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="the ablation of edges and fusion")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--part", choices=("validate", "test"), default="validate")
    parser.add_argument("--steps", type=int, help="of every run, in place of the files' own")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--cells", type=int, default=-1, help="runs to do at most; none at 0")
    parser.add_argument("--dry-run", action="store_true", help="rows and drawing stay in OUT")
    return parser.parse_args()


def grid_of(data: str, part: str, steps: int | None) -> Grid:
    """The grid of a data set, with another budget where one is given."""
    grid = read_grid(ROOT / "runs" / "grids" / f"edges-{data}.toml")
    cells = grid.cells if steps is None else tuple(_with_steps(one, steps) for one in grid.cells)
    return replace(grid, score_on=(part,), cells=cells)


def _with_steps(cell: Cell, steps: int) -> Cell:
    name = f"{cell.run}-{steps}"
    schedule = replace(cell.settings.schedule, steps=steps, warm_up=min(60, steps // 10))
    return Cell(name, cell.labels, replace(cell.settings, name=name, schedule=schedule))


def in_turn(grids: Mapping[str, Grid]) -> Iterator[tuple[str, Cell]]:
    """Seed by seed, in each the data sets, in each the arms: any part of it is a fair table."""
    seeds = dict.fromkeys(cell.labels["seed"] for grid in grids.values() for cell in grid.cells)
    for seed in seeds:
        for data, grid in grids.items():
            for cell in grid.cells:
                if cell.labels["seed"] == seed:
                    yield data, cell


def done(grid: Grid, cell: Cell, folder: Path, device: str = "cpu") -> Mapping[str, str]:
    """Train and score one run, or go on with it; its row of runs.csv."""
    job = Job(
        run=cell.run,
        labels=cell.labels,
        settings=to_table(cell.settings),
        root=str(grid.root.resolve()),
        folder=str((folder / "runs" / cell.run).resolve()),
        score_on=grid.score_on,
        device=device,
    )
    row = do(job)
    with held(folder):
        Ledger(folder).add(row)
    if row["status"] == "done":
        patients = patients_of(cell.settings, grid.root, grid.score_on)
        judge_again(job, cell.settings, patients)
    return row


def _scored(folder: Path, cell: Cell, part: str) -> Path:
    return folder / "runs" / cell.run / part


def told(data: str, grid: Grid, options: argparse.Namespace) -> None:
    """Rows, tables and the drawing of the seeds that every arm has."""
    folder = options.out / data
    finished = {
        (cell.labels["seed"], cell.labels["arm"]): cell
        for cell in grid.cells
        if (_scored(folder, cell, options.part) / BORDERS).exists()
    }
    all_seeds = dict.fromkeys(seed for seed, _ in finished)
    seeds = [seed for seed in all_seeds if all((seed, arm) in finished for arm in ARMS)]
    if not seeds:
        print(f"{data}: no seed that all four arms have")
        return
    places = {
        arm: [_scored(folder, finished[seed, arm], options.part) for seed in seeds] for arm in ARMS
    }
    lines = {
        arm: [line for p in some for line in csv_lines(p / BORDERS)] for arm, some in places.items()
    }
    where = conditions(data, finished[seeds[0], "base"], seeds, options)
    scores, pairs = list(score_rows(lines, where)), list(compared_rows(lines, where))
    for row in (*scores, *pairs):
        if row.structure == "mean":
            against = f" less {row.against}, p {row.p}" if isinstance(row, Compared) else ""
            print(f"{data} {row.model}{against}: {row.measure} {row.value} ({row.low}, {row.high})")
    patients = patients_of(grid.cells[0].settings, grid.root, grid.score_on)
    masks = {arm: read_masks(places[arm][0]) for arm in ("base", "both")}
    drawing = sheet(
        list(squares(lines, masks["base"], masks["both"])),
        _legend(seeds[0], len(seeds)) + attribution(patients),
        title="The hardest patients without and with edges and fusion",
    )
    write_report(grid, folder)
    kept = options.out if options.dry_run else RESULTS / "edges"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"hardest-{data}.svg").write_text(drawing, encoding="utf-8")
    if not options.dry_run:
        with held(kept):
            append_new("edges/scores", scores)
            append_new("edges/compared", pairs)


def conditions(
    data: str, cell: Cell, seeds: Sequence[str], options: argparse.Namespace
) -> dict[str, str]:
    """What all rows of a data set share."""
    machine = processor() if options.device == "cpu" else card_name(choose_device(options.device))
    learning, schedule = cell.settings.learning, cell.settings.schedule
    return {
        "date": today(),
        "commit": commit(),
        "data": DATA[data],
        "split": options.part,
        "seed": " ".join(seeds),
        "configuration": f"runs/edges/{data}-*.toml, {schedule.steps} steps of {learning.images}",
        "images_seen": str(schedule.steps * learning.images),
        "hardware": f"{machine}, 1 thread",
        "unit": UNITS[data],
    }


def score_rows(lines: Lines, where: Mapping[str, str]) -> Iterator[Row]:
    """Means over patients, of all structures together and of each."""
    structures = dict.fromkeys(line["structure"] for some in lines.values() for line in some)
    for arm, some in lines.items():
        for structure in ("mean", *structures):
            for key in MEASURES:
                mine = [one for one in some if structure in ("mean", one["structure"])]
                values = np.array(list(case_means(mine, key).values()))
                if len(values) < 2:
                    continue
                missing = sum(one[key] == "" for one in mine)
                yield mean_row(
                    values=values,
                    statistic=f"mean (95 % interval), {missing} of {len(mine)} without a value",
                    structure=structure,
                    phase="all",
                    model=network_of(arm),
                    **{**where, **measured(key, where["unit"])},
                )


def compared_rows(lines: Lines, where: Mapping[str, str]) -> Iterator[Compared]:
    """Differences of arms over patients that both have, all structures together."""
    found = []
    for key in MEASURES:
        for arm, other in PAIRS:
            ours, theirs = case_means(lines[arm], key), case_means(lines[other], key)
            cases = sorted(ours.keys() & theirs.keys())
            if cases:
                pair = [[some[case] for case in cases] for some in (ours, theirs)]
                found.append((key, arm, other, paired_wilcoxon(*pair)))
    adjusted = holm([test.p_value for *_, test in found])
    for (key, arm, other, test), p in zip(found, adjusted, strict=True):
        low, high = test.interval or (None, None)
        yield Compared(
            **{**where, **measured(key, where["unit"])},
            structure="mean",
            phase="all",
            model=network_of(arm),
            against=network_of(other),
            runs=str(test.pairs),
            statistic="mean difference (95 % interval)",
            value=f"{test.mean_difference:.4g}",
            low=number(low),
            high=number(high),
            p=number(test.p_value),
            holm=number(p),
        )


def measured(key: str, unit: str) -> dict[str, str]:
    """Name and unit of a measure where distances are in `unit`; of shares the unit is 1."""
    band = "2 mm" if unit == "mm" else "6 px"
    name = f"{MEASURES[key]}, {band}" if key == "boundary_iou" else MEASURES[key]
    return {"measure": name, "unit": unit if key in ("hausdorff95", "assd") else "1"}


def network_of(arm: str) -> str:
    """Its name in the table of networks."""
    return "edge-attention" if arm == "both" else f"edge-attention-{arm}"


def squares(lines: Lines, before: Masks, after: Masks) -> Iterator[Square]:
    """Each of the hardest patients, once, by what neither idea gave, and by what both gave."""
    hard = {arm: hardest(lines[arm]) for arm in ("base", "both")}
    for case in dict.fromkeys((*hard["base"], *hard["both"])):
        chosen = [arm for arm in hard if case in hard[arm]]
        masks = before if chosen[0] == "base" else after
        frame, z = worst_slice(masks.found[case], masks.truth[case])
        frames, slices = masks.truth[case].shape[:2]
        phase = ("ED", "ES")[frame] if frames == 2 else "single frame"
        truth = masks.truth[case][frame, z]
        shown = [one.found[case][frame, z] for one in (before, after)]
        spacing = masks.spacing[case]
        for name, labels in zip(("base", "both"), shown, strict=True):
            yield Square(
                reference=truth,
                model=labels,
                spacing_mm=spacing,
                window=window_of((truth, *shown), spacing),
                captions=(
                    f"{case} · {phase} · slice {z + 1} of {slices}",
                    f"{network_of(name)}: {_wrong(labels, truth)} pixels wrong",
                    f"hard for {'both' if len(chosen) > 1 else network_of(chosen[0])}",
                ),
            )


def hardest(lines: Sequence[Mapping[str, str]]) -> list[str]:
    """The patients with the lowest mean Dice, worst first."""
    means = case_means(lines, "dice")
    return sorted(means, key=lambda one: (means[one], one))[:HARDEST]


def worst_slice(found: Any, truth: Any) -> tuple[int, int]:
    """(frame, slice) of (t, z, y, x) labels with the most wrong pixels."""
    wrong = np.count_nonzero(found != truth, axis=(2, 3))
    frame, z = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(frame), int(z)


def _wrong(labels: Any, truth: Any) -> int:
    return int(np.count_nonzero(labels != truth))


def _legend(seed: str, seeds: int) -> str:
    """What a reader must know: who is chosen for being bad is better by chance the next time."""
    return (
        f"Patients with the lowest mean Dice over {seeds} seed(s), as seed {seed} gave them, in "
        "their worst slice. Who was chosen for what edge-attention-base did looks better with "
        "edge-attention by chance alone, and the other way round. "
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
