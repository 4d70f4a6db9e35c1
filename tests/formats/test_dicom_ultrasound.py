"""Calibration and frame times of ultrasound; the regions are those of real devices' headers."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from heartseg.formats.dicom_ultrasound import calibration, frame_times
from tests.formats.dicom_files import data_set, header_of, save

SIZE = (480, 640)
TISSUE, FLOW, SPECTRUM, ECG = (1, 1), (1, 2), (3, 3), (4, 10)  # (spatial format, data type)


def region(
    kind: tuple[int | None, int | None] = TISSUE,
    box: tuple[int, int, int, int] = (20, 30, 400, 500),
    delta: tuple[float, float] = (0.05, 0.025),
    units: tuple[int, int] = (3, 3),
) -> Dataset:
    """`box` is top, left, bottom, right; `delta` is (y, x) in `units` (3: cm, 4: s, 7: cm/s)."""
    item = Dataset()
    if kind[0] is not None:
        item.RegionSpatialFormat, item.RegionDataType = kind
    item.RegionLocationMinY0, item.RegionLocationMinX0 = box[:2]
    item.RegionLocationMaxY1, item.RegionLocationMaxX1 = box[2:]
    item.PhysicalUnitsYDirection, item.PhysicalUnitsXDirection = units
    item.PhysicalDeltaY, item.PhysicalDeltaX = delta
    return item


def header(*regions: Dataset, **more: object) -> Dataset:
    ds = Dataset()
    ds.SequenceOfUltrasoundRegions = list(regions)
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def test_centimetres_a_pixel_become_millimetres_rows_first():
    assert calibration(header(region()), SIZE) == (pytest.approx((0.5, 0.25)), [])


def test_direction_of_the_axes_does_not_matter():
    spacing, _ = calibration(header(region(delta=(-0.05, 0.025))), SIZE)
    assert spacing == pytest.approx((0.5, 0.25))


@pytest.mark.parametrize(
    "other",
    [
        region(SPECTRUM, (0, 0, 480, 640), (0.9, 0.9), (7, 4)),
        region((2, 1), (0, 0, 480, 640), (0.9, 0.9), (3, 4)),  # M-mode
        region(ECG, (0, 0, 480, 640), (0.9, 0.9)),
        region(TISSUE, (0, 0, 480, 640), (0.9, 0.9), (0, 0)),
        region(TISSUE, (0, 0, 480, 640), (0.0, 0.0)),
    ],
)
def test_larger_regions_that_show_no_tissue_in_cm_are_not_used(other):
    assert calibration(header(other, region()), SIZE) == (pytest.approx((0.5, 0.25)), [])
    spacing, notes = calibration(header(other), SIZE)
    assert spacing is None
    assert notes == ["none of the 1 ultrasound regions is a two-dimensional one in cm"]


def test_largest_of_several_tissue_regions_is_used_and_said():
    small = region(TISSUE, (0, 0, 100, 100), (0.09, 0.09))
    spacing, notes = calibration(header(small, region()), SIZE)
    assert spacing == pytest.approx((0.5, 0.25))
    assert notes == [
        "2 tissue regions, of different scales, the largest gives the spacing "
        "(columns 30-500, rows 20-400)"
    ]


def test_tissue_goes_before_colour_flow_of_any_size():
    flow = region(FLOW, (0, 0, 480, 640), (0.09, 0.09))
    assert calibration(header(flow, region()), SIZE)[0] == pytest.approx((0.5, 0.25))
    assert calibration(header(flow), SIZE)[0] == pytest.approx((0.9, 0.9))


def test_picture_smaller_than_its_region_is_said():
    _, notes = calibration(header(region()), (240, 320))
    assert len(notes) == 1
    assert "reaches to column 500, row 400 of a picture of 320 x 240" in notes[0]


def test_picture_without_calibration_is_in_pixels_and_that_is_said(tmp_path):
    ds = data_set(np.arange(2 * 8 * 9, dtype=np.uint8).reshape(2, 8, 9), FrameTime="33")
    ds.Modality = "US"
    from heartseg.read import read_study

    study = read_study(save(tmp_path / "a.dcm", ds))
    (image,) = study.images.values()
    assert image.geometry.unit == "px"
    assert image.times_ms == (0, 33)
    assert any("lengths are in pixels" in note for note in study.notes)


# Times


def test_vector_holds_increments_of_which_the_first_is_nothing():
    assert frame_times(header(FrameTimeVector=[0, 30, 35, 40]), 4) == ([0, 30, 65, 105], [])
    assert frame_times(header(FrameTimeVector=[30, 35, 40]), 4) == ([0, 30, 65, 105], [])
    assert frame_times(header(FrameTimeVector=[7, 30, 35, 40]), 4)[0] == [0, 30, 65, 105]


def test_vector_that_cannot_be_falls_back():
    for vector in ([0, 30, -5, 40], [0, 30], [0, 0, 0, 0], ["", 1, 2, 3]):
        ds = Dataset()
        ds.FrameTime = "25"
        if "" not in vector:
            ds.FrameTimeVector = vector
        assert frame_times(ds, 4)[0] == [0, 25, 50, 75]


def test_rates_of_play_are_used_last_and_said():
    times, notes = frame_times(header(CineRate="50", RecommendedDisplayFrameRate="25"), 3)
    assert times == [0, 20, 40]
    assert notes == ["frame times follow from its cine rate, 50 a second"]
    times, notes = frame_times(header(RecommendedDisplayFrameRate="25"), 3)
    assert times == [0, 40, 80]
    assert "recommended for display" in notes[0]
    assert frame_times(header(FrameTime="10", CineRate="50"), 3) == ([0, 10, 20], [])


@pytest.mark.parametrize("value", ["0.033", "5000", "0"])
def test_time_that_no_device_has_is_not_used_and_said(value):
    times, notes = frame_times(header(FrameTime=value), 3)
    assert times is None
    assert value == "0" or "cannot be and is not used" in notes[0]


def test_still_has_no_times():
    assert frame_times(header(FrameTime="33"), 1) == (None, [])


def test_notes_reach_the_reader_with_the_name_of_the_file(tmp_path):
    ds = data_set(np.arange(2 * 8 * 9, dtype=np.uint8).reshape(2, 8, 9), CineRate="40")
    ds.Modality = "US"
    ds.SequenceOfUltrasoundRegions = [region(box=(0, 0, 8, 9)), region(box=(0, 0, 4, 4))]
    found, notes = header_of(save(tmp_path / "a.dcm", ds))
    assert found.planes[1].clocks["FrameTime"] == 25
    assert found.planes[0].spacing == pytest.approx((0.5, 0.25))
    assert len(notes) == 2
    assert all(note.startswith("a.dcm: ") for note in notes)
