"""What every network description offers."""

from typing import ClassVar, Protocol

from torch import nn


class Architecture(Protocol):
    """A frozen dataclass whose fields are the network's settings."""

    paper: ClassVar[str]

    @property
    def stride(self) -> int:
        """Rows and columns of the input must be multiples of this."""
        ...

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights: (n, channels, y, x) -> logits (n, classes, y, x)."""
        ...
