"""The two ways to translate, and what is asked of the anatomy: settings, each with its paper's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from heartseg.core.errors import ConfigError
from heartseg.losses.gradients import EDGE

Kind = Literal["source", "target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleGAN:
    """Two generators, there and back again (Zhu 2017). Weights of the terms; 0 leaves one out.

    Attributes:
        adversarial: of being taken for the other kind.
        cycle: of coming back as one was: mean absolute difference.
        identity: of staying as one is where one is of the other kind already; Zhu used it for
            paintings alone. A residual generator, which changes nothing to begin with, is held
            there by it: what is lost by a small change outweighs what a discriminator says.
        edges: of keeping one's edges, see `heartseg.losses.gradients`.
        edge: change of intensity a pixel below which a gradient is noise, for `edges`.
        history: images that a discriminator is shown again; 0 shows new ones only.
    """

    adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 0.0
    edges: float = 0.0
    edge: float = EDGE
    history: int = 50

    def __post_init__(self) -> None:
        _require_weights(
            "cyclegan", self.adversarial, (self.cycle, self.identity, self.edges), self.edge
        )
        if self.history < 0:
            raise ConfigError("cyclegan.history", got=str(self.history), allowed="from 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class FastCUT:
    """One generator, held to the place of every patch (Park 2020). Weights of the terms.

    Attributes:
        adversarial: of being taken for the other kind.
        contrast: of knowing each patch by its place in the input. The paper's 10 holds a residual
            generator where it begins; 1 lets it go.
        identity: the same of images that are of the other kind already; 1, with a `contrast` of 1
            and no `flip`, is the paper's CUT.
        edges: of keeping one's edges, see `heartseg.losses.gradients`.
        edge: change of intensity a pixel below which a gradient is noise, for `edges`.
        patches: of each level, drawn anew every step.
        size: of the vectors that patches are compared by.
        temperature: of the contrast.
        flip: every other step the generator sees a mirrored image and must answer with it.
    """

    adversarial: float = 1.0
    contrast: float = 10.0
    identity: float = 0.0
    edges: float = 0.0
    edge: float = EDGE
    patches: int = 256
    size: int = 256
    temperature: float = 0.07
    flip: bool = True

    def __post_init__(self) -> None:
        _require_weights(
            "fastcut", self.adversarial, (self.contrast, self.identity, self.edges), self.edge
        )
        if self.patches < 2 or self.size < 1 or self.temperature <= 0:
            got = f"{self.patches} patches, size {self.size}, temperature {self.temperature}"
            allowed = "2 patches or more, size from 1, temperature above 0"
            raise ConfigError("fastcut", got=got, allowed=allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """A segmenter that has to see the same anatomy before and after; one of the two kinds.

    What is seen after is judged by the labels where the source has some, else by what the segmenter
    saw before, if it knows that kind of image.

    Attributes:
        frozen: name of a shipped model, or folder of a bundle relative to the RUN.toml, whose
            weights stay as they are.
        sees: the kinds of image that it knows. Of the others it is not asked.
        joint: a `[model]` table of a network that learns on the way, from the source's labels on
            the source's images and on their translations.
        joint_rate: of its learning, with AdamW.
        weight: of the term.
        warm_up: steps over which the weight rises from 0, until what is seen means something.
    """

    frozen: str | None = None
    sees: tuple[Kind, ...] = ("source", "target")
    joint: Mapping[str, Any] | None = None
    joint_rate: float = 1e-3
    weight: float = 1.0
    warm_up: int = 0

    def __post_init__(self) -> None:
        if (self.frozen is None) == (self.joint is None):
            got = "neither" if self.frozen is None else "both"
            raise ConfigError("anatomy", got=got, allowed="one of frozen and joint")
        if not self.sees or len(set(self.sees)) < len(self.sees):
            raise ConfigError("anatomy.sees", got=str(self.sees), allowed="source, target or both")
        if self.joint is not None and set(self.sees) != {"source", "target"}:
            do = "leave it out: a joint network learns both kinds"
            raise ConfigError("anatomy.sees", got=str(self.sees), do=do)
        if self.weight <= 0 or self.joint_rate <= 0 or self.warm_up < 0:
            allowed = "weight and joint_rate above 0, warm_up from 0"
            raise ConfigError("anatomy", got=str(self), allowed=allowed)


def _require_weights(
    where: str, adversarial: float, others: tuple[float, ...], edge: float
) -> None:
    if adversarial <= 0 or min(others) < 0 or edge <= 0:
        got = f"adversarial {adversarial}, {', '.join(map(str, others))}, edge {edge}"
        raise ConfigError(where, got=got, allowed="adversarial and edge above 0, others from 0")
