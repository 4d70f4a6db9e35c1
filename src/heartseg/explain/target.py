"""What is explained: a structure in a plane, or a measure of the whole heart.

**A structure.** The number is the mean log-odds, log p / (1 - p), of the structure over the pixels
that the network gave it in that plane. Seg-Grad-CAM (Vinogradova 2020) sums the structure's logits
over these pixels; log-odds do not change when all logits rise together, as no mask does then.

**A measure.** Masks have no slope, so volumes are soft: V = sum of the structure's probability
times the volume of a prepared voxel, over all slices of a frame. EF and its kind are made of the
soft volumes at end-diastole and end-systole, and the number of a plane is its part of

    sum over the frames f of (d measure / d V_f) * V_f

so that its gradient is the measure's own, in both frames. What moves a pixel by a step as large as
a hidden square (occlusion, integrated gradients) is told along this straight line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError, MeasureError, StudyError
from heartseg.core.study import Phases
from heartseg.measure.volumes import MYOCARDIAL_DENSITY_G_PER_ML

ED, ES = "ed", "es"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number made of soft volumes.

    Attributes:
        structure: whose volume.
        title: for people.
        unit: of the number; EF is in points, of which a whole is 100.
        phases: whose volumes it is made of.
        of: from those volumes in mL, in that order.
    """

    structure: Structure
    title: str
    unit: str
    phases: tuple[str, ...]
    of: Callable[..., Tensor]


def _same(volume: Tensor) -> Tensor:
    return volume


def _stroke(ed: Tensor, es: Tensor) -> Tensor:
    return ed - es


def _ejection_points(ed: Tensor, es: Tensor) -> Tensor:
    return 100 * (ed - es) / ed


def _grams(volume: Tensor) -> Tensor:
    return MYOCARDIAL_DENSITY_G_PER_ML * volume


_LV, _RV, _MYO = Structure.LV_CAVITY, Structure.RV_CAVITY, Structure.LV_MYOCARDIUM

MEASURES: Mapping[str, Measure] = {
    "lv_edv_ml": Measure(_LV, "LV end-diastolic volume", "mL", (ED,), _same),
    "lv_esv_ml": Measure(_LV, "LV end-systolic volume", "mL", (ES,), _same),
    "lv_sv_ml": Measure(_LV, "LV stroke volume", "mL", (ED, ES), _stroke),
    "lv_ef": Measure(_LV, "LV ejection fraction", "EF points", (ED, ES), _ejection_points),
    "lv_mass_g": Measure(_MYO, "LV mass", "g", (ED,), _grams),
    "rv_edv_ml": Measure(_RV, "RV end-diastolic volume", "mL", (ED,), _same),
    "rv_esv_ml": Measure(_RV, "RV end-systolic volume", "mL", (ES,), _same),
    "rv_sv_ml": Measure(_RV, "RV stroke volume", "mL", (ED, ES), _stroke),
    "rv_ef": Measure(_RV, "RV ejection fraction", "EF points", (ED, ES), _ejection_points),
}
"""By the keys of the report's findings."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is explained.

    Attributes:
        key: a structure's, e.g. `lv`, or a measure's, e.g. `lv_ef`.
        structure: the one, or that whose volume is measured.
        measure: None where the structure itself is explained.
    """

    key: str
    structure: Structure
    measure: Measure | None = None

    @property
    def title(self) -> str:
        """For people."""
        return self.structure.title if self.measure is None else self.measure.title

    @property
    def unit(self) -> str:
        """Of the number."""
        return "log-odds" if self.measure is None else self.measure.unit

    def channel(self, structures: tuple[Structure, ...]) -> int:
        """Of the structure among those of a model.

        Raises:
            ConfigError: the model was not taught it.
        """
        if self.structure not in structures:
            allowed = ", ".join(one.key for one in structures[1:])
            got = f"{self.key} of a model without {self.structure.title}"
            raise ConfigError("--target", got=got, allowed=f"{allowed}, or a measure of these")
        return structures.index(self.structure)

    def frames(self, phases: Phases | None) -> dict[str, int]:
        """The frame of each phase that the measure is made of.

        Raises:
            StudyError: the study has not both phases.
        """
        if self.measure is None:
            return {}
        es = None if phases is None else phases.es
        if (
            phases is not None
            and self.structure is Structure.RV_CAVITY
            and phases.rv_es is not None
        ):
            es = phases.rv_es
        known = {ED: None if phases is None else phases.ed, ES: es}
        lacking = [name for name in self.measure.phases if known[name] is None]
        if lacking:
            raise StudyError(
                f"--target {self.key}",
                got="a study without " + " and ".join(name.upper() for name in lacking),
                allowed="images of end-diastole and end-systole",
                do="give both frames, or name a structure",
            )
        return {name: frame for name in self.measure.phases if (frame := known[name]) is not None}


def target_of(key: str) -> Target:
    """The target that a key names.

    Raises:
        ConfigError: no such structure or measure.
    """
    if key in MEASURES:
        return Target(key, MEASURES[key].structure, MEASURES[key])
    structure = STRUCTURES_BY_KEY.get(key)
    if structure is None or structure is Structure.BACKGROUND:
        structures = [one for one in STRUCTURES_BY_KEY if one != Structure.BACKGROUND.key]
        allowed = f"a structure ({', '.join(structures)}) or a measure ({', '.join(MEASURES)})"
        raise ConfigError("--target", got=repr(key), allowed=allowed)
    return Target(key, structure)


def log_odds(logits: Tensor, channel: int) -> Tensor:
    """log p / (1 - p) of a structure: (k, classes, *size) -> (k, *size)."""
    others = [one for one in range(logits.shape[1]) if one != channel]
    odds: Tensor = logits[:, channel] - logits[:, others].logsumexp(1)
    return odds


def mean_log_odds(channel: int, mask: Tensor) -> Callable[[Tensor], Tensor]:
    """The score of a structure over the pixels of `mask` (*size) bool, at least one."""
    share = mask.to(torch.float32) / mask.sum()

    def score(logits: Tensor) -> Tensor:
        return (log_odds(logits, channel) * share).flatten(1).sum(1)

    return score


def soft_volume(channel: int, voxel_ml: float) -> Callable[[Tensor], Tensor]:
    """The score of a volume in mL: probability times the volume of a voxel, summed."""

    def score(logits: Tensor) -> Tensor:
        return logits.softmax(1)[:, channel].flatten(1).sum(1) * voxel_ml

    return score


@dataclass(frozen=True, slots=True)
class Slopes:
    """A measure of soft volumes, and how much it gains from each of them.

    Attributes:
        value: of the measure, in its unit.
        volumes_ml: soft volume by phase.
        of_phase: d value / d volume by phase, in the measure's unit a mL.
    """

    value: float
    volumes_ml: Mapping[str, float]
    of_phase: Mapping[str, float]


def slopes(measure: Measure, volumes_ml: Mapping[str, float]) -> Slopes:
    """The measure at these volumes.

    Raises:
        MeasureError: there is nothing at end-diastole to take a share of.
    """
    given = [
        torch.tensor(volumes_ml[name], dtype=torch.float64, requires_grad=True)
        for name in measure.phases
    ]
    value = measure.of(*given)
    if not torch.isfinite(value):
        raise MeasureError(measure.title, got="no volume at end-diastole")
    gradient = torch.autograd.grad(value, given)
    gained = dict(zip(measure.phases, map(float, gradient), strict=True))
    return Slopes(float(value.detach()), dict(volumes_ml), gained)
