"""Where the heart is in a short-axis stack, and whether: the model looks coarsely first.

Thesis 001 wishes for detection that narrows what the segmenter sees. The planes of a scan are
three times as wide as the heart, so a network that sees the heart alone has a quarter of the work.
The finder is the segmenter itself on pixels twice as large as its own, one frame in eight: nothing
more is shipped, and what it cannot find it could not segment (docs/explanation/locating.md, with
what else was tried).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image
from heartseg.prepare.localise import Location
from heartseg.segment.bundle import Bundle
from heartseg.segment.frames import looking
from heartseg.segment.runtime import Runtime

COARSE_MM = 3.0
"""Pixels of the first look, at most; coarser ones miss more of the heart's border
(benchmarks/LOG.md)."""

TIMES_COARSER = 2.0
"""Than the pixels that the model learnt from, at most: a smaller heart is strange to it."""

MARGIN_MM = 25.0
"""Around what was found: about twice the largest error of the look, and surroundings."""

ONE_IN = 8
"""Of so many frames one is looked at, evenly through the beat; the box holds the heart of each."""

CORE = 0.5
"""Probability of heart from which a pixel belongs to it."""

CRUMB = 0.5
"""A second piece of this share of the largest belongs to the heart too. In 80 patients none did;
the largest stray had a share of 0.29 (benchmarks/LOG.md)."""

HEART_CM2 = 15.0
"""Both ventricles with their wall fill as much of some slice; less makes less sure."""

LEAST_SURE = 0.7
"""Less sure than this, and the whole planes stay. Hearts gave 0.87 and more."""

NOT_FOUND = "no heart found by a coarse look"


def locate(
    image: Image, bundle: Bundle, runtime: Runtime, *, margin_mm: float = MARGIN_MM
) -> Location:
    """One box for all slices and frames, in pixels of the canonical planes.

    Args:
        image: a short-axis stack, any grid in millimetres.
        bundle: a model of the heart's structures.
        runtime: the same bundle, ready to compute.
        margin_mm: around what was found.

    Returns:
        The box with its margin and how sure it is, 0 to 1: the mean probability of heart where it
        was found, less where that is too small for a heart. The whole planes where it is not found.

    Raises:
        FormatError: the image has no contrast or holds NaN.
        GeometryError: the image has no millimetres.
    """
    image.geometry.require_mm("where the heart is")
    own = bundle.preparation.spacing_mm or COARSE_MM
    coarse_mm = max(own, min(COARSE_MM, TIMES_COARSER * own))
    coarse = replace(bundle.preparation, spacing_mm=coarse_mm)
    sample, look = coarse.sample(image), looking(bundle, runtime)
    many = -(-image.frames // ONE_IN)
    seen = np.linspace(0, image.frames - 1, many).round().astype(int)
    hearts = [1.0 - look(sample.channels(index))[:, 0] for index in seen.tolist()]
    heart = np.maximum.reduce(hearts)  # (z, H, W)
    core = _pieces(heart)
    sure = _sure(heart, core, sample.geometry.spacing)
    if sure < LEAST_SURE:
        return Location(sample.box, sure, found=False)
    rows, columns = (_span(core, across=axis) for axis in (2, 1))
    box = sample.box_of(rows, columns, margin_mm)
    y, x = ((one.start + one.stop) / 2 for one in box)
    return Location(box, sure, found=True, place=(y, x))


def suits(bundles: Sequence[Bundle], image: Image) -> bool:
    """Whether models may be shown the heart alone: those of planes, at a spacing of their own."""
    return image.geometry.unit == "mm" and all(
        one.preparation.spacing_mm is not None
        and one.preparation.locate is None
        and one.window is None
        for one in bundles
    )


def told(place: Location, image: Image, bundle: Bundle) -> str:
    """A sentence for people: what was found, and what the network sees therefore."""
    sure = f"{100 * place.sure:.0f} % sure"
    if not place.found:
        return f"{NOT_FOUND} ({sure}): the network sees whole planes"
    geometry = image.geometry.oriented(image.geometry.canonical())
    shown = bundle.preparation.shown(geometry, place).box
    high, wide = (
        f"{(one.stop - one.start) * mm:.0f}"
        for one, mm in zip(shown, geometry.spacing[1:], strict=True)
    )
    middle = [(one.start + one.stop - 1) / 2 for one in place.box]
    x, y, z = geometry.point(((geometry.shape[0] - 1) / 2, *middle))
    where = f"L {x:.0f}, P {y:.0f}, S {z:.0f} mm"
    return f"found by a coarse look at {where} ({sure}): the network sees {wide} x {high} mm"


def _pieces(heart: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The heart's pixels (z, H, W): the largest piece, and those that are no crumbs beside it."""
    from scipy import ndimage

    parts, count = ndimage.label(heart > CORE, np.ones((3, 3, 3)))
    if not count:
        return np.zeros(heart.shape, bool)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept: NDArray[np.bool_] = (sizes >= CRUMB * sizes.max())[parts] & (parts > 0)
    return kept


def _sure(
    heart: NDArray[np.float32], core: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> float:
    if not core.any():
        return 0.0
    largest_cm2 = float(core.sum(axis=(1, 2)).max()) * spacing[1] * spacing[2] / 100
    return float(heart[core].mean()) * min(1.0, largest_cm2 / HEART_CM2)


def _span(core: NDArray[np.bool_], *, across: int) -> slice:
    places = np.flatnonzero(core.any(axis=(0, across)))
    return slice(int(places[0]), int(places[-1]) + 1)
