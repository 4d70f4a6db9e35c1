"""How long a run takes, at what rate it learns, and when it stops before its end."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from heartseg.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long, and at what rate.

    Attributes:
        steps: optimiser steps in all.
        minutes: of the whole run, instead of `steps`: before the first step the speed is measured,
            and as many steps are planned as end in time, the warm-up being a tenth of them at
            most. The plan is kept with the run.
        shape: how the rate goes on after the warm-up. `cosine`: half a cosine to 0; `constant`;
            `polynomial`: (1 - step / steps) to a `power`; `linear`: at its height for the share
            `flat` of the steps, then straight down to 0 (Zhu 2017); `step`: times `drop_to` after
            every `drop_every` steps; `plateau`: times `drop_to` after `plateau` validations without
            a better score.
        power: of `polynomial`.
        flat: of `linear`.
        drop_every: of `step`.
        plateau: of `plateau`.
        drop_to: of `step` and `plateau`.
        patience: validations without a better score after which the run ends; `none` never.
        warm_up: steps over which the rate rises to its full height.
        validate_every: steps between validations; each also writes the last checkpoint.
        log_every: steps between lines of the log.
    """

    steps: int = 6000
    minutes: float | None = None
    shape: Literal["cosine", "constant", "polynomial", "linear", "step", "plateau"] = "cosine"
    power: float = 0.9
    flat: float = 0.5
    drop_every: int = 2000
    plateau: int = 5
    drop_to: float = 0.1
    patience: int | None = None
    warm_up: int = 100
    validate_every: int = 500
    log_every: int = 50

    def __post_init__(self) -> None:
        counts = (self.steps, self.validate_every, self.log_every, self.drop_every, self.plateau)
        patience = 1 if self.patience is None else self.patience
        if min(*counts, patience) < 1 or self.warm_up < 0:
            raise ConfigError("schedule", got=str(self), allowed="counts of at least 1")
        minutes = 1.0 if self.minutes is None else self.minutes
        if not (0 < minutes < math.inf and 0 < self.drop_to < 1 and 0 < self.power < math.inf):
            allowed = "minutes and power above 0, drop_to between 0 and 1"
            raise ConfigError("schedule", got=str(self), allowed=allowed)
        if not 0 <= self.flat < 1:
            raise ConfigError("schedule.flat", got=str(self.flat), allowed="a share in [0, 1)")

    @property
    def needs_scores(self) -> bool:
        """True when the run's course depends on validations."""
        return self.patience is not None or self.shape == "plateau"

    def planned(self, steps: int | None) -> Self:
        """The same over as many steps as time allows; None leaves it."""
        if steps is None:
            return self
        return replace(self, steps=steps, warm_up=min(self.warm_up, steps // 10))

    def rate(self, step: int, drops: int = 0) -> float:
        """Share of the learning rate at a step from 0.

        Args:
            step: linear warm-up first, then the shape.
            drops: of a plateau so far.
        """
        rising = min(1.0, (step + 1) / (self.warm_up + 1))
        if self.shape == "cosine":
            return rising * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        if self.shape == "polynomial":
            return rising * float((1 - step / self.steps) ** self.power)
        if self.shape == "linear":
            return rising * min(1.0, (1 - step / self.steps) / (1 - self.flat))
        falls = {"step": step // self.drop_every, "plateau": drops}.get(self.shape, 0)
        return rising * float(self.drop_to**falls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a run stands: all that its next step depends on besides the task.

    Attributes:
        step: steps done.
        best: highest score so far.
        waited: validations since it.
        stale: validations since it, or since the rate last dropped.
        drops: of the rate on a plateau.
        planned: steps in all, where time decided it.
        seconds: that the run has taken, all its parts together.
    """

    step: int = 0
    best: float = -math.inf
    waited: int = 0
    stale: int = 0
    drops: int = 0
    planned: int | None = None
    seconds: float = 0.0

    def after(self, score: float, schedule: Schedule) -> Self:
        """The course after a validation."""
        if score > self.best:
            return replace(self, best=score, waited=0, stale=0)
        dropped = schedule.shape == "plateau" and self.stale + 1 >= schedule.plateau
        return replace(
            self,
            waited=self.waited + 1,
            stale=0 if dropped else self.stale + 1,
            drops=self.drops + dropped,
        )

    def ended(self, schedule: Schedule) -> bool:
        """True when no step is left, or patience is."""
        impatient = schedule.patience is not None and self.waited >= schedule.patience
        return self.step >= schedule.steps or impatient

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it, besides `step` and `best`."""
        names = ("waited", "stale", "drops", "planned", "seconds")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> Self:
        """The course of a checkpoint; those from before there was one hold step and best alone."""
        known = checkpoint.get("course", {})
        return cls(step=int(checkpoint["step"]), best=float(checkpoint["best"]), **known)
