"""Tables of contours from outside: what is drawn, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError, HeartsegError, LabelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.read.contour_table import read_contours_for
from tests.measure.hearts import oblique

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
GRID = oblique((4, 20, 26), (8.0, 1.5, 1.25))
IMAGE = Image(np.zeros((3, *GRID.shape), np.int16), GRID)
HEADING = (
    "ImageNo,RoiNo,RoiMean,RoiName,Length, AreaCm2,RoiType,SOPInstanceUID,"
    "NumOfPoints,mmX,mmY,mmZ,pxX,pxY,..."
)


def box(name: str, image: int, rows: tuple[int, int], columns: tuple[int, int], z: float) -> str:
    """A rectangle round pixels from the first to the last, pixel numbers as OsiriX may count."""
    (top, bottom), (left, right) = ((a - 0.4, b + 0.4) for a, b in (rows, columns))
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    points = [(*GRID.point((z, r, c)), c + 0.5, r + 0.5) for r, c in corners]
    cells = ",".join(f"{value:.5f}" for point in points for value in point)
    return f'{image},0,7.5, "{name}",1,2,11,1.2.3,4,{cells}\n'


def read(tmp_path: Path, text: str, image: Image = IMAGE) -> Segmentation:
    file = tmp_path / "rois.csv"
    file.write_text(text, encoding="utf-8")
    return read_contours_for(file, image)


def test_a_drawn_epicardium_holds_the_cavity(tmp_path: Path) -> None:
    text = box("LV", 6, (6, 9), (8, 13), 2) + box("Myo ", 6, (4, 12), (5, 15), 2)
    text += box("rv", 6, (4, 5), (17, 20), 2)
    found = read(tmp_path, f"{HEADING}\n{text}\n")
    wanted = np.zeros(IMAGE.voxels.shape, np.uint8)
    wanted[1, 2, 4:13, 5:16] = MYO  # image 6 is in the second frame of four slices
    wanted[1, 2, 6:10, 8:14] = LV
    wanted[1, 2, 4:6, 17:21] = RV
    assert np.array_equal(found.labels, wanted)
    assert (found.structures, found.covered) == ((LV, MYO, RV), (1,))


def test_the_millimetres_and_not_the_image_number_say_the_slice(tmp_path: Path) -> None:
    found = read(tmp_path, f"{HEADING}\n" + box("lv", 0, (6, 9), (8, 13), 3))
    assert np.unique(np.argwhere(found.labels)[:, :2], axis=0).tolist() == [[0, 3]]


def test_a_contour_within_another_of_its_name_is_a_hole(tmp_path: Path) -> None:
    text = box("rv", 1, (3, 9), (4, 12), 1) + box("rv", 1, (5, 6), (6, 8), 1)
    found = read(tmp_path, f"{HEADING}\n{text}")
    assert np.count_nonzero(found.labels == RV) == 7 * 9 - 2 * 3


def test_our_rows_may_be_in_any_order(tmp_path: Path) -> None:
    corners = [(1.6, 2.6), (1.6, 6.4), (4.4, 6.4), (4.4, 2.6)]
    points = [GRID.point((1, *corner)) for corner in corners]
    rows = [f"2,,1,8.0,lv,0,{n},{x:.4f},{y:.4f},{z:.4f}" for n, (x, y, z) in enumerate(points)]
    heading = "frame,time_ms,slice,position_mm,structure,ring,point,x_mm,y_mm,z_mm"
    found = read(tmp_path, "\n".join([heading, rows[2], rows[0], rows[3], rows[1]]))
    assert np.argwhere(found.labels).shape == (3 * 4, 4)
    assert (found.labels[2, 1, 2:5, 3:7] == LV).all()


REFUSED = {
    "another name": (LabelError, box("=cmd()|x", 0, (2, 5), (2, 5), 1), "'=cmd.*allowed: lv, myo"),
    "background": (LabelError, box("background", 0, (2, 5), (2, 5), 1), "rename the contours"),
    "an overlap": (
        LabelError,
        box("lv", 0, (2, 5), (2, 5), 1) + box("rv", 0, (5, 8), (2, 5), 1),
        "RV cavity over LV cavity in 4 pixels of frame 0, slice 1",
    ),
    "an RV in the wall": (
        LabelError,
        box("myo", 0, (2, 8), (2, 8), 1) + box("rv", 0, (3, 4), (3, 5), 1),
        "RV cavity over LV myocardium in 6 pixels",
    ),
    "between slices": (GeometryError, box("lv", 0, (2, 5), (2, 5), 1.4), "lies on no slice"),
    "beyond the stack": (GeometryError, box("lv", 0, (2, 5), (2, 5), 4), "lies on no slice"),
    "another frame": (GeometryError, box("lv", 12, (2, 5), (2, 5), 1), "frame 3; allowed: 0 to 2"),
    "before the first": (GeometryError, box("lv", -1, (2, 5), (2, 5), 1), "frame -1"),
    "two points": (FormatError, "0,0,,lv,,,,,2,1,2,3,0,0,1,2,3,0,0", "2 points"),
    "too few cells": (FormatError, "0,0,,lv,,,,,4,1,2,3,0,0,1,2,3,0,0", "no table of contours"),
    "a huge count": (FormatError, f"0,0,,lv,,,,,{10**30},1,2,3,0,0", "no table of contours"),
    "no number": (FormatError, "0,0,,lv,,,,,3,1,2,x,0,0,1,2,3,0,0,1,2,3,0,0", "ValueError"),
    "nowhere": (FormatError, "0,0,,lv,,,,,3,nan,2,3,0,0,1,2,3,0,0,1,2,3,0,0", "nowhere"),
    "far away": (FormatError, "0,0,,lv,,,,,3,1e300,2,3,0,0,1,2,3,0,0,1,2,3,0,0", "nowhere"),
    "nothing": (FormatError, "", "no contour"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_contour_of_this_image_is_refused(tmp_path: Path, kind: str) -> None:
    error, text, said = REFUSED[kind]
    with pytest.raises(error, match=said):
        read(tmp_path, f"{HEADING}\n{text}")


def test_other_tables_and_grids_without_millimetres_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"columns 'study, lv_ef'; allowed: a row a point"):
        read(tmp_path, "study,lv_ef\np1,0.5\n")
    with pytest.raises(FormatError, match="columns ''"):
        read(tmp_path, "")
    with pytest.raises(FormatError, match="no table of contours"):
        read_contours_for(tmp_path / "none.csv", IMAGE)
    pixels = Image(IMAGE.voxels, Geometry.from_pixels(GRID.shape))
    with pytest.raises(GeometryError, match="--spacing-mm"):
        read(tmp_path, f"{HEADING}\n" + box("lv", 0, (2, 5), (2, 5), 1), pixels)


def test_a_point_twice_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    heading = "frame,slice,structure,ring,point,x_mm,y_mm,z_mm"
    with pytest.raises(FormatError, match="no table of contours"):
        read(tmp_path, f"{heading}\n0,0,lv,0,0,1,2,3\n0,0,lv,0,0,1,2,3\n")
    file = tmp_path / "bytes.csv"
    file.write_bytes(b"\xff\xfe\x00" * 50)
    with pytest.raises(HeartsegError, match="no table of contours"):
        read_contours_for(file, IMAGE)
