"""Two adversaries that a segmentation may be trained against: settings.

Paper 002 names adversarial training for robustness to other imaging conditions. One adversary
changes the images, so that small changes stop mattering; the other judges the masks, so that they
look like masks that somebody drew.
"""

from dataclasses import dataclass, field
from typing import Literal

from heartseg.core.errors import ConfigError
from heartseg.models.patch_discriminator import PatchDiscriminator


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbed:
    """A term of images that are changed by the network's own gradient, where it hurts most.

    Attributes:
        kind: `fgsm`: every pixel by `size`, up or down as the loss rises, and judged by the labels
            (Goodfellow 2015); `virtual`: in the direction in which the answer changes most, and
            judged by the answer to the image itself, no labels (Miyato 2018).
        size: of the change: of each pixel, or root mean square over the image; intensities are in
            about [0, 1].
        weight: of the term.
        rounds: of the search for the direction, each a pass there and back; `virtual` alone.
    """

    kind: Literal["fgsm", "virtual"] = "fgsm"
    size: float = 0.02
    weight: float = 1.0
    rounds: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.size <= 1 or not self.weight > 0 or self.rounds < 1:
            allowed = "size in (0, 1], weight above 0, rounds from 1"
            raise ConfigError("loss.perturbed", got=str(self), allowed=allowed)
        if self.kind == "fgsm" and self.rounds != 1:
            got = f"{self.rounds} rounds of fgsm"
            raise ConfigError("loss.perturbed.rounds", got=got, allowed="1: its sign is one step")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskJudge:
    """A term of masks that a discriminator takes for drawn ones (Luc 2016), least squares.

    It sees the probabilities of each structure, patch by patch, and no image. It learns beside the
    network, with an optimiser of its own, and is not kept with the model.

    Attributes:
        weight: of the term; small beside the others, which know what is where.
        warm_up: steps over which the weight rises from 0, until the masks look like some.
        rate: of the discriminator's learning, with Adam.
        discriminator: how wide, and how large a patch.
    """

    weight: float = 0.05
    warm_up: int = 500
    rate: float = 2e-4
    discriminator: PatchDiscriminator = field(
        default_factory=lambda: PatchDiscriminator(width=32, halvings=2)
    )

    def __post_init__(self) -> None:
        if not (self.weight > 0 and self.rate > 0) or self.warm_up < 0:
            allowed = "weight and rate above 0, warm_up from 0"
            raise ConfigError("loss.masks", got=str(self), allowed=allowed)
