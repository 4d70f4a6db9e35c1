"""What is done to an image before a network sees it, and the exact way back.

A `Preparation` is part of a model: it is stored in the bundle, and training and inference use
the same one. The steps: planes in canonical orientation, intensities between two percentiles
to [0, 1], linear resampling in the plane to a fixed spacing, crop or pad to the network's stride.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels
from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image
from heartseg.prepare.intensity import intensity_range
from heartseg.prepare.resample import Weights, linear_weights, resample_planes


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The settings.

    Attributes:
        spacing_mm: in-plane distance of the prepared pixels; images without millimetres keep
            their own pixels.
        stride: prepared planes have multiples of this many rows and columns.
        field_px: no more rows or columns than this, cut about the centre.
        percentiles: of the study's intensities, become 0 and 1.
    """

    spacing_mm: float = 1.5
    stride: int = 32
    field_px: int = 320
    percentiles: tuple[float, float] = (1.0, 99.0)

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if not (0.1 <= self.spacing_mm <= 20 and 0 <= low < high <= 100):
            raise ConfigError("preparation", got=str(self), allowed="0.1-20 mm, rising percentiles")
        if self.stride < 1 or self.field_px < self.stride:
            raise ConfigError("preparation", got=str(self), allowed="field_px >= stride >= 1")

    def sample(self, image: Image) -> "Sample":
        """What the network sees of an image.

        Raises:
            FormatError: the image has no contrast or holds NaN.
        """
        orientation = image.geometry.canonical()
        geometry = image.geometry.oriented(orientation)
        _, dy, dx = geometry.spacing
        step = (self.spacing_mm / dy, self.spacing_mm / dx) if geometry.unit == "mm" else (1.0, 1.0)
        size = (self._size(geometry.shape[1], step[0]), self._size(geometry.shape[2], step[1]))
        return Sample(
            image=image,
            orientation=orientation,
            geometry=geometry.resampled(size, (dy * step[0], dx * step[1])),
            step=step,
            intensities=intensity_range(orientation.apply(image.voxels), self.percentiles),
        )

    def _size(self, source: int, step: float) -> int:
        wanted = int(np.ceil(source / step / self.stride)) * self.stride
        return min(wanted, self.field_px // self.stride * self.stride)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What preparation has made of a frame so far.

    Attributes:
        name: what was done last, for people.
        planes: (z, y, x) on `geometry`.
        geometry: the grid of the planes.
    """

    name: str
    planes: NDArray[Any]
    geometry: Geometry


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An image as a network sees it, with the way back.

    Attributes:
        image: the study's own image.
        orientation: from the image's planes to the canonical ones.
        geometry: the prepared grid, (z, H, W).
        step: (y, x) distance of prepared pixels, in distances of the image's.
        intensities: what became 0 and 1.
    """

    image: Image
    orientation: Orientation
    geometry: Geometry
    step: tuple[float, float]
    intensities: tuple[float, float]

    def frame(self, index: int) -> NDArray[np.float32]:
        """Prepared planes (z, H, W) of a frame, in [0, 1]."""
        prepared: NDArray[np.float32]
        for step in self.steps(index):
            prepared = step.planes
        return prepared

    def steps(self, index: int) -> Iterator[Step]:
        """A frame as stored, then after each step; `frame` is the last one's planes."""
        stored = self.image.voxels[index]
        yield Step("as stored", stored, self.image.geometry)
        planes = self.orientation.apply(stored)
        turned = self.image.geometry.oriented(self.orientation)
        yield Step("canonical orientation", planes, turned)
        low, high = self.intensities
        scaled = (planes.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        scaled = scaled.clip(0.0, 1.0)
        yield Step("intensities to 0-1", scaled, turned)
        rows, columns = self._there(planes.shape[1], planes.shape[2])
        resampled = resample_planes(scaled, rows, columns)
        yield Step("resampled, cropped or padded", resampled, self.geometry)

    def frame_labels(self, labels: Labels) -> Labels:
        """Prepared labels (z, H, W) of a frame's labels (z, y, x): the likeliest structure."""
        planes = self.orientation.apply(labels)
        rows, columns = self._there(planes.shape[1], planes.shape[2])
        out = np.zeros((planes.shape[0], *self.geometry.shape[1:]), np.uint8)
        best = resample_planes((planes == 0).astype(np.float32), rows, columns)
        for value in np.unique(labels[labels > 0]).tolist():
            share = resample_planes((planes == value).astype(np.float32), rows, columns)
            wins = share > best
            out[wins], best[wins] = value, share[wins]
        return out

    def restore(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(z, C, H, W) on the prepared grid -> (C, z, y, x) on the image's own grid."""
        shape = self.image.geometry.oriented(self.orientation).shape
        rows, columns = self._back(shape[1], shape[2])
        planes = resample_planes(probabilities, rows, columns)
        restored: NDArray[np.float32] = self.orientation.undo(np.moveaxis(planes, 1, 0))
        return restored

    def _there(self, height: int, width: int) -> tuple[Weights, Weights]:
        _, rows, columns = self.geometry.shape
        return (
            linear_weights(height, rows, step=self.step[0], filtered=True),
            linear_weights(width, columns, step=self.step[1], filtered=True),
        )

    def _back(self, height: int, width: int) -> tuple[Weights, Weights]:
        _, rows, columns = self.geometry.shape
        return (
            linear_weights(rows, height, step=1 / self.step[0], filtered=False),
            linear_weights(columns, width, step=1 / self.step[1], filtered=False),
        )
