"""Turns: processes that work one after another on the same machine, and what each turn took.

Only the standard library: the other side of a comparison runs this in an environment of its own.
A contender calls `Pace.batch` after each of its batches, wherever its own loop stands then. Between
its turns it and all its helpers are stopped, so that nobody works ahead while another is measured.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WARM_UP = 2
"""Batches before the first turn: kernels are chosen, memory is taken, queues fill."""

DONE = "done"
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Pace:
    """The contender's side: how many batches it may still make.

    What the contender prints goes to its standard error from now on.
    """

    def __init__(self) -> None:
        self._said = os.fdopen(os.dup(1), "w", encoding="ascii")
        os.dup2(2, 1)
        self._left = WARM_UP

    def batch(self) -> None:
        """A batch is done; returns when the next may begin, and ends the process after the last."""
        self._left -= 1
        if self._left > 0:
            return
        print(DONE, file=self._said, flush=True)
        asked = sys.stdin.readline()
        if not asked:
            os._exit(0)  # helpers are ended from outside
        self._left = int(asked)


@dataclass(frozen=True)
class Turn:
    """What so many images took.

    Attributes:
        images: trained on, or loaded.
        wall_s: by the clock on the wall.
        processor_s: of all its processes together.
        megabytes: held by all of them after it, shared pages counted once.
    """

    images: int
    wall_s: float
    processor_s: float
    megabytes: float


class Contender:
    """The measurer's side of a contender: a group of processes, stopped between its turns.

    Args:
        command: starts it.
        environment: of it.
        batch: images in each of its batches.
        log: where what it prints goes.
        cores: it may use.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        batch: int,
        log: Path,
        cores: set[int],
    ) -> None:
        self._batch, self._log = batch, log
        with log.open("w", encoding="utf-8") as said:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        self._await()

    def turn(self, batches: int) -> Turn:
        """Let it make so many batches."""
        group = self._process.pid
        before, begin = _processor_seconds(group), time.perf_counter()
        os.killpg(group, signal.SIGCONT)
        if self._process.stdin:
            print(batches, file=self._process.stdin, flush=True)
        self._await()
        wall_s = time.perf_counter() - begin
        processor_s = _processor_seconds(group) - before
        return Turn(batches * self._batch, wall_s, processor_s, _megabytes(group))

    def end(self) -> None:
        """End it and its helpers."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _await(self) -> None:
        """Until it has done what it was asked for; then it is stopped."""
        said = self._process.stdout.readline() if self._process.stdout else ""
        if said.strip() != DONE:
            self.end()
            text = self._log.read_text(encoding="utf-8", errors="replace")
            sys.exit(f"a contender failed:\n{text[-3000:]}")
        os.killpg(self._process.pid, signal.SIGSTOP)


def _processor_seconds(group: int) -> float:
    """Of all processes of a group, those that ended in it included."""
    ticks = 0
    for folder in _processes(group):
        fields = _stat(folder)
        ticks += sum(int(number) for number in fields[11:15])  # own and ended children's, both ways
    return ticks * _TICK_S


def _megabytes(group: int) -> float:
    kilobytes = 0
    for folder in _processes(group):
        for line in (folder / "smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6


def _processes(group: int) -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(_stat(folder)[2]) == group:
                yield folder
        except OSError:  # it ended meanwhile
            continue


def _stat(folder: Path) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold anything."""
    return (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
