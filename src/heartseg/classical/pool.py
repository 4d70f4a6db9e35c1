"""From the pixels that look like blood to the cavity as people draw it."""

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.scene import Plane
from heartseg.core.anatomy import Labels, Structure

Mask = NDArray[np.bool_]

NECKS_MM = (0.0, 2.0, 3.5, 5.0, 7.0, 9.0, 12.0)
"""Radii of the openings that are tried in turn, until what is left is a cavity."""

SOLID = 0.7
"""Share of its convex hull that blood fills between papillary muscles; after a leak it is less."""

CLOSING_MM = 4.0
"""Radius of the closing that takes narrow clefts between trabeculae into the cavity."""


def cavity(blood: Mask, plane: Plane) -> Mask:
    """The cavity among pixels (y, x) that look like blood.

    The convex hull of the piece at the seed, so that papillary muscles are in it, as ACDC and CAMUS
    draw it. The piece is cut off by the least opening that makes it compact, round enough and not
    larger than cavities are; where no opening does, the largest disc about the seed is left.
    """
    inside = blood & plane.within()
    for radius_mm in NECKS_MM:
        piece = at_seed(opened(inside, plane.pixels(radius_mm)), plane)
        if not piece.any():
            break
        whole = hull(piece)
        solid = filled(piece, plane).sum() >= SOLID * whole.sum()
        if solid and roundness(whole) >= plane.sizes.round and plane.radius[whole].max() < 0.98:
            return whole
    return largest_disc(inside, plane)


def labelled(mask: Mask) -> Labels:
    """The labels of a cavity alone."""
    return np.where(mask, np.uint8(Structure.LV_CAVITY), np.uint8(0))


def at_seed(mask: Mask, plane: Plane) -> Mask:
    """The piece of a mask (y, x) that holds the seed or lies nearest to it, within 8 mm."""
    from scipy import ndimage

    pieces, _ = ndimage.label(mask)
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    far = np.hypot(rows - plane.seed[0], columns - plane.seed[1])
    far = np.where(mask, far, np.inf)
    nearest = np.unravel_index(int(far.argmin()), far.shape)
    if far[nearest] > plane.pixels(8.0):
        return np.zeros_like(mask)
    piece: Mask = pieces == pieces[nearest]
    return piece


def filled(mask: Mask, plane: Plane) -> Mask:
    """A piece with its clefts and holes."""
    from scipy import ndimage

    radius = plane.pixels(CLOSING_MM)
    margin = int(radius) + 1
    closed = ndimage.binary_closing(np.pad(mask, margin), disc(radius))
    out: Mask = ndimage.binary_fill_holes(closed)[margin:-margin, margin:-margin]
    return out


def opened(mask: Mask, radius: float) -> Mask:
    """Without parts that are narrower than a disc of that radius in pixels."""
    from scipy import ndimage

    if radius < 1:
        return mask
    out: Mask = ndimage.binary_opening(mask, disc(radius))
    return out


def largest_disc(mask: Mask, plane: Plane) -> Mask:
    """The largest disc about the seed, or near it, that a mask holds."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    depth = np.where(plane.radius < 0.3, depth, 0.0)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    out: Mask = np.hypot(rows - y, columns - x) < depth[y, x]
    return out


def core(mask: Mask, share: float) -> Mask:
    """The part of a mask (y, x) that is deeper than a share of its greatest depth."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    out: Mask = depth > share * depth.max()
    return out


def outside_mm(mask: Mask, plane: Plane) -> NDArray[np.float64]:
    """(y, x): millimetres from the border of a mask, negative within; infinite without one."""
    from scipy import ndimage

    if not mask.any():
        return np.full(mask.shape, np.inf)
    beyond = ndimage.distance_transform_edt(~mask)
    within = ndimage.distance_transform_edt(mask)
    out: NDArray[np.float64] = np.where(mask, 0.5 - within, beyond - 0.5) * plane.sizes.pixel
    return out


def hull(mask: Mask) -> Mask:
    """The pixels (y, x) whose centres lie in the convex hull of a mask's pixels."""
    from scipy.spatial import ConvexHull

    corners = np.argwhere(mask)
    if not len(corners):
        return mask
    half = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, -0.5], [0.0, 0.5]])  # one pixel has a hull too
    sides = ConvexHull((corners[:, None] + half[None]).reshape(-1, 2)).equations
    rows, columns = np.indices(mask.shape)
    found = np.ones(mask.shape, bool)
    for down, right, offset in sides:
        found &= down * rows + right * columns + offset <= 1e-9
    return found


def roundness(mask: Mask) -> float:
    """Area over that of the circle about its middle that holds a mask (y, x); 1 of a disc."""
    places = np.argwhere(mask).astype(np.float64)
    if not len(places):
        return 0.0
    reach = np.hypot(*(places - places.mean(axis=0)).T).max() + 0.5
    return float(len(places) / (np.pi * reach**2))


def disc(radius: float) -> Mask:
    """A structuring element of that radius in pixels."""
    reach = int(radius)
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    inside: Mask = rows * rows + columns * columns <= radius * radius
    return inside
