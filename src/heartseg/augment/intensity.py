"""Intensity change: other scanners, coils and noise than those of the training images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.augment.draw import chosen, normal, smooth_field, uniform
from heartseg.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityChange:
    """How far intensities of about [0, 1] may change; 0 leaves them.

    Attributes:
        gamma: log of the exponent, plus or minus.
        contrast: log of the factor, plus or minus.
        brightness: added, plus or minus.
        bias_field: log of the smooth coil field, standard deviation.
        noise: standard deviation at most.
        blur: probability that the plane is smoothed (another resolution).
    """

    gamma: float = 0.4
    contrast: float = 0.25
    brightness: float = 0.1
    bias_field: float = 0.25
    noise: float = 0.05
    blur: float = 0.2

    def __post_init__(self) -> None:
        strengths = (self.gamma, self.contrast, self.brightness, self.bias_field, self.noise)
        if min(strengths) < 0 or not 0 <= self.blur <= 1:
            raise ConfigError("intensity", got=str(self), allowed="from 0; blur at most 1")


def change_intensity(planes: Tensor, change: IntensityChange, generator: torch.Generator) -> Tensor:
    """(n, 1, y, x) planes with other contrast, coil field, sharpness and noise."""
    count = len(planes)
    one = (count, 1, 1, 1)
    x = planes.clamp(0, 1) ** uniform(one, -change.gamma, change.gamma, generator).exp()
    field = smooth_field((count, 1, *planes.shape[-2:]), 3, generator)
    x = x * (field * change.bias_field).exp()
    x = x * uniform(one, -change.contrast, change.contrast, generator).exp()
    x = x + uniform(one, -1, 1, generator) * change.brightness
    smoothed = torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    x = torch.lerp(
        x, smoothed, chosen(count, change.blur, generator) * uniform(one, 0, 1, generator)
    )
    strength = uniform(one, 0, change.noise, generator)
    return x + strength * normal(tuple(planes.shape), generator)
