"""Disturbances of grey values: noise, coil, motion, contrast and range; nothing changes its place.

Each is a pure function of an `Image`, and gives float32 voxels unless it says otherwise. `low` and
`high` stand for the smallest and largest grey value of the whole image.
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image


def noisy(image: Image, deviation: float, random: np.random.Generator) -> Image:
    """Rician noise: sqrt((v + a)^2 + b^2), a and b normal with this standard deviation.

    What a scanner makes of noise in the real and the imaginary part (Gudbjartsson and Patz, Magn
    Reson Med 1995;34:910). Signal to noise is the heart's mean grey value over `deviation`; what
    noise the image has already comes on top.
    """
    a, b = random.normal(0.0, deviation, (2, *image.voxels.shape))
    return _like(image, np.hypot(image.voxels + a, b))


def shaded(image: Image, ratio: float) -> Image:
    """The field of a surface coil: v * ratio^-(d - 1/2), d = 0 in one corner of the plane, 1 in the
    other.

    d is the mean of two half waves (1 - cos(pi s)) / 2, s = 0 to 1 along rows and columns. The
    brightest place shows `ratio` times the sensitivity of the darkest.
    """
    rows, columns = (_half_wave(size) for size in image.geometry.shape[1:])
    distance = (rows[:, None] + columns[None, :]) / 2
    return _like(image, image.voxels * ratio ** (0.5 - distance))


def _half_wave(size: int) -> NDArray[np.float64]:
    along = (np.arange(size) + 0.5) / size
    wave: NDArray[np.float64] = (1 - np.cos(np.pi * along)) / 2
    return wave


BREATHS = 8
"""Cycles of breathing while the lines of a plane are read."""


def breathing(image: Image, amplitude_mm: float) -> Image:
    """Ghosts: the chest moves along the rows while the lines of k-space are read one by one.

    Line k (cycles a pixel, -1/2 to 1/2 in the order of reading) is multiplied by
    exp(-2 pi i k s / dy) with the shift s = A sin(2 pi B k), B = `BREATHS`; the magnitude is shown.
    The middle line is read at rest, so that the heart stays where it was drawn.
    """
    rows, dy = image.geometry.shape[1], image.geometry.spacing[1]
    k = np.fft.fftfreq(rows)
    shift = amplitude_mm * np.sin(2 * np.pi * BREATHS * k) / dy
    moved = np.exp(-2j * np.pi * k * shift)[:, None]
    lines = np.fft.fft(image.voxels.astype(np.float64), axis=2) * moved
    return _like(image, np.abs(np.fft.ifft(lines, axis=2)))


def blurred(image: Image, deviation_mm: float) -> Image:
    """Smoothed in the plane by a Gaussian of this standard deviation, in millimetres."""
    from scipy.ndimage import gaussian_filter

    _, dy, dx = image.geometry.spacing
    widths = (0, 0, deviation_mm / dy, deviation_mm / dx)
    return _like(image, gaussian_filter(image.voxels.astype(np.float32), widths, mode="nearest"))


def toned(image: Image, exponent: float) -> Image:
    """Gamma: low + (high - low) ((v - low) / (high - low))^exponent."""
    low, high = _ends(image)
    return _like(image, low + (high - low) * ((image.voxels - low) / (high - low)) ** exponent)


def inverted(image: Image) -> Image:
    """A negative: low + high - v."""
    low, high = _ends(image)
    return _like(image, low + high - image.voxels.astype(np.float32))


def coarse(image: Image, levels: int) -> Image:
    """Low contrast: whole numbers from 0 to levels - 1, round((levels - 1)(v - low)/(high - low)).

    Stretching alone would undo low contrast; what stays of it are few grey values. uint8.
    """
    low, high = _ends(image)
    scaled = (levels - 1) * (image.voxels - low) / (high - low)
    return image.like(np.round(scaled).astype(np.uint8))


def saturated(image: Image, percentile: float) -> Image:
    """Clipped: min(v, this percentile of all grey values)."""
    most = np.percentile(image.voxels, percentile)
    return _like(image, np.minimum(image.voxels, most))


STRIPE_SHARE = 0.03
"""Of the columns, at least one; three times what the shipped model's upper percentile leaves out.
"""


def with_bright_stripe(image: Image, factor: float) -> Image:
    """Another range: the first columns show `factor` * high, as a burnt-in bar or a spike does.

    The upper percentile of preparation then lies in the stripe, and the heart becomes dark.
    """
    voxels = image.voxels.astype(np.float32)
    if factor > 0:
        wide = max(1, round(STRIPE_SHARE * voxels.shape[3]))
        voxels[..., :wide] = factor * _ends(image)[1]
    return image.like(voxels)


def _ends(image: Image) -> tuple[float, float]:
    return float(image.voxels.min()), float(image.voxels.max())


def _like(image: Image, voxels: NDArray[np.floating]) -> Image:
    return image.like(voxels.astype(np.float32))
