"""Whether it pays to read the next study while one is computed: a cohort in one process, in turns.

    python benchmarks/ahead.py [--studies 4] [--rounds 3] [--real] [--dry-run]

DICOM cines of phantoms (or, with --real, one frame of as many ACDC patients) go through the batch
of one process, as it is and with a thread that reads one study ahead: at most one study waits, and
what is wrong with it is raised where the study is read. Seconds by the wall's clock, start-up left
out, so the cores have to be idle. Adds rows to benchmarks/results/speed/ahead.csv.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from rows import Row, append, busy_share, cores, real_images, timing_row
from speed import MOST_BUSY, _ten_slices

from heartseg.batch import Outcome, Plan, Task, tasks
from heartseg.batch.found import Finder
from heartseg.batch.one_process import one_after_another
from heartseg.batch.worker import Worker
from heartseg.core.study import Study
from heartseg.phantom import Acquisition, make_study, write_study
from heartseg.pipeline import Settings
from heartseg.read import Candidate

PLAIN, AHEAD = "each study read in its turn", "the next study read beside the network"


class Reader(Finder):
    """Finds studies, and begins to read one when the one before it is taken."""

    def __init__(self, plan: Plan, pool: ThreadPoolExecutor) -> None:
        super().__init__(plan)
        self._pool, self._ahead = pool, dict[str, Future[Study]]()

    def read_ahead(self, task: Task) -> None:
        """Begin with it."""
        candidate = super().__call__(task.path).get(task.found or "")
        if candidate is not None:
            self._ahead[candidate.id] = self._pool.submit(candidate.load)

    def __call__(self, path: Path) -> Mapping[str, Candidate]:
        """The studies there; loading one that is being read waits for that."""
        return {
            name: replace(one, load=self._ahead.pop(name).result) if name in self._ahead else one
            for name, one in super().__call__(path).items()
        }


def reading_ahead(plan: Plan) -> Iterator[Outcome]:
    """As `one_after_another`, with a study read beside the one that is computed."""
    with ThreadPoolExecutor(1) as writer, ThreadPoolExecutor(1) as pool:
        reader = Reader(plan, pool)
        worker = Worker(plan, reader)
        todo = list(tasks(plan, Finder(plan)))
        before: Future[Outcome] | None = None
        for task, after in zip(todo, [*todo[1:], None], strict=True):
            if after is not None:
                reader.read_ahead(after)
            computed = worker.computed(task)
            if before is not None:
                yield before.result()
            before = writer.submit(worker.written, computed)
        if before is not None:
            yield before.result()


WAYS = {PLAIN: one_after_another, AHEAD: reading_ahead}


def main() -> None:
    """Take turns, print, keep."""
    parser = argparse.ArgumentParser(description="tell whether reading ahead pays")
    parser.add_argument("--studies", type=int, default=4, help="in the cohort")
    parser.add_argument("--rounds", type=int, default=3, help="after one to warm up")
    parser.add_argument("--real", action="store_true", help="volumes of ACDC in place of phantoms")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    options = parser.parse_args()
    if busy_share(cores()) > MOST_BUSY and not options.dry_run:
        sys.exit("the cores are busy with something else: wait, or use --dry-run")
    with tempfile.TemporaryDirectory(prefix="heartseg-ahead-") as name:
        inputs = _volumes(options.studies) if options.real else _cines(Path(name), options.studies)
        plan = Plan(inputs=inputs, out=Path(name) / "out", settings=Settings(device="cpu"))
        plan = replace(plan, overwrite=True)
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for number in range(options.rounds + 1):
            for way in WAYS:
                seconds = _seconds(plan, way)
                if number:
                    taken[way].append(seconds / len(inputs))
    data = f"{len(inputs)} " + ("ACDC volumes" if options.real else "phantom cines, DICOM")
    rows = list(_rows(taken, data))
    for row in rows:
        print(f"{row.measure}: {row.value} {row.unit} [{row.low}, {row.high}]")
    if not options.dry_run:
        append("speed/ahead", rows)


def _cines(folder: Path, studies: int) -> tuple[Path, ...]:
    scan = Acquisition(slices=10, frames=20)
    return tuple(
        write_study(folder / "made", make_study(seed, acquisition=scan), file_format="dicom")
        for seed in range(studies)
    )


def _volumes(studies: int) -> tuple[Path, ...]:
    return tuple(_ten_slices(real_images() / "acdc" / "training", studies))


def _seconds(plan: Plan, way: str) -> float:
    start = time.perf_counter()
    failed = [one for one in WAYS[way](plan) if one.status != "done"]
    if failed:
        sys.exit(f"{failed[0].id}: {failed[0].said}")
    return time.perf_counter() - start


def _rows(taken: Mapping[str, list[float]], data: str) -> Iterator[Row]:
    where = {"data": data, "configuration": "batch of one process, with report"}
    for way, seconds in taken.items():
        yield timing_row(f"a study of a cohort, {way}", "s", seconds, **where)
    ratios = [plain / ahead for plain, ahead in zip(taken[PLAIN], taken[AHEAD], strict=True)]
    yield timing_row("how much faster with reading ahead, of the same round", "1", ratios, **where)


if __name__ == "__main__":
    main()
