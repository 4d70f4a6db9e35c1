"""What a method is asked: a network, the pixels it sees, and the number to explain."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from heartseg.core.errors import ConfigError

Score = Callable[[Tensor], Tensor]
"""Logits (k, classes, *size) -> a number each, (k,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One plane (or volume) that a network sees, and what of its answer is to be explained.

    Attributes:
        network: in evaluation mode, (k, channels, *size) -> logits (k, classes, *size).
        pixels: (1, channels, *size) prepared grey in [0, 1]; size is (y, x), or (z, y, x) for
            volumes. Of several channels, a slice with its neighbours, a map tells of each place
            what all of them do there together.
        score: from the logits to the number.
    """

    network: nn.Module
    pixels: Tensor
    score: Score

    def __call__(self, pixels: Tensor) -> Tensor:
        """The number for other pixels (k, channels, *size): (k,)."""
        return self.score(self.network(pixels))

    @property
    def leaf(self) -> Tensor:
        """The pixels as what a gradient is taken by."""
        return self.pixels.detach().requires_grad_()

    @property
    def size(self) -> tuple[int, ...]:
        """(y, x), or (z, y, x)."""
        return tuple(self.pixels.shape[2:])

    @property
    def blank(self) -> Tensor:
        """The pixels with nothing to see: all of them at their mean.

        A network was never shown it, and no other choice is better: black is anatomy too (air).
        """
        return self.pixels.mean() * self.pixels.new_ones(self.pixels.shape)


def of_places(map_: Tensor) -> Tensor:
    """What the channels (1, channels, *size) do at each place together: (*size), their sum."""
    return map_[0].sum(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of the methods; each uses those that are named after it.

    Attributes:
        smoothgrad_samples: noisy copies whose gradients are averaged.
        smoothgrad_noise: standard deviation of the noise, in grey of the prepared 0 to 1.
        integrated_steps: points between the blank and the image.
        occlusion_patch_px: side of the square that is hidden, in prepared pixels.
        occlusion_step_px: from one hidden square to the next.
        layer: of Grad-CAM: "bottleneck", "decoder" (the last features before the classes), or a
            module's name as `heartseg networks NAME` lists them.
        turns: 4 or 8 ways to look, of turn-disagreement.
        at_once: copies that a network is shown at a time.
        seed: of all that is random.
    """

    smoothgrad_samples: int = 16
    smoothgrad_noise: float = 0.1
    integrated_steps: int = 16
    occlusion_patch_px: int = 16
    occlusion_step_px: int = 16
    layer: str = "decoder"
    turns: int = 4
    at_once: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            *("smoothgrad_samples", "integrated_steps", "occlusion_patch_px"),
            *("occlusion_step_px", "at_once"),
        ):
            if getattr(self, name) < 1:
                raise ConfigError(name, got=str(getattr(self, name)), allowed="1 or more")
        if self.occlusion_step_px > self.occlusion_patch_px:
            got = f"{self.occlusion_step_px} px between patches of {self.occlusion_patch_px}"
            raise ConfigError("occlusion_step_px", got=got, allowed="no more than the patch")
        if not 0 < self.smoothgrad_noise <= 1:
            got = f"{self.smoothgrad_noise}"
            raise ConfigError("smoothgrad_noise", got=got, allowed="above 0, up to 1")
        if self.turns not in (4, 8):
            raise ConfigError("turns", got=str(self.turns), allowed="4 or 8")
        if not 0 <= self.seed < 2**63:
            raise ConfigError("seed", got=str(self.seed), allowed="0 or more")
