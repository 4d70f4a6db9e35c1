"""Where the heart is in a short-axis stack, and whether there is one: a small network looks first.

Thesis 001 wishes for detection that narrows what the segmenter sees. The planes of a scan are
three times as wide as the heart, so a network that sees the heart alone has a quarter of the work
(docs/explanation/locating.md, with what else was tried). Any bundle can look; the shipped
`heart-place` sees pixels of 5 mm and has a few thousand weights.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image
from heartseg.prepare.localise import Location
from heartseg.segment.bundle import Bundle
from heartseg.segment.frames import looking
from heartseg.segment.runtime import Runtime

LOCATOR = "heart-place"
"""The shipped model that looks first."""

MARGIN_MM = 20.0
"""Around what was found: the network needs surroundings, and the finder is coarse."""

LOOKED_AT = 3
"""Frames that are looked at, evenly through the beat; the box holds the heart of all of them."""

LEAST_SURE = 0.5
"""Less sure than this, and the whole field stays."""

CORE = 0.5
"""Probability of heart from which a pixel belongs to it."""

CRUMB = 0.1
"""A second piece of this share of the largest belongs to the heart too."""


def locate(
    image: Image, bundle: Bundle, runtime: Runtime, *, margin_mm: float = MARGIN_MM
) -> Location:
    """One box for all slices and frames, in pixels of the canonical planes.

    Args:
        image: a short-axis stack, any grid.
        bundle: a model of the heart's structures, coarse for speed.
        runtime: the same bundle, ready to compute.
        margin_mm: around what was found.

    Returns:
        The box with its margin and how sure it is, 0 to 1; the whole planes where no heart was
        found.

    Raises:
        FormatError: the image has no contrast or holds NaN.
    """
    sample, look = bundle.preparation.sample(image), looking(bundle, runtime)
    seen = np.linspace(0, image.frames - 1, min(image.frames, LOOKED_AT)).round().astype(int)
    hearts = [1.0 - look(sample.frame(index)[:, None])[:, 0] for index in seen.tolist()]
    heart = np.maximum.reduce(hearts)  # (z, H, W)
    core = _largest(heart)
    sure = _sure(heart, core)
    if sure < LEAST_SURE:
        return Location(sample.box, sure, found=False)
    rows, columns = (_span(core.any(axis=(0, axis))) for axis in (2, 1))
    box = sample.box_of(rows, columns, margin_mm)
    middle = tuple((one.start + one.stop) / 2 for one in box)
    return Location(box, sure, found=True, place=middle)


def suits(locator: Bundle, bundles: Sequence[Bundle], image: Image) -> bool:
    """Whether models may be shown the heart alone: the locator knows all that they seek."""
    known = set(locator.structures)
    return image.geometry.unit == "mm" and all(
        (one.modality, one.view) == (locator.modality, locator.view)
        and known.issuperset(one.structures)
        and one.preparation.spacing_mm is not None
        and one.preparation.locate is None
        for one in bundles
    )


def told(place: Location, image: Image, locator: Bundle, segmenter: Bundle) -> str:
    """A sentence for people: what was found, and what the network sees therefore."""
    by, sure = f"{locator.name} {locator.version}", f"{100 * place.sure:.0f} % sure"
    if not place.found:
        return f"not found by {by} ({sure}): the network sees whole planes"
    geometry = image.geometry.oriented(image.geometry.canonical())
    shown = segmenter.preparation.shown(geometry, place).box
    _, *spacing = geometry.spacing
    high, wide = (
        f"{(one.stop - one.start) * mm:.0f}" for one, mm in zip(shown, spacing, strict=True)
    )
    middle = [(one.start + one.stop - 1) / 2 for one in place.box]
    x, y, z = geometry.point(((geometry.shape[0] - 1) / 2, *middle))
    where = f"L {x:.0f}, P {y:.0f}, S {z:.0f} mm"
    return f"found by {by} at {where} ({sure}): the network sees {wide} x {high} mm"


def _largest(heart: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The heart's pixels (z, H, W): the largest piece, and those that are no crumbs beside it."""
    from scipy import ndimage

    parts, count = ndimage.label(heart > CORE, np.ones((3, 3, 3)))
    if not count:
        return np.zeros(heart.shape, bool)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept: NDArray[np.bool_] = (sizes >= CRUMB * sizes.max())[parts] & (parts > 0)
    return kept


def _sure(heart: NDArray[np.float32], core: NDArray[np.bool_]) -> float:
    return float(heart[core].mean()) if core.any() else 0.0


def _span(there: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(there)
    return slice(int(places[0]), int(places[-1]) + 1)
