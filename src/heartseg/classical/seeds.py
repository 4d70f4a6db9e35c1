"""A seed for every plane: from one place of the ventricle along the stack, both ways.

In the plane where blood fits best the seed is the middle of the largest disc of blood near the
place; its neighbours start from there. A cavity ends where no disc of some size fits any more or
where blood no longer stands out, and planes beyond the end have no seed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.sizes import Sizes
from heartseg.prepare.localise import otsu

Place = tuple[float, float]
"""(y, x) in pixels."""

STRAY_MM = 12.0
"""Standard deviation of a seed about the seed of the plane before."""

LEAST_CONTRAST = 0.45
"""Blood that stands out less than this share of the best plane's is none."""


def given_seeds(
    points: Sequence[tuple[float, float, float]], planes: int
) -> tuple[Place | None, ...]:
    """The user's points (z, y, x), joined by straight lines; beyond the last ones they stay."""
    z, y, x = np.array(sorted(points), np.float64).T
    at = np.arange(planes)
    rows, columns = np.interp(at, z, y), np.interp(at, z, x)
    return tuple(zip(rows.tolist(), columns.tolist(), strict=True))


def sought_seeds(
    planes: NDArray[np.float32], place: Place, sizes: Sizes
) -> tuple[Place | None, ...]:
    """Seeds of planes (z, y, x) with bright blood, from the place of the ventricle."""
    first = [_seed(plane, place, sizes) for plane in planes]
    middle = (len(planes) - 1) / 2
    order = sorted(range(len(planes)), key=lambda z: (-_worth(first[z], z, middle), z))
    best = order[0]
    begun = first[best]
    if begun is None:
        return (None,) * len(planes)
    seeds: list[Place | None] = [None] * len(planes)
    start, contrast, _ = begun
    for step in (1, -1):
        at: Place = start
        for z in range(best, len(planes) if step > 0 else -1, step):
            found = _seed(planes[z], at, sizes)
            if found is None or found[1] < LEAST_CONTRAST * contrast:
                break
            at = seeds[z] = found[0]
    return tuple(seeds)


_Found = tuple[Place, float, float] | None
"""Where, how much blood stands out there, and the radius of the disc in pixels."""


def _worth(found: _Found, z: int, middle: float) -> float:
    """Of a plane to start from: large discs of blood, a little rather in the middle."""
    if found is None:
        return 0.0
    return found[1] * found[2] * (1.0 - 0.5 * abs(z - middle) / max(middle, 1.0))


def _seed(plane: NDArray[np.float32], place: Place, sizes: Sizes) -> _Found:
    from scipy import ndimage

    rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
    far = np.hypot(rows - place[0], columns - place[1]) * sizes.pixel
    near = far <= max(sizes.largest)
    smooth = ndimage.gaussian_filter(plane, sizes.smooth / sizes.pixel)
    threshold, contrast = otsu(smooth[near])
    depth = ndimage.distance_transform_edt(np.pad(smooth > threshold, 1))[1:-1, 1:-1]
    fit = depth * np.exp(-0.5 * (far / STRAY_MM) ** 2)
    y, x = np.unravel_index(int(fit.argmax()), fit.shape)
    radius = float(depth[y, x])
    if radius * sizes.pixel < sizes.smallest:
        return None
    return (float(y), float(x)), contrast, radius
