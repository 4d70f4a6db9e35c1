"""The picture: balanced steady-state free precession cine MR of a heart in a torso.

The painted scene's fat has negative sign (`Contrast`). The coil's shading multiplies; noise is
added to both channels; the part of k-space that was not acquired is left out, which blurs and rings
as in patients; the magnitude is shown, so the noise is Rician (Gudbjartsson 1995).
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.phantom.acquisition import Acquisition, Plane
from heartseg.phantom.contrast import Contrast
from heartseg.phantom.heart import Heart
from heartseg.phantom.scene import Scene, painted
from heartseg.phantom.shape import Array
from heartseg.phantom.torso import Torso

BLOOD = 400.0
"""Stored value of LV blood without shading."""


def render(
    heart: Heart,
    acquisition: Acquisition,
    *,
    torso: Torso | None = None,
    contrast: Contrast | None = None,
) -> Image:
    """The cine that a scanner would show: int16 (t, z, y, x), LV blood near `BLOOD`."""
    palette = (contrast or Contrast()).palette
    scene = Scene(heart, acquisition, torso or Torso(), palette)
    geometry = acquisition.geometry(heart)
    out = np.empty((acquisition.frames, *geometry.shape), np.int16)
    for one in painted(scene, geometry):
        shown = one.frames * _shading(scene, geometry, one.index)
        out[:, one.index] = _acquired(shown, acquisition, geometry, one.rng)
    return Image(out, geometry, acquisition.times_ms)


def _shading(scene: Scene, geometry: Geometry, index: int) -> Array:
    """Sensitivity of coils at chest and back, about 1 at the heart."""
    plane = Plane.at(geometry, index, np.zeros(3))
    whole = slice(0, geometry.shape[1]), slice(0, geometry.shape[2])
    position = scene.heart.position_mm
    points = plane.coordinates(*whole, np.float32)
    x, y, z = (values - place for values, place in zip(points, position, strict=True))
    front = np.exp(-np.sqrt((x - 20.0) ** 2 + (y + 95.0) ** 2 + (0.6 * z) ** 2) / 60.0)
    back = np.exp(-np.sqrt((x + 40.0) ** 2 + (y - 160.0) ** 2 + (0.6 * z) ** 2) / 70.0)
    field = 0.35 + 2.2 * front + 1.2 * back
    here = 0.35 + 2.2 * np.exp(-np.hypot(20.0, 95.0) / 60.0) + 1.2 * np.exp(-165.0 / 70.0)
    shading: Array = (field / here) ** scene.acquisition.bias
    return shading


def _acquired(
    frames: Array, acquisition: Acquisition, geometry: Geometry, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Noise, the part of k-space that was measured, the frames' drift, and the magnitude."""
    from scipy import fft

    noise = rng.standard_normal((2, *frames.shape)).astype(np.float32) * acquisition.noise
    signal = (frames + noise[0]) + 1j * noise[1]
    spectrum = fft.fft2(signal.astype(np.complex64), axes=(1, 2))
    for axis, size in enumerate(acquisition.matrix):
        cycles = np.fft.fftfreq(size)
        taper = _window(cycles, acquisition.acquired[axis])
        pixels = acquisition.drifts_mm()[:, axis] / geometry.spacing[1 + axis]
        factor = taper * np.exp(-2j * np.pi * cycles * pixels[:, None])
        shape = (len(pixels), size, 1) if axis == 0 else (len(pixels), 1, size)
        spectrum *= factor.reshape(shape).astype(np.complex64)
    magnitude = np.abs(fft.ifft2(spectrum, axes=(1, 2)))
    stored: NDArray[np.int16] = np.round(BLOOD * magnitude).clip(0, 32767).astype(np.int16)
    return stored


def _window(cycles: Array, share: float) -> Array:
    """1 over most of the acquired band, a cosine fall at its edge, 0 beyond; all 1 when whole."""
    if share >= 1.0:
        return np.ones_like(cycles)
    edge = np.abs(cycles) / (0.5 * share)
    fall = np.clip((1.0 - edge) / 0.35, 0.0, 1.0)
    taper: Array = np.sin(0.5 * np.pi * fall) ** 2
    return taper
