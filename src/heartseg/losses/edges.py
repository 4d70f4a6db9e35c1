"""The loss of borders: a network that draws them is judged by bands along those of the labels.

Axes: n planes or volumes, channels, then space: (y, x) or (z, y, x), written (...).
"""

import torch
from torch import Tensor, nn

from heartseg.losses.entropy import IGNORED


def edge_bands(truth: Tensor, classes: range, width_px: int) -> Tensor:
    """Where the borders of classes run: (n, channels, ...) uint8, 1 on one, 0 off it.

    A band runs along both sides of the line between a class and the rest: half of its width outside
    and half inside, or, of an odd width, one voxel more inside; so a width of 1 is the class's own
    outermost row. Distances go along rows and columns, the larger counts. The end of the image is
    no border, and next to what nobody annotated nothing is known: such voxels are `IGNORED`.

    Args:
        truth: (n, ...) class indices; `IGNORED` is no class.
        classes: of which there is a channel each.
        width_px: of a band, at least 1.
    """
    outside, inside = width_px // 2, width_px - width_px // 2
    unknown = truth == IGNORED
    bands = []
    for label in classes:
        there = (truth == label).float()
        grown, shrunk = _grown(there, outside), 1 - _grown(1 - there, inside)
        bands.append(grown - shrunk)
    found = torch.stack(bands, dim=1).to(torch.uint8)
    blurred = _grown(unknown.float(), inside) > 0
    return found.masked_fill(blurred[:, None], IGNORED)


def balanced_edge_loss(logits: Tensor, bands: Tensor) -> Tensor:
    """Mean over the channels of half -log s on the band and half -log(1 - s) off it; in [0, inf).

        L = mean_c (mean_on(-log s_c) + mean_off(-log(1 - s_c))) / 2,  s the sigmoid

    Borders are a few pixels in a hundred: unweighted, to draw none would be nearly right. Each side
    of a channel counts one half whatever its size, over the whole batch: the balance of Xie and Tu
    (2015), on one scale for every width. A side that is empty counts nothing, and its half goes to
    the other.

    Args:
        logits: (n, channels, ...).
        bands: the same shape, 1 on the border, 0 off it; `IGNORED` counts nowhere.
    """
    each = nn.functional.binary_cross_entropy_with_logits(
        logits, (bands == 1).to(logits), reduction="none"
    )
    axes = (0, *range(2, logits.ndim))
    sides = [(bands == side).to(logits) for side in (0, 1)]
    sizes = [side.sum(axes) for side in sides]
    means = [(each * side).sum(axes) / n.clamp(min=1) for side, n in zip(sides, sizes, strict=True)]
    there = [(n > 0).to(logits) for n in sizes]
    counted = (there[0] + there[1]).clamp(min=1)
    return ((means[0] + means[1]) / counted).mean()


def _grown(mask: Tensor, reach: int) -> Tensor:
    """(n, ...) of 0 and 1: 1 wherever there is a 1 within reach along each axis."""
    if reach == 0:
        return mask
    pool = nn.functional.max_pool2d if mask.ndim == 3 else nn.functional.max_pool3d
    return pool(mask[:, None], 2 * reach + 1, stride=1, padding=reach)[:, 0]
