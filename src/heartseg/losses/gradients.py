"""Consistency of edges between two images whose contrast differs.

Normalised gradient fields (Haber and Modersitzki 2006) in the form of Ruehaak 2013: two images
agree where their edges lie at the same places and run the same way, whatever the grey values on
both sides. Here an edge may also change its sign, since blood that is bright in one kind of image
is dark in another.
"""

import torch
from torch import Tensor, nn

EDGE = 0.02
"""Change of intensity a pixel, of about [0, 1], below which a gradient counts as noise."""


def gradient_consistency(one: Tensor, other: Tensor, edge: float = EDGE) -> Tensor:
    """Mean of 1 - ((|g . h| + e^2) / (|g|_e |h|_e))^2 with |g|_e^2 = |g|^2 + e^2; in [0, 1).

    g and h are the gradients of the two images. 0 where both are flat, and where h is g or -g; an
    edge in one image alone costs |g|^2 / (|g|^2 + e^2), be it lost or invented.

    Args:
        one: (n, channels, y, x).
        other: the same shape.
        edge: e, see `EDGE`.
    """
    g, h = gradients(one), gradients(other)
    inner = (g * h).sum(2).abs() + edge**2
    lengths = (g.square().sum(2) + edge**2) * (h.square().sum(2) + edge**2)
    return (1 - inner.square() / lengths).mean()


def gradients(images: Tensor) -> Tensor:
    """(n, channels, y, x) -> (n, channels, 2, y - 2, x - 2): Sobel's change along y and x."""
    count, channels, rows, columns = images.shape
    smooth = torch.tensor([1.0, 2.0, 1.0], dtype=images.dtype, device=images.device) / 4
    change = torch.tensor([-0.5, 0.0, 0.5], dtype=images.dtype, device=images.device)
    kernels = torch.stack([change[:, None] * smooth, smooth[:, None] * change])[:, None]
    found = nn.functional.conv2d(images.reshape(-1, 1, rows, columns), kernels)
    return found.reshape(count, channels, 2, rows - 2, columns - 2)
