"""Faults put into good studies on purpose, for benchmarks/gate.py: of images, stacks and masks.

Each is drawn from a generator seeded by the patient's name and the fault's, so that a case is the
same on every run. Faults of the *image* leave the anatomy where it is. Faults of the *stack* break
what is measured though every mask may fit its slice, and are wrong whatever the Dice. Faults of the
*masks* stand for failures of the kind that a network or a hand makes.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image

Voxels = NDArray[np.float32]
Random = np.random.Generator

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


@dataclass(frozen=True)
class Given:
    """A study of two frames, ED and ES, with what is true of it; scaled to [0, 1] of its range."""

    image: Image
    truth: Labels

    def changed(self, voxels: Voxels, truth: Labels | None = None) -> "Given":
        """Other voxels, and where they lie elsewhere another truth."""
        drawn = self.truth if truth is None else truth
        grid = Geometry(drawn.shape[1:], self.image.geometry.affine)
        return Given(Image(voxels, grid), drawn)


def random(patient: str, fault: str) -> Random:
    """The generator of a case."""
    return np.random.default_rng(zlib.crc32(f"{patient} {fault}".encode()))


def scaled(image: Image, truth: Labels) -> Given:
    """Voxels as float32, 0 and 1 at the 1st and 99th percentile."""
    low, high = np.percentile(image.voxels, (1, 99))
    voxels = ((image.voxels - low) / (high - low)).astype(np.float32)
    return Given(Image(voxels, image.geometry), truth)


# Of the image


def noise(given: Given, rng: Random) -> Given:
    """White, from a tenth of the range to nearly half."""
    strength = rng.uniform(0.1, 0.45)
    grain = rng.standard_normal(given.image.voxels.shape, dtype=np.float32)
    return given.changed(given.image.voxels + strength * grain)


def blur(given: Given, rng: Random) -> Given:
    """Gaussian in the plane, 2.5 to 7 mm."""
    wide = rng.uniform(2.5, 7.0)
    sigma = [0, 0, *(wide / step for step in given.image.geometry.spacing[1:])]
    return given.changed(ndimage.gaussian_filter(given.image.voxels, sigma))


def inversion(given: Given, rng: Random) -> Given:
    """Black blood."""
    return given.changed(1 - given.image.voxels)


def bias(given: Given, rng: Random) -> Given:
    """A coil on one side: e^-2 to e^-4 of the signal is left on the other."""
    rows, columns = given.image.voxels.shape[2:]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(2.0, 4.0)
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    field = np.exp(-depth * (0.5 + 0.5 * (np.cos(angle) * x + np.sin(angle) * y)))
    return given.changed((given.image.voxels * field).astype(np.float32))


def ghosts(given: Given, rng: Random) -> Given:
    """Motion between the lines of k-space: two to four shifted copies, and a smear."""
    voxels, copies = given.image.voxels, int(rng.integers(2, 5))
    strength = rng.uniform(0.35, 0.8)
    rows = voxels.shape[2]
    lines = np.arange(rows)
    motion = strength * np.sin(2 * np.pi * lines * copies / 13) * rng.uniform(3, 9)
    spectrum = np.fft.fft(voxels, axis=2)
    phase = np.exp(-2j * np.pi * np.fft.fftfreq(rows) * motion)[None, None, :, None]
    return given.changed(np.real(np.fft.ifft(spectrum * phase, axis=2)).astype(np.float32))


def cropped(given: Given, rng: Random) -> Given:
    """The field ends within the heart: 35 to 60 % of its height or width is left."""
    heart = given.truth.any(axis=(0, 1))
    axis = int(rng.integers(2))
    there = np.flatnonzero(heart.any(axis=1 - axis))
    end = int(there[0] + rng.uniform(0.35, 0.6) * (there[-1] - there[0]))
    part = [slice(None)] * 4
    part[2 + axis] = slice(0, end) if rng.random() < 0.5 else slice(end, None)
    return given.changed(
        np.ascontiguousarray(given.image.voxels[tuple(part)]),
        np.ascontiguousarray(given.truth[tuple(part)]),
    )


# Of the stack


def spacing(given: Given, rng: Random) -> Given:
    """The header's pixels are 0.55 to 0.7, or 1.5 to 1.9 times as large as the real ones."""
    factor = rng.uniform(0.55, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 1.9)
    affine = given.image.geometry.affine.copy()
    affine[:3, 1:3] *= factor
    grid = replace(given.image.geometry, affine=affine)
    return Given(Image(given.image.voxels, grid), given.truth)


