"""Intensity change: other scanners, coils and noise than those of the training images."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.augment.clahe import LEVELS, MOST_TILES, equalise
from heartseg.augment.curves import Curves, through_curves
from heartseg.augment.draw import chosen, normal, smooth_field, uniform
from heartseg.augment.presets import INTENSITY
from heartseg.core.errors import ConfigError
from heartseg.formats.brightness import WEIGHTS


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityChange:
    """How far intensities of about [0, 1] may change; 0 leaves them.

    Attributes:
        gamma: log of the exponent, plus or minus.
        contrast: log of the factor, plus or minus.
        brightness: added, plus or minus.
        colour: what is added to red, green and blue, each plus or minus; a plane in grey sees
            their mean by the weights of brightness, so it becomes a little lighter or darker.
        chance: probability that gamma, contrast and brightness change, and apart from
            these colour.
        bias_field: log of the smooth coil field, standard deviation.
        noise: standard deviation at most.
        blur: probability that the plane is smoothed (another resolution).
        clahe: probability that contrast is evened out first (CLAHE; `preparation.clahe` does it
            always, at inference too).
        clahe_tiles: of it, along each axis.
        clahe_clip: of it: a grey value counts as at most so many times its even share.
        curves: greys through random curves before anything else, contrasts that no scanner makes;
            none for none.
    """

    gamma: float = 0.4
    contrast: float = 0.25
    brightness: float = 0.1
    colour: float = 0.0
    chance: float = 1.0
    bias_field: float = 0.25
    noise: float = 0.05
    blur: float = 0.2
    clahe: float = 0.0
    clahe_tiles: int = 8
    clahe_clip: float = 2.0
    curves: Curves | None = None

    def __post_init__(self) -> None:
        tones = (self.gamma, self.contrast, self.brightness, self.colour)
        shares = (self.chance, self.blur, self.clahe)
        if min(*tones, self.bias_field, self.noise) < 0 or min(shares) < 0 or max(shares) > 1:
            allowed = "from 0; chance, blur and clahe at most 1"
            raise ConfigError("intensity", got=str(self), allowed=allowed)
        if not 1 <= self.clahe_tiles <= MOST_TILES or not 1 <= self.clahe_clip <= LEVELS:
            allowed = f"1-{MOST_TILES} clahe_tiles, clahe_clip from 1 to {LEVELS}"
            raise ConfigError("intensity", got=str(self), allowed=allowed)

    @classmethod
    def presets(cls) -> Mapping[str, "IntensityChange"]:
        """What a table of settings may start from, by `preset = "..."`."""
        return {name: cls(**settings) for name, settings in INTENSITY.items()}


def change_intensity(planes: Tensor, change: IntensityChange, generator: torch.Generator) -> Tensor:
    """(n, channels, y, x) planes with other contrast, coil field, sharpness and noise.

    All channels of a plane change alike, but for the noise, which is every slice's own.
    """
    count = len(planes)
    one = (count, 1, 1, 1)
    if change.curves is not None:
        planes = through_curves(planes, change.curves, generator)
    if change.clahe > 0:
        evened = equalise(planes, change.clahe_tiles, change.clahe_clip)
        planes = torch.where(chosen(count, change.clahe, generator) > 0, evened, planes)
    tone = _hit(count, change, generator)
    exponent = (uniform(one, -change.gamma, change.gamma, generator) * tone).exp()
    x = planes.clamp(0, 1) ** exponent
    field = smooth_field((count, 1, *planes.shape[-2:]), 3, generator)
    x = x * (field * change.bias_field).exp()
    x = x * (uniform(one, -change.contrast, change.contrast, generator) * tone).exp()
    x = x + uniform(one, -1, 1, generator) * change.brightness * tone
    if change.colour > 0:
        x = x + _grey_of_colour(count, change, generator)
    x = _blurred(x, chosen(count, change.blur, generator) * uniform(one, 0, 1, generator))
    strength = uniform(one, 0, change.noise, generator)
    return x + strength * normal(tuple(planes.shape), generator)


def _blurred(planes: Tensor, shares: Tensor) -> Tensor:
    """Planes (n, c, y, x), each by its share (n, 1, 1, 1) the mean of its neighbours."""
    some = shares.flatten().nonzero()[:, 0]  # few: the others cost nothing
    sharp = planes[some]
    smooth = torch.nn.functional.avg_pool2d(sharp, 3, stride=1, padding=1, count_include_pad=False)
    return planes.index_copy(0, some, torch.lerp(sharp, smooth, shares[some]))


def _hit(count: int, change: IntensityChange, generator: torch.Generator) -> Tensor | float:
    """(n, 1, 1, 1) of 1.0 where the change happens, else 0.0; a certain one draws nothing."""
    return chosen(count, change.chance, generator) if change.chance < 1 else 1.0


def _grey_of_colour(count: int, change: IntensityChange, generator: torch.Generator) -> Tensor:
    """(n, 1, 1, 1): what three shifts of red, green and blue are in grey (Eq. 3.1 of 001)."""
    shifts = uniform((count, 3), -change.colour, change.colour, generator)
    grey = (shifts * torch.tensor(WEIGHTS, device=shifts.device)).sum(1).view(count, 1, 1, 1)
    return grey * _hit(count, change, generator)
