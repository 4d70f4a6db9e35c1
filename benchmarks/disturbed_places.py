"""Disturbances of places: an image is turned, resampled, thinned or cut, and its masks with it.

Each is a pure function of a `Scene`. Grids come from `core.geometry`, so that what is cut out stays
where it was in the patient, and what is turned has turned in the scanner. Grey values and shares of
structures are interpolated linearly; where structures meet, the one with the largest share wins.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.prepare.resample import linear_weights, resample_planes

Resampler = Callable[[NDArray[np.float32]], NDArray[np.float32]]

QUARTER_TURN = Orientation((0, 2, 1), (False, True, False))
HALF_TURN = Orientation(flip=(False, True, True))
MIRRORED = Orientation(flip=(False, False, True))
EXCHANGED = Orientation((0, 2, 1), (False, False, True))
UPSIDE_DOWN = Orientation(flip=(True, True, False))


@dataclass(frozen=True)
class Scene:
    """An image and masks on its grid, the first of them the truth; the others go with it."""

    image: Image
    masks: tuple[Segmentation, ...]

    @property
    def truth(self) -> Segmentation:
        """What people drew."""
        return self.masks[0]

    @property
    def heart(self) -> NDArray[np.bool_]:
        """(z, y, x) of the drawn heart in any frame."""
        drawn: NDArray[np.bool_] = (self.truth.labels > 0).any(axis=0)
        return drawn

    @property
    def signal(self) -> float:
        """Mean grey value of the drawn heart."""
        return float(self.image.voxels[self.truth.labels > 0].mean())


def rotated(scene: Scene, degrees: float) -> Scene:
    """The patient turned about the middle of the planes, on a grid that holds all of them.

    With rows y growing downwards and columns x to the right, in millimetres from the middle,
    (x, y) goes to (x cos a - y sin a, x sin a + y cos a). Corners without image are black: the
    smallest grey value.
    """
    from scipy.ndimage import affine_transform

    grid = scene.image.geometry
    (_, rows, columns), (_, dy, dx) = grid.shape, grid.spacing
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    high, wide = abs(cos) * rows * dy, abs(cos) * columns * dx
    high, wide = high + abs(sin) * columns * dx, wide + abs(sin) * rows * dy
    shape = int(np.ceil(np.round(high / dy, 6))), int(np.ceil(np.round(wide / dx, 6)))
    back = np.array([[cos, -sin * dx / dy], [sin * dy / dx, cos]])  # (y, x) of pixels
    middle, new_middle = ((np.array(size) - 1) / 2 for size in ((rows, columns), shape))

    def turn(planes: NDArray[np.float32], beyond: float = 0.0) -> NDArray[np.float32]:
        flat = planes.reshape(-1, rows, columns)
        turned = [
            affine_transform(
                plane,
                back,
                offset=middle - back @ new_middle,
                output_shape=shape,
                order=1,
                mode="grid-constant",
                cval=beyond,
            )
            for plane in flat
        ]
        return np.stack(turned).reshape(*planes.shape[:-2], *shape).astype(np.float32)

    black = float(scene.image.voxels.min())
    geometry = grid.resampled(shape, (dy, dx))
    return _resampled(scene, geometry, lambda planes: turn(planes, black), turn)


def turned(scene: Scene, orientation: Orientation) -> Scene:
    """The patient turned by quarters or mirrored, exactly: every voxel keeps its value.

    The directions of the grid stay, so that the network sees another picture.
    """
    grid = scene.image.geometry
    if orientation.order == QUARTER_TURN.order:
        (_, rows, columns), (_, dy, dx) = grid.shape, grid.spacing
        grid = grid.resampled((columns, rows), (dx, dy))
    return _moved(scene, grid, orientation.apply)


def stored(scene: Scene, orientation: Orientation) -> Scene:
    """The same voxels at the same places in the patient, stored in another order."""
    return _moved(scene, scene.image.geometry.oriented(orientation), orientation.apply)


def spaced(scene: Scene, spacing_mm: float) -> Scene:
    """Planes with square pixels of another size; a wider triangle keeps detail from aliasing."""
    grid = scene.image.geometry
    weights = [
        linear_weights(
            size,
            int(np.ceil(np.round(size * old / spacing_mm, 6))),
            step=spacing_mm / old,
            filtered=True,
        )
        for size, old in zip(grid.shape[1:], grid.spacing[1:], strict=True)
    ]
    rows, columns = weights
    geometry = grid.resampled((len(rows), len(columns)), (spacing_mm, spacing_mm))

    def resample(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        return resample_planes(planes, rows, columns)

    return _resampled(scene, geometry, resample, resample)


def every_second_slice(scene: Scene) -> Scene:
    """Half of the slices at twice their distance, as the file says too."""
    grid = scene.image.geometry
    wide = twice_as_far(scene).image.geometry
    geometry = replace(wide, shape=((grid.shape[0] + 1) // 2, *grid.shape[1:]))
    return _moved(scene, geometry, lambda voxels: voxels[:, ::2])


def twice_as_far(scene: Scene) -> Scene:
    """The same pictures in a file that says twice the distance of slices."""
    z, y, x = scene.image.geometry.spacing
    geometry = scene.image.geometry.respaced((2 * z, y, x))
    return _moved(scene, geometry, lambda voxels: voxels)


def without_middle_slice(scene: Scene) -> Scene:
    """The middle slice of the LV is missing, and the stack closes over it without a word."""
    grid, middle = scene.image.geometry, slice_at(scene, 0.5)
    geometry = replace(grid, shape=(grid.shape[0] - 1, *grid.shape[1:]))
    return _moved(scene, geometry, lambda voxels: np.delete(voxels, middle, axis=1))


def black_middle_slice(scene: Scene) -> Scene:
    """The middle slice of the LV is black in the image; the heart is still there in the truth."""
    voxels = scene.image.voxels.copy()
    voxels[:, slice_at(scene, 0.5)] = voxels.min()
    return replace(scene, image=scene.image.like(voxels))


def single_slice(scene: Scene, place: float) -> Scene:
    """One slice alone, at `place` of the way from the base (0) to the apex (1) of the LV."""
    grid, chosen = scene.image.geometry, slice_at(scene, place)
    upright = Orientation((1, 0, 2))  # slices as rows: a crop of rows is a choice of slices
    rows, columns = slice(chosen, chosen + 1), slice(0, grid.shape[2])
    geometry = grid.oriented(upright).cropped(rows, columns).oriented(upright)
    return _moved(scene, geometry, lambda voxels: voxels[:, rows])


def slice_at(scene: Scene, place: float) -> int:
    """The slice at `place` of the way from base to apex, of those with LV cavity in all frames.

    The base is the end where more of heart was drawn.

    Raises:
        ValueError: no slice shows LV cavity in all frames.
    """
    labels = scene.truth.labels
    held = np.flatnonzero((labels == Structure.LV_CAVITY).any(axis=(2, 3)).all(axis=0))
    if not len(held):
        raise ValueError("no slice shows LV cavity in all frames")
    areas = np.count_nonzero(labels[:, held], axis=(0, 2, 3))
    from_base = held if areas[0] >= areas[-1] else np.flip(held)
    return int(from_base[int(np.floor(place * (len(held) - 1) + 0.5))])


def cropped(scene: Scene, margin_mm: float) -> Scene:
    """Rows and columns within so many millimetres of the drawn heart, as far as there are any."""
    heart, (_, dy, dx) = scene.heart, scene.image.geometry.spacing
    box = []
    for axes, size, spacing in (((0, 2), heart.shape[1], dy), ((0, 1), heart.shape[2], dx)):
        held, margin = np.flatnonzero(heart.any(axis=axes)), round(margin_mm / spacing)
        box.append(slice(max(0, int(held[0]) - margin), min(size, int(held[-1]) + margin + 1)))
    return _cut(scene, box[0], box[1])


def cropped_through_rv(scene: Scene, share: float) -> Scene:
    """A field of view that ends within the right ventricle and leaves out this share of it.

    The edge lies across the rows or the columns, whichever leads from the LV to the RV.
    """
    grid, labels = scene.image.geometry, scene.truth.labels
    right, left = (
        np.argwhere(labels == structure)[:, 2:]
        for structure in (Structure.RV_CAVITY, Structure.LV_CAVITY)
    )
    away = (right.mean(axis=0) - left.mean(axis=0)) * grid.spacing[1:]
    axis = int(np.argmax(np.abs(away)))
    box = [slice(0, size) for size in grid.shape[1:]]
    along = right[:, axis]
    if away[axis] > 0:
        box[axis] = slice(0, int(np.quantile(along, 1 - share, method="lower")) + 1)
    else:
        box[axis] = slice(int(np.quantile(along, share, method="higher")), grid.shape[1 + axis])
    return _cut(scene, box[0], box[1])


def _cut(scene: Scene, rows: slice, columns: slice) -> Scene:
    geometry = scene.image.geometry.cropped(rows, columns)
    return _moved(scene, geometry, lambda voxels: voxels[..., rows, columns])


def _moved(scene: Scene, geometry: Geometry, move: Callable[[NDArray[Any]], NDArray[Any]]) -> Scene:
    """Image and masks, voxel by voxel."""
    image = replace(scene.image, voxels=move(scene.image.voxels), geometry=geometry)
    masks = (replace(one, labels=move(one.labels), geometry=geometry) for one in scene.masks)
    return Scene(image, tuple(masks))


def _resampled(scene: Scene, geometry: Geometry, grey: Resampler, share: Resampler) -> Scene:
    """Image and masks, interpolated."""
    voxels = grey(scene.image.voxels.astype(np.float32))
    image = replace(scene.image, voxels=voxels, geometry=geometry)
    masks = (
        replace(one, labels=_likeliest(one.labels, share), geometry=geometry) for one in scene.masks
    )
    return Scene(image, tuple(masks))


def _likeliest(labels: Labels, share: Resampler) -> Labels:
    """The structure with the largest share; what no structure has is background's."""
    values = np.unique(labels[labels > 0]).tolist()
    shares = {value: share((labels == value).astype(np.float32)) for value in values}
    if not shares:
        return share(labels.astype(np.float32)).astype(np.uint8)
    best = 1 - sum(shares.values())
    out = np.zeros(best.shape, np.uint8)
    for value, own in shares.items():
        wins = own > best
        out[wins], best[wins] = value, own[wins]
    return out
