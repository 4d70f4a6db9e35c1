"""Studies side by side, in processes of this machine."""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import chain, islice
from multiprocessing import get_context

from heartseg.batch.found import Finder
from heartseg.batch.plan import Outcome, Plan, Task
from heartseg.batch.worker import Worker, failed
from heartseg.core.errors import HeartsegError
from heartseg.report.study_folder import FINISHED

HANDED_OUT = 3
"""Tasks a process that are begun, wait, or are done before their turn. A thousand at once, or the
answers of a thousand that wait for a slow first one, would fill the memory."""


def side_by_side(plan: Plan, todo: Iterable[Task]) -> Iterator[Outcome]:
    """In the order of the tasks, but for those that wait for one whose process died."""
    rest = iter(todo)
    while ahead := list(islice(rest, 1)):
        rest = chain(ahead, rest)
        left = yield from _until_one_dies(plan, rest)
        # It was at work on one of the first of these: each has another try in a process of its own,
        # so that only the one to blame is lost. All others go on side by side, in a new pool.
        for task in left[: plan.jobs]:
            yield _with_report(plan, _alone(plan, task))
        rest = chain(left[plan.jobs :], rest)


def _until_one_dies(plan: Plan, rest: Iterator[Task]) -> Generator[Outcome, None, list[Task]]:
    """What gets done; returns what does not, for a process of the pool has died."""
    left: list[Task] = []
    pool = _pool(plan, plan.jobs)
    begun: deque[tuple[Task, Future[Outcome]]] = deque()
    try:
        while True:
            wanted = 0 if left else HANDED_OUT * plan.jobs - len(begun)
            for task in islice(rest, wanted):
                begun.append((task, _submit(pool, task)))
            if not begun:
                return left
            task, future = begun.popleft()
            try:
                outcome = future.result()
            except BrokenProcessPool:
                left.append(task)
            else:
                yield _with_report(plan, outcome)
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, task: Task) -> "Future[Outcome]":
    """A future that fails, rather than a fault here, where a process has just died."""
    try:
        return pool.submit(_continue, task)
    except BrokenProcessPool as fault:
        broken: Future[Outcome] = Future()
        broken.set_exception(fault)
        return broken


def _pool(plan: Plan, jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a forked child inherits the locks of the inference engine's threads.
    return ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (plan,))


def _alone(plan: Plan, task: Task) -> Outcome:
    with _pool(plan, 1) as pool:
        try:
            return pool.submit(_continue, task).result()
        except BrokenProcessPool:
            return failed(
                task.id,
                "its process died, for want of memory or by a fault of a library; "
                "try this study alone, with --jobs 1",
            )


def _with_report(plan: Plan, outcome: Outcome) -> Outcome:
    """Reports do not travel between processes; they are on the disk."""
    from heartseg.report.json_file import load_report

    if outcome.status == "failed":
        return outcome
    return replace(outcome, report=load_report(plan.out / outcome.id / FINISHED))


_worker: Worker | None = None


def _begin(plan: Plan) -> None:
    global _worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _worker = Worker(plan, Finder(plan), threads=max(1, _cores() // plan.jobs))


def _cores() -> int:
    """Those that this process may use; processes that fight over cores lose both."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _continue(task: Task) -> Outcome:
    if _worker is None:
        raise HeartsegError("worker", got="a task before it was set up")
    return replace(_worker.written(_worker.computed(task)), report=None)
