"""How large hearts and tools are, by what the planes show."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heartseg.prepare.localise import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large things are in a kind of image, in millimetres.

    Attributes:
        pixel: distance of the pixels that methods see.
        field: of images without millimetres, the longer side is taken for this. It sizes tools
            (discs, reaches), never a measure.
        crop: (up, down, left, right) of the place of the ventricle: what methods see.
        largest: (y, x) half axes of the largest cavity, about its seed.
        smallest: radius of the largest disc in the smallest cavity.
        smooth: standard deviation of the filter against noise.
        round: least share of the circle about it that a cavity fills.
    """

    pixel: float
    field: float
    crop: tuple[float, float, float, float]
    largest: tuple[float, float]
    smallest: float
    smooth: float
    round: float


SIZES: Mapping[Look, Sizes] = MappingProxyType(
    {
        "short-axis": Sizes(
            pixel=1.5,
            field=340.0,
            crop=(80.0, 80.0, 80.0, 80.0),
            largest=(42.0, 42.0),
            smallest=3.0,
            smooth=1.0,
            round=0.6,
        ),
        "apical": Sizes(
            pixel=1.0,
            field=160.0,
            crop=(65.0, 65.0, 50.0, 50.0),
            largest=(50.0, 30.0),
            smallest=5.0,
            smooth=2.0,
            round=0.3,
        ),
    }
)
"""Chosen on training patients (ACDC, CAMUS: number % 5 in 2, 3, 4)."""
