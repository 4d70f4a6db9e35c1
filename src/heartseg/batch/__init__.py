"""Many studies: one after another, side by side, or on the machines of a cluster.

One that fails stops none of the others.
"""

from heartseg.batch.found import studies_at, tasks, unique_id
from heartseg.batch.many import rows_without_study, run
from heartseg.batch.plan import Outcome, Plan, Tally, Task

__all__ = [
    "Outcome",
    "Plan",
    "Tally",
    "Task",
    "rows_without_study",
    "run",
    "studies_at",
    "tasks",
    "unique_id",
]
