"""Pictures of judged images: before and after, with the labels' outlines and what was seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels
from heartseg.core.image import Image
from heartseg.measure.surfaces import surface
from heartseg.train.translate.judges import Judged
from heartseg.train.translate.pictures import GAP_PX, as_png

EXPECTED = (240, 200, 30)
"""Of the outlines where the labels have them."""

SEEN = (46, 143, 230)
"""Of the outlines that the target model sees."""

MAGNIFIED_PX = 220
"""Small planes are drawn larger, by a whole number, up to about so many columns."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of one image's worst frame.

    Attributes:
        study, frame: which.
        png: three planes side by side.
        rejected: why; empty where it is not.
        key: by which the worst come first; the smaller, the worse.
    """

    study: str
    frame: int
    png: bytes
    rejected: str
    key: float


def picture_of(before: Image, made: Image, judged: Judged) -> Shown:
    """The worst frame in the slice with most of the heart: before, after, after with both outlines.

    Args:
        before: the frames that were translated.
        made: their translation.
        judged: what was said of it.
    """
    line = min(judged.lines, key=lambda one: (not one.rejected, _goodness(one.dice_target)))
    frame = line.frame
    truth = None if judged.truth is None else judged.truth.labels[frame]
    z = _slice(truth, made.voxels.shape[1])
    grey = [_grey(image.voxels[frame, z]) for image in (before, made)]
    outlined = [_coloured(one) for one in (*grey, grey[1])]
    if truth is not None:
        for one in outlined:
            _draw(one, truth[z], EXPECTED)
    if judged.seen is not None:
        _draw(outlined[2], judged.seen.labels[frame, z], SEEN)
    key = _goodness(line.dice_target) - (10 if line.rejected else 0)
    return Shown(line.study, frame, as_png(_beside(outlined)), line.rejected, key)


def _goodness(dice: float | None) -> float:
    return 1.0 if dice is None else dice


def _slice(truth: Labels | None, slices: int) -> int:
    return slices // 2 if truth is None else int((truth > 0).sum(axis=(1, 2)).argmax())


def _grey(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = np.percentile(plane, (1, 99))
    share = (plane.astype(np.float32) - low) / max(float(high - low), 1e-6)
    grey: NDArray[np.uint8] = (share.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return grey


def _coloured(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = max(1, MAGNIFIED_PX // grey.shape[1])
    large = np.repeat(np.repeat(grey, factor, axis=0), factor, axis=1)
    return np.stack([large] * 3, axis=-1)


def _draw(picture: NDArray[np.uint8], labels: Labels, colour: tuple[int, int, int]) -> None:
    """The outline of each structure, one pixel of the magnified picture wide."""
    factor = picture.shape[1] // labels.shape[1]
    large = np.repeat(np.repeat(labels, factor, axis=0), factor, axis=1)
    for label in np.unique(large[large > 0]).tolist():
        picture[surface(large == label, (0, 1))] = colour


def _beside(planes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    height = planes[0].shape[0]
    gap = np.full((height, GAP_PX, 3), 255, np.uint8)
    parts = [part for plane in planes for part in (plane, gap)]
    return np.concatenate(parts[:-1], axis=1)
