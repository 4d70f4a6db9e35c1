import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from heartseg.core.errors import FormatError, GeometryError, StudyError
from heartseg.core.image import Image
from heartseg.formats.box import Box
from heartseg.formats.dicom import scan
from heartseg.formats.dicom_series import arrange, read_stack
from tests import foreign

FRAMES = 3


def plane(z: int, t: int, *, uid: str = "1.2.3") -> Dataset:
    """One plane of a cine, written here with pydicom and independently of heartseg's writer."""
    zdir, ydir, xdir = foreign.rotation().T
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid, uid + ".1"
    ds.FrameOfReferenceUID = generate_uid()
    ds.Modality, ds.SeriesNumber = "MR", "7"
    ds.ImagePositionPatient = [float(v) for v in foreign.ORIGIN_LPS + zdir * z * foreign.SPACING[0]]
    ds.ImageOrientationPatient = [float(v) for v in (*xdir, *ydir)]
    ds.PixelSpacing = list(foreign.SPACING[1:])
    ds.TriggerTime = str(12.5 + 40 * t)
    ds.InstanceNumber = str((7 * z + 5 * t) % 100)
    ds.Rows, ds.Columns = foreign.SHAPE[1:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = (foreign.voxels()[z] + 1000 * t).astype("<i2").tobytes()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def save(folder: Path, planes: list[Dataset], seed: int = 0) -> Path:
    """Under names without suffix and in an order that says nothing."""
    folder.mkdir(exist_ok=True)
    for number, index in enumerate(np.random.default_rng(seed).permutation(len(planes))):
        ds = planes[index]
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.save_as(folder / f"IM_{number:04d}", enforce_file_format=True)
    return folder


def cine() -> list[Dataset]:
    return [plane(z, t) for z in range(foreign.SHAPE[0]) for t in range(FRAMES)]


def read(folder: Path) -> tuple[Image, tuple[str, ...]]:
    with Box(folder) as box:
        headers, _ = scan(box)
        stack = arrange(headers, "series")
        return read_stack(box, headers, stack), stack.notes


@pytest.mark.parametrize("seed", range(4))
def test_cine_is_sorted_by_position_and_trigger_time_and_never_by_number(seed, tmp_path):
    image, notes = read(save(tmp_path / "s", cine(), seed))
    expected = np.stack([foreign.voxels() + 1000 * t for t in range(FRAMES)])
    assert np.array_equal(image.voxels, expected)
    assert image.voxels.dtype == np.int16
    assert image.times_ms == (12.5, 52.5, 92.5)
    np.testing.assert_allclose(image.geometry.affine, foreign.affine_lps(), atol=1e-9)
    assert notes == ()


def test_marked_voxel_lies_where_simpleitk_sees_it(tmp_path):
    folder = save(tmp_path / "s", [plane(z, 0) for z in range(foreign.SHAPE[0])])
    image, _ = read(folder)
    index = np.unravel_index(int(image.voxels[0].argmax()), foreign.SHAPE)
    np.testing.assert_allclose(image.geometry.point(index), foreign.marked_mm(), atol=1e-3)
    files = sorted(
        folder.iterdir(),
        key=lambda f: np.dot(pydicom.dcmread(f).ImagePositionPatient, foreign.rotation()[:, 0]),
    )
    seen = foreign.brightest_mm_by_simpleitk(files)
    np.testing.assert_allclose(seen, foreign.marked_mm(), atol=1e-2)


def test_slices_with_fewer_phases_take_the_nearest_in_time_and_it_is_said(tmp_path):
    planes = [
        p for p in cine() if not (p.TriggerTime == 52.5 and p.ImagePositionPatient[0] == 31.5)
    ]
    image, notes = read(save(tmp_path / "s", planes))
    assert image.voxels.shape == (FRAMES, *foreign.SHAPE)
    first = image.voxels[:, 0]
    assert np.array_equal(first[1], first[0])  # 52.5 ms is as near to 12.5 as to 92.5: the earlier
    assert image.times_ms == (12.5, 52.5, 92.5)
    # Stored first is nearest the apex; slices count from the base.
    assert notes == ("slice 5 has 2 phases, not 3: the nearest are used",)


def test_slice_acquired_again_in_one_series_keeps_the_last(tmp_path):
    planes, again = cine(), [plane(2, t) for t in range(FRAMES)]
    for ds in planes:
        ds.AcquisitionTime = "101500.5"
    for ds in again:
        ds.AcquisitionTime = "101730"
        ds.PixelData = (foreign.voxels()[2] + 5).astype("<i2").tobytes()
    image, notes = read(save(tmp_path / "s", planes + again))
    assert image.voxels.shape == (FRAMES, *foreign.SHAPE)
    assert np.array_equal(image.voxels[1, 2], foreign.voxels()[2] + 5)
    assert notes == ("slice 3 was acquired more than once: the last one is used",)


def test_time_of_day_orders_a_cine_but_never_aligns_unequal_slices(tmp_path):
    planes = cine()
    for ds in planes:
        ds.ContentTime = f"1015{float(ds.TriggerTime) / 10:07.4f}"
        del ds.TriggerTime
    image, _ = read(save(tmp_path / "s", planes))
    assert np.array_equal(image.voxels[2], foreign.voxels() + 2000)
    assert image.times_ms is None
    with pytest.raises(StudyError, match="no trigger time"):
        read(save(tmp_path / "t", planes[1:]))


def test_rescale_makes_values(tmp_path):
    planes = [plane(z, 0) for z in range(5)]
    for ds in planes:
        ds.RescaleSlope, ds.RescaleIntercept = "0.5", "-10"
    image, _ = read(save(tmp_path / "s", planes))
    assert image.voxels.dtype == np.float32
    assert np.array_equal(image.voxels[0], foreign.voxels() * np.float32(0.5) - 10)


def test_inverted_grey_is_turned(tmp_path):
    planes = [plane(z, 0) for z in range(5)]
    for ds in planes:
        ds.PhotometricInterpretation, ds.BitsStored, ds.PixelRepresentation = "MONOCHROME1", 12, 0
    image, _ = read(save(tmp_path / "s", planes))
    assert np.array_equal(image.voxels[0], 4095 - foreign.voxels())


@pytest.mark.parametrize(
    ("said", "depth"),
    [({}, None), ({"SliceThickness": "6"}, 6.0), ({"SliceThickness": "0"}, None),
     ({"SpacingBetweenSlices": "7", "SliceThickness": "6"}, 7.0)],
)  # fmt: skip
def test_single_slice_is_as_deep_as_its_header_says_and_never_1_mm(said, depth, tmp_path):
    planes = [plane(1, t) for t in range(FRAMES)]
    for ds in planes:
        for keyword, value in said.items():
            setattr(ds, keyword, value)
    image, notes = read(save(tmp_path / "a", planes))
    assert image.geometry.depth_known == (depth is not None)
    assert image.geometry.spacing[0] == pytest.approx(depth or 1.0)
    assert any("no slice distance" in note for note in notes) == (depth is None)


def test_illegal_identifiers_and_dates_do_not_matter(tmp_path):
    folder = save(tmp_path / "s", cine())
    for file in folder.iterdir():
        data = file.read_bytes()
        file.write_bytes(data.replace(b"1.2.3.1\0", b"1.02.03A"))
    image, _ = read(folder)  # a warning would fail the test
    assert image.voxels.shape == (FRAMES, *foreign.SHAPE)


def test_copies_are_left_out_and_said(tmp_path):
    folder = save(tmp_path / "s", cine())
    (folder / "copy").write_bytes((folder / "IM_0003").read_bytes())
    image, notes = read(folder)
    assert image.voxels.shape == (FRAMES, *foreign.SHAPE)
    assert notes == ("1 copies of images were left out",)


def test_missing_slice_is_said_with_the_distances(tmp_path):
    planes = [p for p in cine() if plane(2, 0).ImagePositionPatient != p.ImagePositionPatient]
    with pytest.raises(GeometryError, match=r"8\.00, 16\.00, 8\.00 mm.*slice may be missing"):
        read(save(tmp_path / "s", planes))


def test_images_of_one_slice_without_times_are_not_guessed(tmp_path):
    planes = cine()
    for ds in planes:
        del ds.TriggerTime
    with pytest.raises(StudyError, match="no trigger time"):
        read(save(tmp_path / "s", planes))


@pytest.mark.parametrize("spacing", [[0.0, 1.5], [900.0, 900.0]])
def test_zero_or_absurd_spacing_is_refused(spacing, tmp_path):
    planes = [plane(z, 0) for z in range(5)]
    for ds in planes:
        ds.PixelSpacing = spacing
    with pytest.raises(GeometryError, match="spacing"):
        read(save(tmp_path / "s", planes))


def test_truncated_pixels_are_said(tmp_path):
    folder = save(tmp_path / "s", [plane(0, 0)])
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(FormatError, match=r"IM_0000.*truncated"):
        read(folder)


def test_header_that_claims_500_gb_is_refused_before_memory_is_taken(tmp_path):
    ds = plane(0, 0)
    ds.Rows, ds.Columns, ds.NumberOfFrames = 60000, 60000, 75
    with pytest.raises(FormatError, match=r"75 x 60000 x 60000 voxels, 50\d\.\d GB"):
        read(save(tmp_path / "s", [ds]))


def test_damaged_header_is_said_and_not_a_traceback(tmp_path):
    folder = save(tmp_path / "s", [plane(0, 0)])
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    at = data.index(struct.pack("<HH", 0x28, 0x10))
    data[at + 4 : at + 6] = b"DS"
    data[at + 8 : at + 10] = b"zz"
    file.write_bytes(data)
    with pytest.raises(FormatError, match="damaged DICOM header"):
        read(folder)


def enhanced() -> Dataset:
    """All planes in one file, in an order that says nothing."""
    order = np.random.default_rng(3).permutation(foreign.SHAPE[0] * FRAMES).tolist()
    planes = [cine()[i] for i in order]
    ds = plane(0, 0)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "TriggerTime"):
        delattr(ds, name)
    ds.SOPClassUID, ds.NumberOfFrames = EnhancedMRImageStorage, len(planes)
    shared, measures, orientation, transform = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = planes[0].PixelSpacing
    orientation.ImageOrientationPatient = planes[0].ImageOrientationPatient
    transform.RescaleSlope, transform.RescaleIntercept = "1", "0"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    shared.PixelValueTransformationSequence = [transform]
    ds.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for one in planes:
        group, position, sync = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = one.ImagePositionPatient
        sync.NominalCardiacTriggerDelayTime = float(one.TriggerTime)
        group.PlanePositionSequence, group.CardiacSynchronizationSequence = [position], [sync]
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = groups
    ds.PixelData = b"".join(one.PixelData for one in planes)
    return ds


