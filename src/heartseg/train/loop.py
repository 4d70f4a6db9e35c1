"""The loop: steps, validation, checkpoints, resume; no loss, no network."""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from heartseg.core.errors import ModelError, OutputError
from heartseg.train.budget import planned_steps
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint
from heartseg.train.log import LOG, Log, Watcher
from heartseg.train.ranks import Ranks
from heartseg.train.schedule import Course, Schedule
from heartseg.train.task import Numbers, Task

LAST, BEST = "last.pt", "best.pt"

__all__ = ["BEST", "LAST", "LOG", "Schedule", "Watcher", "fit", "prepare_folder"]

_ALONE = Ranks()


def fit(
    task: Task,
    schedule: Schedule,
    folder: Path,
    *,
    resume: bool,
    watch: Watcher | None = None,
    ranks: Ranks = _ALONE,
) -> None:
    """Train a task to the end of its schedule.

    Writes `last.pt` (to resume), `best.pt` (highest "score") and `log.jsonl` to `folder`. A run
    that was stopped at any moment and resumed ends with the same weights, to the bit.

    Args:
        task: what is trained.
        schedule: how long, at what rate.
        folder: of the run.
        resume: go on with what is there.
        watch: called with (step, numbers) as they are logged.
        ranks: the processes that train it together; one of them writes.

    Raises:
        ModelError: the loss or a score is no longer a number, or what is to be resumed does not
            fit this task.
        OutputError: the folder cannot be written, or holds another run that would be lost.
    """
    prepare_folder(folder, resume=resume)
    ranks.wait()  # nobody writes before all have looked
    begin = time.monotonic()
    course = (_restored(task, folder) if resume else None) or _begun(task, schedule, folder, ranks)
    schedule = schedule.planned(course.planned)
    begin -= course.seconds
    log = Log(folder / LOG, course, watch) if ranks.leads else None
    while not course.ended(schedule):
        rate = schedule.rate(course.step, course.drops)
        numbers = _finite(f"training step {course.step}", task.step(rate))
        course = replace(course, step=course.step + 1)
        if log and course.step % schedule.log_every == 0:
            log.add(course.step, numbers)
        if course.step % schedule.validate_every == 0 or course.step == schedule.steps:
            scores = _finite(f"validation after step {course.step}", task.validate())
            if log and scores:
                log.add(course.step, scores)
            before, score = course.best, scores.get("score", -math.inf)
            course = replace(course.after(score, schedule), seconds=time.monotonic() - begin)
            if ranks.leads:
                _keep(task, course, folder, best=score > before)


def _begun(task: Task, schedule: Schedule, folder: Path, ranks: Ranks) -> Course:
    """The course of a new run; where time decides, its plan is kept before the first step."""
    if schedule.minutes is None:
        return Course()
    begin = time.monotonic()
    planned = ranks.agreed(planned_steps(task, schedule))
    course = Course(planned=planned, seconds=time.monotonic() - begin)
    if ranks.leads:
        _keep(task, course, folder, best=False)
    return course


def _keep(task: Task, course: Course, folder: Path, *, best: bool) -> None:
    state = {"step": course.step, "best": course.best, "task": task.state()}
    state["course"] = course.state()
    if best:
        save_checkpoint(folder / BEST, state)
    save_checkpoint(folder / LAST, state)


def prepare_folder(folder: Path, *, resume: bool) -> None:
    """Make the folder of a run.

    Raises:
        OutputError: it cannot be made, or holds another run that would be lost.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(f"run folder {folder.name}", got=fault.strerror or str(fault)) from fault
    if not resume and (folder / LAST).exists():
        raise OutputError(
            f"run folder {folder.name}",
            got="the checkpoint of an earlier run, which would be lost",
            do="go on with --resume, or choose another folder",
        )


def _finite(where: str, numbers: Numbers) -> Numbers:
    if not all(math.isfinite(value) for value in numbers.values()):
        raise ModelError(where, got=str(dict(numbers)), allowed="numbers", do="lower learning.rate")
    return numbers


def _restored(task: Task, folder: Path) -> Course | None:
    if not (folder / LAST).exists():
        return None
    state: dict[str, Any] = load_checkpoint(folder / LAST)
    try:
        task.restore(state["task"])
        return Course.of(state)
    except (RuntimeError, LookupError, TypeError, ValueError) as fault:
        raise ModelError(
            f"checkpoint {LAST}",
            got=f"the state of another task: {str(fault)[:200]}",
            do="resume with the network, settings and device that it was trained with",
        ) from fault
