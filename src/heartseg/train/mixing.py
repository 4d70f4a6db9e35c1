"""Two labelled data sets in every batch: many images of one kind, and a few of another.

Drawn together, three patients among three hundred would be seen once in a hundred images. Here each
set has a share of every batch, however small it is. Both may be of other folders, layouts, schemes
and views; structures and preparation are the run's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.augment import SpatialChange
from heartseg.core.errors import ConfigError
from heartseg.core.study import View
from heartseg.train.batches import Batches
from heartseg.train.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Also:
    """Another data set to learn from, beside the run's own.

    Attributes:
        folder: data set, relative to the RUN.toml.
        scheme: what the numbers of its labels mean, where the data set does not say it.
        view: which image of each study.
        assume_view: take every image for one of `view`, whatever its name and header say.
        as_background: keys of its structures that are taken for background.
        taken_for: keys of its structures, and of those that they are taken for.
        train_on: parts of its split that train.
        share: of every batch, at least one image of either set.
        split: how its patients are divided; `split.patients` takes a few.
    """

    folder: str
    scheme: str | None = None
    view: View = View.SAX
    assume_view: bool = False
    as_background: tuple[str, ...] | None = None
    taken_for: Mapping[str, str] | None = None
    train_on: tuple[str, ...] = ("train",)
    share: float = 0.5
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ConfigError("also.share", got=str(self.share), allowed="between 0 and 1")


class Mixed:
    """Batches of two sets.

    Args:
        own: of the run's own data set, which also says how a network is shown an image.
        other: of the other one, for the same network.
        share: of the other.
    """

    def __init__(self, own: Batches, other: Batches, share: float) -> None:
        self._own, self._other, self._share = own, other, share
        self.device = own.device

    def draw(
        self,
        count: int,
        away: float,
        change: SpatialChange,
        classes: int,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Crops and truth of both, the run's own first.

        Raises:
            ConfigError: a batch of one, which cannot be shared.
        """
        if count < 2:
            raise ConfigError("learning.batch", got=str(count), allowed="2 or more for two sets")
        theirs = min(max(round(count * self._share), 1), count - 1)
        parts = [
            batches.draw(number, away, change, classes, generator)
            for batches, number in ((self._own, count - theirs), (self._other, theirs))
        ]
        crops, truth = (torch.cat(both) for both in zip(*parts, strict=True))
        return crops, truth

    def as_input(self, crops: Tensor) -> Tensor:
        """As the run's own."""
        return self._own.as_input(crops)

    def answered(self, network: nn.Module, slices: NDArray[np.float32]) -> Tensor:
        """As the run's own."""
        return self._own.answered(network, slices)


def mixed(own: Batches, others: Sequence[Batches], share: float) -> Batches:
    """The run's own batches, mixed with the other set's where there is one."""
    return Mixed(own, others[0], share) if others else own
