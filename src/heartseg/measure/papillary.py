"""Papillary muscles and trabeculae: the muscle inside the endocardial contour.

SCMR 2020 (Schulz-Menger et al., J Cardiovasc Magn Reson 2020;22:19) lets laboratories count them
as blood or as mass and asks them to say which. Here a voxel of the cavity is muscle when it is
darker than midway between blood and wall of its slice, over all frames: per slice, since the coil's
shading changes along the heart, and midway, where a sharp border lies in a blurred picture. What is
thinner than `THINNEST_MM` is trabecula or the blurred border itself, and stays in the cavity.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.image import Image, Segmentation
from heartseg.measure.volumes import with_scar_as_myocardium

FEWEST_VOXELS = 40
"""Of a slice's cavity or wall over all frames; with fewer the whole stack's brightness is used."""

THINNEST_MM = 4.0
"""Muscle inside the contour that is thinner than this is no papillary muscle."""

CONTRAST = 1.3
"""Blood at least this many times as bright as the wall: less is no bright-blood picture."""

Mask = NDArray[np.bool_]
_LV, _MYO = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM


def papillary_as_wall(segmentation: Segmentation, image: Image) -> Segmentation:
    """The segmentation with muscle inside the LV cavity named LV myocardium, in every frame.

    In a frame whose wall nobody drew it becomes background: it would be no wall's mass.
    """
    segmentation.geometry.require_mm("papillary muscle")
    labels = segmentation.labels.copy()
    muscles = papillary_muscles(image.voxels, labels, segmentation.geometry.spacing)
    for frame, muscle in zip(labels, muscles, strict=True):
        frame[muscle] = _MYO if (frame == _MYO).any() else Structure.BACKGROUND
    return segmentation.like(labels)


def papillary_muscles(
    voxels: NDArray[Any], labels: Labels, spacing_mm: tuple[float, float, float]
) -> Mask:
    """(t, z, y, x) voxels of the LV cavity that are papillary muscle.

    Nothing where blood is not clearly brighter than the wall.

    Args:
        voxels: (t, z, y, x) intensities, blood bright.
        labels: of the same frames; blood and wall are compared over all of them.
        spacing_mm: of the voxels.
    """
    from scipy.ndimage import binary_opening

    dark = _dark(voxels, labels)
    disc = _disc(spacing_mm[1:])
    for t, z in np.argwhere(dark.any(axis=(2, 3))):
        dark[t, z] = binary_opening(dark[t, z], disc)
    return dark


def _disc(spacing_mm: tuple[float, ...]) -> Mask:
    """Pixels within half of `THINNEST_MM` of the middle one, one to each side at least."""
    reach = THINNEST_MM / 2
    down, right = (max(1, int(reach / step + 1e-6)) for step in spacing_mm)
    y, x = np.ogrid[-down : down + 1, -right : right + 1]
    radius = max(reach, *spacing_mm)
    inside: Mask = np.hypot(y * spacing_mm[0], x * spacing_mm[1]) <= radius + 1e-6
    return inside


def _dark(voxels: NDArray[Any], labels: Labels) -> Mask:
    """Voxels of the cavity that are darker than midway between their slice's blood and wall."""
    walls = with_scar_as_myocardium(labels) == _MYO
    cavity = labels == _LV
    dark = np.zeros(labels.shape, bool)
    overall = _midway(voxels, cavity, walls)
    for z in np.flatnonzero(cavity.any(axis=(0, 2, 3))):
        inside, around = cavity[:, z], walls[:, z]
        enough = min(np.count_nonzero(inside), np.count_nonzero(around)) >= FEWEST_VOXELS
        midway = _midway(voxels[:, z], inside, around) if enough else overall
        if midway is not None:
            dark[:, z] = inside & (voxels[:, z] < midway)
    return dark


def _midway(voxels: NDArray[Any], cavity: Mask, wall: Mask) -> float | None:
    """Between the brightness of blood and wall; None where they are too alike."""
    if not cavity.any() or not wall.any():
        return None
    blood, muscle = (float(np.median(voxels[mask])) for mask in (cavity, wall))
    return 0.5 * (blood + muscle) if blood > CONTRAST * max(muscle, 0.0) else None
