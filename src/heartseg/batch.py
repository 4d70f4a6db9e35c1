"""Many studies: one after another or side by side; one that fails stops none of the others."""

import os
import shutil
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heartseg.choice import Models
from heartseg.core.errors import HeartsegError, StudyError
from heartseg.core.fault import said_of
from heartseg.core.study import Body
from heartseg.pipeline import Analysis, Settings, examine, save
from heartseg.report.study_folder import (
    FINISHED,
    is_finished,
    is_foreign,
    is_result,
    put_in_place,
    require_writable,
)

if TYPE_CHECKING:
    from heartseg.core.finding import Report
    from heartseg.core.study import View
    from heartseg.read import Candidate

SUMMARY = "summary.csv"

LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Task:
    """A study to do: where it is, and what is known of it.

    Attributes:
        path: what the user named.
        id: of the study, its folder and its row; unique in the run.
        found: its id among the studies at `path`; None when nothing could be found there.
        fault: why nothing could be found.
    """

    path: Path
    id: str
    found: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a study; `row` goes into summary.csv."""

    id: str
    status: Literal["done", "skipped", "failed"]
    said: str
    row: Mapping[str, str]
    report: "Report | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run over many studies.

    Attributes:
        inputs: files, folders and archives.
        out: a folder is made in it for each study, and summary.csv.
        settings: as for one study.
        view, spacing_mm: what the user knows better than the files.
        bodies: by study id, from a table; what `settings.body` holds goes before them.
        jobs: studies done at the same time, each in a process of its own.
        overwrite: do finished studies again.
    """

    inputs: tuple[Path, ...]
    out: Path
    settings: Settings
    view: "View | None" = None
    spacing_mm: tuple[float, float, float] | None = None
    bodies: Mapping[str, Body] | None = None
    jobs: int = 1
    overwrite: bool = False


def run(plan: Plan, watch: Callable[[Outcome], None]) -> list[Outcome]:
    """Do all studies; `watch` hears of each as it ends. summary.csv grows with them.

    Raises:
        OutputError: `plan.out` cannot be written at all, or holds a foreign summary.csv.
    """
    from heartseg.report import write_summary

    require_writable(plan.out)
    write_summary(plan.out / SUMMARY, [])  # a fault is heard of now, not after the first study
    outcomes = []
    for outcome in _outcomes(plan):
        write_summary(plan.out / SUMMARY, [outcome.row])
        outcomes.append(outcome)
        watch(outcome)
    return outcomes


