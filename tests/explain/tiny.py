"""Networks built by hand whose answer depends on a known patch only, and bundles of tiny ones."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from heartseg.explain.asked import Asked

SIZE = (24, 32)
PATCH = (slice(8, 16), slice(16, 24))
LV, RV, MYO = 3, 1, 2
"""Channels, in the order of ACDC's numbers; 0 is the background."""


class PatchNetwork(nn.Module):
    """(n, 1, y, x) -> logits (n, 4, y, x) that look at the patch and nowhere else.

    Outside of it the background is certain; within it, the brighter the likelier is LV.
    """

    def __init__(self, gain: float = 8.0, base: float = 30.0) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 2, 1, bias=False)
        self.classes = nn.Conv2d(2, 4, 1)
        with torch.no_grad():
            self.features.weight.copy_(torch.tensor([1.0, 0.5]).view(2, 1, 1, 1))
            weight = torch.zeros(4, 2, 1, 1)
            weight[LV] = gain
            self.classes.weight.copy_(weight)
            self.classes.bias.copy_(torch.tensor([0.0, -9.0, -9.0, -0.4 * gain]))
        self.base = base

    def forward(self, pixels: Tensor) -> Tensor:
        inside = torch.zeros_like(pixels)
        inside[..., PATCH[0], PATCH[1]] = 1.0
        logits = self.classes(torch.relu(self.features(pixels * inside)))
        certain = torch.zeros_like(logits)
        certain[:, 0] = self.base
        out: Tensor = torch.where(inside > 0, logits, certain)
        return out


class ConstantNetwork(nn.Module):
    """The same certain logits wherever, whatever the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 2, 1)
        self.classes = nn.Conv2d(2, 4, 1)
        with torch.no_grad():
            self.classes.weight.zero_()
            self.classes.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 60.0]))

    def forward(self, pixels: Tensor) -> Tensor:
        out: Tensor = self.classes(torch.relu(self.features(pixels)))
        return out


class BalancedNetwork(nn.Module):
    """RV and background depend on the pixels, but log-odds of LV do not: exp of both sum to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 1, 1)
        self.classes = nn.Conv2d(1, 1, 1)
        with torch.no_grad():
            for one in (self.features, self.classes):
                one.weight.fill_(1.5)
                one.bias.zero_()  # type: ignore[union-attr]

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.classes(torch.relu(self.features(pixels)))
        rv, none = nn.functional.logsigmoid(x), nn.functional.logsigmoid(-x)
        return torch.cat([none, rv, torch.full_like(x, -40.0), torch.ones_like(x)], dim=1)


def grey(seed: int = 3, size: tuple[int, ...] = SIZE) -> Tensor:
    """(1, 1, *size) pixels, no two alike."""
    random = torch.Generator().manual_seed(seed)
    return 0.1 + 0.8 * torch.rand(1, 1, *size, generator=random)


def asked(
    network: nn.Module, score: Callable[[Tensor], Tensor], pixels: Tensor | None = None
) -> Asked:
    for weight in network.parameters():
        weight.requires_grad_(False)
    return Asked(network.eval(), grey() if pixels is None else pixels, score)
