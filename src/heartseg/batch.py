"""Many studies: one after another or side by side; one that fails stops none of the others."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heartseg.core.errors import HeartsegError, OutputError
from heartseg.core.study import Body
from heartseg.pipeline import Models, Settings, analyse

if TYPE_CHECKING:
    from heartseg.core.finding import Report
    from heartseg.core.study import View
    from heartseg.read import Candidate

FINISHED = "report.json"
"""Its presence says that a study is done: a study's folder appears whole or not at all."""


@dataclass(frozen=True, slots=True)
class Task:
    """A study to do: where it is, and what is known of it.

    Attributes:
        path: what the user named.
        id: of the study; None when nothing could be found there.
        index: of the study among those found at `path`.
        fault: why nothing could be found.
    """

    path: Path
    id: str | None
    index: int = 0
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
        bodies: by study id, from a table.
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
        OutputError: `plan.out` cannot be written at all.
    """
    from heartseg.report import write_summary

    _require_writable(plan.out)
    outcomes = []
    for outcome in _outcomes(plan, tasks(plan)):
        if outcome.row:
            write_summary(plan.out / "summary.csv", [outcome.row])
        outcomes.append(outcome)
        watch(outcome)
    return outcomes


def tasks(plan: Plan) -> list[Task]:
    """The studies at the inputs, with ids that are unique in this run; faults are tasks too."""
    found: list[Task] = []
    taken: set[str] = set()
    for path in plan.inputs:
        try:
            candidates = _candidates(plan, path)
        except (HeartsegError, OSError) as fault:
            found.append(Task(path, None, fault=str(fault)))
            continue
        for index, candidate in enumerate(candidates):
            name = _unique(candidate.id, taken)
            found.append(Task(path, name, index))
    return found


def _unique(name: str, taken: set[str]) -> str:
    unique, number = name, 2
    while unique in taken:
        unique = f"{name[:60]}-{number}"
        number += 1
    taken.add(unique)
    return unique


def _candidates(plan: Plan, path: Path) -> "list[Candidate]":
    from heartseg.read import find_studies

    return find_studies(path, spacing_mm=plan.spacing_mm, view=plan.view)


def _outcomes(plan: Plan, todo: Sequence[Task]) -> Iterator[Outcome]:
    if plan.jobs <= 1 or len(todo) < 2:
        yield from _Worker(plan).all(todo)
        return
    # Spawned, not forked: a forked child inherits the locks of the inference engine's threads.
    with ProcessPoolExecutor(plan.jobs, get_context("spawn"), _begin, (plan,)) as pool:
        yield from pool.map(_continue, todo)


_worker: "_Worker | None" = None


def _begin(plan: Plan) -> None:
    global _worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _worker = _Worker(plan)


def _continue(task: Task) -> Outcome:
    if _worker is None:
        raise HeartsegError("worker", got="a task before it was set up")
    return replace(_worker.one(task), report=None)


class _Worker:
    """Does tasks; models are loaded once, a path is looked through once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._models = Models(plan.settings.device)
        self._looked: tuple[Path, list[Candidate]] | None = None

    def all(self, todo: Iterable[Task]) -> Iterator[Outcome]:
        return (self.one(task) for task in todo)

    def one(self, task: Task) -> Outcome:
        from heartseg.report import failed_row, summary_row

        if task.id is None:
            name = task.path.name
            return Outcome(name, "failed", task.fault or "", failed_row(name, task.fault))
        folder = self._plan.out / task.id
        if (folder / FINISHED).exists() and not self._plan.overwrite:
            return Outcome(task.id, "skipped", "already done; --overwrite does it again", {})
        try:
            report = self._done(task, folder)
        # A batch of a night must survive a fault in one study that nobody foresaw.
        except Exception as fault:  # noqa: BLE001
            said = str(fault) if isinstance(fault, HeartsegError) else _unforeseen(fault)
            return Outcome(task.id, "failed", said, failed_row(task.id, said))
        return Outcome(task.id, "done", "", summary_row(report), report)

    def _done(self, task: Task, folder: Path) -> "Report":
        settings = self._plan.settings
        body = (self._plan.bodies or {}).get(folder.name)
        if body is not None:
            settings = replace(settings, body=body)
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            report = analyse(self._candidate(task, folder.name), self._models, settings, unfinished)
            _move(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return report

    def _candidate(self, task: Task, name: str) -> "Candidate":
        if self._looked is None or self._looked[0] != task.path:
            self._looked = task.path, _candidates(self._plan, task.path)
        return self._looked[1][task.index].renamed(name)


def _move(source: Path, target: Path) -> None:
    try:
        if target.exists():
            shutil.rmtree(target)
        source.replace(target)
    except OSError as fault:
        raise OutputError(target.name, got=fault.strerror or str(fault)) from fault


def _unforeseen(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault} (not a message of heartseg's own: please report it)"


def _require_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".heartseg-probe"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        raise OutputError(
            f"output folder {out.name}",
            got=fault.strerror or str(fault),
            do="choose a folder that you may write to with -o",
        ) from fault
