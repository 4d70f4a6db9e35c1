"""Areas and contours of every frame and slice, as tables: all that discs are summed from.

`<stem>_areas.csv` has a row a frame, slice and structure, `<stem>_contours.csv` a row a point. Both
show the masks as they are, before any choice of papillary muscles or base; frames that nobody drew
are left out. Frames and slices count from 0. A point is in LPS+ millimetres; the rule of the
contours is that of `outline`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.discs import pixel_area_mm2, slice_distance_mm
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.outline import Polygon, outlines
from heartseg.report.csv_text import Cell, csv_text

AREAS = ("frame", "time_ms", "slice", "position_mm", "structure", "area_mm2")
CONTOURS = (
    *("frame", "time_ms", "slice", "position_mm", "structure", "ring", "point"),
    *("x_mm", "y_mm", "z_mm"),
)


def areas_csv(segmentation: Segmentation) -> str:
    """The table of areas; 0 where a structure was looked for and is not.

    Raises:
        GeometryError: the grid has no millimetres.
    """
    segmentation.geometry.require_mm("an area")
    pixel = pixel_area_mm2(segmentation.geometry)
    rows = []
    for frame, z, about in _planes(segmentation):
        plane = segmentation.labels[frame, z]
        for structure in segmentation.structures:
            count = int(np.count_nonzero(plane == structure))
            rows.append((*about, structure.key, round(count * pixel, 4)))
    return csv_text(AREAS, rows)


def contours_csv(segmentation: Segmentation) -> str:
    """The table of contour points; the rings of a structure in a slice count from 0.

    Raises:
        GeometryError: the grid has no millimetres.
    """
    rows: list[Sequence[Cell]] = []
    abouts = {(frame, z): about for frame, z, about in _planes(segmentation)}
    last, ring = None, 0
    for frame, z, structure, polygon in rings(segmentation):
        ring = ring + 1 if (frame, z, structure) == last else 0
        last = frame, z, structure
        about = (*abouts[frame, z], structure.key, ring)
        points = in_patient(segmentation.geometry, z, polygon)
        rows += [(*about, n, *point) for n, point in enumerate(points)]
    return csv_text(CONTOURS, rows)


def rings(segmentation: Segmentation) -> Iterator[tuple[int, int, Structure, Polygon]]:
    """Frame, slice, structure and polygon of every contour, in this order.

    Raises:
        GeometryError: the grid has no millimetres.
    """
    segmentation.geometry.require_mm("a contour")
    for frame, z, _ in _planes(segmentation):
        plane = segmentation.labels[frame, z]
        for structure in segmentation.structures:
            for polygon in outlines(plane == structure):
                yield frame, z, structure, polygon


def in_patient(geometry: Geometry, z: int, polygon: Polygon) -> list[list[float]]:
    """x, y and z of each point in LPS+ mm, to a ten thousandth."""
    x, y = polygon.T
    at: NDArray[np.float64] = np.stack([np.full(len(x), z), y, x, np.ones(len(x))])
    found: list[list[float]] = (geometry.affine[:3] @ at).T.round(4).tolist()
    return found


def _planes(segmentation: Segmentation) -> Iterator[tuple[int, int, tuple[Cell, ...]]]:
    """Frame, slice and the first four cells of each plane that somebody drew."""
    distance = slice_distance_mm(segmentation.geometry)
    times = segmentation.times_ms
    for frame in filter(segmentation.covers, range(segmentation.frames)):
        time = "" if times is None or not np.isfinite(times[frame]) else times[frame]
        for z in range(segmentation.geometry.shape[0]):
            yield frame, z, (frame, time, z, round(z * distance, 4))
