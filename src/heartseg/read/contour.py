"""Contours drawn on DICOM images, in text files: a line a point, column and row."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError, StudyError
from heartseg.core.study import Study, View
from heartseg.formats.box import Box
from heartseg.read.candidate import Options

if TYPE_CHECKING:
    from heartseg.formats.dicom import Plane
    from heartseg.formats.dicom_series import Stack

_MAX_BYTES = 1_000_000
_NUMBER = re.compile(r"(\d+)(?:\.dcm)?$", re.I)

Places = Mapping[int, tuple[int, int]]
"""(frame, slice) in the study's image, by number of the DICOM file."""


def read_points(file: Path, first_pixel: float) -> NDArray[np.float64]:
    """(n, 2) column and row of a closed polygon; whole numbers are pixel centres, from 0.

    Args:
        file: the contour.
        first_pixel: where the file sees the centre of the first pixel, on both axes.

    Raises:
        FormatError: no polygon.
    """
    try:
        with file.open("rb") as stream:
            lines = stream.read(_MAX_BYTES).decode("ascii").split()
        points = np.array(lines, np.float64).reshape(-1, 2)
    except (OSError, ValueError) as fault:
        raise FormatError(file.name, got="no contour", allowed="lines of column and row") from fault
    if len(points) < 3 or not np.isfinite(points).all():
        raise FormatError(file.name, got=f"{len(points)} points", allowed="a polygon")
    return points - first_pixel


def polygon_mask(points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(rows, columns) pixels whose centre lies inside a closed polygon, by crossing number.

    Args:
        points: (n, 2) column and row; pixel centres have whole numbers.
        shape: rows and columns of the plane.
    """
    mask = np.zeros(shape, bool)
    columns = np.arange(shape[1])
    x0, y0 = points.T
    x1, y1 = np.roll(points, -1, axis=0).T
    for row in range(max(0, int(y0.min())), min(shape[0], int(y0.max()) + 2)):
        crosses = (y0 <= row) != (y1 <= row)
        at = x0[crosses] + (row - y0[crosses]) * (x1 - x0)[crosses] / (y1 - y0)[crosses]
        mask[row] = (np.count_nonzero(at[:, None] > columns, axis=0) % 2).astype(bool)
    return mask


def read_numbered(dicom: Path, name: str, options: Options) -> tuple[Study, Places]:
    """The short-axis study in a folder of numbered DICOM files, and where each of them went.

    Raises:
        StudyError: no DICOM images.
        InputError: they make no stack.
    """
    from heartseg.formats.dicom import scan
    from heartseg.read import dicom_study

    with Box(dicom) as box:
        headers, notes = scan(box)
    if not headers:
        raise StudyError(
            name, got=f"no DICOM images in {dicom.name}", do="download the patient again"
        )
    options = replace(options, view=View.SAX)
    study, (found,) = dicom_study.load_chosen(dicom, name, headers, notes, options)
    return replace(study, reasons={}), _places(found.stack)  # the data set is of that view


def files_below(folder: Path) -> list[Path]:
    """Regular files at any depth, in natural order."""
    with Box(folder) as box:
        return [folder / name for name in box.names()]


def _places(stack: "Stack") -> dict[int, tuple[int, int]]:
    """Where the stack holds an image twice (a slice has fewer phases), its own time decides."""
    places: dict[int, tuple[int, int]] = {}
    late: dict[int, float] = {}
    for t, row in enumerate(stack.planes):
        for z, plane in enumerate(row):
            match = _NUMBER.search(plane.name)
            if match is None:
                continue
            number = int(match[1])
            off = _time_off(stack, plane, t)
            if off < late.get(number, np.inf):
                places[number], late[number] = (t, z), off
    return places


def _time_off(stack: "Stack", plane: "Plane", t: int) -> float:
    """How far a plane's own time is from its frame's, in ms; 0 where times are not known."""
    if stack.times_ms is None or stack.clock is None:
        return 0.0
    return abs(plane.clocks[stack.clock] - stack.times_ms[t])