def missing(given: Given, rng: Random) -> Given:
    """A third of the slices, in the middle of the stack, were lost; the spacing does not say so."""
    slices = given.truth.shape[1]
    lost = max(2, round(slices / 3))
    first = int(rng.integers(slices // 3, max(slices // 3 + 1, slices - lost - slices // 4)))
    kept = [z for z in range(slices) if not first <= z < first + lost]
    return given.changed(given.image.voxels[:, kept], given.truth[:, kept])


def shuffled(given: Given, rng: Random) -> Given:
    """The slices lie in any order."""
    order = rng.permutation(given.truth.shape[1])
    return given.changed(given.image.voxels[:, order], given.truth[:, order])


def upside_down(given: Given, rng: Random) -> Given:
    """Base and apex exchanged: nothing that is measured changes."""
    return given.changed(
        np.ascontiguousarray(given.image.voxels[:, ::-1]),
        np.ascontiguousarray(given.truth[:, ::-1]),
    )


def other_patient(given: Given, other: Given) -> Given:
    """End-systole is another patient's, cut and padded to the same grid."""
    voxels, truth = given.image.voxels.copy(), given.truth.copy()
    voxels[1] = _fitted(other.image.voxels[1], voxels.shape[1:])
    truth[1] = _fitted(other.truth[1], truth.shape[1:])
    return given.changed(voxels, truth)


def _fitted(array: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.generic]:
    """About the centre in the plane, from the first slice through the stack."""
    out = np.zeros(shape, array.dtype)
    here, there = [], []
    for axis, (mine, theirs) in enumerate(zip(shape, array.shape, strict=True)):
        both = min(mine, theirs)
        starts = (0, 0) if axis == 0 else ((mine - both) // 2, (theirs - both) // 2)
        here.append(slice(starts[0], starts[0] + both))
        there.append(slice(starts[1], starts[1] + both))
    out[tuple(here)] = array[tuple(there)]
    return out


# Of the masks


def swapped(labels: Labels, grid: Geometry, rng: Random) -> Labels:
    """LV and RV by each other's name."""
    return np.select([labels == LV, labels == RV], [RV, LV], labels).astype(np.uint8)


def shifted(labels: Labels, grid: Geometry, rng: Random) -> Labels:
    """One structure lies 10 to 25 mm off, over what was there."""
    structure = [LV, MYO, RV][int(rng.integers(3))]
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(10, 25)
    rows, columns = grid.spacing[1:]
    step = [0, 0, far * np.sin(angle) / rows, far * np.cos(angle) / columns]
    moved = ndimage.shift((labels == structure).astype(np.uint8), np.round(step), order=0)
    return np.where(moved == 1, structure, np.where(labels == structure, 0, labels)).astype(
        np.uint8
    )


def grown(labels: Labels, grid: Geometry, rng: Random) -> Labels:
    """The LV cavity takes 3 to 6 mm of its wall."""
    return _into(labels, LV, MYO, rng.uniform(3, 6), grid)


def shrunk(labels: Labels, grid: Geometry, rng: Random) -> Labels:
    """The RV loses 4 to 8 mm of its border."""
    return _into(labels, Structure.BACKGROUND, RV, rng.uniform(4, 8), grid)


def _into(labels: Labels, winner: int, loser: int, mm: float, grid: Geometry) -> Labels:
    away = np.stack(
        [
            ndimage.distance_transform_edt(plane != winner, sampling=grid.spacing[1:])
            for plane in labels.reshape(-1, *labels.shape[2:])
        ]
    ).reshape(labels.shape)
    return np.where((labels == loser) & (away <= mm), winner, labels).astype(np.uint8)


def ends_lost(labels: Labels, grid: Geometry, rng: Random) -> Labels:
    """The slices at both ends of the heart are empty, a third of them in all."""
    out = labels.copy()
    for frame in out:
        there = np.flatnonzero(frame.any(axis=(1, 2)))
        lost = max(2, round(len(there) / 3))
        first = int(rng.integers(0, lost + 1))
        frame[there[:first]] = 0
        frame[there[len(there) - (lost - first) :]] = 0
    return out


ImageFault = Callable[[Given, Random], Given]
MaskFault = Callable[[Labels, Geometry, Random], Labels]

OF_IMAGE: Mapping[str, ImageFault] = {
    one.__name__: one for one in (noise, blur, inversion, bias, ghosts, cropped)
}
OF_STACK: Mapping[str, ImageFault] = {
    one.__name__: one for one in (spacing, missing, shuffled, upside_down)
}
OTHER = "other_patient"
OF_MASKS: Mapping[str, MaskFault] = {
    one.__name__: one for one in (swapped, shifted, grown, shrunk, ends_lost)
}
WRONG_ANYHOW = frozenset({"spacing", "missing", "shuffled", OTHER})
"""Faults of the stack: wrong whatever the Dice of their slices."""
