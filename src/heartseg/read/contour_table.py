"""Contours in a table, put on the grid of the image that they were drawn on.

Two forms are told apart by their heading: `<stem>_contours.csv` of heartseg, a row a point, and the
ROI table of OsiriX and Horos, a row a contour (`ImageNo`, `RoiName`, `NumOfPoints`, then x, y, z in
LPS+ mm and two pixel numbers for each point). Millimetres decide where a contour lies; pixel
numbers, whose first pixel programs count differently, are not used. The frame is the file's, or
ImageNo divided by the number of slices: images are counted frame by frame.

A pixel belongs to a structure when its centre is inside an odd number of the structure's contours
in that slice. A contour round the myocardium may hold the cavity and scar, as drawn epicardia do;
any other overlap is an error.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import STRUCTURES_BY_KEY, Labels, Structure
from heartseg.core.errors import FormatError, GeometryError, LabelError
from heartseg.core.geometry import REGULAR_TOLERANCE
from heartseg.core.image import Image, Segmentation
from heartseg.read.contour import polygon_mask

ENDINGS = ("_contours.csv", "_osirix.csv")
"""Of tables that lie beside masks, behind the stem of the image's file."""

LARGEST = 64_000_000
"""Bytes; a cine of 30 frames and 15 slices takes about 15 million."""

MOST_POINTS = 20_000
"""Of one contour: it is far longer than the border of any plane."""

FARTHEST_MM = 1e5
"""From the origin; no scanner is larger."""

_WITHIN_WALL = (Structure.LV_CAVITY, Structure.SCAR, Structure.NO_REFLOW)
_OURS = ("frame", "structure", "slice", "ring", "point", "x_mm", "y_mm", "z_mm")
_THEIRS = ("ImageNo", "RoiName", "NumOfPoints")

Row = list[str]
Contour = tuple[int, str, NDArray[np.float64]]
"""Number of the frame (or of the image), name, (n, 3) points in LPS+ mm."""


def is_contour_table(file: Path) -> bool:
    """True for a table by its name: masks are never CSV."""
    return file.suffix.lower() == ".csv"


def read_contours_for(file: Path, image: Image) -> Segmentation:
    """The contours of a table as labels on the grid and frames of `image`.

    Structures that the table does not name were not looked for, frames without a contour not drawn.

    Raises:
        FormatError: no such table, or a row that is no contour.
        GeometryError: a contour on no slice or in no frame; an image without millimetres.
        LabelError: a name that is no structure, or structures that overlap.
    """
    image.geometry.require_mm(file.name)
    masks: dict[tuple[int, int, Structure], NDArray[np.bool_]] = {}
    for frame, name, points in _contours(file, image):
        z, polygon = _on_plane(file, points, image)
        key = frame, z, _structure(file, name)
        inside = polygon_mask(polygon, image.geometry.shape[1:])
        masks[key] = masks[key] ^ inside if key in masks else inside
    if not masks:
        raise FormatError(file.name, got="no contour", allowed="at least one")
    drawn = tuple(sorted({frame for frame, _, _ in masks}))
    return Segmentation(
        _painted(file, masks, image),
        image.geometry,
        tuple(sorted({structure for _, _, structure in masks})),
        image.times_ms,
        drawn if len(drawn) < image.frames else None,
    )


def _painted(
    file: Path, masks: Mapping[tuple[int, int, Structure], NDArray[np.bool_]], image: Image
) -> Labels:
    """The wall first, what may lie in it over it."""
    labels = np.zeros(image.voxels.shape, np.uint8)
    wall = Structure.LV_MYOCARDIUM
    for (frame, z, structure), mask in sorted(
        masks.items(), key=lambda item: (item[0][2] is not wall, item[0])
    ):
        plane = labels[frame, z]
        free = (0, wall) if structure in _WITHIN_WALL else (0,)
        taken = plane[mask & ~np.isin(plane, free)]
        if taken.size:
            raise LabelError(
                file.name,
                got=f"{structure.title} over {Structure(int(taken[0])).title} in {taken.size} "
                f"pixels of frame {frame}, slice {z}",
                allowed="contours side by side; those of LV cavity and scar within the wall's",
            )
        plane[mask] = structure
    return labels


