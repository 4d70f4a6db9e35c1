"""An image as a network sees it, step by step, and the exact way back."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image
from heartseg.core.probability import BACKGROUND_CERTAIN, Region
from heartseg.prepare.clahe import Clahe, equalise
from heartseg.prepare.localise import Box, Location
from heartseg.prepare.neighbours import with_neighbours
from heartseg.prepare.resample import Weights, linear_weights, resample_planes


class Recipe(Protocol):
    """What a sample asks of the `Preparation` that made it."""

    @property
    def spacing_mm(self) -> float | None:
        """Of prepared pixels; None where planes are stretched to one size."""
        ...

    @property
    def percentiles(self) -> tuple[float, float]:
        """That become 0 and 1."""
        ...

    @property
    def window(self) -> tuple[float, float] | None:
        """The values that become 0 and 1 instead."""
        ...

    @property
    def denoise_px(self) -> int | None:
        """Side of the median filter."""
        ...

    @property
    def clahe(self) -> Clahe | None:
        """How contrast is evened out."""
        ...

    @property
    def neighbours(self) -> int:
        """Slices shown on each side."""
        ...


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sample:
    """An image as a network sees it, with the way back.

    Attributes:
        image: the study's own image.
        orientation: from the image's planes to the canonical ones.
        geometry: the prepared grid, (z, H, W).
        step: (y, x) distance of prepared pixels, in distances of the image's.
        intensities: what became 0 and 1.
        settings: what it was prepared with.
        box: rows and columns of the canonical planes that the prepared grid shows.
        location: how `box` was found; None where nothing was sought.
    """

    image: Image
    orientation: Orientation
    geometry: Geometry
    step: tuple[float, float]
    intensities: tuple[float, float]
    settings: Recipe
    box: Box
    location: Location | None = None

    @property
    def turned(self) -> Geometry:
        """The image's own grid in canonical orientation."""
        return self.image.geometry.oriented(self.orientation)

    def frame(self, index: int) -> NDArray[np.float32]:
        """Prepared planes (z, H, W) of a frame, in [0, 1]."""
        prepared: NDArray[np.float32]
        for step in self.steps(index):
            prepared = step.planes
        return prepared

    def channels(self, index: int) -> NDArray[np.float32]:
        """What a network is shown of a frame: (z, channels, H, W), each slice in the middle."""
        return with_neighbours(self.frame(index), self.settings.neighbours)

    def scaled(self, index: int) -> NDArray[np.float32]:
        """Canonical planes (z, y, x) of a frame in [0, 1], before anything is cut or resampled."""
        scaled: NDArray[np.float32]
        for step in self._on_own_grid(index):
            scaled = step.planes
        return scaled

    def steps(self, index: int) -> Iterator[Step]:
        """A frame as stored, then after each step; `frame` is the last one's planes."""
        for step in self._on_own_grid(index):
            yield step
        planes = step.planes[:, self.box[0], self.box[1]]
        if self.location is not None:
            name = "cropped" if self.location.found else "not cropped"
            name = f"{name} ({self.location.sure:.2f} sure)"
            yield Step(name, planes, self.turned.cropped(*self.box))
        rows, columns = self._there(planes.shape[1], planes.shape[2])
        planes = resample_planes(planes, rows, columns)
        stretched = self.settings.spacing_mm is None
        name = "stretched to one size" if stretched else "resampled, cropped or padded"
        yield Step(name, planes, self.geometry)
        clahe = self.settings.clahe
        if clahe is not None:
            name = f"CLAHE, {clahe.tiles} x {clahe.tiles} tiles"
            yield Step(name, equalise(planes, clahe), self.geometry)

    def _on_own_grid(self, index: int) -> Iterator[Step]:
        stored = self.image.voxels[index]
        yield Step("as stored", stored, self.image.geometry)
        planes = self.orientation.apply(stored)
        turned = self.turned
        yield Step("canonical orientation", planes, turned)
        low, high = self.intensities
        scaled = (planes.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        scaled = scaled.clip(0.0, 1.0)
        yield Step(f"{self._span} to 0-1", scaled, turned)
        side = self.settings.denoise_px
        if side is not None:
            from scipy import ndimage

            smoothed = ndimage.median_filter(scaled, (1, side, side), mode="nearest")
            yield Step(f"median of {side} x {side}", smoothed, turned)

    @property
    def _span(self) -> str:
        """What becomes 0 and 1, for people."""
        if self.settings.window is not None:
            return "window {:g} to {:g}".format(*self.settings.window)
        return "min-max" if self.settings.percentiles == (0.0, 100.0) else "intensities"

    def frame_labels(self, labels: Labels) -> Labels:
        """Prepared labels (z, H, W) of a frame's labels (z, y, x): the likeliest structure."""
        planes = self.orientation.apply(labels)[:, self.box[0], self.box[1]]
        rows, columns = self._there(planes.shape[1], planes.shape[2])
        out = np.zeros((planes.shape[0], *self.geometry.shape[1:]), np.uint8)
        best = resample_planes((planes == 0).astype(np.float32), rows, columns)
        for value in np.unique(labels[labels > 0]).tolist():
            share = resample_planes((planes == value).astype(np.float32), rows, columns)
            wins = share > best
            out[wins], best[wins] = value, share[wins]
        return out

    def box_of(self, rows: slice, columns: slice, margin_mm: float = 0.0) -> Box:
        """The pixels of the canonical planes that prepared rows and columns cover.

        Args:
            rows, columns: of the prepared grid.
            margin_mm: more on each side, as far as there is image; in pixels where there are no mm.
        """
        spacing = self.turned.spacing[1:] if self.turned.unit == "mm" else (1.0, 1.0)
        spans = []
        axes = zip(
            (rows, columns), self.box, self.geometry.shape[1:], self.step, spacing, strict=True
        )
        for wanted, seen, count, step, distance in axes:
            middle, margin = (seen.start + seen.stop) / 2, margin_mm / distance
            start = middle + (wanted.start - count / 2) * step - margin
            stop = middle + (wanted.stop - count / 2) * step + margin
            first, last = max(seen.start, floor(start)), min(seen.stop, ceil(stop))
            spans.append(slice(first, max(first + 1, last)))
        return spans[0], spans[1]

    def restore(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(z, C, H, W) on the prepared grid -> (C, z, y, x) on the image's own grid.

        Beyond a crop to the ventricle nothing was seen, and all is background, channel 0.
        """
        rows, columns = self._back()
        planes = resample_planes(probabilities, rows, columns)
        if self.location is not None:
            whole = np.zeros((*planes.shape[:2], *self.turned.shape[1:]), np.float32)
            whole[:, 0] = 1.0
            whole[..., self.box[0], self.box[1]] = planes
            planes = whole
        restored: NDArray[np.float32] = self.orientation.undo(np.moveaxis(planes, 1, 0))
        return restored

    def restore_region(self, probabilities: NDArray[np.float32]) -> Region:
        """As `restore`, of no more than what may be anatomy: much less to compute.

        A voxel lies between pixels of the prepared grid. Where the background is certain in all of
        them, it is in the voxel too.
        """
        rows, columns = self._back()
        seen = ~(probabilities[:, 0] >= BACKGROUND_CERTAIN)  # NaN is seen too
        shown: NDArray[np.bool_] = np.any(seen, axis=0)  # (H, W)
        into_rows, of_rows = _touched(rows, np.any(shown, axis=1))
        into_columns, of_columns = _touched(columns, np.any(shown, axis=0))
        planes = resample_planes(
            probabilities[:, :, of_rows, of_columns],
            rows[into_rows, of_rows],
            columns[into_columns, of_columns],
        )
        box = (
            slice(0, len(planes)),
            _moved(into_rows, self.box[0].start),
            _moved(into_columns, self.box[1].start),
        )
        turned = self.turned.shape
        values = np.ascontiguousarray(self.orientation.undo(np.moveaxis(planes, 1, 0)))
        own = self.orientation.undo_box(box, turned)
        return Region(values, own, self.image.geometry.shape)

    def restore_map(self, planes: NDArray[np.float32], *, outside: float) -> NDArray[np.float32]:
        """(z, H, W) on the prepared grid -> (z, y, x) on the image's own grid, interpolated.

        Voxels that the prepared grid does not show, not even in part, get `outside`.
        """
        rows, columns = self._back()
        cut = np.where(self._shown(), resample_planes(planes, rows, columns), np.float32(outside))
        whole = np.full((planes.shape[0], *self.turned.shape[1:]), outside, np.float32)
        whole[:, self.box[0], self.box[1]] = cut
        restored: NDArray[np.float32] = self.orientation.undo(whole)
        return restored

    def _shown(self) -> NDArray[np.bool_]:
        """(y, x) of the box: pixels whose centre lies within the prepared grid."""
        inside = []
        for one, number, step in zip(self.box, self.geometry.shape[1:], self.step, strict=True):
            length = one.stop - one.start
            away = np.abs(np.arange(length) - (length - 1) / 2)
            inside.append(away <= number * step / 2)
        shown: NDArray[np.bool_] = inside[0][:, None] & inside[1][None, :]
        return shown

    def _there(self, height: int, width: int) -> tuple[Weights, Weights]:
        _, rows, columns = self.geometry.shape
        return (
            linear_weights(height, rows, step=self.step[0], filtered=True),
            linear_weights(width, columns, step=self.step[1], filtered=True),
        )

    def _back(self) -> tuple[Weights, Weights]:
        _, rows, columns = self.geometry.shape
        height, width = (one.stop - one.start for one in self.box)
        return (
            linear_weights(rows, height, step=1 / self.step[0], filtered=False),
            linear_weights(columns, width, step=1 / self.step[1], filtered=False),
        )


def _touched(weights: Weights, seen: Any) -> tuple[slice, slice]:
    """The targets that any of the seen sources has a part in, and all sources of these."""
    targets = np.flatnonzero((weights[:, seen] != 0).any(axis=1))
    if not targets.size:
        return slice(0, 0), slice(0, 0)
    into = slice(int(targets[0]), int(targets[-1]) + 1)
    sources = np.flatnonzero((weights[into] != 0).any(axis=0))
    return into, slice(int(sources[0]), int(sources[-1]) + 1)


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
