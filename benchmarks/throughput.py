"""Images a second of training, beside nnU-Net's own loader and trainer, and beside no augmentation.

    python -m venv NNUNET && NNUNET/bin/pip install nnunetv2    # outside of the project, once
    python benchmarks/throughput.py --nnunet NNUNET/bin/python [--only PAIR] [--rounds 5]
        [--threads 2] [--precision f32] [--processor-time] [--again] [--dry-run]

Needs ACDC (HEARTSEG_DATA, or ../shared/data beside the project): 20 of the patients that train,
whose planes both sides prepare by their own rules: `heartseg datasets --to nnunet`, then nnU-Net's
planner and preprocessing. The contenders of a pair are all started, make two batches to warm up,
and take turns: all of them in each round, so that what disturbs the machine hits all. Between its
turns a contender and its helpers are stopped. A round gives a number of each, and ratios.

- *compact*: heartseg's default network (`unet`) in both, 160 x 160, 16 planes a batch, neither with
  deep supervision. heartseg's is the loop of `heartseg train` with runs/acdc/cine-mr.toml; *without
  augmentation* is the same loop on crops that are cut out as they are. *Network alone* goes forward
  and backward on one batch and does nothing else: no loop of this network can be faster, so its
  ratio to nnU-Net is the most that a loop could reach.
- *planned*: the residual encoder network that nnU-Net plans for ACDC ("ResEnc M") in nnU-Net, and
  `residual-unet-2d`, which is the same in heartseg, 192 x 192, 2 planes a batch, both with deep
  supervision. Planned are 256 x 224 and 57, which no turn of some seconds could hold.
- *loaders*: drawing and augmenting alone, no network, 160 x 160, 16 a batch.
- *epochs*: heartseg's memory after each of `--epochs` passes over all planes, validation and
  checkpoints included (default network, 64 x 64).

nnU-Net runs without helper processes, and with as many as it takes by itself: the cores, 12 at
most (`nnUNet_n_proc_DA`). All compute in f32 with the same number of threads: nnU-Net does on a
processor whatever that can do. The recipe's bf16 is switched off, for it would be no comparison of
loops; where the processor has it, --precision bf16 shows what it is worth. Times are the wall's,
and the processor's: of all processes of a contender together, so a machine that does other work too
shifts it less. With --processor-time that alone is kept. Memory is what all its processes hold
after a turn, shared pages counted once.

Adds rows to benchmarks/results/costs/throughput.csv; started again it goes on with the pairs that
have none of this commit, machine and number of threads.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from rows import (
    RESULTS,
    ROOT,
    Row,
    append,
    busy_share,
    commit,
    cores,
    hardware,
    read,
    real_images,
    timing_row,
)
from throughput_data import WORK, nnunet_folders, prepare
from turns import Contender, Turn

NAME = "costs/throughput"
MOST_BUSY = 0.1
HERE = Path(__file__).parent
OURS, PLAIN, BARE = "heartseg", "heartseg without augmentation", "network alone"
THEIRS = "nnU-Net"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What is compared: sizes, batches a turn, and each side's own settings."""

    step: str = "train"
    network: str = "unet, without deep supervision"
    side: int = 160
    batch: int = 16
    batches: int = 2
    ours: tuple[str, ...] = ()
    plans: str = "nnUNetPlans"
    theirs: tuple[str, ...] = ("--compact",)


PAIRS: Mapping[str, Pair] = {
    "compact": Pair(),
    "planned": Pair(
        network="residual-unet-2d, with deep supervision",
        side=192,
        batch=2,
        ours=("model.name=residual-unet-2d", "model.widths=[32, 64, 128, 256, 512, 512]"),
        plans="nnUNetResEncUNetMPlans",
        theirs=(),
    ),
    "loaders": Pair(step="load", network="no network", batches=40),
}
EPOCHS = "epochs"
EPOCHS_SIDE = 64


def main() -> None:
    """Measure all pairs that have no rows yet, print the rows and keep them."""
    options = _options()
    busy = busy_share(cores())
    if busy > MOST_BUSY and not (options.dry_run or options.processor_time):
        sys.exit(f"the cores are {busy:.0%} busy: wait, or use --processor-time or --dry-run")
    prepare(options.work, real_images(), options.nnunet)
    for name in [options.only] if options.only else [*PAIRS, EPOCHS]:
        if not options.again and _done(name, options):
            print(f"{name}: has its rows; --again measures it anew")
            continue
        rows = list(_epochs(options) if name == EPOCHS else _pair(name, PAIRS[name], options))
        for row in rows:
            print(f"{row.configuration}: {row.measure}: {row.value} {row.unit}", end=" ")
            print(f"({row.low} to {row.high})", flush=True)
        if not options.dry_run:
            append(NAME, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="training images a second beside nnU-Net")
    parser.add_argument("--nnunet", type=Path, help="python of an environment that holds nnunetv2")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of what both prepare")
    parser.add_argument("--only", choices=[*PAIRS, EPOCHS])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, help="a turn, in place of the pair's own")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=len(cores()))
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32", help="of heartseg's")
    parser.add_argument("--processor-time", action="store_true", help="no wall clock")
    parser.add_argument("--again", action="store_true", help="pairs that have rows, too")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    return parser.parse_args()


def _clocks(options: argparse.Namespace) -> tuple[str, ...]:
    return ("processor",) if options.processor_time else ("wall", "processor")


def _conditions(name: str, options: argparse.Namespace) -> str:
    """What rows must share to be of the same pair."""
    pair = PAIRS.get(name, Pair(step=EPOCHS, side=EPOCHS_SIDE))
    threads = "1 thread" if options.threads == 1 else f"{options.threads} threads"
    size = f"{pair.side} x {pair.side}, batch {pair.batch}"
    precision = "f32" if options.precision == "f32" else f"{OURS} in {options.precision}"
    return f"{name}: {pair.network}, {size}, {precision}, {threads}"


