"""What a beating heart obeys from frame to frame."""

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.refine.pieces import box_of

FEWEST_FRAMES = 8
"""Fewer are no cine: end-diastole and end-systole may well differ in a slice."""


def no_flicker(labels: Labels) -> Labels:
    """Drop a structure from a slice where it shows up in one frame alone; labels (t, z, y, x).

    The heart moves through the basal slice for several frames, not for one. The first and last
    frame have one neighbour only and are left alone.
    """
    if len(labels) < FEWEST_FRAMES:
        return labels
    out = labels.copy()
    _, rows, columns = box_of(labels.reshape(-1, *labels.shape[2:]))
    heart = labels[:, :, rows, columns]
    for structure in np.unique(heart[heart > 0]).tolist():
        there = (heart == structure).any(axis=(2, 3))  # (t, z)
        alone = there[1:-1] & ~there[:-2] & ~there[2:]
        for frame, plane in np.argwhere(alone).tolist():
            shown = out[frame + 1, plane]
            shown[shown == structure] = Structure.BACKGROUND
    return out
