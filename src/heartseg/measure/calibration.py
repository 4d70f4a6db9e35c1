"""What makes intervals of looks, for one model: it travels with the model (`measure.intervals`).

Apart from what measures, since a model is made ready before anything is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np

from heartseg.core.errors import ConfigError

COVERS = "segmentation interval; reader and rescan variation not included"

KEYS = (
    *("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef", "lv_mass_g"),
    *("rv_edv_ml", "rv_esv_ml", "rv_sv_ml", "rv_ef"),
)
"""Findings with intervals of their own."""

MOST_LOOKS = 8
"""There are so many ways to turn and mirror a plane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """From the spread of a finding to half of its interval: times * sqrt(spread^2 + floor^2).

    Attributes:
        times: without a unit.
        floor: in the finding's unit.
    """

    times: float
    floor: float

    def __post_init__(self) -> None:
        for name, value in (("times", self.times), ("floor", self.floor)):
            if not (isfinite(value) and value > 0):
                raise ConfigError(f"intervals: {name}", got=f"{value:g}", allowed="above 0")

    def half(self, spread: float) -> float:
        """Half of the interval's length."""
        return self.times * float(np.hypot(spread, self.floor))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What makes intervals of looks, for one model; it travels with it.

    Attributes:
        level: share of patients whose drawn value shall lie within.
        looks: ways to look at the measured frames, the first of `heartseg.segment.frames`.
        temperature: that log-odds are divided by to be as sure as they are right (Guo 2017). It is
            told and changes nothing: volumes at tempered thresholds foretold errors no better.
        patients: that it was calibrated on.
        calibrated: how, one line.
        findings: by key, of `KEYS`.
    """

    level: float
    looks: int
    patients: int
    calibrated: str
    findings: Mapping[str, Width]
    temperature: float = 1.0

    def __post_init__(self) -> None:
        for name, wrong, got, allowed in (
            ("level", not 0.5 <= self.level < 1, f"{self.level:g}", "0.5 up to below 1"),
            (
                "looks",
                not 1 <= self.looks <= MOST_LOOKS,
                str(self.looks),
                f"1 to {MOST_LOOKS}",
            ),
            ("temperature", not 0.05 <= self.temperature <= 20, f"{self.temperature:g}", "0.05-20"),
            (
                "findings",
                not set(self.findings) <= set(KEYS),
                ", ".join(self.findings)[:200],
                ", ".join(KEYS),
            ),
        ):
            if wrong:
                raise ConfigError(f"intervals: {name}", got=got, allowed=allowed)

    @property
    def covers(self) -> str:
        """`90 % segmentation interval; ...`, for the report."""
        return f"{100 * self.level:.0f} % {COVERS}"
