"""Augmentation by name: what the papers do to training images, as settings.

Each name has a spatial and an intensity part. Where a paper is silent, and where it contradicts
itself, stands in docs/explanation/preparation-of-the-papers.md.
"""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.augment.intensity import IntensityChange
from heartseg.augment.spatial import SpatialChange

SIDE = 256
"""Rows and columns that 001 and 003 train on: the whole plane, not a crop about the heart."""


def _spatial(
    *,
    resize_px: int = SIDE,
    chance: float = 1.0,
    rotation_degrees: float = 0.0,
    scaling: tuple[float, float] = (1.0, 1.0),
    shift_share: float = 0.0,
    elastic_px: float = 0.0,
    elastic_knots: int = 3,
) -> SpatialChange:
    """What is named, and nothing else, on whole planes."""
    return SpatialChange(
        size_px=SIDE,
        resize_px=resize_px,
        chance=chance,
        rotation_degrees=rotation_degrees,
        scaling=scaling,
        stretch=0.0,
        shift_px=0.0,
        shift_share=shift_share,
        flip=0.0,
        elastic_px=elastic_px,
        elastic_knots=elastic_knots,
        reverse=0.0,
    )


def _intensity(
    *,
    contrast: float = 0.0,
    brightness: float = 0.0,
    colour: float = 0.0,
    chance: float = 1.0,
    clahe: float = 0.0,
) -> IntensityChange:
    """What is named, and nothing else."""
    return IntensityChange(
        gamma=0.0,
        contrast=contrast,
        brightness=brightness,
        colour=colour,
        chance=chance,
        bias_field=0.0,
        noise=0.0,
        blur=0.0,
        clahe=clahe,
    )


SPATIAL: Mapping[str, SpatialChange] = MappingProxyType(
    {
        "heartseg": SpatialChange(),
        "none": _spatial(),
        # Thesis 001, section 3.4, the "augmented data" of tables 1-10.
        "thesis-001": _spatial(shift_share=0.2, scaling=(0.5, 2.0)),
        # Its listing: Resize 280, RandomCrop 256, ShiftScaleRotate(0.2, 0.2, 30) half of the time.
        "thesis-001-listing": _spatial(
            resize_px=280, chance=0.5, shift_share=0.2, scaling=(0.8, 1.2), rotation_degrees=30.0
        ),
        # Sinha 2020, section III-B.
        "sinha-2020": _spatial(rotation_degrees=90.0),
        # Ronneberger 2015, section 3.1; 004 names "changes in geometry" and gives no number.
        "unet-2015": _spatial(elastic_px=10.0),
        # Cicek 2016 in a plane: 4 voxels of standard deviation, a point every 32 voxels.
        "unet-3d-2016": _spatial(elastic_px=4.0, elastic_knots=SIDE // 32 + 1),
    }
)

INTENSITY: Mapping[str, IntensityChange] = MappingProxyType(
    {
        "heartseg": IntensityChange(),
        "none": _intensity(),
        "thesis-001": _intensity(),
        # RGBShift(25, 25, 25) and RandomBrightnessContrast(0.3, 0.3), each half of the time.
        "thesis-001-listing": _intensity(colour=25 / 255, brightness=0.3, contrast=0.3, chance=0.5),
        # CLAHE "randomly applied": how often is not said.
        "sinha-2020": _intensity(clahe=0.5),
        "unet-2015": _intensity(),
        "unet-3d-2016": _intensity(),
    }
)