def rows_without_study(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Ids in the table of bodies that no study of the run had: slips of the pen, most of them."""
    seen = {outcome.id for outcome in outcomes}
    return tuple(name for name in plan.bodies or () if name not in seen)


def tasks(plan: Plan, finder: "Finder | None" = None) -> Iterator[Task]:
    """The studies at the inputs, with ids that are unique in this run; faults are tasks too.

    An input is looked through when its turn comes.
    """
    from heartseg.read.candidate import safe_id, stem_of

    find = finder or Finder(plan)
    taken = {SUMMARY}
    for path in plan.inputs:
        try:
            candidates = find(path)
        # What nobody foresaw in one input must not stop the others.
        except Exception as fault:  # noqa: BLE001
            name = unique_id(safe_id(stem_of(path.absolute())), taken)
            yield Task(path, name, fault=said_of(fault))
            continue
        for found in list(candidates):
            yield Task(path, unique_id(found, taken, plan.out), found)


def unique_id(name: str, taken: set[str], out: Path | None = None) -> str:
    """`name`, or with a suffix where it is taken in this run or by something that is not ours."""
    unique, number = name, 1
    while unique.lower() in taken or (out is not None and is_foreign(out / unique)):
        number += 1
        suffix = f"-{number}"
        unique = name[: LONGEST_ID - len(suffix)] + suffix
    taken.add(unique.lower())  # some file systems do not tell A from a
    return unique


class Finder:
    """The studies at a path by their ids; the last path is remembered, not looked through twice."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._last: tuple[Path, dict[str, Candidate]] | None = None

    def __call__(self, path: Path) -> "Mapping[str, Candidate]":
        """What lies there.

        Raises:
            InputError: nothing that heartseg can read.
        """
        if self._last is None or self._last[0] != path:
            found = studies_at(path, self._plan.view, self._plan.spacing_mm)
            self._last = path, {one.id: one for one in found}
        return self._last[1]


def studies_at(
    path: Path, view: "View | None", spacing_mm: tuple[float, float, float] | None
) -> "list[Candidate]":
    """The studies at a path, without heartseg's own results.

    Raises:
        InputError: nothing that heartseg can read.
        StudyError: nothing but results.
    """
    from heartseg.read import find_studies

    found = find_studies(path, spacing_mm=spacing_mm, view=view)
    kept = [one for one in found if one.path == path or not is_result(one.path)]
    if not kept:
        raise StudyError(path.name, got="results of heartseg, no images", do="name the images")
    return kept


def _outcomes(plan: Plan) -> Iterator[Outcome]:
    if plan.jobs <= 1:
        yield from _one_after_another(plan)
    else:
        yield from _side_by_side(plan, list(tasks(plan)))


def _one_after_another(plan: Plan) -> Iterator[Outcome]:
    """While a study is written, the next one is computed already."""
    finder = Finder(plan)
    worker = _Worker(plan, finder)
    with ThreadPoolExecutor(1) as writer:
        before: Future[Outcome] | None = None
        for task in tasks(plan, finder):
            computed = worker.computed(task)
            if before is not None:
                yield before.result()
            before = writer.submit(worker.written, computed)
        if before is not None:
            yield before.result()


def _side_by_side(plan: Plan, todo: Sequence[Task]) -> Iterator[Outcome]:
    """In the order of the tasks, but for those that wait for one whose process died."""
    while todo:
        left = yield from _until_one_dies(plan, todo)
        # It was at work on one of the first of these: each has another try in a process of its own,
        # so that only the one to blame is lost. All others go on side by side, in a new pool.
        for task in left[: plan.jobs]:
            yield _with_report(plan, _alone(plan, task))
        todo = left[plan.jobs :]


def _until_one_dies(plan: Plan, todo: Sequence[Task]) -> Generator[Outcome, None, list[Task]]:
    """What gets done; returns what does not, for a process of the pool has died."""
    left = []
    pool = _pool(plan, min(plan.jobs, len(todo)))
    try:
        futures = deque(pool.submit(_continue, task) for task in todo)
        for task in todo:
            try:
                yield _with_report(plan, futures.popleft().result())
            except BrokenProcessPool:
                left.append(task)
    finally:
        pool.shutdown(cancel_futures=True)
    return left


def _pool(plan: Plan, jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a forked child inherits the locks of the inference engine's threads.
    return ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (plan,))


def _alone(plan: Plan, task: Task) -> Outcome:
    with _pool(plan, 1) as pool:
        try:
            return pool.submit(_continue, task).result()
        except BrokenProcessPool:
            return _failed(
                task.id,
                "its process died, for want of memory or by a fault of a library; "
                "try this study alone, with --jobs 1",
            )


def _with_report(plan: Plan, outcome: Outcome) -> Outcome:
    """Reports do not travel between processes; they are on the disk."""
    from heartseg.report import load_report

    if outcome.status == "failed":
        return outcome
    return replace(outcome, report=load_report(plan.out / outcome.id / FINISHED))


_worker: "_Worker | None" = None


def _begin(plan: Plan) -> None:
    global _worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _worker = _Worker(plan, Finder(plan), threads=max(1, _cores() // plan.jobs))


def _cores() -> int:
    """Those that this process may use; processes that fight over cores lose both."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _continue(task: Task) -> Outcome:
    if _worker is None:
        raise HeartsegError("worker", got="a task before it was set up")
    return replace(_worker.written(_worker.computed(task)), report=None)


@dataclass(frozen=True, slots=True)
class _Computed:
    """A study that is done but for writing it down."""

    task: Task
    analysis: Analysis
    said: str


class _Worker:
    """Does tasks, in two halves that may overlap; models are loaded once."""

    def __init__(self, plan: Plan, finder: Finder, threads: int | None = None) -> None:
        self._plan, self._find = plan, finder
        self._models = Models(plan.settings.device, threads)

    def computed(self, task: Task) -> Outcome | _Computed:
        """All but writing; an outcome already where there is nothing to write."""
        if task.found is None:
            return _failed(task.id, task.fault or "")
        folder = self._plan.out / task.id
        try:
            if is_finished(folder) and not self._plan.overwrite:
                return _skipped(task.id, folder)
            return self._examined(task, task.found)
        # A batch of a night must survive a fault in one study that nobody foresaw.
        except Exception as fault:  # noqa: BLE001
            return _failed(task.id, said_of(fault))

    def written(self, computed: Outcome | _Computed) -> Outcome:
        """The other half."""
        if isinstance(computed, Outcome):
            return computed
        try:
            return self._saved(computed)
        except Exception as fault:  # noqa: BLE001 (as above)
            return _failed(computed.task.id, said_of(fault))

    def _examined(self, task: Task, found: str) -> _Computed:
        settings, said = self._plan.settings, ""
        if self._plan.bodies is not None:
            body = self._plan.bodies.get(task.id)
            settings = replace(settings, body=(body or Body()).under(settings.body))
            said = "" if body else "no row for it in the table of bodies"
        # By id: files may come and go between looking and doing.
        candidate = self._find(task.path).get(found)
        if candidate is None:
            raise StudyError(found, got="no such study any more", do="run it again")
        return _Computed(task, examine(candidate, self._models, settings, name=task.id), said)

    def _saved(self, computed: _Computed) -> Outcome:
        from heartseg.report import summary_row

        name, report = computed.task.id, computed.analysis.report
        folder = self._plan.out / name
        unfinished = folder.with_name(f".{name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            save(computed.analysis, self._plan.settings, unfinished)
            put_in_place(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return Outcome(name, "done", computed.said, summary_row(report), report)


def _failed(name: str, said: str) -> Outcome:
    from heartseg.report import failed_row

    return Outcome(name, "failed", said, failed_row(name, said))


def _skipped(name: str, folder: Path) -> Outcome:
    """With its row: the summary may have been lost, or its run ended before writing it."""
    from heartseg.report import load_report, summary_row

    report = load_report(folder / FINISHED)
    said = "already done; --overwrite does it again"
    return Outcome(name, "skipped", said, summary_row(report), report)
