"""U-Net++ as published (Zhou and others 2018; thesis 001, Fig. 15): nested, supervised, prunable.

Node (i, j) stands at level i, j steps along the skip pathway; it sees all earlier nodes of its
level and the node below, up-sampled. The nodes (0, j) of the finest level each have an output. All
are trained, so that at inference the network may be cut to a smaller j: `pruned_to` leaves out
every node with i + j beyond it, and what is left gives that output as the whole network would.

Axes: n planes, c channels, y rows, x columns.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture
from heartseg.models.plain import double_convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedUNet(Architecture):
    """How wide, and how much of it is used.

    Attributes:
        widths: channels of each level, finest first.
        pruned_to: the output that is given, 1 to the number of poolings; smaller is faster. The
            weights of a whole network fit a pruned one by name.
        supervised: in training, the outputs before it are given too.
    """

    paper: ClassVar[str] = "Zhou 2018, U-Net++ with deep supervision"

    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    pruned_to: int = 4
    supervised: bool = True

    def __post_init__(self) -> None:
        most = len(self.widths) - 1
        if most < 1 or min(self.widths) < 1:
            raise ConfigError("widths", got=str(self.widths), allowed="at least two levels")
        if not 1 <= self.pruned_to <= most:
            raise ConfigError("pruned_to", got=str(self.pruned_to), allowed=f"1 to {most}")

    @property
    def stride(self) -> int:
        """2 for each pooling that is left."""
        return int(2**self.pruned_to)

    @property
    def smallest_size(self) -> tuple[int, ...]:
        """At least two pixels along each axis at the deepest level, for its batch statistics."""
        return (2 * self.stride,) * 2

    @property
    def deployed(self) -> "NestedUNet":
        """With one output."""
        return replace(self, supervised=False)

    def build(self, channels: int, classes: int) -> nn.Module:
        """The network with fresh weights."""
        return _NestedUNet(self, channels, classes)


class _NestedUNet(nn.Module):
    def __init__(self, described: NestedUNet, channels: int, classes: int) -> None:
        super().__init__()
        self.depth = described.pruned_to
        widths = (*described.widths[: self.depth + 1],)
        nodes = {}
        for j in range(self.depth + 1):
            for i in range(self.depth + 1 - j):
                above = widths[i - 1] if i else channels
                inputs = j * widths[i] + widths[i + 1] if j else above
                nodes[f"{i}_{j}"] = double_convolution(inputs, widths[i])
        self.nodes = nn.ModuleDict(nodes)
        first = 1 if described.supervised else self.depth
        self.outputs = nn.ModuleDict(
            {str(j): nn.Conv2d(widths[0], classes, 1) for j in range(first, self.depth + 1)}
        )
        self.training_only = tuple(f"outputs.{j}." for j in range(first, self.depth))

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, ...]:
        rows: list[list[Tensor]] = []  # rows[i][j], (n, w, y/2^i, x/2^i)
        for i in range(self.depth + 1):
            above = nn.functional.max_pool2d(rows[-1][0], 2) if i else pixels
            rows.append([self.nodes[f"{i}_0"](above)])
        for j in range(1, self.depth + 1):
            for i in range(self.depth + 1 - j):
                below = nn.functional.interpolate(
                    rows[i + 1][j - 1], scale_factor=2.0, mode="bilinear", align_corners=True
                )
                rows[i].append(self.nodes[f"{i}_{j}"](torch.cat([*rows[i], below], dim=1)))
        wanted = reversed(list(self.outputs)) if self.training else (str(self.depth),)
        logits = tuple(self.outputs[j](rows[0][int(j)]) for j in wanted)  # (n, classes, y, x) each
        return logits if len(logits) > 1 else logits[0]
