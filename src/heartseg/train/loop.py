"""The loop: steps, validation, checkpoints, resume; no loss, no network."""

import json
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heartseg.core.errors import ConfigError, ModelError, OutputError
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint
from heartseg.train.task import Numbers, Task

LAST, BEST, LOG = "last.pt", "best.pt", "log.jsonl"

Watcher = Callable[[int, Numbers], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, and at what rate.

    Attributes:
        steps: optimiser steps in all.
        warm_up: steps over which the rate rises to its full height.
        validate_every: steps between validations; each also writes the last checkpoint.
        log_every: steps between lines of the log.
    """

    steps: int = 6000
    warm_up: int = 100
    validate_every: int = 500
    log_every: int = 50

    def __post_init__(self) -> None:
        if min(self.steps, self.validate_every, self.log_every) < 1 or self.warm_up < 0:
            raise ConfigError("schedule", got=str(self), allowed="counts of at least 1")

    def rate(self, step: int) -> float:
        """Share of the learning rate at a step from 0: linear warm-up, then half a cosine."""
        rising = min(1.0, (step + 1) / (self.warm_up + 1))
        return rising * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def fit(
    task: Task, schedule: Schedule, folder: Path, *, resume: bool, watch: Watcher | None = None
) -> None:
    """Train a task to the end of its schedule.

    Writes `last.pt` (to resume), `best.pt` (highest "score") and `log.jsonl` to `folder`. A run
    that was stopped at any moment and resumed ends with the same weights, to the bit.

    Raises:
        ModelError: the loss or a score is no longer a number, or what is to be resumed does not
            fit this task.
        OutputError: the folder cannot be written, or holds another run that would be lost.
    """
    prepare_folder(folder, resume=resume)
    done, best = _restored(task, folder) if resume else (0, -math.inf)
    log = _Log(folder / LOG, done, watch)
    for step in range(done, schedule.steps):
        numbers = _finite(f"training step {step}", task.step(schedule.rate(step)))
        finished = step + 1
        if finished % schedule.log_every == 0:
            log.add(finished, numbers)
        if finished % schedule.validate_every == 0 or finished == schedule.steps:
            scores = _finite(f"validation after step {finished}", task.validate())
            if scores:
                log.add(finished, scores)
            score = scores.get("score", -math.inf)
            state = {"step": finished, "best": max(best, score), "task": task.state()}
            if score > best:
                best = score
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


def _restored(task: Task, folder: Path) -> tuple[int, float]:
    if not (folder / LAST).exists():
        return 0, -math.inf
    state: dict[str, Any] = load_checkpoint(folder / LAST)
    try:
        task.restore(state["task"])
    except (RuntimeError, LookupError, TypeError, ValueError) as fault:
        raise ModelError(
            f"checkpoint {LAST}",
            got=f"the state of another task: {str(fault)[:200]}",
            do="resume with the network, settings and device that it was trained with",
        ) from fault
    return int(state["step"]), float(state["best"])


class _Log:
    """JSON lines; those after the restored step are dropped, so a resumed log has no doubles."""

    def __init__(self, path: Path, done: int, watch: Watcher | None) -> None:
        self._path, self._watch, self._begin = path, watch, time.monotonic()
        kept = _lines_until(path, done) if done else []
        if kept:  # the clock goes on from the last line
            self._begin -= float(kept[-1].get("seconds", 0.0))
        unfinished = path.with_suffix(".tmp")
        try:
            text = "".join(json.dumps(line) + "\n" for line in kept)
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        except OSError as fault:
            raise _unwritten(path, fault) from fault

    def add(self, step: int, numbers: Numbers) -> None:
        seconds = round(time.monotonic() - self._begin, 1)
        line = {"step": step, "seconds": seconds, **{k: round(v, 6) for k, v in numbers.items()}}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as fault:
            raise _unwritten(self._path, fault) from fault
        if self._watch:
            self._watch(step, numbers)


def _lines_until(path: Path, done: int) -> list[dict[str, Any]]:
    """The whole lines up to a step; the last one may have been torn by a kill."""
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with suppress(ValueError, LookupError, TypeError):
            numbers = json.loads(line)
            if numbers["step"] <= done:
                kept.append(numbers)
    return kept


def _unwritten(path: Path, fault: OSError) -> OutputError:
    got = fault.strerror or str(fault)
    return OutputError(f"log {path.name}", got=got, do="free some space, then --resume")