def _on_plane(
    file: Path, points: NDArray[np.float64], image: Image
) -> tuple[int, NDArray[np.float64]]:
    """The slice that a contour lies on, and its points as columns and rows."""
    geometry = image.geometry
    from_origin = (points - geometry.affine[:3, 3]).T
    index: NDArray[np.float64] = np.linalg.inv(geometry.affine[:3, :3]) @ from_origin
    z = round(float(index[0].mean()))
    if not 0 <= z < geometry.shape[0] or np.abs(index[0] - z).max() > REGULAR_TOLERANCE:
        raise GeometryError(
            file.name,
            got=f"a contour near {points[0].round(1).tolist()} mm, which lies on no slice",
            allowed=f"points on the planes of {geometry.words}, in LPS mm",
            do="name the image that it was drawn on",
        )
    return z, index[:0:-1].T


def _structure(file: Path, name: str) -> Structure:
    found = STRUCTURES_BY_KEY.get(name.strip().lower(), Structure.BACKGROUND)
    if found is Structure.BACKGROUND:
        allowed = ", ".join(key for key, one in STRUCTURES_BY_KEY.items() if one)
        got = f"a contour named {name[:40]!r}"
        raise LabelError(file.name, got=got, allowed=allowed, do="rename the contours")
    return found


def _contours(file: Path, image: Image) -> Iterator[Contour]:
    """The contours of either form, with the frames that they belong to."""
    try:
        if file.stat().st_size > LARGEST:
            got = f"more than {LARGEST / 1e6:g} MB"
            raise FormatError(file.name, got=got, allowed="a table of contours")
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream, skipinitialspace=True)
            heading = [cell.strip() for cell in next(rows, [])]
            for frame, name, points in _form(file, heading, image)(heading, rows):
                if not 0 <= frame < image.frames:
                    got, allowed = f"frame {frame}", f"0 to {image.frames - 1}, as in the image"
                    raise GeometryError(file.name, got=got, allowed=allowed)
                if not 3 <= len(points) <= MOST_POINTS or not (abs(points) < FARTHEST_MM).all():
                    got = f"a contour of {len(points)} points, or one nowhere"
                    raise FormatError(file.name, got=got, allowed=f"3 to {MOST_POINTS}")
                yield frame, name, points
    except (OSError, ValueError, OverflowError, IndexError, csv.Error) as fault:
        raise FormatError(
            file.name, got=f"no table of contours ({type(fault).__name__})", allowed=_ALLOWED
        ) from fault


_ALLOWED = "a row a point as heartseg writes them, or the ROI table of OsiriX"


def _form(
    file: Path, heading: Row, image: Image
) -> Callable[[Row, Iterator[Row]], Iterator[Contour]]:
    if set(_OURS) <= set(heading):
        return _of_ours
    if set(_THEIRS) <= set(heading):
        slices = image.geometry.shape[0]
        return lambda heading, rows: (
            (number // slices, name, points) for number, name, points in _of_theirs(heading, rows)
        )
    got = f"columns {', '.join(heading)[:80]!r}"
    raise FormatError(file.name, got=got, allowed=_ALLOWED)


def _of_ours(heading: Row, rows: Iterator[Row]) -> Iterator[Contour]:
    at = {name: heading.index(name) for name in _OURS}
    found: dict[tuple[int, int, str, int], dict[int, list[float]]] = {}
    for row in filter(None, rows):
        frame, z, ring, point = (int(row[at[k]]) for k in ("frame", "slice", "ring", "point"))
        points = found.setdefault((frame, z, row[at["structure"]], ring), {})
        if point in points:
            raise ValueError(point)
        points[point] = [float(row[at[f"{axis}_mm"]]) for axis in "xyz"]
    for (frame, _, name, _), points in found.items():  # a spreadsheet may have sorted the rows
        yield frame, name, np.array([points[number] for number in sorted(points)])


def _of_theirs(heading: Row, rows: Iterator[Row]) -> Iterator[Contour]:
    number, name, count = (heading.index(column) for column in _THEIRS)
    for row in filter(None, rows):
        first, points = count + 1, int(row[count])
        cells = np.array(row[first : first + 5 * points], np.float64).reshape(points, 5)
        yield int(row[number]), row[name], cells[:, :3]
