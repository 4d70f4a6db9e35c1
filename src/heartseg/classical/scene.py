"""A frame as every traditional method sees it, and the way back to the study's own grid.

All methods share what is not theirs: planes in canonical orientation, cut about the ventricle,
resampled to one distance of pixels, scaled to [0, 1] and turned so that blood is bright; and a
seed in each plane, from the localiser or from the user.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.seeds import Place, given_seeds, sought_seeds
from heartseg.classical.sizes import SIZES, Sizes
from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import StudyError
from heartseg.core.image import Image
from heartseg.prepare import Locate, Preparation, Sample
from heartseg.prepare.localise import Box, Location, Look, sector

Mask = NDArray[np.bool_]
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One plane of a scene that has a seed.

    Attributes:
        index: of the plane in the scene.
        grey: (y, x) in [0, 1], blood is bright.
        seed: (y, x) in the LV cavity, in pixels.
        sizes: of things in this kind of image.
    """

    index: int
    grey: Array
    seed: Place
    sizes: Sizes

    def pixels(self, length_mm: float) -> float:
        """A length in pixels of the scene."""
        return length_mm / self.sizes.pixel

    @property
    def smooth(self) -> Array:
        """The grey values without noise."""
        from scipy import ndimage

        out: Array = ndimage.gaussian_filter(self.grey, self.pixels(self.sizes.smooth))
        return out

    def within(self, share: float = 1.0) -> Mask:
        """(y, x): the ellipse about the seed with so much of the largest cavity's half axes."""
        return self.radius <= share

    @property
    def radius(self) -> NDArray[np.float64]:
        """(y, x): distance from the seed in half axes of the largest cavity, 1 at its border."""
        rows, columns = np.ogrid[: self.grey.shape[0], : self.grey.shape[1]]
        high, wide = (self.pixels(length) for length in self.sizes.largest)
        out: NDArray[np.float64] = np.hypot(
            (rows - self.seed[0]) / high, (columns - self.seed[1]) / wide
        )
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame as the methods see it.

    Attributes:
        planes: (z, y, x) in [0, 1], blood is bright.
        seeds: (y, x) in the LV cavity of each plane, None where no cavity was seen.
        look: what the planes show.
        spacing_mm: (z, y, x) of the planes; z is 1 where nobody says it.
    """

    planes: Array
    seeds: tuple[Place | None, ...]
    look: Look
    spacing_mm: tuple[float, float, float]

    @property
    def sizes(self) -> Sizes:
        """Of things in this kind of image."""
        return SIZES[self.look]

    @property
    def seen(self) -> Iterator[Plane]:
        """The planes that have a seed."""
        for index, seed in enumerate(self.seeds):
            if seed is not None:
                yield Plane(index, self.planes[index], seed, self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """An image that is ready to be shown to a method, a frame at a time.

    Attributes:
        sample: the image, cut about the ventricle and resampled; it knows the way back.
        look: what the planes show.
        seeds: (z, y, x) on the grid of `sample`, given by the user; none to look for them.
    """

    sample: Sample
    look: Look
    seeds: tuple[tuple[float, float, float], ...] = ()

    @property
    def sure(self) -> float:
        """How sure the localiser was, from 0 to 1."""
        return 1.0 if self.sample.location is None else self.sample.location.sure

    def scene(self, index: int) -> Scene:
        """A frame, with a seed for each plane."""
        sizes = SIZES[self.look]
        planes = self.sample.frame(index)
        if self.look == "apical":
            planes = np.stack([_blood_bright(plane, sizes) for plane in planes])
        if self.seeds:
            seeds = given_seeds(self.seeds, len(planes))
        else:
            seeds = sought_seeds(planes, self._middle, sizes)
        z, _, _ = self.sample.geometry.spacing
        depth = z if self.sample.geometry.unit == "mm" else 1.0
        return Scene(planes, seeds, self.look, (depth, sizes.pixel, sizes.pixel))

    def shares(self, labels: Labels, structures: Sequence[Structure]) -> Array:
        """Labels (z, y, x) of a scene as shares (1 + structures, z, y, x) on the image's grid."""
        channels = [labels == one for one in (Structure.BACKGROUND, *structures)]
        return self.sample.restore(np.stack(channels, axis=1).astype(np.float32))

    @property
    def _middle(self) -> Place:
        """Of the place of the ventricle, on the grid of `sample`."""
        location, box, step = self.sample.location, self.sample.box, self.sample.step
        _, rows, columns = self.sample.geometry.shape
        if location is None or location.place is None:
            return (rows - 1) / 2, (columns - 1) / 2
        y, x = (
            (at - 0.5 - one.start - (one.stop - one.start - 1) / 2) / by + (length - 1) / 2
            for at, one, by, length in zip(location.place, box, step, (rows, columns), strict=True)
        )
        return y, x


