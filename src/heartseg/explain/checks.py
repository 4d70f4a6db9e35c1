"""Does a map show the network? Two checks, in the plane with most of the structure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.explain.asked import Asked, Settings
from heartseg.explain.deletion import Curves, Sure, plain_curves, with_map
from heartseg.explain.methods import OfAnswers, OfNetwork
from heartseg.explain.question import Piece
from heartseg.explain.randomisation import cascade
from heartseg.explain.similarity import rank_correlation, structural_similarity

MOST_ALIKE = 0.5
"""A map passes when its ranks with all weights shuffled correlate less than this with its own:
they then share less than a quarter of their variance. Chosen before any map was looked at."""


@dataclass(frozen=True, slots=True)
class Step:
    """The map after a step of the cascade, against the map of the trained network.

    Attributes:
        stage: shuffled last.
        rank_correlation: -1 to 1; None where a map is flat.
        similarity: SSIM.
    """

    stage: str
    rank_correlation: float | None
    similarity: float


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found of a method.

    Attributes:
        method: its name.
        steps: of the cascade, from the answer down to the pixels.
        curves: of deletion and insertion; None where the method does not say which pixels matter.
    """

    method: str
    steps: tuple[Step, ...]
    curves: Curves | None

    @property
    def depends_on_weights(self) -> bool:
        """The map changes when the network forgets all that it learnt."""
        last = self.steps[-1].rank_correlation
        return last is None or last < MOST_ALIKE

    @property
    def beats_plain_orders(self) -> bool | None:
        """Its pixels matter more than random, edge and bright ones; None where not asked."""
        return None if self.curves is None else self.curves.beats_all


def checked_methods(
    methods: Mapping[str, OfNetwork | OfAnswers],
    piece: Piece,
    channel: int,
    settings: Settings,
    *,
    plain: Curves | None = None,
) -> Iterator[Checked]:
    """Both checks of each method that one model is enough for.

    Args:
        methods: by name.
        piece: the plane, the number and the structure's pixels.
        channel: of the structure.
        settings: of the methods; the seed is that of the shuffling too.
        plain: curves of the orders that know nothing, where they are there already.
    """
    asked = piece.asked
    sure = sureness(asked.network, piece.mask, channel)
    for name, method in methods.items():
        if isinstance(method, OfAnswers) and method.fewest > 1:
            continue
        own, steps = cascaded(method, asked, channel, settings)
        found = None
        if isinstance(method, OfNetwork) and method.asks:
            plain = plain or plain_curves(asked.pixels, asked.blank, sure, seed=settings.seed)
            found = with_map(own, asked.pixels, asked.blank, sure, plain)
        yield Checked(name, steps, found)


def cascaded(
    method: OfNetwork | OfAnswers, asked: Asked, channel: int, settings: Settings
) -> tuple[NDArray[np.float32], tuple[Step, ...]]:
    """A method's map, and how alike it is to those of the network with more and more shuffled."""
    own = map_of(method, asked, channel, settings)
    steps = []
    for stage, network in cascade(asked.network, asked.pixels, settings.seed):
        other = map_of(method, replace(asked, network=network), channel, settings)
        steps.append(Step(stage, rank_correlation(own, other), structural_similarity(own, other)))
    return own, tuple(steps)


def map_of(
    method: OfNetwork | OfAnswers, asked: Asked, channel: int, settings: Settings
) -> NDArray[np.float32]:
    """A method's map (*size) on the prepared pixels."""
    if isinstance(method, OfNetwork):
        found: NDArray[np.float32] = method.function(asked, settings).cpu().numpy()
        return found
    with torch.no_grad():
        answer = asked.network(asked.pixels).softmax(1).cpu().numpy()
    return method.function(answer, channel)


def sureness(network: nn.Module, mask: Tensor, channel: int) -> Sure:
    """The mean probability of a structure over the pixels that the network gave it."""
    where = mask if mask.any() else torch.ones_like(mask)

    def sure(pixels: Tensor) -> Tensor:
        probabilities: Tensor = network(pixels).softmax(1)[:, channel]
        return probabilities[:, where].mean(1)

    return sure
