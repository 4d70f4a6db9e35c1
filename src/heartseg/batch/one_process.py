"""Studies one after another, in this process."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from heartseg.batch.found import Finder, tasks
from heartseg.batch.plan import Outcome, Plan
from heartseg.batch.worker import Worker


def one_after_another(plan: Plan) -> Iterator[Outcome]:
    """In the order of the tasks; while a study is written, the next one is computed already."""
    finder = Finder(plan)
    worker = Worker(plan, finder)
    with ThreadPoolExecutor(1) as writer:
        before: Future[Outcome] | None = None
        for task in tasks(plan, finder):
            computed = worker.computed(task)
            if before is not None:
                yield before.result()
            before = writer.submit(worker.written, computed)
        if before is not None:
            yield before.result()
