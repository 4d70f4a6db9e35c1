"""The loop: steps, validation, checkpoints, resume; no loss, no network."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heartseg.core.errors import ConfigError, ModelError
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
        ModelError: the loss is no longer a number, or there is nothing to resume.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done, best = _restored(task, folder) if resume else (0, -math.inf)
    log = _Log(folder / LOG, done, watch)
    for step in range(done, schedule.steps):
        numbers = task.step(schedule.rate(step))
        if not all(math.isfinite(value) for value in numbers.values()):
            raise ModelError(
                f"training step {step}", got=str(dict(numbers)), do="lower learning.rate"
            )
        finished = step + 1
        if finished % schedule.log_every == 0:
            log.add(finished, numbers)
        if finished % schedule.validate_every == 0 or finished == schedule.steps:
            scores = task.validate()
            log.add(finished, scores)
            state = {"step": finished, "best": max(best, scores["score"]), "task": task.state()}
            if scores["score"] > best:
                best = scores["score"]
                save_checkpoint(folder / BEST, state)
            save_checkpoint(folder / LAST, state)


def _restored(task: Task, folder: Path) -> tuple[int, float]:
    if not (folder / LAST).exists():
        return 0, -math.inf
    state: dict[str, Any] = load_checkpoint(folder / LAST)
    task.restore(state["task"])
    return int(state["step"]), float(state["best"])


class _Log:
    """JSON lines; those after the restored step are dropped, so a resumed log has no doubles."""

    def __init__(self, path: Path, done: int, watch: Watcher | None) -> None:
        self._path, self._watch, self._begin = path, watch, time.monotonic()
        kept = []
        if path.exists() and done:
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if line and json.loads(line)["step"] <= done]
        path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def add(self, step: int, numbers: Numbers) -> None:
        seconds = round(time.monotonic() - self._begin, 1)
        line = {"step": step, "seconds": seconds, **{k: round(v, 6) for k, v in numbers.items()}}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self._watch:
            self._watch(step, numbers)
