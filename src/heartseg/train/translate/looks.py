"""What a run shows on the way: images before and after, and what can be said of them in numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from heartseg.losses.gradients import gradient_consistency
from heartseg.train.task import Numbers
from heartseg.train.translate.distances import histogram_distance
from heartseg.train.translate.witness import Witness

Picture = NDArray[np.float32]


class Look(NamedTuple):
    """Images (n, channels, y, x) of one kind: as they are, translated, and back again."""

    before: Tensor
    after: Tensor
    back: Tensor | None = None


def numbers_of(source: Look, target: Look, truth: Tensor, witness: Witness | None) -> Numbers:
    """What these images say of a translation; none of it ranks one.

    `shown_histogram`: distance of the translations' intensities from the target's, and
    `untranslated_histogram` that of the source's own; `shown_edges`: how far edges moved;
    `shown_cycle`: mean absolute difference after there and back; `shown_dice`: of what a witness
    sees in the translations with the labels.

    Args:
        source, target: of each kind.
        truth: (n, y, x) classes of the source, or `IGNORED`.
        witness: where there is one.
    """
    theirs = target.before.cpu().numpy()
    found = {
        "shown_histogram": histogram_distance(source.after.cpu().numpy(), theirs),
        "untranslated_histogram": histogram_distance(source.before.cpu().numpy(), theirs),
        "shown_edges": gradient_consistency(source.before, source.after).item(),
    }
    if source.back is not None:
        found["shown_cycle"] = (source.back - source.before).abs().mean().item()
    if witness is not None and witness.sees("target"):
        dice = _dice(witness.seen(source.after), truth, witness.classes)
        found |= {"shown_dice": dice} if dice is not None else {}
    return found


def _dice(found: Tensor, truth: Tensor, classes: int) -> float | None:
    """Mean over the structures that were drawn; None where none was."""
    known = truth < classes
    each = []
    for label in range(1, classes):
        a, b = (found == label) & known, truth == label
        if b.any():
            each.append((2 * (a & b).sum() / (a.sum() + b.sum())).item())
    return float(np.mean(each)) if each else None


def rows_of(looks: Mapping[str, Look], most: int) -> dict[str, list[list[Picture]]]:
    """Planes (y, x) to draw, a row an image, by the kind of image: before, after, back.

    Args:
        looks: by kind.
        most: rows of each, evenly through what there is.
    """
    return {kind: _rows(look, most) for kind, look in looks.items()}


def _rows(look: Look, most: int) -> list[list[Picture]]:
    count = len(look.before)
    chosen = sorted({index * count // most for index in range(most)})
    stages = [one for one in look if one is not None]
    return [[_middle(one[index]) for one in stages] for index in chosen]


def _middle(channels: Tensor) -> Picture:
    """The slice itself, without its neighbours."""
    plane: Picture = channels[len(channels) // 2].detach().float().cpu().numpy()
    return plane
