"""How fast a task is here, and how many steps fit into the minutes that there are."""

import time
from copy import deepcopy
from dataclasses import dataclass

from heartseg.train.schedule import Schedule
from heartseg.train.task import Task

WARM_UP_STEPS, LEAST_STEPS = 2, 3
PROBE_SHARE, LONGEST_PROBE_S = 0.05, 30.0
"""Of the budget, to find the speed out."""

RESERVE_SHARE = 0.02
"""Of the budget, for checkpoints and what else is not measured."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of a step and of a validation."""

    step_s: float
    validation_s: float

    def seconds(self, steps: int, validate_every: int) -> float:
        """Of so many steps with their validations."""
        return steps * self.step_s + -(-steps // validate_every) * self.validation_s

    def steps_in(self, seconds: float, validate_every: int) -> int:
        """The most steps that end in this time; at least one."""
        low, high = 1, max(1, int(seconds / max(self.step_s, 1e-9)))
        while low < high:
            middle = (low + high + 1) // 2
            if self.seconds(middle, validate_every) <= seconds:
                low = middle
            else:
                high = middle - 1
        return low


def measured(task: Task, seconds: float) -> Speed:
    """How fast a task is; it is afterwards as it was.

    Args:
        task: any; it takes a few steps and validates once.
        seconds: for the steps that are timed; at least three are taken.
    """
    before = deepcopy(task.state())
    for _ in range(WARM_UP_STEPS):  # kernels are chosen, memory is taken
        task.step(1.0)
    begin, done = time.perf_counter(), 0
    while done < LEAST_STEPS or time.perf_counter() - begin < seconds:
        task.step(1.0)
        done += 1
    stepped = time.perf_counter()
    task.validate()
    validated = time.perf_counter()
    task.restore(before)
    return Speed((stepped - begin) / done, validated - stepped)


def planned_steps(task: Task, schedule: Schedule) -> int:
    """Steps that end within `schedule.minutes`, the measuring of the speed included."""
    budget_s = 60 * (schedule.minutes or 0.0)
    begin = time.perf_counter()
    speed = measured(task, min(PROBE_SHARE * budget_s, LONGEST_PROBE_S))
    left_s = (1 - RESERVE_SHARE) * budget_s - (time.perf_counter() - begin)
    return speed.steps_in(left_s, schedule.validate_every)
