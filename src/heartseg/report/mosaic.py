"""Tiles for the pictures: which frames and slices of a view are shown, and how each looks.

Planes are turned by `Geometry.canonical`, so a picture is upright and never mirrored. Slices run
from base to apex. Where a file knows nothing of the patient (or lies), the order comes from the
heart itself: its cross-section is larger at the base.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.stack_order import directions_contradicted
from heartseg.core.study import Study, View
from heartseg.report.drawing import Floats, Stretch, draw_contour, draw_segment, enlarge
from heartseg.report.palette import COLOURS, PAPER

MARGIN = 0.3
"""Of the heart's extent, added to it all around in the crop."""

LOWEST_PERCENT, HIGHEST_PERCENT = 1.0, 99.5
"""Intensities between these percentiles span black to white."""

MOST_SLICES = 21
"""Shown of a stack; of a larger one, as many evenly spaced slices through the heart."""

_DRAWN = (Structure.RV_CAVITY, Structure.LV_MYOCARDIUM, Structure.LV_CAVITY)
"""Drawn in this order: where borders meet, the line of the LV cavity lies on top."""


@dataclass(frozen=True, slots=True)
class Row:
    """One frame's tiles, base to apex.

    Attributes:
        title: `ED`, `ES` or nothing.
        frame: counted from 0.
        tiles: (n, pixels, pixels, 3) uint8.
    """

    title: str
    frame: int
    tiles: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The tiles of one view.

    Attributes:
        view: what is shown.
        frames: that the study has.
        slices: position of each column in its stack, counted from 1 at the base.
        of: slices in the stack.
        rows: one per phase.
        structures: drawn somewhere, in order of their numbers.
    """

    view: View
    frames: int
    slices: tuple[int, ...]
    of: int
    rows: tuple[Row, ...]
    structures: tuple[Structure, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The part of a view that is shown, turned upright: (n, z, y, x) of n frames, base first."""

    voxels: Floats
    labels: NDArray[np.uint8]
    spacing: tuple[float, float]


def mosaics(
    report: Report, study: Study, segmentations: Mapping[View, Segmentation], *, pixels: int
) -> tuple[Mosaic, ...]:
    """The tiles of every segmented view, each tile `pixels` wide and high."""
    return tuple(
        _mosaic(view, study.images[view], segmentation, report, pixels)
        for view, segmentation in segmentations.items()
        if view in study.images
    )


def column_count(study: Study, segmentations: Mapping[View, Segmentation]) -> int:
    """Tiles side by side in the widest view, if all were in one line."""
    return max(
        (
            min(s.geometry.shape[0], MOST_SLICES)
            for v, s in segmentations.items()
            if v in study.images
        ),
        default=0,
    )


def _phases(report: Report, view: View, segmentation: Segmentation) -> list[tuple[str, int]]:
    phases = report.phases.get(view)
    if phases is None:
        return [("", 0)]
    named = [("ED", phases.ed)] + ([] if phases.es is None else [("ES", phases.es)])
    return [(name, frame) for name, frame in named if 0 <= frame < segmentation.frames]


def _mosaic(
    view: View, image: Image, segmentation: Segmentation, report: Report, pixels: int
) -> Mosaic:
    phases = _phases(report, view, segmentation)
    shown = _upright(image, segmentation, [frame for _, frame in phases])
    chosen = _chosen_slices(shown.labels)
    heart = shown.labels[:, chosen]
    rows, columns = _crop(heart, shown.spacing, pixels)
    grey = _windowed(enlarge(_flat(shown.voxels[:, chosen]), rows, columns, smooth=False))
    present = [s for s in _order() if (heart == s).any()]
    pictures = np.repeat(grey[..., None], 3, axis=-1)
    for structure in present:
        masks = _flat(heart == structure)
        drawn = np.flatnonzero(masks.any(axis=(1, 2)))
        smooth = enlarge(masks[drawn], rows, columns, smooth=True)
        for tile, mask in zip(drawn, smooth, strict=True):
            draw_contour(pictures[tile], mask, COLOURS[structure])
    if len(chosen) == 1:
        _draw_axes(pictures, report, view, image.geometry, (rows, columns))
    tiles = (pictures + 0.5).astype(np.uint8).reshape(len(phases), len(chosen), pixels, pixels, 3)
    return Mosaic(
        view=view,
        frames=segmentation.frames,
        slices=tuple(int(z) + 1 for z in chosen),
        of=segmentation.geometry.shape[0],
        rows=tuple(Row(t, f, part) for (t, f), part in zip(phases, tiles, strict=True)),
        structures=tuple(sorted(present)),
    )


