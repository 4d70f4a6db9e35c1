"""What a heart image may claim: sizes that fit in memory, spacings that a scanner can have."""

import math
from collections.abc import Sequence

from heartseg.core.errors import FormatError, GeometryError

MAX_BYTES = 4 * 2**30
"""More than any cardiac image needs (a 20-phase CT of 512 x 512 x 300 has 3.1 GB)."""

MAX_PIXELS = 2**26
"""Of one picture, 8192 x 8192: no screen shows more, and small files can claim it."""

MIN_SPACING_MM, MAX_SPACING_MM = 0.02, 50.0
"""Ultrasound pixels are 0.1 mm and more, short-axis slices rarely 20 mm apart."""

MIN_FRAME_MS, MAX_FRAME_MS = 1.0, 250.0
"""Time between the frames of a heart cycle; outside of it the unit is wrong or was never set."""

MAX_INFLATION = 200
"""A .zip or a deflated file that grows by more than this is a bomb; images stay below 20."""

DEFLATE_RATIO = 1032
"""No deflate stream grows by more than this (zlib's technical notes)."""


def require_memory(where: str, sizes: Sequence[int], item_bytes: int) -> int:
    """Bytes of an array of these sizes, checked before they are taken.

    Raises:
        FormatError: the header claims nothing, or more than `MAX_BYTES`.
    """
    if not sizes or min(sizes) < 1:
        raise FormatError(
            where, got=f"a grid of {_by(sizes)} voxels", allowed="at least one", do="export again"
        )
    total = math.prod(sizes) * item_bytes
    if total > MAX_BYTES:
        raise FormatError(
            where,
            got=f"a header that claims {_by(sizes)} voxels, {total / 2**30:.1f} GB",
            allowed=f"at most {MAX_BYTES / 2**30:.0f} GB",
            do="the header is damaged, or the image needs cropping to the heart first",
        )
    return total


def require_pixels(where: str, size: Sequence[int]) -> None:
    """Refuse a picture that is larger than any is, before it is decoded.

    Raises:
        FormatError: nothing claimed, or more than `MAX_PIXELS`.
    """
    require_memory(where, size, 1)
    if math.prod(size) > MAX_PIXELS:
        raise FormatError(
            where,
            got=f"a picture that claims {_by(size)} pixels",
            allowed=f"{MAX_PIXELS // 2**20} million",
            do="crop it to the heart, or export it again",
        )


def require_spacing(where: str, spacing_mm: Sequence[float]) -> None:
    """Refuse spacings that no scanner has.

    Raises:
        GeometryError: zero, not a number, or out of bounds.
    """
    if not all(MIN_SPACING_MM <= s <= MAX_SPACING_MM for s in spacing_mm):
        raise GeometryError(
            where,
            got="spacing " + " x ".join(f"{s:g}" for s in spacing_mm) + " mm",
            allowed=f"{MIN_SPACING_MM:g} to {MAX_SPACING_MM:g} mm",
            do="correct the header, or pass the true spacing with --spacing-mm",
        )


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes)) if sizes else "0"
