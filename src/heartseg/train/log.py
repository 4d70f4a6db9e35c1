"""The log of a run: a line of JSON for what each step says."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from heartseg.core.errors import OutputError
from heartseg.train.schedule import Course
from heartseg.train.task import Numbers

LOG = "log.jsonl"
PLANNED = "planned_steps"
"""What a run whose steps time decides says first."""

Watcher = Callable[[int, Numbers], None]


class Log:
    """JSON lines; those after the restored step are dropped, so a resumed log has no doubles.

    A run whose steps time decides says first how many are planned.

    Args:
        path: of the file.
        course: where the run stands.
        watch: called with what is logged.
    """

    def __init__(self, path: Path, course: Course, watch: Watcher | None) -> None:
        self._path, self._watch = path, watch
        kept = lines_until(path, course.step) if course.step else []
        passed = max([course.seconds, *(float(line.get("seconds", 0.0)) for line in kept[-1:])])
        self._begin = time.monotonic() - passed  # the clock goes on
        unfinished = path.with_suffix(".tmp")
        try:
            text = "".join(json.dumps(line) + "\n" for line in kept)
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        except OSError as fault:
            raise _unwritten(path, fault) from fault
        if course.planned and not kept:
            self.add(0, {PLANNED: course.planned})

    def add(self, step: int, numbers: Numbers) -> None:
        """Write a line, and tell who watches.

        Raises:
            OutputError: it could not be written.
        """
        seconds = round(time.monotonic() - self._begin, 1)
        line = {"step": step, "seconds": seconds, **{k: round(v, 6) for k, v in numbers.items()}}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as fault:
            raise _unwritten(self._path, fault) from fault
        if self._watch:
            self._watch(step, numbers)


def lines_until(path: Path, done: int | None = None) -> list[dict[str, Any]]:
    """The whole lines up to a step, or all; the last one may have been torn by a kill."""
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with suppress(ValueError, LookupError, TypeError):
            numbers = json.loads(line)
            if done is None or numbers["step"] <= done:
                kept.append(numbers)
    return kept


def hours_of(folder: Path, step: int) -> dict[str, float]:
    """`hours` that a run took to a step, as its log says; empty where it says nothing."""
    seconds = [line["seconds"] for line in lines_until(folder / LOG, step) if "seconds" in line]
    return {"hours": round(float(max(seconds)) / 3600, 4)} if seconds else {}


def _unwritten(path: Path, fault: OSError) -> OutputError:
    got = fault.strerror or str(fault)
    return OutputError(f"log {path.name}", got=got, do="free some space, then --resume")