def sight(
    image: Image, look: Look, seeds: Sequence[tuple[float, float, float]] | None = None
) -> Sight:
    """Find the ventricle in an image and get ready to show it.

    Args:
        image: a study's image, any grid.
        look: what its planes show.
        seeds: (z, y, x) in the LV cavity, voxels of the image; None to look for them.

    Raises:
        StudyError: nothing looks like a ventricle, or a seed lies outside of the image.
        FormatError: the image has no contrast or holds NaN.
    """
    sample = _PREPARATIONS[look].sample(image)
    location = sample.location
    if seeds:
        turned = _turned(seeds, sample)
        y, x = np.mean(np.array(turned)[:, 1:], axis=0) + 0.5
        location = Location(sample.box, 1.0, found=True, place=(float(y), float(x)))
    if location is None or location.place is None:
        raise StudyError(
            "the left ventricle",
            got="nothing like it where hearts usually are",
            do="say where it is with --set 'seeds=[[z, y, x]]'",
        )
    cut = _cut(replace(sample, location=location), location.place, look)
    return Sight(cut, look, () if not seeds else tuple(_prepared(one, cut) for one in turned))


_PREPARATIONS: Mapping[Look, Preparation] = MappingProxyType(
    {
        "short-axis": Preparation(locate=Locate(look="short-axis")),
        "apical": Preparation(percentiles=(0.0, 100.0), denoise_px=3, locate=Locate(look="apical")),
    }
)
"""As the localiser's prior was chosen (benchmarks/localisation.py)."""


def _turned(
    seeds: Sequence[tuple[float, float, float]], sample: Sample
) -> list[tuple[float, float, float]]:
    """Seeds of the image in its canonical planes."""
    shape = sample.image.geometry.shape
    out = []
    for seed in seeds:
        if not all(-0.5 <= at <= length - 0.5 for at, length in zip(seed, shape, strict=True)):
            got = f"{list(seed)} in an image of {list(shape)} voxels (z, y, x)"
            raise StudyError("a seed", got=got, allowed="a voxel of the image")
        z, y, x = sample.orientation.place(seed, shape)
        out.append((z, y, x))
    return out


def _prepared(seed: tuple[float, float, float], sample: Sample) -> tuple[float, float, float]:
    """A point of the canonical planes on the grid of a sample that was cut."""
    _, rows, columns = sample.geometry.shape
    y, x = (
        (at - one.start - (one.stop - one.start - 1) / 2) / by + (length - 1) / 2
        for at, one, by, length in zip(
            seed[1:], sample.box, sample.step, (rows, columns), strict=True
        )
    )
    return seed[0], y, x


def _cut(sample: Sample, place: Place, look: Look) -> Sample:
    """The sample about a place, with pixels of the size that methods expect."""
    sizes, whole = SIZES[look], sample.turned
    _, dy, dx = whole.spacing
    if whole.unit != "mm":  # the tools need some size
        dy = dx = sizes.field / max(whole.shape[1:])
    up, down, left, right = sizes.crop
    box: Box = (
        _span(place[0], up / dy, down / dy, whole.shape[1]),
        _span(place[1], left / dx, right / dx, whole.shape[2]),
    )
    cut = whole.cropped(*box)
    step = (sizes.pixel / dy, sizes.pixel / dx)
    rows, columns = (
        max(1, round(length / by)) for length, by in zip(cut.shape[1:], step, strict=True)
    )
    _, own_y, own_x = cut.spacing
    grid = cut.resampled((rows, columns), (own_y * step[0], own_x * step[1]))
    return replace(sample, box=box, step=step, geometry=grid)


def _span(centre: float, before: float, after: float, length: int) -> slice:
    return slice(max(0, round(centre - before)), min(length, max(1, round(centre + after))))


def _blood_bright(plane: Array, sizes: Sizes) -> Array:
    """An echo turned so that blood is bright and what the fan does not show is black."""
    from scipy import ndimage

    seen = sector(plane)
    dark = 1.0 - ndimage.gaussian_filter(plane, sizes.smooth / sizes.pixel)
    low, high = np.percentile(dark[seen], (5.0, 98.0))
    scaled = ((dark - low) / max(float(high - low), 1e-6)).clip(0.0, 1.0)
    out: Array = (scaled * seen).astype(np.float32)
    return out
