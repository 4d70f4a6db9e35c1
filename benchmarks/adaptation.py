"""Labels of one kind of image for another: cine of ACDC, late enhancement of EMIDEC, real images.

    python benchmarks/adaptation.py OUT [--part test] [--cells N] [--seeds 1 2 3]
        [--arms NAME ...] [--device cuda] [--set a.b=v] [--translator-set a.b=v] [--limit N]
        [--dry-run]

All arms have the same segmenter (but for those with fusion in their name, which is the thesis's
own network), budget, content box and spatial augmentation; runs/translate/late-*.toml say what
differs, to-late-*.toml are the translators. Labels of the target train "supervised" and the
scarcity curve, and nobody else; runs/translate/emidec.csv says who tests, who validates and who
trains. Translated images whose anatomy moved are left out by the anatomy report, and counted.

Seed by seed, arm by arm (adaptation_arms.py); killed and started again it goes on, started twice
the two share the work. `--cells` stops after so many that were left to do, 0 only sums up. Lines of
patients go to results/translation/adaptation-cases.csv as each cell is done, translated sets to
adaptation-sets.csv, and adaptation.csv is written anew from the first: over the seeds that all arms
have. hardest-PART.svg holds outlines of the patients that the full method does worst. Pictures of
patients stay in OUT: before-and-after.png and hardest.png. With `--dry-run` everything does.

The default part is the one that choices are made on. On a card, at 256 pixels:

    --device cuda --set preparation.field_px=256 --set spatial.size_px=192 --set schedule.steps=6000
    --translator-set source.preparation.field_px=256 --translator-set spatial.size_px=192
    --translator-set target.preparation.field_px=256 --translator-set schedule.steps=40000
"""

import argparse
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adaptation_arms import ARMS, CURVE, SEEDS, in_turn
from adaptation_cases import Case, Made
from adaptation_cells import Experiment, do, require_same_budget
from adaptation_pictures import before_and_after, hardest
from adaptation_rows import DATA, rows_of
from cells import each_left, read_lines, write_table
from rows import RESULTS, Row, hardware

from heartseg.core.errors import HeartsegError
from heartseg.train.device import choose_device
from heartseg.train.trained import card_name

FOLDER = "translation"
TABLE = "adaptation"


def main() -> None:
    """Do the cells that are left, then sum up."""
    options = _options()
    import torch

    torch.set_num_threads(1)
    experiment = experiment_of(options)
    require_same_budget(experiment)
    failed = 0
    cells = each_left(
        in_turn(options.arms, options.seeds),
        lambda cell: experiment.lock(*cell),
        lambda cell: experiment.is_done(*cell),
        options.cells,
    )
    for seed, arm in cells:
        print(f"seed {seed}: {arm.name}", flush=True)
        try:
            do(experiment, seed, arm)
        except HeartsegError as fault:  # the other cells go on; this one is tried again
            failed += 1
            print(f"  failed: {fault}", flush=True)
    told(experiment)
    if failed:
        sys.exit(f"{failed} cells failed")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="adaptation of cine to late enhancement")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--part", choices=("validate", "test"), default="validate")
    names = [arm.name for arm in (*ARMS, *CURVE)]
    parser.add_argument("--arms", nargs="+", choices=names, default=(), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", choices=SEEDS, default=SEEDS)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--cells", type=int, default=-1, help="cells to do at most; none at 0")
    parser.add_argument("--set", action="append", default=[], help="a setting of the segmenters")
    parser.add_argument("--translator-set", action="append", default=[], help="of the translators")
    parser.add_argument("--limit", type=int, help="so many patients only; implies --dry-run")
    parser.add_argument("--dry-run", action="store_true", help="everything stays in OUT")
    return parser.parse_args()


def experiment_of(options: Any) -> Experiment:
    """What was asked for; lines stay in OUT unless they are evidence."""
    on = options.device
    machine = hardware().rpartition(",")[0] if on == "cpu" else card_name(choose_device(on))
    kept = options.out if options.dry_run or options.limit else RESULTS / FOLDER
    return Experiment(
        out=options.out,
        part=options.part,
        device=on,
        segmenter=tuple(options.set),
        translator=tuple(options.translator_set),
        limit=options.limit,
        hardware=f"{machine}, 1 thread" if on == "cpu" else str(machine),
        cases=kept / f"{TABLE}-cases.csv",
        made=kept / f"{TABLE}-sets.csv",
    )


def told(experiment: Experiment) -> None:
    """Write the table anew and draw what there is to see."""
    cases = list(read_lines(experiment.cases, Case))
    rows = list(rows_of(cases))
    write_table(experiment.cases.with_name(f"{TABLE}.csv"), rows)
    for row in rows:
        print(said_of(row))
    for one in read_lines(experiment.made, Made):
        kept = f"{one.accepted} of {one.images} images accepted"
        print(f"seed {one.seed}, {one.translator}: {kept}; {_numbers(one)}")
    before_and_after(experiment)
    hardest(experiment, cases)


def said_of(row: Row) -> str:
    """A line for the screen."""
    return f"{DATA}, {row.split}, {row.model}: {row.measure} {row.structure} {row.value} " + (
        f"({row.low}, {row.high})" if row.low != "-" else row.statistic
    )


def _numbers(one: Made) -> str:
    keys = ("dice_back", "moved_px", "edges", "histogram", "frechet")
    return ", ".join(f"{key} {asdict(one)[key] or '-'}" for key in keys)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
