"""What is done to an image before a network sees it, as settings.

A `Preparation` is part of a model: it is stored in the bundle, and training and inference use
the same one. The steps: planes in canonical orientation, intensities between two percentiles
or of a window to [0, 1], a median filter, a crop to the ventricle, linear resampling in the plane
to a fixed spacing or a fixed size, crop or pad to the network's stride, local contrast. Those in
the middle and the last are the papers'; without them a setting is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import localise
from heartseg.prepare.clahe import Clahe
from heartseg.prepare.intensity import intensity_range, require_seen
from heartseg.prepare.localise import Locate, Location
from heartseg.prepare.presets import PRESETS
from heartseg.prepare.sample import Sample

LARGEST_DENOISE_PX = 15

MOST_NEIGHBOURS = 4
"""Nine slices are a whole short-axis stack."""

LOOKED_AT = 8
"""The ventricle is sought in the mean of at most so many frames, evenly through the beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What is done to an image before a network sees it.

    Attributes:
        spacing_mm: in-plane distance of the prepared pixels; images without millimetres keep
            their own pixels. None: whatever is seen is stretched to `field_px` rows and columns.
        stride: prepared planes have multiples of this many rows and columns.
        field_px: no more rows or columns than this, cut about the centre. Equal to `stride`,
            it is the size of all planes.
        percentiles: of the study's intensities, become 0 and 1; [0, 100] is min-max.
        window: these values become 0 and 1 in place of percentiles, in the image's own unit, as
            Hounsfield's of CT; none for percentiles.
        denoise_px: side of a median filter in the image's own pixels, odd; none for no filter.
        locate: how to find the ventricle, or the content, and crop to it; none for the whole field.
        clahe: contrast evened out at the end; none for no change.
        neighbours: slices on each side that are shown with a slice, as channels; see
            `heartseg.prepare.neighbours`. 0: every slice alone.
    """

    spacing_mm: float | None = 1.5
    stride: int = 32
    field_px: int = 320
    percentiles: tuple[float, float] = (1.0, 99.0)
    window: tuple[float, float] | None = None
    denoise_px: int | None = None
    locate: Locate | None = None
    clahe: Clahe | None = None
    neighbours: int = 0

    def __post_init__(self) -> None:
        low, high = self.percentiles
        if not ((self.spacing_mm is None or 0.1 <= self.spacing_mm <= 20) and 0 <= low < high):
            raise ConfigError("preparation", got=str(self), allowed="0.1-20 mm, rising percentiles")
        if high > 100:
            raise ConfigError("preparation", got=str(self), allowed="percentiles up to 100")
        if self.window is not None and not -inf < self.window[0] < self.window[1] < inf:
            got = "{:g} to {:g}".format(*self.window)
            raise ConfigError("preparation.window", got=got, allowed="two rising values, or none")
        if self.stride < 1 or self.field_px < self.stride:
            raise ConfigError("preparation", got=str(self), allowed="field_px >= stride >= 1")
        if self.spacing_mm is None and self.field_px % self.stride:
            allowed = "without spacing_mm, field_px in multiples of stride"
            raise ConfigError("preparation", got=str(self), allowed=allowed)
        side = self.denoise_px
        if side is not None and not (3 <= side <= LARGEST_DENOISE_PX and side % 2):
            allowed = f"an odd number from 3 to {LARGEST_DENOISE_PX}, or none"
            raise ConfigError("preparation.denoise_px", got=str(side), allowed=allowed)
        if not 0 <= self.neighbours <= MOST_NEIGHBOURS:
            allowed = f"0-{MOST_NEIGHBOURS} slices on each side"
            raise ConfigError("preparation.neighbours", got=str(self.neighbours), allowed=allowed)

    @property
    def channels(self) -> int:
        """Of a network's input: a slice and its neighbours."""
        return 1 + 2 * self.neighbours

    @classmethod
    def presets(cls) -> Mapping[str, "Preparation"]:
        """What a table of settings may start from, by `preset = "..."`."""
        return {name: cls(**settings) for name, settings in PRESETS.items()}

    def sample(
        self,
        image: Image,
        place: Location | None = None,
        *,
        intensities: tuple[float, float] | None = None,
    ) -> Sample:
        """What the network sees of an image.

        Args:
            image: a study's own.
            place: of the heart, in pixels of the canonical planes, where it was sought already
                (`heartseg.segment.locate`); takes the place of `locate`.
            intensities: what becomes 0 and 1, where the image is a part of one that says it;
                None for the image's own `percentiles`, or the `window`.

        Raises:
            FormatError: the image has no contrast, also within the window, or holds NaN.
        """
        orientation = image.geometry.canonical()
        geometry = image.geometry.oriented(orientation)
        whole = Sample(
            image=image,
            orientation=orientation,
            geometry=geometry,
            step=(1.0, 1.0),
            intensities=intensities or self._intensities(orientation.apply(image.voxels)),
            settings=self,
            box=(slice(0, geometry.shape[1]), slice(0, geometry.shape[2])),
        )
        found = self._located(whole) if place is None else self._within(whole, place)
        cut = found.turned.cropped(*found.box)
        _, dy, dx = cut.spacing
        step, size = self._grid(cut if place is None else found.turned.cropped(*place.box))
        return replace(found, step=step, geometry=cut.resampled(size, (dy * step[0], dx * step[1])))

    def _intensities(self, voxels: NDArray[np.generic]) -> tuple[float, float]:
        if self.window is None:
            return intensity_range(voxels, self.percentiles)
        require_seen(voxels, self.window)
        return self.window

    def _located(self, whole: Sample) -> Sample:
        """The sample with the box of the ventricle, where one is asked for."""
        if self.locate is None:
            return whole
        frames = whole.image.frames
        seen = np.unique(np.linspace(0, frames - 1, min(frames, LOOKED_AT)).round().astype(int))
        mean = np.zeros(whole.turned.shape, np.float32)
        for index in seen.tolist():
            mean += whole.scaled(index) / np.float32(len(seen))
        place = localise.locate(mean, self.locate)
        return replace(whole, box=place.box, location=place)

    def shown(self, geometry: Geometry, place: Location) -> Location:
        """The place as it is shown, in canonical planes: whole strides of image, no padding."""
        steps, size = self._grid(geometry.cropped(*place.box))
        spans = zip(place.box, size, steps, geometry.shape[1:], strict=True)
        rows, columns = (_widened(one, ceil(n * step - 1e-6), all_) for one, n, step, all_ in spans)
        return replace(place, box=(rows, columns))

    def _within(self, whole: Sample, place: Location) -> Sample:
        seen = self.shown(whole.turned, place)
        return replace(whole, box=seen.box, location=seen)

    def _grid(self, cut: Geometry) -> tuple[tuple[float, float], tuple[int, int]]:
        """Distance of prepared pixels, in pixels of the grid that is cut out, and their number."""
        _, dy, dx = cut.spacing
        _, rows, columns = cut.shape
        if self.spacing_mm is None:
            step = (rows / self.field_px, columns / self.field_px)
            return step, (self.field_px, self.field_px)
        in_mm = cut.unit == "mm"
        step = (self.spacing_mm / dy, self.spacing_mm / dx) if in_mm else (1.0, 1.0)
        return step, (self._size(rows, step[0]), self._size(columns, step[1]))

    def _size(self, source: int, step: float) -> int:
        wanted = int(np.ceil(source / step / self.stride)) * self.stride
        return min(wanted, self.field_px // self.stride * self.stride)


def _widened(span: slice, length: int, whole: int) -> slice:
    """At least so many pixels about the same middle, moved to lie within the `whole`."""
    wanted = min(max(length, span.stop - span.start), whole)
    start = (span.start + span.stop - wanted) // 2
    start = max(0, min(start, whole - wanted))
    return slice(start, start + wanted)
