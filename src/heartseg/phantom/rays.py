"""Parallel rays through a plane: what they sum up, and the plane that their sums come from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from heartseg.phantom.shape import Array


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """All rays through a plane of `side` x `side` pixels, at `angles` directions.

    Directions lie evenly over half a turn, the first half a step off the columns.

    Attributes:
        side: pixels of the plane, and bins of the detector.
        angles: directions.
        pixel_mm: size of a pixel and of a bin.
        matrix: (angles * side, side * side), mm: how far each ray runs in each pixel, a pixel
            shared by the two bins it falls between.
    """

    side: int
    angles: int
    pixel_mm: float
    matrix: Any

    @classmethod
    def through(cls, side: int, angles: int, pixel_mm: float) -> "Rays":
        """The rays through such a plane; what falls beside the detector is not seen."""
        from scipy.sparse import coo_array, csr_array

        middle = 0.5 * (side - 1)
        y, x = (axis.ravel() - middle for axis in np.mgrid[:side, :side])
        turns = np.pi * (np.arange(angles)[:, None] + 0.5) / angles
        place = np.cos(turns) * x + np.sin(turns) * y + middle  # (angles, pixels)
        low = np.floor(place).astype(np.int64)
        first = np.arange(angles)[:, None] * side
        pixels = np.broadcast_to(np.arange(side * side), place.shape)
        rows, columns, values = [], [], []
        for step, share in ((0, 1.0 - (place - low)), (1, place - low)):
            inside = (low + step >= 0) & (low + step < side)
            rows.append((first + low + step)[inside])
            columns.append(pixels[inside])
            values.append(pixel_mm * share[inside])
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        shape = (angles * side, side * side)
        return cls(side, angles, pixel_mm, csr_array(coo_array(entries, shape=shape)))

    def sums(self, planes: Array) -> Array:
        """(n, side, side) per mm -> (n, angles, side) line integrals."""
        found: Array = (self.matrix @ planes.reshape(len(planes), -1).T).T
        return found.reshape(len(planes), self.angles, self.side)

    def mean(self, sums: Array) -> Array:
        """(n, angles, side) -> (n, side, side): the mean over the rays through each pixel."""
        flat = sums.reshape(len(sums), -1).T
        found: Array = (self.matrix.T @ flat).T / (self.angles * self.pixel_mm)
        return found.reshape(len(sums), self.side, self.side)

    def plane(self, sums: Array) -> Array:
        """(n, angles, side) -> (n, side, side) per mm, filtered as Ramachandran 1971."""
        from scipy import fft

        size = 2 * self.side  # zeros beside the detector, or its ends would meet
        offsets = np.fft.fftfreq(size, 1.0 / size)
        odd = np.abs(offsets) % 2 == 1
        kernel = np.zeros(size)
        kernel[odd] = -1.0 / (np.pi * offsets[odd]) ** 2
        kernel[0] = 0.25
        spectrum = fft.rfft(sums, n=size, axis=-1) * fft.rfft(kernel)
        filtered = fft.irfft(spectrum, n=size, axis=-1)[..., : self.side]
        return np.pi * self.mean(filtered) / self.pixel_mm
