"""Augmentation by name: what the papers do to training images, as settings.

Each name has a spatial and an intensity part: what is said beside the defaults, as a RUN.toml would
say it. Where a paper is silent, and where it contradicts itself, stands in
docs/explanation/preparation-of-the-papers.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Settings = Mapping[str, Any]
"""By the name of a field."""

SIDE = 256
"""Rows and columns that 001 and 003 train on: the whole plane, not a crop about the heart."""

STILL: Settings = MappingProxyType(
    {
        "size_px": SIDE,
        "resize_px": SIDE,
        "rotation_degrees": 0.0,
        "scaling": (1.0, 1.0),
        "stretch": 0.0,
        "shift_px": 0.0,
        "flip": 0.0,
        "elastic_px": 0.0,
        "elastic_knots": 3,
        "reverse": 0.0,
    }
)
"""Whole planes, of which nothing moves."""

UNCHANGED: Settings = MappingProxyType(
    {
        "gamma": 0.0,
        "contrast": 0.0,
        "brightness": 0.0,
        "bias_field": 0.0,
        "noise": 0.0,
        "blur": 0.0,
    }
)
"""No grey value changes."""

SPATIAL: Mapping[str, Settings] = MappingProxyType(
    {
        "heartseg": {},
        "none": STILL,
        # Thesis 001, section 3.4, the "augmented data" of tables 1-10.
        "thesis-001": {**STILL, "shift_share": 0.2, "scaling": (0.5, 2.0)},
        # Its listing: Resize 280, RandomCrop 256, ShiftScaleRotate(0.2, 0.2, 30) half of the time.
        "thesis-001-listing": {
            **STILL,
            "resize_px": 280,
            "chance": 0.5,
            "shift_share": 0.2,
            "scaling": (0.8, 1.2),
            "rotation_degrees": 30.0,
        },
        # Sinha 2020, section III-B.
        "sinha-2020": {**STILL, "rotation_degrees": 90.0},
        # Ronneberger 2015, section 3.1; 004 names "changes in geometry" and gives no number.
        "unet-2015": {**STILL, "elastic_px": 10.0},
        # Cicek 2016 in a plane: 4 voxels of standard deviation, a point every 32 voxels.
        "unet-3d-2016": {**STILL, "elastic_px": 4.0, "elastic_knots": SIDE // 32 + 1},
    }
)

INTENSITY: Mapping[str, Settings] = MappingProxyType(
    {
        "heartseg": {},
        "none": UNCHANGED,
        "thesis-001": UNCHANGED,
        # RGBShift(25, 25, 25) and RandomBrightnessContrast(0.3, 0.3), each half of the time.
        "thesis-001-listing": {
            **UNCHANGED,
            "colour": 25 / 255,
            "brightness": 0.3,
            "contrast": 0.3,
            "chance": 0.5,
        },
        # CLAHE "randomly applied": how often is not said.
        "sinha-2020": {**UNCHANGED, "clahe": 0.5},
        "unet-2015": UNCHANGED,
        "unet-3d-2016": UNCHANGED,
    }
)
