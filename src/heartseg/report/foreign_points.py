"""Contours in the forms of other programs: Sunnybrook's text files, and the ROI table of OsiriX.

Sunnybrook knows the LV's two borders alone: `icontour` round the cavity, `ocontour` round cavity
and myocardium, a file each, so pieces and holes hang together by a way there and back that encloses
nothing. Its reader (`read/datasets/sunnybrook.py`) gives the same two structures again.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.discs import pixel_area_mm2
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.outline import area_of, joined, outlines
from heartseg.report.csv_text import Cell, csv_text
from heartseg.report.points import in_patient, rings

FIRST_PIXEL = 1.0
"""Where Sunnybrook's contours see the centre of the first pixel, on both axes."""

OSIRIX = (
    *("ImageNo", "RoiNo", "RoiMean", "RoiMin", "RoiMax", "RoiTotal", "RoiDev", "RoiName"),
    *("RoiCenterX", "RoiCenterY", "RoiCenterZ", "LengthCm", "LengthPix", "AreaPix2", "AreaCm2"),
    *("RoiType", "NumOfPoints", "mmX", "mmY", "mmZ", "pxX", "pxY", "..."),
)
"""Columns of its plugin "Export ROIs"; the five after the number of points come again a point."""

_CLOSED_POLYGON = 11
_KINDS = {
    "i": (Structure.LV_CAVITY,),
    "o": (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM),
}


def sunnybrook_texts(segmentation: Segmentation, series: int) -> Mapping[str, str]:
    """Contents of `IM-000S-NNNN-icontour-manual.txt` and `...-ocontour-...` by name.

    NNNN numbers the images as Sunnybrook does: from 1, the basal slice first, each slice with all
    its frames.
    """
    return {
        f"IM-{series:04d}-{number:04d}-{kind}contour-manual.txt": "".join(
            f"{x:.2f} {y:.2f}\n" for x, y in (joined(drawn) + FIRST_PIXEL).tolist()
        )
        for number, plane in _numbered(segmentation)
        for kind, structures in _KINDS.items()
        if structures[-1] in segmentation.structures
        and (drawn := outlines(np.isin(plane, structures)))
    }


def _numbered(segmentation: Segmentation) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    slices = segmentation.geometry.shape[0]
    to_apex = segmentation.geometry.canonical().flip[0]
    for frame in filter(segmentation.covers, range(segmentation.frames)):
        for z in range(slices):
            before = z if to_apex else slices - 1 - z
            number = before * segmentation.frames + frame + 1
            yield number, segmentation.labels[frame, z]


def osirix_csv(segmentation: Segmentation) -> str:
    """A row a ring under the key of its structure; those of one key in an image belong together.

    ImageNo counts from 0, frame by frame. Pixels are counted from the centre of the first, 0. What
    the image would be needed for (RoiMean and so on) is empty.

    Raises:
        GeometryError: the grid has no millimetres.
    """
    rows = []
    before, count = -1, 0
    for frame, z, structure, polygon in rings(segmentation):
        image = frame * segmentation.geometry.shape[0] + z
        before, count = image, count + 1 if image == before else 0
        points = in_patient(segmentation.geometry, z, polygon)
        cells: list[Cell] = [image, count, "", "", "", "", "", structure.key]
        cells += [
            *np.mean(points, axis=0).round(4).tolist(),
            *_sizes(segmentation.geometry, polygon),
        ]
        cells += [_CLOSED_POLYGON, len(points)]
        for in_mm, in_pixels in zip(points, polygon.tolist(), strict=True):
            cells += [*in_mm, *in_pixels]
        rows.append(cells)
    return csv_text(OSIRIX, rows)


def _sizes(geometry: Geometry, polygon: NDArray[np.float64]) -> list[float]:
    """LengthCm, LengthPix, AreaPix2 and AreaCm2 of a closed polygon."""
    steps = np.roll(polygon, -1, axis=0) - polygon
    in_mm = steps[:, ::-1] @ geometry.affine[:3, 1:3].T
    lengths = [float(np.linalg.norm(each, axis=1).sum()) for each in (in_mm, steps)]
    pixels = abs(area_of(polygon))
    cm2 = pixels * pixel_area_mm2(geometry) / 100.0
    return [round(lengths[0] / 10.0, 4), round(lengths[1], 4), pixels, round(cm2, 4)]