def _upright(image: Image, segmentation: Segmentation, frames: list[int]) -> Shown:
    orientation = image.geometry.canonical()
    spacing = image.geometry.oriented(orientation).spacing
    voxels = orientation.apply(image.voxels[frames])
    labels = orientation.apply(segmentation.labels[frames])
    if not directions_contradicted(image.geometry, segmentation.labels[frames[0]]):
        voxels, labels = voxels[:, ::-1], labels[:, ::-1]
    finite = np.nan_to_num(voxels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return Shown(finite, labels, spacing[1:])


def _draw_axes(
    pictures: Floats, report: Report, view: View, geometry: Geometry, place: tuple[Stretch, Stretch]
) -> None:
    """Draw the long axis and the base of a view into its ED and ES, where they were measured."""
    rows, columns = place
    for picture, phase in zip(pictures, ("ed", "es"), strict=False):
        for ends in _long_axis(report, f"{view}_{phase}", geometry):
            first, last = ((rows.pixel(y), columns.pixel(x)) for y, x in ends)
            draw_segment(picture, (first, last), PAPER)


def _long_axis(
    report: Report, name: str, geometry: Geometry
) -> tuple[tuple[tuple[float, float], tuple[float, float]], ...]:
    """The long axis and the base of a view, from the report's landmarks: their ends upright."""
    marks = [report.landmarks.get(f"{name}_{point}") for point in ("apex", "hinge_1", "hinge_2")]
    turn = geometry.canonical()
    placed = [turn.place(mark, geometry.shape)[1:] for mark in marks if mark is not None]
    if len(placed) < len(marks):
        return ()
    apex, first, last = ((row, column) for row, column in placed)
    base = ((first[0] + last[0]) / 2, (first[1] + last[1]) / 2)
    return ((base, apex), (first, last))


def _chosen_slices(labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    number = labels.shape[1]
    if number <= MOST_SLICES:
        return np.arange(number)
    held = np.flatnonzero(labels.any(axis=(0, 2, 3)))
    first, last = (held[0], held[-1]) if len(held) else (0, number - 1)
    return np.unique(np.linspace(first, last, MOST_SLICES).round().astype(np.intp))


def _crop(
    labels: NDArray[np.uint8], spacing: tuple[float, float], pixels: int
) -> tuple[Stretch, Stretch]:
    """A square around the heart, in the same millimetres a pixel both ways."""
    spans = []
    for axis in (2, 3):
        others = tuple(a for a in range(4) if a != axis)
        held = np.flatnonzero(labels.any(axis=others))
        number = labels.shape[axis]
        spans.append((held[0], held[-1]) if len(held) else (0, number - 1))
    size = [(last - first + 1) * s for (first, last), s in zip(spans, spacing, strict=True)]
    side = max(size) * (1 + 2 * MARGIN if labels.any() else 1)
    rows, columns = (
        Stretch(labels.shape[axis], (span[0] + span[1]) / 2, side / pixels / s, pixels)
        for axis, span, s in zip((2, 3), spans, spacing, strict=True)
    )
    return rows, columns


def _flat(planes: NDArray[Any]) -> NDArray[Any]:
    return planes.reshape(-1, *planes.shape[2:])


def _windowed(grey: Floats) -> Floats:
    low, high = np.percentile(grey[:, ::2, ::2], (LOWEST_PERCENT, HIGHEST_PERCENT))
    span = np.float32(max(high - low, 1e-6))
    windowed: Floats = np.clip((grey - np.float32(low)) * (255.0 / span), 0.0, 255.0)
    return windowed


def _order() -> tuple[Structure, ...]:
    others = tuple(s for s in COLOURS if s not in _DRAWN)
    return (*_DRAWN, *others)
