"""Workers on this machine: a process each, that does one run after another.

Whatever kills a worker (a signal, the memory, a library) costs the run that it was at; the next
run gets a new worker. The jobs travel as JSON through pipes; nothing is pickled, and the caller's
own program is not started again in the workers.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import heartseg
from heartseg.benchmark.cell import Job, failed_row
from heartseg.benchmark.hardware import threads_each
from heartseg.benchmark.ledger import Row

SAID = "workers.log"
"""What libraries print while they work, warnings most of it."""


def run_in_processes(jobs: Sequence[Job], workers: int, folder: Path) -> Iterator[Row]:
    """Do jobs in their order, so many at a time; rows come as the runs end.

    Args:
        jobs: to do.
        workers: processes.
        folder: of the benchmark, for what they print.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    ended: queue.SimpleQueue[Row | Exception] = queue.SimpleQueue()
    count = min(workers, len(jobs))
    keepers = [_Keeper(threads_each(workers), folder / SAID) for _ in range(count)]
    for one in keepers:
        threading.Thread(target=one.work, args=(waiting, ended), daemon=True).start()
    try:
        for _ in jobs:
            row = ended.get()
            if isinstance(row, Exception):
                raise row
            yield row
    finally:
        for one in keepers:
            one.stop()


class _Keeper:
    """Keeps one worker busy, and replaces it when it dies."""

    def __init__(self, threads: str, said: Path) -> None:
        self._said = said
        self._environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join([_HOME, os.environ.get("PYTHONPATH", "")]).strip(
                os.pathsep
            ),
        }
        self._ending = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def work(
        self, waiting: "queue.SimpleQueue[Job]", ended: "queue.SimpleQueue[Row | Exception]"
    ) -> None:
        """Do what is waiting; what went wrong here, and not in a run, is handed over too."""
        try:
            while not self._ending.is_set():
                ended.put(self._row(waiting.get_nowait()))
        except queue.Empty:
            self.stop()
        except Exception as fault:  # noqa: BLE001 (whoever waits for rows must hear of it)
            ended.put(fault)

    def stop(self) -> None:
        """No further job; a worker that is at one is ended."""
        self._ending.set()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            _buried(process)

    def _row(self, job: Job) -> Row:
        try:
            process = self._process = self._process or self._started()
        except OSError as fault:
            return failed_row(job, f"no worker could be started: {fault.strerror}")
        answer = _asked(process, job)
        if answer is not None:
            return answer
        self._process = None
        return failed_row(job, _death(_buried(process)))

    def _started(self) -> "subprocess.Popen[str]":
        with self._said.open("a", encoding="utf-8") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "heartseg.benchmark.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                encoding="utf-8",
                env=self._environment,
            )


_HOME = str(Path(heartseg.__file__).parents[1])


def _asked(process: "subprocess.Popen[str]", job: Job) -> Row | None:
    """The worker's answer; None when it died before it gave one."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(job.to_json() + "\n")
        process.stdin.flush()
        row: Row = json.loads(process.stdout.readline())
    except (OSError, ValueError):
        return None
    return row


def _buried(process: "subprocess.Popen[str]") -> int:
    """How it ended; its pipes are closed, also where what was written last had no reader."""
    with suppress(BrokenPipeError):
        process.communicate()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    return process.wait()


def _death(code: int) -> str:
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    return (
        f"its process died {how}, for want of memory, by somebody's hand or by a fault of a "
        f"library; --resume goes on from its last checkpoint; see {SAID}"
    )
