"""What every network description offers, and which sizes of input a network can take."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

PerAxis = int | tuple[int, ...]
"""One number for every spatial axis, or one for each: (y, x) or (z, y, x)."""


class Architecture(Protocol):
    """A frozen dataclass whose fields are the network's settings.

    A description that inherits from this class says only what differs from a padded network for
    planes. Whatever it says may be a plain class attribute (`paper: ClassVar[str] = "..."`) or,
    where it depends on the settings, a property. Importing its module may import torch; the
    table (`heartseg.models.table`) does not.
    """

    @property
    def paper(self) -> str:
        """Who described it: "Name year", and what differs."""
        ...

    @property
    def stride(self) -> PerAxis:
        """Legal sizes of an axis are this far apart, `smallest_size` being the first."""
        ...

    def build(self, channels: int, classes: int) -> "nn.Module":
        """The network with fresh weights from torch's global generator.

        (n, channels, *size) -> logits (n, classes, *size less the margins). No sigmoid, no
        softmax: those belong to the loss and to the caller. A deeply supervised network returns
        in training a tuple of logits, the finest first, and one that `draws_edges` these and
        their borders, `RegionsAndEdges`; in evaluation always the finest alone.
        Weights that only training uses begin with one of its `training_only`, a tuple of text.
        """
        ...

    @property
    def deployed(self) -> "Architecture":
        """What a bundle says of the network: without what served its training alone."""
        return self

    @property
    def draws_edges(self) -> bool:
        """True when it answers in training with borders too, to be judged by `loss.edges`."""
        return False

    @property
    def dimensions(self) -> int:
        """2 for planes (y, x), 3 for volumes (z, y, x)."""
        return 2

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """The smallest input, (y, x) or (z, y, x); every larger one is strides away from it."""
        return per_axis(self.stride, self.dimensions)

    @property
    def smallest_batch(self) -> int:
        """Images that a training step needs at least; 2 where one pixel a channel is normalised."""
        return 1

    @property
    def margin(self) -> PerAxis:
        """Pixels that valid convolutions lose on each side; 0 for padded networks."""
        return 0

    @property
    def native_channels(self) -> int:
        """Channels of the input in the paper."""
        return 1

    @property
    def native_classes(self) -> int:
        """Channels of the output in the paper."""
        return 4

    @property
    def native_size(self) -> tuple[int, ...]:
        """Size of the input in the paper, (y, x) or (z, y, x)."""
        return (256,) * self.dimensions

    @property
    def free_export(self) -> bool:
        """True when an ONNX file made at one size answers at every legal size."""
        return True

    @property
    def overfit_steps(self) -> int:
        """Steps, at most 200, in which the loss on two images at least halves (contract test)."""
        return 60


def per_axis(value: PerAxis, dimensions: int) -> tuple[int, ...]:
    """A number for each spatial axis."""
    return (value,) * dimensions if isinstance(value, int) else value


def takes(described: Architecture, size: Sequence[int]) -> bool:
    """True when the network can be given an input of this size, (y, x) or (z, y, x)."""
    smallest = described.smallest_size
    strides = per_axis(described.stride, described.dimensions)
    return len(size) == len(smallest) and all(
        length >= least and (length - least) % stride == 0
        for length, least, stride in zip(size, smallest, strides, strict=True)
    )


def legal_size(described: Architecture, steps: Sequence[int]) -> tuple[int, ...]:
    """The size that lies so many strides above the smallest one, axis by axis."""
    strides = per_axis(described.stride, described.dimensions)
    triples = zip(described.smallest_size, strides, steps, strict=True)
    return tuple(least + stride * step for least, stride, step in triples)


def output_size(described: Architecture, size: Sequence[int]) -> tuple[int, ...]:
    """What is left of an input of this size."""
    margins = per_axis(described.margin, described.dimensions)
    return tuple(length - 2 * margin for length, margin in zip(size, margins, strict=True))
