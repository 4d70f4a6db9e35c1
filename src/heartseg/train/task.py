"""What the loop asks of a task."""

from collections.abc import Mapping
from typing import Any, Protocol

Numbers = Mapping[str, float]


class Task(Protocol):
    """The whole interface between the loop and what is trained."""

    def step(self, rate: float) -> Numbers:
        """One optimiser step at `rate` times the task's own learning rate; what to log."""
        ...

    def validate(self) -> Numbers:
        """Scores of the present weights; "score" ranks checkpoints, more is better.

        Empty when there is nothing to validate on: then only the last checkpoint is kept.
        """
        ...

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on: weights, optimisers, random state."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become exactly the task that gave this state."""
        ...
