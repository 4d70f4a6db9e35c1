"""The picture: contrast-enhanced cardiac CT of a heart in a torso, in Hounsfield units.

The scene is painted as attenuation over that of water (`Attenuation`), on the acquisition's grid
and with its shifts, so that it lies pixel on pixel on the cine MR of the same heart. Then

* the scanner's point spread blurs it, a Gaussian;
* its beam hardens on the way through iodine and bone: rays through them come out stronger than
  water's correction expects, by `hardening` p_d^2 of the line integral p_d of what exceeds soft
  tissue (Joseph and Spital 1978), which leaves dark bands between dense things and bright ones
  along them: streaks;
* quantum noise is added. Reconstruction lets noise of frequency f through as f G(f)^2, G the
  kernel's transfer (Riederer 1978), so it is grainy, never white. Its variance is the mean over the
  rays through a pixel of exp(p), p their line integral (Gore and Tofts 1978): less in the lungs
  and the skin, most behind shoulders and spine, with nothing of it known outside the field of view.

Rays are followed on a coarse grid, through the plane as it is at the first frame for noise. What a
spiral adds (cone beam, steps between beats) is left out, and so are coronary arteries.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.phantom.acquisition import Acquisition
from heartseg.phantom.attenuation import AIR_HU, Attenuation
from heartseg.phantom.heart import Heart
from heartseg.phantom.rays import Rays
from heartseg.phantom.scene import Scene, painted
from heartseg.phantom.shape import Array
from heartseg.phantom.torso import Torso

WATER_PER_MM = 0.0195
"""Attenuation of water at about 70 keV, the mean energy of a beam of 120 kV (NIST)."""

SOFT = 1.11
"""Attenuation over water's up to which water's correction holds: perfused muscle."""

ANGLES = 96
"""Rays at 45 degrees would beat with the pixels: at this number there are none."""

COARSE_PX = 64
FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True, slots=True, kw_only=True)
class CtScanner:
    """What spoils the picture.

    Attributes:
        blur_mm: full width at half maximum of the point spread in the plane.
        noise_hu: standard deviation of the noise in the middle of the field of view.
        grain_mm: full width at half maximum of the kernel that shapes the noise.
        hardening: strength of the hardening; 0.2 takes some 20 HU off a dilated cavity of 390 HU.
        seed: of the noise.
    """

    blur_mm: float = 1.0
    noise_hu: float = 16.0
    grain_mm: float = 1.6
    hardening: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.blur_mm, self.noise_hu, self.hardening) < 0 or self.grain_mm <= 0:
            raise ConfigError("CT scanner", got=str(self), allowed="from 0, grain_mm above 0")

    @classmethod
    def clean(cls) -> "CtScanner":
        """Without blur, noise and hardening."""
        return cls(blur_mm=0.0, noise_hu=0.0, hardening=0.0)

    @classmethod
    def random(cls, rng: np.random.Generator) -> "CtScanner":
        """Draw a plausible one: other kernels, doses and patients."""
        return cls(
            blur_mm=rng.uniform(0.8, 1.3),
            noise_hu=rng.uniform(10.0, 24.0),
            grain_mm=rng.uniform(1.3, 2.2),
            hardening=rng.uniform(0.1, 0.3),
            seed=int(rng.integers(2**31)),
        )


def render_ct(
    heart: Heart,
    acquisition: Acquisition,
    *,
    torso: Torso | None = None,
    attenuation: Attenuation | None = None,
    scanner: CtScanner | None = None,
) -> Image:
    """The CT of a heart on the grid of an acquisition: float32 (t, z, y, x) in Hounsfield units.

    Of the acquisition, what belongs to cine MR (`noise`, `bias`, `acquired`) is not looked at.
    """
    palette = (attenuation or Attenuation()).palette
    scene = Scene(heart, acquisition, torso or Torso(), palette)
    chosen, geometry = scanner or CtScanner(), acquisition.geometry(heart)
    out = np.empty((acquisition.frames, *geometry.shape), np.float32)
    for index, frames in _slices(scene, geometry, chosen):
        out[:, index] = frames
    return Image(out, geometry, acquisition.times_ms)


def _slices(
    scene: Scene, geometry: Geometry, scanner: CtScanner
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    seen = _Seen.of(geometry) if scanner.noise_hu or scanner.hardening else None
    for one in painted(scene, geometry):
        clear = _moved(one.frames, scene.acquisition, geometry)
        frames = _blurred(clear, scanner.blur_mm, geometry)
        if seen is not None:
            rng = np.random.default_rng([scanner.seed, one.index])
            frames = frames + scanner.hardening * seen.hardened(clear)
            grain = _grain(rng, frames.shape, geometry, scanner.grain_mm)
            frames = frames + scanner.noise_hu / -AIR_HU * seen.noisiness(clear[0]) * grain
        yield one.index, np.maximum((frames - 1.0) * -AIR_HU, AIR_HU - 24.0).astype(np.float32)


def _moved(frames: Array, acquisition: Acquisition, geometry: Geometry) -> Array:
    """Each frame where it drifted to, as its labels are."""
    from scipy.ndimage import shift

    pixels = acquisition.drifts_mm() / np.array(geometry.spacing[1:])
    if not pixels.any():
        return frames
    moved = (shift(a, by, order=1, mode="nearest") for a, by in zip(frames, pixels, strict=True))
    return np.stack(list(moved))


def _blurred(frames: Array, fwhm_mm: float, geometry: Geometry) -> Array:
    from scipy.ndimage import gaussian_filter

    sigma = [fwhm_mm / FWHM_PER_SIGMA / spacing for spacing in geometry.spacing[1:]]
    blurred: Array = gaussian_filter(frames, [0.0, *sigma], mode="nearest")
    return blurred


def _grain(
    rng: np.random.Generator, shape: tuple[int, ...], geometry: Geometry, fwhm_mm: float
) -> Array:
    """Noise of unit variance whose power rises with the frequency, and falls with the kernel."""
    from scipy import fft

    white = rng.standard_normal(shape).astype(np.float32)
    axes = (fft.fftfreq(n, mm) for n, mm in zip(shape[1:], geometry.spacing[1:], strict=True))
    rows, columns = np.meshgrid(*axes, indexing="ij")
    squared = rows**2 + columns**2  # cycles per mm
    sigma = fwhm_mm / FWHM_PER_SIGMA
    gain = squared**0.25 * np.exp(-2.0 * (np.pi * sigma) ** 2 * squared)
    gain /= max(float(np.sqrt(np.mean(gain**2))), 1e-12)
    shaped: Array = fft.ifft2(fft.fft2(white, axes=(1, 2)) * gain, axes=(1, 2)).real
    return shaped


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The rays through a coarse copy of the planes.

    Attributes:
        rays: through planes of `COARSE_PX` squared.
        step: pixels of the grid in a coarse one.
        shape: (rows, columns) of the grid.
    """

    rays: Rays
    step: float
    shape: tuple[int, int]

    @classmethod
    def of(cls, geometry: Geometry) -> "_Seen":
        """Coarse pixels are square in mm as far as the grid's are."""
        _, rows, columns = geometry.shape
        step = max(rows, columns) / COARSE_PX
        pixel_mm = step * float(np.mean(geometry.spacing[1:]))
        return cls(Rays.through(COARSE_PX, ANGLES, pixel_mm), step, (rows, columns))

    def hardened(self, frames: Array) -> Array:
        """What hardening of strength 1 adds to (t, y, x), in attenuation over water's."""
        dense = self._coarse(np.maximum(frames - SOFT, 0.0))
        sums = WATER_PER_MM * self.rays.sums(dense)
        return self._fine(self.rays.plane(-(sums**2)) / WATER_PER_MM)

    def noisiness(self, plane: Array) -> Array:
        """(y, x) standard deviation of the noise, 1 in the middle."""
        sums = WATER_PER_MM * self.rays.sums(self._coarse(plane[None]))
        spread = np.sqrt(self.rays.mean(np.exp(sums)))
        middle = spread[0, COARSE_PX // 2, COARSE_PX // 2]
        found: Array = self._fine(spread / middle)[0]
        return found

    def _coarse(self, frames: Array) -> Array:
        """(t, y, x) -> (t, COARSE_PX, COARSE_PX), centred, means of what lies in a coarse pixel."""
        from scipy.ndimage import map_coordinates, uniform_filter

        size = max(1, round(self.step))
        smooth = uniform_filter(frames, (0, size, size), mode="nearest")
        places = np.arange(COARSE_PX) - 0.5 * (COARSE_PX - 1)
        y, x = (places * self.step + 0.5 * (n - 1) for n in self.shape)
        at = np.meshgrid(y, x, indexing="ij")
        return np.stack([map_coordinates(one, at, order=1, mode="constant") for one in smooth])

    def _fine(self, coarse: Array) -> Array:
        """Back on the grid."""
        from scipy.ndimage import map_coordinates

        y, x = (
            (np.arange(n) - 0.5 * (n - 1)) / self.step + 0.5 * (COARSE_PX - 1) for n in self.shape
        )
        at = np.meshgrid(y, x, indexing="ij")
        return np.stack([map_coordinates(one, at, order=1, mode="nearest") for one in coarse])
