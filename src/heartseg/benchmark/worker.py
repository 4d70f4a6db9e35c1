"""A worker process: `python -m heartseg.benchmark.worker`, started by `processes`.

Jobs arrive on standard input and rows leave on standard output, a JSON line each. When the input
ends, whoever gave the jobs is gone, and so is the worker, at once: nobody may find two processes
in one run's folder. Checkpoints are whole at any moment.
"""

import json
import os
import queue
import sys
import threading


def main() -> None:
    """Do jobs until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    from heartseg.benchmark.cell import Job, do

    while True:
        row = do(Job.from_json(jobs.get()))
        answers.write(json.dumps(dict(row)) + "\n")
        answers.flush()


def _listen(jobs: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
