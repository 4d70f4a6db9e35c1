"""Where the ventricle probably is: a threshold, morphology, and what is known beforehand.

Section 3.3 of thesis 001: binarise, remove small blocks and close holes, choose by what is known
beforehand, crop. The thesis gives no number and says itself that its thresholds do not carry over
to other data. Here Otsu's threshold comes from the image, and the prior's numbers from training
patients (docs/explanation/preparation-of-the-papers.md). Blood is sought as the largest disc that
fits into the dark (echo) or bright (MR) part, near the place where hearts usually are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.prepare.content import content_box

Look = Literal["apical", "short-axis"]
"""What the planes show: an apical echo, or a short axis with bright blood."""

Box = tuple[slice, slice]
"""Rows and columns of a plane."""

GRID = 128
"""Planes are looked at with about this many points along their longer side: noise averages out."""

CONTRAST = 0.25
"""Mean blood and mean surroundings that differ by this share of full scale leave no doubt."""

TOO_LARGE = 3.0
"""A part that holds a disc of so many times the prior's radius is no ventricle."""

_BLACK = 0.02
_LOCAL = 16.0
_EDGE, _OPENING = 2, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known before an image is seen, in shares of its field of view.

    Attributes:
        blood: darker or brighter than what is around it.
        centre: (y, x) of the ventricle.
        spread: (y, x) standard deviation of it.
        radius: a disc in the blood of this radius leaves no doubt.
        smoothing: of the coarse plane, in its points.
        reach: up, down, left and right of the place found, what the crop holds.
        least: surer than this, or the whole field stays.
    """

    blood: Literal["dark", "bright"]
    centre: tuple[float, float]
    spread: tuple[float, float]
    radius: float
    smoothing: float
    reach: tuple[float, float, float, float]
    least: float


PRIORS: Mapping[Look, Prior] = MappingProxyType(
    {
        "apical": Prior(
            blood="dark",
            centre=(0.42, 0.53),
            spread=(0.10, 0.08),
            radius=0.15,
            smoothing=2.0,
            reach=(0.34, 0.52, 0.35, 0.34),
            least=0.10,
        ),
        "short-axis": Prior(
            blood="bright",
            centre=(0.50, 0.48),
            spread=(0.09, 0.09),
            radius=0.06,
            smoothing=0.7,
            reach=(0.22, 0.22, 0.22, 0.22),
            least=0.15,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locate:
    """Crop to the ventricle, or to what is not black, once for a study.

    Attributes:
        look: what the planes show: "apical" echo, or "short-axis" MR with bright blood; "content"
            seeks no ventricle, but cuts off black borders.
        widen: the crop is so many times what holds the left ventricle.
    """

    look: Look | Literal["content"]
    widen: float = 1.0

    def __post_init__(self) -> None:
        if self.look == "content" and self.widen != 1.0:
            got = f"{self.widen:g} of the content"
            raise ConfigError("preparation.locate.widen", got=got, allowed="1: it has its borders")
        if not 0.5 <= self.widen <= 5:
            raise ConfigError("preparation.locate.widen", got=f"{self.widen:g}", allowed="0.5-5")


@dataclass(frozen=True, slots=True)
class Location:
    """Where the ventricle is thought to be.

    Attributes:
        box: of every plane, to crop to; the whole plane where nothing was found.
        sure: from 0 to 1; no probability.
        found: surer than the prior asks for.
        place: (y, x) of the best fit, in pixels; None where nothing was found.
    """

    box: Box
    sure: float
    found: bool
    place: tuple[float, float] | None = None


def locate(planes: NDArray[np.float32], how: Locate) -> Location:
    """One place for all planes (n, y, x) of a study, which hold intensities in [0, 1].

    Of the content it is no place but a box. Else each plane says for every point how well a
    ventricle would fit there; the planes are added up, and the place is the middle of the best
    peak.
    """
    from scipy import ndimage

    if how.look == "content":
        return Location(content_box(planes), sure=1.0, found=True)
    prior = PRIORS[how.look]
    rows, columns = planes.shape[1:]
    every = max(1, -(-max(rows, columns) // GRID))
    fit = np.mean([_fit(_coarse(plane, every), prior) for plane in planes], axis=0)
    sure = float(fit.max())
    whole = (slice(0, rows), slice(0, columns))
    if sure <= prior.least:
        return Location(whole, sure, found=False)
    parts, _ = ndimage.label(fit > sure / 2)
    peak = parts == parts[np.unravel_index(int(fit.argmax()), fit.shape)]
    y, x = ((float(at) + 0.5) * every for at in ndimage.center_of_mass(fit * peak))
    up, down, left, right = (one * how.widen for one in prior.reach)
    box = (_span(y, up, down, rows), _span(x, left, right, columns))
    return Location(box, sure, found=True, place=(y, x))


def _span(centre: float, before: float, after: float, length: int) -> slice:
    start = max(0, round(centre - before * length))
    return slice(start, min(length, round(centre + after * length)))


def _coarse(plane: NDArray[np.float32], every: int) -> NDArray[np.float32]:
    """Means of `every` x `every` pixels; a rest at the far edges is left out."""
    rows, columns = (length // every for length in plane.shape)
    whole = plane[: rows * every, : columns * every]
    means: NDArray[np.float32] = whole.reshape(rows, every, columns, every).mean((1, 3))
    return means


def _fit(plane: NDArray[np.float32], prior: Prior) -> NDArray[np.float64]:
    """(y, x) from 0 to 1: is there blood all around a point, and does it lie where hearts do?"""
    from scipy import ndimage

    seen = sector(plane) if prior.blood == "dark" else np.ones(plane.shape, bool)
    expected = _expected(seen, prior)
    smooth = ndimage.gaussian_filter(plane, prior.smoothing)
    if prior.blood == "dark":  # echo darkens with depth: compare with the surroundings
        share = ndimage.gaussian_filter(seen.astype(np.float32), _LOCAL)
        smooth = ndimage.gaussian_filter(plane * seen, _LOCAL) / np.maximum(share, 1e-3) - smooth
        seen = ndimage.binary_erosion(seen, _disc(_EDGE))
    near = seen & (expected > np.exp(-0.5 * 2.2**2))  # within 2.2 standard deviations
    if not near.any():
        return np.zeros(plane.shape)
    threshold, contrast = otsu(smooth[near])
    blood = ndimage.binary_opening((smooth > threshold) & seen, _disc(_OPENING))
    depth = _depth(ndimage.binary_fill_holes(blood)) / (prior.radius * max(plane.shape))
    parts, count = ndimage.label(depth > 0)
    deepest = np.concatenate([[0.0], ndimage.maximum(depth, parts, np.arange(1, count + 1))])
    depth[deepest[parts] > TOO_LARGE] = 0.0
    round_enough = np.minimum(depth, 1.0)
    fit: NDArray[np.float64] = round_enough * expected * min(1.0, contrast / CONTRAST)
    return fit


def _depth(blood: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Radius of the largest disc of blood about each point, in points."""
    from scipy import ndimage

    depth: NDArray[np.float64] = ndimage.distance_transform_edt(np.pad(blood, 1))[1:-1, 1:-1]
    return depth


