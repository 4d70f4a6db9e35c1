"""Translation where the truth is known: phantom cine MR made phantom CT, and back.

    python benchmarks/known_truth.py OUT [--seeds 1 2] [--arms NAME ...] [--ablation] [--cells N]
        [--train N] [--test N] [--steps N] [--segment-steps N] [--dry-run]

A phantom can be scanned twice. So a translation of a test patient's MR is compared with the CT of
the same heart, pixel on pixel: PSNR and SSIM, of whole planes and near the ventricles, beside those
of the MR as it is. Generators learn from other patients, those of one kind none of the other's.
Then each set of translated images trains a segmenter, which is scored on true images of the target:
Dice, beside a segmenter that saw untranslated images only ("none") and one that saw the target's
own labels ("supervised"), and the share of the gap between both that is recovered. Last, on CT:
base, + edges, + fusion, + both of thesis 000, and both with borders of 1, 2, 3 and 5 pixels.

The arms are those of runs/translate/phantom-*.toml and runs/grids/edges-phantom.toml. Cells are
done one after the other on one thread; one that is done is not done again, one that was stopped
goes on. Within a seed and a direction all have the same patients and budget, so any number of them
is a fair table. Nothing chooses a checkpoint. `--steps` and `--segment-steps` give other budgets,
which need another OUT. Rows go to results/translation/known_truth.csv, each once; sheets with
planes before and after beside it. With `--dry-run` rows are printed and sheets stay in OUT.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from cells import each_left, held
from known_truth_cells import Cell, Lab, ablation, do
from known_truth_data import write_data
from known_truth_judged import draw_sheet, kept_shown
from known_truth_rows import ablation_rows, cell_rows
from rows import RESULTS, append_new

ENDS = ("none", "supervised")
ARMS = ("cyclegan", "fastcut", "edges", "consistency", "all")
DIRECTIONS = (("mr", "ct"), ("ct", "mr"))
NAME = "translation/known_truth"


def main() -> None:
    """Make the phantoms, do the cells that are left, sum up what is there."""
    options = _options()
    import torch

    torch.set_num_threads(1)
    lab = Lab(
        out=options.out,
        train=options.train,
        test=options.test,
        steps=options.steps,
        segment_steps=options.segment_steps,
    )
    lab.require_same()
    with held(lab.out / "locks" / "data"):
        write_data(lab.data, lab.train, lab.test)
    cells = each_left(
        [one for one in in_turn(options.seeds) if _wanted(one, options)],
        lambda cell: lab.out / "locks" / cell.name,
        lambda cell: lab.result(cell) is not None,
        options.cells,
    )
    for cell in cells:
        found = do(lab, cell)
        print(f"{cell.name}: {found['core_minutes']:.2f} core-minutes", flush=True)
    told(lab, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="translation of phantoms, whose truth is known")
    parser.add_argument("out", type=Path, help="folder of images and runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the trainings")
    names = (*ENDS, *ARMS, *ablation())
    parser.add_argument(
        "--arms", nargs="+", choices=names, default=(), metavar="NAME", help="no others"
    )
    parser.add_argument("--ablation", action="store_true", help="edges and fusion, nothing else")
    parser.add_argument("--cells", type=int, default=-1, help="to do at most; none at 0")
    parser.add_argument("--train", type=int, default=20, help="patients of each kind that train")
    parser.add_argument("--test", type=int, default=10, help="patients of both kinds that test")
    parser.add_argument("--steps", type=int, help="of every translator, in place of the file's")
    parser.add_argument("--segment-steps", type=int, help="of every segmenter, likewise")
    parser.add_argument("--dry-run", action="store_true", help="rows and sheets stay in OUT")
    return parser.parse_args()


def _wanted(cell: Cell, options: argparse.Namespace) -> bool:
    ablated = cell.source == cell.target or not options.ablation
    return ablated and (not options.arms or cell.arm in options.arms)


def in_turn(seeds: list[int]) -> Iterator[Cell]:
    """Seed by seed: each direction, its two ends first; then the ablation."""
    for seed in seeds:
        for source, target in DIRECTIONS:
            for arm in (*ENDS, *ARMS):
                yield Cell(seed=seed, source=source, target=target, arm=arm)
        for arm in ablation():
            yield Cell(seed=seed, source="ct", target="ct", arm=arm)


def told(lab: Lab, options: argparse.Namespace) -> None:
    """Rows of what is done, each once, and the sheets."""
    done = {
        cell: found for cell in in_turn(options.seeds) if (found := lab.result(cell)) is not None
    }
    rows = [
        *(row for cell, found in done.items() for row in cell_rows(lab, cell, found, done)),
        *ablation_rows(lab, done),
    ]
    for row in rows:
        if row.structure in ("-", "mean"):
            print(f"{row.data}, {row.model}: {row.measure} {row.value} ({row.low}, {row.high})")
    folder = options.out if options.dry_run else (RESULTS / NAME).parent
    folder.mkdir(parents=True, exist_ok=True)
    for source, target in DIRECTIONS:
        shown = {
            cell.arm: kept_shown(lab.folder(cell) / "shown.npz")
            for cell in done
            if (cell.source, cell.seed, cell.arm in ARMS) == (source, options.seeds[0], True)
            and cell.target == target
        }
        if shown:
            kinds = f"Phantom {source.upper()} made {target.upper()}"
            title = f"{kinds}, test patients, seed {options.seeds[0]}"
            draw_sheet(folder / f"known_truth-{source}-{target}.png", shown, title)
    if not options.dry_run:
        append_new(NAME, rows)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