def test_enhanced_multi_frame_is_the_same_study_as_classic_files(tmp_path):
    classic, _ = read(save(tmp_path / "c", cine()))
    multi, _ = read(save(tmp_path / "e", [enhanced()]))
    assert np.array_equal(multi.voxels, classic.voxels)
    assert multi.geometry.same_grid(classic.geometry)
    assert multi.times_ms == classic.times_ms


def test_ultrasound_loop_takes_centimetres_and_frame_time_from_its_header(tmp_path):
    ds = plane(0, 0)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "TriggerTime"):
        delattr(ds, name)
    ds.Modality, ds.NumberOfFrames, ds.FrameTime = "US", 2, "25"
    ds.PixelData = ds.PixelData * 2
    region, doppler = Dataset(), Dataset()
    for one, size, units in ((region, 10, 3), (doppler, 12, 4)):  # centimetres, seconds
        one.RegionLocationMinX0 = one.RegionLocationMinY0 = 0
        one.RegionLocationMaxX1 = one.RegionLocationMaxY1 = size
        one.PhysicalUnitsXDirection = one.PhysicalUnitsYDirection = units
        one.PhysicalDeltaX, one.PhysicalDeltaY = 0.025, 0.05
    ds.SequenceOfUltrasoundRegions = [region, doppler]
    image, _ = read(save(tmp_path / "s", [ds]))
    assert image.times_ms == (0, 25)
    assert image.geometry.spacing[1:] == pytest.approx((0.5, 0.25))
    assert image.geometry.unit == "mm"


def test_colour_becomes_brightness(tmp_path):
    ds = plane(0, 0)
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    colours = np.zeros((*foreign.SHAPE[1:], 3), np.uint8)
    colours[2, 3] = (200, 100, 50)
    ds.PixelData = colours.tobytes()
    image, _ = read(save(tmp_path / "s", [ds]))
    assert image.voxels[0, 0, 2, 3] == 124  # 0.299 x 200 + 0.587 x 100 + 0.114 x 50
    assert np.count_nonzero(image.voxels) == 1