def _expected(seen: NDArray[np.bool_], prior: Prior) -> NDArray[np.float64]:
    """The prior as a bump of height 1 in the box that holds everything seen."""
    bumps = []
    for axis, (centre, spread) in enumerate(zip(prior.centre, prior.spread, strict=True)):
        there = np.flatnonzero(seen.any(axis=1 - axis))
        first, length = (there[0], there[-1] + 1 - there[0]) if len(there) else (0, 1)
        share = (np.arange(seen.shape[axis]) + 0.5 - first) / length
        bumps.append(np.exp(-0.5 * ((share - centre) / spread) ** 2))
    product: NDArray[np.float64] = np.outer(*bumps)
    return product


def sector(plane: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The largest part that is not black, without holes: the fan of an echo."""
    from scipy import ndimage

    parts, count = ndimage.label(plane > _BLACK)
    if not count:
        return np.ones(plane.shape, bool)
    sizes = np.bincount(parts.ravel())[1:]
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(parts == 1 + int(sizes.argmax()))
    return filled


def otsu(values: Iterable[float]) -> tuple[float, float]:
    """Otsu's threshold (1979) in 64 classes, and how far the means of both sides lie apart."""
    counts, edges = np.histogram(np.asarray(values, np.float64), 64)
    middles = (edges[:-1] + edges[1:]) / 2
    below, sums = counts.cumsum()[:-1], (counts * middles).cumsum()
    above, total = counts.sum() - below, sums[-1]
    low = sums[:-1] / np.maximum(below, 1)
    high = (total - sums[:-1]) / np.maximum(above, 1)
    between = below * above * (high - low) ** 2
    best = int(between.argmax())
    if between[best] <= 0:  # one class alone: nothing to divide
        return float(edges[-1]), 0.0
    return float(edges[best + 1]), float(high[best] - low[best])


def _disc(radius: float) -> NDArray[np.bool_]:
    reach = int(radius)
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    inside: NDArray[np.bool_] = y * y + x * x <= radius * radius
    return inside