def _done(name: str, options: argparse.Namespace) -> bool:
    path = RESULTS / f"{NAME}.csv"
    begun = _conditions(name, options)
    clock = "MB" if name == EPOCHS else f" by the {_clocks(options)[0]}"
    return any(
        row.configuration.startswith(begun)
        and (row.commit, row.hardware) == (commit(), hardware())
        and (clock in row.measure or clock == row.unit)
        for row in (read(path) if path.exists() else ())
    )


def _pair(name: str, pair: Pair, options: argparse.Namespace) -> Iterator[Row]:
    """The rows of each contender, then of the ratios."""
    contenders: dict[str, Contender] = {}
    try:
        for who, (command, environment) in _commands(pair, options).items():
            log = options.work / f"{name}-{who.replace(' ', '-')}.log"
            begun = Contender(command, environment, batch=pair.batch, log=log, cores=cores())
            contenders[who] = begun
        taken: dict[str, list[Turn]] = {who: [] for who in contenders}
        for _ in range(options.rounds):
            for who, one in contenders.items():
                taken[who].append(one.turn(options.batches or pair.batches))
    finally:
        for one in contenders.values():
            one.end()
    what = "loaded" if pair.step == "load" else "trained on"
    begun_with = _conditions(name, options)
    for who, turns in taken.items():
        yield from _speeds(turns, what, f"{begun_with}; {who}", options)
    for mine, other in product((OURS, BARE), taken):
        if mine in taken and (other.startswith(THEIRS) or (mine, other) == (OURS, PLAIN)):
            where = f"{begun_with}; {mine} over {other}"
            yield from _ratios(taken[mine], taken[other], what, where, options)


def _speeds(
    turns: Sequence[Turn], what: str, where: str, options: argparse.Namespace
) -> Iterator[Row]:
    for clock in _clocks(options):
        numbers = [_speed(turn, clock) for turn in turns]
        yield _row(f"images {what} a second by the {clock}", "images/s", numbers, where)
    yield _row("memory after a turn", "MB", [turn.megabytes for turn in turns], where)


def _ratios(
    ours: Sequence[Turn],
    theirs: Sequence[Turn],
    what: str,
    where: str,
    options: argparse.Namespace,
) -> Iterator[Row]:
    for clock in _clocks(options):
        pairs = zip(ours, theirs, strict=True)
        numbers = [_speed(mine, clock) / _speed(other, clock) for mine, other in pairs]
        yield _row(f"ratio of images {what} a second by the {clock}", "1", numbers, where)


def _speed(turn: Turn, clock: str) -> float:
    return turn.images / (turn.wall_s if clock == "wall" else turn.processor_s)


def _row(measure: str, unit: str, numbers: Sequence[float], where: str) -> Row:
    data = "ACDC, 20 training patients"
    return timing_row(measure, unit, numbers, data=data, configuration=where)


def _commands(
    pair: Pair, options: argparse.Namespace
) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Command and environment of each contender, by its name."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(options.threads),
        "PYTHONPATH": str(ROOT / "src"),
    }
    sizes = (f"spatial.size_px={pair.side}", f"learning.batch={pair.batch}")
    settings = (*sizes, f"learning.precision={options.precision}", *pair.ours)
    found = {OURS: (_ours(pair.step, settings, options), environment)}
    if pair.step == "train":
        found[PLAIN] = (_ours("plain", settings, options), environment)
        found[BARE] = (_ours("network", settings, options), environment)
    if not options.nnunet:
        print("no --nnunet: nnU-Net is left out")
        return found
    script, numbers = str(HERE / "throughput_nnunet.py"), [str(pair.side), str(pair.batch)]
    command = [str(options.nnunet), script, pair.plans, pair.step, *numbers, *pair.theirs]
    for helpers in (0, min(12, len(cores()))):
        named = f"{THEIRS} {_version(options.nnunet)}, {helpers} helpers"
        own = {**nnunet_folders(options.work), "nnUNet_n_proc_DA": str(helpers)}
        found[named] = (command, {**environment, **own})
    return found


def _ours(step: str, settings: Sequence[str], options: argparse.Namespace) -> list[str]:
    script = str(HERE / "throughput_heartseg.py")
    return [sys.executable, script, str(options.work / "acdc"), step, *settings]


def _version(python: Path) -> str:
    asked = "import importlib.metadata as m; print(m.version('nnunetv2'))"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _epochs(options: argparse.Namespace) -> Iterator[Row]:
    """Memory after each pass over the planes, and how much it grew after the first."""
    settings = (f"spatial.size_px={EPOCHS_SIDE}",)
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    environment["PYTHONPATH"] = str(ROOT / "src")
    command, log = _ours(EPOCHS, settings, options), options.work / "epochs.log"
    one = Contender(command, environment, batch=Pair().batch, log=log, cores=cores())
    try:
        held = [one.turn(_batches_an_epoch(log)).megabytes for _ in range(options.epochs)]
    finally:
        one.end()
    where = f"{_conditions(EPOCHS, options)}; {OURS}"
    yield _row("memory after an epoch", "MB", held, where)
    grown = (held[-1] - held[0]) / max(1, len(held) - 1)
    yield _row("memory grown an epoch, first to last", "MB", [grown], where)


def _batches_an_epoch(log: Path) -> int:
    """As the contender said it."""
    return int(log.read_text(encoding="utf-8").partition(" batches an epoch")[0].split()[-1])


if __name__ == "__main__":
    main()
