"""Occlusion: what the number loses when a square of the image is hidden (Zeiler & Fergus 2014).

O = score(pixels) - score(pixels with a square at the blank's grey), given to all pixels of the
square, and the mean of it where squares overlap. In a volume a square hides all slices at once,
and neighbouring slices that are shown with a plane are hidden with it.
"""

import torch
from captum.attr import Occlusion
from torch import Tensor

from heartseg.explain.asked import Asked, Settings


def occlusion(asked: Asked, settings: Settings) -> Tensor:
    """What the number loses (*size) when the pixels around are hidden, with its sign."""
    channels, *depth, rows, columns = asked.pixels.shape[1:]
    square = [min(settings.occlusion_patch_px, length) for length in (rows, columns)]
    step = [min(settings.occlusion_step_px, length) for length in square]
    with torch.no_grad():
        lost: Tensor = Occlusion(asked).attribute(
            asked.pixels,
            sliding_window_shapes=(channels, *depth, *square),
            strides=(channels, *depth, *step),
            baselines=asked.blank,
            perturbations_per_eval=settings.at_once,
        )
    return lost[0, 0]
