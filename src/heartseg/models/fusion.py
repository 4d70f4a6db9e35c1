"""Attention that weighs edge features against region features (thesis 000).

The thesis names such a module and its abstract gives no formula. This one takes the two attentions
that users know, of channels (squeeze and excitation, Hu 2018; its two poolings, Woo 2018) and of
places (Woo 2018), adds them before one sigmoid (Park 2018), and lets the share that comes of it
choose between two features instead of scaling one (Dai 2021).

Axes: n planes, w channels of the region features R, k of the edge features E, y rows, x columns.
"""

import torch
from torch import Tensor, nn

KERNEL = 7
"""Of the attention to places, as in Woo 2018."""

FEWEST_HIDDEN = 4
"""Channels between the two layers of the attention to channels, where the region has few."""


class ChannelAttention(nn.Module):
    """Which channels matter in this image: what each holds, over all places.

        a(S) = W2 relu(W1 mean_yx(S)) + W2 relu(W1 max_yx(S))    (n, w, 1, 1)

    W1 goes from w to w / r channels and W2 back, the same for both poolings.

    Args:
        channels: w.
        reduction: r.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(FEWEST_HIDDEN, channels // reduction)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1)
        )

    def forward(self, both: Tensor) -> Tensor:
        """S (n, w, y, x) -> logits (n, w, 1, 1)."""
        mean, most = both.mean((2, 3), keepdim=True), both.amax((2, 3), keepdim=True)
        logits: Tensor = self.layers(mean) + self.layers(most)
        return logits


class SpatialAttention(nn.Module):
    """Which places matter: how much there is at each, over all channels, and around it.

    b(S) = conv7x7([mean_w(S); max_w(S)])    (n, 1, y, x)
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, KERNEL, padding=KERNEL // 2)

    def forward(self, both: Tensor) -> Tensor:
        """S (n, w, y, x) -> logits (n, 1, y, x)."""
        pooled = torch.cat([both.mean(1, keepdim=True), both.amax(1, keepdim=True)], dim=1)
        logits: Tensor = self.layer(pooled)
        return logits


class Fusion(nn.Module):
    """Region and edge features of one level as one: at each place and channel a share of each.

        P = relu(norm(conv1x1(E)))       (n, w, y, x)
        S = R + P                        (n, w, y, x)
        M = sigmoid(a(S) + b(S))         (n, w, y, x), by channel and by place
        F = (1 - M) R + M P              (n, w, y, x)

    M is the share of the edge features. As both shares add up to 1, an edge that is believed takes
    the place of what the region said there; it is not laid on top.

    Args:
        region: w, channels of the region features.
        edge: k, channels of the edge features.
        reduction: r of the attention to channels.
    """

    def __init__(self, *, region: int, edge: int, reduction: int) -> None:
        super().__init__()
        enter = nn.Conv2d(edge, region, 1, bias=False)
        nn.init.kaiming_normal_(enter.weight, nonlinearity="relu")
        self.enter = nn.Sequential(enter, nn.BatchNorm2d(region), nn.ReLU(inplace=True))
        self.of_channels = ChannelAttention(region, reduction)
        self.of_places = SpatialAttention()
        self.share = nn.Sigmoid()  # a module, so that the shares can be taken from it

    def forward(self, regions: Tensor, edges: Tensor) -> Tensor:
        """R (n, w, y, x) and E (n, k, y, x) -> F (n, w, y, x)."""
        entered = self.enter(edges)
        both = regions + entered
        share = self.share(self.of_channels(both) + self.of_places(both))
        fused: Tensor = regions + share * (entered - regions)
        return fused


def edge_shares(network: nn.Module, pixels: Tensor) -> tuple[Tensor, ...]:
    """How much edge features weigh: a map (n, 1, y/2^l, x/2^l) in [0, 1] a fusion, finest first.

    The mean of M over the channels. Nothing for a network that fuses nothing.

    Args:
        network: as `EdgeAttention.build` made it, in the mode it is to be explained in.
        pixels: (n, channels, y, x).
    """
    maps: list[Tensor] = []
    fusions = [module for module in network.modules() if isinstance(module, Fusion)]
    hooks = [
        one.share.register_forward_hook(lambda *call: maps.append(call[-1].mean(1, keepdim=True)))
        for one in fusions
    ]
    try:
        if fusions:
            network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(reversed(maps))
