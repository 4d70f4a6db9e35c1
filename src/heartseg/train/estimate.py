"""How long a training would take on this machine, from a few of its steps on made-up images."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from heartseg.core.errors import InputError
from heartseg.train.budget import Speed, measured
from heartseg.train.data import PreparedFrame
from heartseg.train.run import build_task
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings

PLANES, PLANE_PX = 10, 256
FRAMES_A_STUDY = 2
"""End-diastole and end-systole, as most data sets hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a training takes.

    Attributes:
        device: "cpu" or "cuda".
        step_s: seconds of an optimiser step.
        validation_s: seconds of a validation of all its frames.
        validated_studies: so many; 0 where there are none, or the data set is not here.
        steps: of the run.
        minutes: of the run, without reading the data and without the export.
    """

    device: str
    step_s: float
    validation_s: float
    validated_studies: int
    steps: int
    minutes: float


def estimate(settings: RunSettings, root: Path, device: torch.device, seconds: float) -> Estimate:
    """Measure a few steps and one validated frame.

    Args:
        settings: of the run; its data are not read.
        root: folder of the RUN.toml.
        device: where it would compute.
        seconds: to measure for, at least three steps.

    Raises:
        ConfigError: settings that do not fit together.
        ModelError: weights to begin with that do not fit.
    """
    classes = len(settings.classes())
    made = [_frame(seed, classes, settings.preparation.field_px) for seed in (1, 2)]
    task = build_task(settings, made, made[:1], device, root)
    speed = measured(task, seconds)
    studies = _validated(settings, root)
    validation_s = speed.validation_s * FRAMES_A_STUDY * studies
    whole = Speed(speed.step_s, validation_s)
    schedule = settings.schedule
    if schedule.minutes is None:
        steps = schedule.steps
        minutes = whole.seconds(steps, schedule.validate_every) / 60
    else:
        steps = whole.steps_in(60 * schedule.minutes, schedule.validate_every)
        minutes = schedule.minutes
    return Estimate(
        device=device.type,
        step_s=speed.step_s,
        validation_s=validation_s,
        validated_studies=studies,
        steps=steps,
        minutes=minutes,
    )


def _frame(seed: int, classes: int, field_px: int) -> PreparedFrame:
    """Noise in which every class is."""
    random, side = np.random.default_rng(seed), min(PLANE_PX, field_px)
    shape = (PLANES, side, side)
    return PreparedFrame(
        patient=f"made-up-{seed}",
        phase=0,
        pixels=random.random(shape, dtype=np.float32),
        classes=random.integers(0, classes, shape, dtype=np.uint8),
    )


def _validated(settings: RunSettings, root: Path) -> int:
    try:
        return len(select(settings, root).validation)
    except InputError:
        return 0  # the data set is elsewhere
