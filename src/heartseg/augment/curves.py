"""Other contrasts than any scanner's: greys sent through curves that are drawn at random.

A network that has only seen one kind of contrast takes it for anatomy. Here each plane's greys go
through a curve of its own, drawn by chance and not rising: blood may become darker than muscle, and
what was one grey may come to look like two things. After it no grey means anything, and only where
greys differ is left to learn from. Curves that rise alone are those of Zhou 2019 (Models Genesis),
freer changes are what makes networks carry over to other kinds of image (Zhang 2020; Ouyang 2022).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from heartseg.augment.draw import chosen, uniform
from heartseg.core.errors import ConfigError

MOST_KNOTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """How often greys go through random curves, and how wild these are.

    Attributes:
        chance: probability that a plane's greys do.
        knots: greys, evenly from black to white, that become others by chance; between them the
            curve is straight. Two make a stretch or a negative, many leave little of the contrast.
    """

    chance: float = 0.75
    knots: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.chance <= 1 or not 2 <= self.knots <= MOST_KNOTS:
            allowed = f"chance in (0, 1], knots 2-{MOST_KNOTS}"
            raise ConfigError("intensity.curves", got=str(self), allowed=allowed)


def through_curves(planes: Tensor, curves: Curves, generator: torch.Generator) -> Tensor:
    """(n, channels, y, x) planes in about [0, 1] -> the same in [0, 1], some through a curve.

    All channels of a plane go through the same one. Every curve reaches from 0 to 1, so that
    contrast turns and moves but is not lost.

    Args:
        planes: greys beyond [0, 1] are cut off where a plane goes through a curve.
        curves: how often and how wild.
        generator: the run's randomness.
    """
    count, last = len(planes), curves.knots - 1
    drawn = uniform((count, curves.knots), 0, 1, generator)
    low, high = drawn.amin(1, keepdim=True), drawn.amax(1, keepdim=True)
    heights = (drawn - low) / (high - low).clamp(min=1e-6)
    place = planes.clamp(0, 1) * last
    below = place.floor().clamp(max=last - 1)
    at = below.long().flatten(1)
    start, end = heights.gather(1, at), heights.gather(1, at + 1)
    bent = torch.lerp(start, end, (place - below).flatten(1)).view_as(planes)
    return torch.where(chosen(count, curves.chance, generator) > 0, bent, planes)
