"""How sure a model was: a probability of every structure in every voxel, kept beside the labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Box, Geometry, Shape
from heartseg.core.image import Image

CERTAIN = 65535
"""What stands for a probability of 1. Half a step, the most that rounding changes, is 8e-6: much
less than models are sure of, at half of the memory of float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Of a model, before any rule of anatomy.

    Attributes:
        scaled: (structures, t, z, y, x) uint16, `CERTAIN` is 1.
        geometry: the grid of every frame, the same as the image's.
        structures: of each channel; the first is the background.
        times_ms: as the image's.
    """

    scaled: NDArray[np.uint16]
    geometry: Geometry
    structures: tuple[Structure, ...]
    times_ms: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        wanted = (len(self.structures), *self.scaled.shape[1:2], *self.geometry.shape)
        if self.scaled.shape != wanted or self.scaled.dtype != np.uint16:
            got = f"{self.scaled.dtype} of shape {self.scaled.shape}"
            space = ", ".join(map(str, self.geometry.shape))
            allowed = f"uint16 of shape ({len(self.structures)}, t, {space})"
            raise GeometryError("probabilities", got=got, allowed=allowed)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.scaled.shape[1])

    @property
    def values(self) -> NDArray[np.float32]:
        """(structures, t, z, y, x) in [0, 1]; of each voxel they sum to 1 but for rounding."""
        return self.scaled.astype(np.float32) / np.float32(CERTAIN)

    def with_regions(self, regions: "Mapping[int, Region]") -> Self:
        """Other probabilities in some frames; around each region all is background."""
        scaled = self.scaled.copy() if regions else self.scaled
        for frame, region in regions.items():
            scaled[:, frame] = 0
            scaled[0, frame] = CERTAIN
            scaled[:, frame][(slice(None), *region.box)] = _scaled(region.values)
        return replace(self, scaled=scaled)

    def part(self, frames: Sequence[int]) -> Self:
        """Some frames, with their times."""
        times = None if self.times_ms is None else tuple(self.times_ms[one] for one in frames)
        return replace(self, scaled=self.scaled[:, list(frames)], times_ms=times)


def _scaled(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    scaled: NDArray[np.uint16] = np.rint(values * np.float32(CERTAIN)).clip(0, CERTAIN).astype("u2")
    return scaled


BACKGROUND_CERTAIN = 0.99
"""Where it is more likely than this no structure can win, and what is left of each adds up to next
to nothing: nothing is computed there."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What a model said of the part of one frame that may be anatomy.

    Attributes:
        values: (structures, z, rows, columns) of the box; the first structure is the background.
        box: where they lie in the frame, with all its slices.
        shape: (z, y, x) of the frame; around the box all is background.
    """

    values: NDArray[np.float32]
    box: Box
    shape: Shape

    @classmethod
    def whole(cls, values: NDArray[np.float32]) -> Self:
        """A whole frame (structures, z, y, x)."""
        z, y, x = values.shape[1:]
        return cls(values, (slice(0, z), slice(0, y), slice(0, x)), (z, y, x))


class Keeping:
    """The frames (structures, z, y, x) of a model as they come, kept scaled on their way.

    Args:
        frames: float32 in [0, 1]; they can be taken once.
    """

    def __init__(self, frames: Iterable[NDArray[np.float32]]) -> None:
        self._frames = frames
        self._scaled: list[NDArray[np.uint16]] = []

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for frame in self._frames:
            self._scaled.append(_scaled(frame))
            yield frame

    def of(self, image: Image, structures: tuple[Structure, ...]) -> Probabilities:
        """All that came, on the grid of the image that they are of."""
        scaled = np.stack(self._scaled, axis=1)
        return Probabilities(scaled, image.geometry, structures, image.times_ms)
