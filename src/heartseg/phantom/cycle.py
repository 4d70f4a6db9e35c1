"""How the ventricles fill and empty over a heart beat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """The shape of the volume curve; phases run from 0 (end-diastole) to 1 (the next one).

    Ejection, early filling, diastasis and atrial kick follow each other as half cosine waves, so
    that the curve is smooth, 1 at phase 0 and 0 at `systole` only.

    Attributes:
        systole: phase of the smallest LV volume.
        rapid_end: phase at which early filling ends.
        kick_start: phase at which the atria contract.
        early_share: of the stroke volume that flows in early.
        kick_share: of the stroke volume that the atria add; the rest flows in diastasis.
        rv_delay: how much later than the LV the RV is smallest.
    """

    systole: float = 0.35
    rapid_end: float = 0.60
    kick_start: float = 0.82
    early_share: float = 0.68
    kick_share: float = 0.24
    rv_delay: float = 0.02

    def filling(self, phase: float) -> float:
        """Share of the LV stroke volume that is in the ventricle, 1 at ED, 0 at ES."""
        return self._filling(phase % 1.0, self.systole)

    def rv_filling(self, phase: float) -> float:
        """As `filling`, for the RV."""
        return self._filling(phase % 1.0, self.systole + self.rv_delay)

    def _filling(self, phase: float, systole: float) -> float:
        rest = 1.0 - self.early_share - self.kick_share
        return (
            1.0
            - _wave(phase, 0.0, systole)
            + self.early_share * _wave(phase, systole, self.rapid_end)
            + rest * _wave(phase, self.rapid_end - 0.05, self.kick_start + 0.05)
            + self.kick_share * _wave(phase, self.kick_start, 1.0)
        )

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Motion":
        """Draw a plausible one."""
        systole = rng.uniform(0.30, 0.40)
        kick = rng.uniform(0.15, 0.32)
        return cls(
            systole=systole,
            rapid_end=systole + rng.uniform(0.20, 0.28),
            kick_start=rng.uniform(0.78, 0.85),
            early_share=rng.uniform(0.90, 0.95) - kick,
            kick_share=kick,
            rv_delay=rng.uniform(0.0, 0.04),
        )


def phases(frames: int, start: float) -> NDArray[np.float64]:
    """Phase in [0, 1) of each frame of a cine that begins at phase `start`."""
    sampled: NDArray[np.float64] = (start + np.arange(frames) / frames) % 1.0
    return sampled


def _wave(phase: float, start: float, end: float) -> float:
    share = min(max((phase - start) / (end - start), 0.0), 1.0)
    return 0.5 - 0.5 * float(np.cos(np.pi * share))
