"""A worker process: `python -m heartseg.benchmark.worker`, started by `processes`.

Jobs arrive on standard input and rows leave on standard output, a JSON line each. When the input
ends, whoever gave the jobs is gone, and so is the worker, at once: nobody may find two processes
in one run's folder. Checkpoints are whole at any moment.

What libraries keep after a run (buffers for every shape they have seen) adds up over a grid. A
worker that holds more than `MOST` after a run begins anew, and then hands over that run's row.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

MOST = 2 * 2**30
"""Bytes of memory in use: several times what a fresh worker takes for a small network."""


def main() -> None:
    """Do jobs until the input ends; an argument is a row to be handed over first."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    for row in sys.argv[1:]:
        _answer(answers, row)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    from heartseg.benchmark.cell import Job, do

    while True:
        row = json.dumps(dict(do(Job.from_json(jobs.get()))))
        if held() > MOST:
            begin_anew(answers, row)
        _answer(answers, row)


def held() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say so."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def begin_anew(answers: TextIO, row: str) -> None:
    """The same process with nothing in it. No job is lost: none comes before the row is told."""
    os.dup2(answers.fileno(), 1)
    os.execv(sys.executable, [sys.executable, "-m", "heartseg.benchmark.worker", row])


def _answer(answers: TextIO, row: str) -> None:
    answers.write(row + "\n")
    answers.flush()


def _listen(jobs: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
