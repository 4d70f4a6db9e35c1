import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import FormatError, GeometryError, LabelError, OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats import nifti
from heartseg.formats.bounds import MAX_BYTES
from tests import foreign


def brightest_mm(image: Image) -> np.ndarray:
    frame = image.voxels[0]
    return image.geometry.point(np.unravel_index(int(frame.argmax()), frame.shape))


def save(path: Path, array: np.ndarray, affine: np.ndarray, **codes: int) -> Path:
    """Written by nibabel; `affine` RAS."""
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm", "msec")
    image.set_sform(affine, codes.get("sform", 1))
    image.set_qform(affine, codes.get("qform", 1))
    nib.save(image, path)
    return path


def edit(path: Path, offset: int, form: str, *values: float) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into("<" + form, data, offset, *values)
    path.write_bytes(data)


@pytest.fixture
def oblique(tmp_path: Path) -> Path:
    array, affine = foreign.stored((2, 1, 0), (False, False, False))
    return save(tmp_path / "oblique.nii.gz", array, foreign.TO_RAS @ affine)


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_marked_voxel_lies_at_the_same_millimetre_however_stored(order, flips, tmp_path):
    array, affine = foreign.stored(order, flips)
    path = save(tmp_path / "a.nii", array, foreign.TO_RAS @ affine)
    image = nifti.read_image(path)
    np.testing.assert_allclose(brightest_mm(image), foreign.marked_mm(), atol=1e-3)
    np.testing.assert_allclose(
        foreign.brightest_mm_by_simpleitk(path), foreign.marked_mm(), atol=1e-3
    )
    assert image.geometry.spacing[0] == pytest.approx(8.0)
    assert image.voxels.shape[1] == 5


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_mask_in_the_patient_does_not_depend_on_how_the_file_stores_it(order, flips, tmp_path):
    array, affine = foreign.stored(order, flips)
    source = save(tmp_path / "a.nii.gz", array, foreign.TO_RAS @ affine)
    image = nifti.read_image(source)
    labels = np.where(image.voxels == 120, Structure.LV_CAVITY, 0).astype(np.uint8)
    seg = Segmentation(labels, image.geometry, (Structure.LV_CAVITY,))
    mask = tmp_path / "mask.nii.gz"
    nifti.write_labels(mask, seg, SCHEMES["acdc"], source)
    np.testing.assert_allclose(
        foreign.brightest_mm_by_simpleitk(mask), foreign.marked_mm(), atol=1e-3
    )
    written = nib.load(mask)
    assert written.shape == array.shape  # the file's own axis order
    assert np.asarray(written.dataobj)[tuple(np.argwhere(array == 120)[0])] == 3


@pytest.mark.parametrize(("sform", "qform"), [(1, 1), (2, 0), (0, 1), (4, 3)])
def test_sform_or_qform_places_the_image_as_nibabel_says(sform, qform, tmp_path):
    array, affine = foreign.stored((0, 2, 1), (True, False, True))
    path = save(tmp_path / "a.nii", array, foreign.TO_RAS @ affine, sform=sform, qform=qform)
    assert np.allclose(nifti.read_info(path).header.affine, nib.load(path).affine, atol=1e-4)
    np.testing.assert_allclose(brightest_mm(nifti.read_image(path)), foreign.marked_mm(), atol=1e-3)


def test_without_sform_and_qform_pixdim_gives_the_spacing_as_nibabel_does(tmp_path):
    path = tmp_path / "a.nii"
    image = nib.Nifti1Image(
        np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([1.5, 1.25, 8, 1])
    )
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, path)
    info = nifti.read_info(path)
    assert np.allclose(info.header.affine, nib.load(path).affine)
    assert info.geometry.spacing == pytest.approx((8, 1.25, 1.5))


@settings(max_examples=60, deadline=None)
@given(
    # Of half turns (w = 0) nibabel refuses its own rounding of a NIfTI-2 header: not ours to test.
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: abs(q[0]) > 0.01),
    spacing=st.tuples(*[st.floats(0.3, 9)] * 3),
    left_handed=st.booleans(),
    version=st.sampled_from([nib.Nifti1Header, nib.Nifti2Header]),
    endian=st.sampled_from("<>"),
)
def test_header_is_understood_as_nibabel_understands_it(
    quaternion, spacing, left_handed, version, endian
):
    turned = nib.quaternions.quat2mat(np.array(quaternion) / np.linalg.norm(quaternion))
    affine = np.eye(4)
    affine[:3, :3] = turned * spacing * (1, 1, -1 if left_handed else 1)
    affine[:3, 3] = (1, -2, 3.5)
    header = version(endianness=endian)
    header.set_data_shape((3, 4, 5))
    header.set_data_dtype("f4")
    header.set_qform(affine, 1)
    ours = nifti.NiftiHeader.parse(header.binaryblock.ljust(540, b"\0"), "x.nii")
    assert ours.dim == (3, 4, 5)
    # Near a half turn a float32 quaternion holds the affine to about 0.02 mm.
    assert np.allclose(ours.affine, header.get_best_affine(), atol=0.02)
    assert np.allclose(ours.affine, affine, atol=0.02)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    dtype=st.sampled_from(["u1", "i2", "u2", "i4", "f4", "f8"]),
    frames=st.integers(1, 3),
    gz=st.booleans(),
    seed=st.integers(0, 99),
)
def test_writing_and_reading_back_is_exact(dtype, frames, gz, seed, tmp_path):
    values = np.random.default_rng(seed).integers(0, 200, (frames, *foreign.SHAPE)).astype(dtype)
    times = (5.0, 45.0, 85.0)[:frames] if frames > 1 else None
    image = Image(values, Geometry(foreign.SHAPE, foreign.affine_lps()), times)
    path = tmp_path / ("a.nii.gz" if gz else "a.nii")
    nifti.write_image(path, image)
    back = nifti.read_image(path)
    assert back.voxels.dtype == image.voxels.dtype
    assert np.array_equal(back.voxels, image.voxels)
    assert back.geometry.same_grid(image.geometry)
    assert back.times_ms == image.times_ms
    theirs = nib.load(path)
    assert np.allclose(theirs.get_qform(), theirs.get_sform(), atol=1e-3)
    assert theirs.header.get_xyzt_units()[0] == "mm"


def test_mask_keeps_every_byte_of_the_geometry_header(oblique, tmp_path):
    source = tmp_path / "source.nii"
    data = bytearray(gzip.decompress(oblique.read_bytes()))
    data[148:152] = b"Mr X"  # descrip
    source.write_bytes(data)
    image = nifti.read_image(source)
    seg = Segmentation(np.zeros(image.voxels.shape, np.uint8), image.geometry, ())
    nifti.write_labels(tmp_path / "mask.nii.gz", seg, SCHEMES["acdc"], source)
    ours = gzip.decompress((tmp_path / "mask.nii.gz").read_bytes())
    for start, end in ((40, 56), (76, 108), (123, 124), (252, 328), (344, 348)):
        assert ours[start:end] == data[start:end], (start, end)
    assert ours[70:74] == struct.pack("<hh", 2, 8)  # uint8
    assert b"Mr X" not in ours  # free text may name the patient
    assert len(ours) == 352 + image.voxels.size


def test_affine_without_spacing_takes_pixdims_and_its_mask_keeps_the_odd_header(tmp_path):
    path = tmp_path / "acdc.nii"
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    save(path, np.arange(120, dtype=np.int16).reshape(4, 5, 6), affine, sform=2, qform=0)
    edit(path, 76, "4f", 1, 1.5625, 1.25, 10)
    info = nifti.read_info(path)
    assert info.geometry.spacing == (10, 1.25, 1.5625)
    assert info.geometry.voxel_ml == pytest.approx(1.5625 * 1.25 * 10 / 1000)
    assert any("pixdim" in note for note in info.notes)
    image = nifti.read_image(path)
    seg = Segmentation(np.zeros(image.voxels.shape, np.uint8), image.geometry, ())
    nifti.write_labels(tmp_path / "mask.nii", seg, SCHEMES["acdc"], path)
    mask = nib.load(tmp_path / "mask.nii")
    assert np.array_equal(mask.affine, affine)
    assert np.allclose(mask.header.get_zooms(), (1.5625, 1.25, 10))


def test_affine_that_contradicts_pixdim_is_used_and_said(tmp_path):
    path = tmp_path / "a.nii"
    save(path, np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 2, 8, 1]), qform=0)
    edit(path, 76, "4f", 1, 3, 3, 9)
    info = nifti.read_info(path)
    assert info.geometry.spacing == (8, 2, 2)
    assert any("differ" in note for note in info.notes)


@pytest.mark.parametrize(("unit", "scale"), [("meter", 1000), ("mm", 1), ("micron", 0.001)])
def test_units_of_length_become_millimetres(unit, scale, tmp_path):
    path = tmp_path / "a.nii"
    image = nib.Nifti1Image(
        np.ones((3, 4, 5), np.int16), np.diag([2 / scale, 1.5 / scale, 8 / scale, 1])
    )
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    assert nifti.read_image(path).geometry.spacing == pytest.approx((8, 1.5, 2))


@pytest.mark.parametrize(
    ("unit", "step", "expected"),
    [("msec", 40, 40), ("sec", 0.04, 40), ("usec", 40000, 40), ("sec", 1, None), ("msec", 0, None)],
)
def test_units_of_time_become_milliseconds_or_nothing(unit, step, expected, tmp_path):
    image = nib.Nifti1Image(np.ones((3, 4, 5, 2), np.int16), np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = step
    nib.save(image, tmp_path / "a.nii")
    times = nifti.read_image(tmp_path / "a.nii").times_ms
    assert times == (None if expected is None else pytest.approx((0, expected), abs=1e-3))


def test_scaled_values_are_float32(tmp_path):
    path = save(
        tmp_path / "a.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([1, 1, 8, 1.0])
    )
    edit(path, 112, "2f", 0.5, -3)
    image = nifti.read_image(path)
    assert image.voxels.dtype == np.float32
    assert np.array_equal(np.sort(image.voxels.ravel()), np.arange(60) * 0.5 - 3)


def test_two_dimensional_image_is_one_plane_whatever_its_pixels(tmp_path):
    image = nib.Nifti1Image(np.arange(20, dtype=np.int16).reshape(4, 5), np.diag([3.0, 0.5, 1, 1]))
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "a.nii")
    read = nifti.read_image(tmp_path / "a.nii")
    assert read.voxels.shape == (1, 1, 5, 4)
    assert read.geometry.spacing[1:] == (0.5, 3.0)


def test_header_that_knows_nothing_has_pixels_and_no_millimetres(tmp_path):
    nib.save(nib.Nifti1Image(np.ones((3, 4, 5), np.int16), np.eye(4)), tmp_path / "a.nii")
    assert nifti.read_image(tmp_path / "a.nii").geometry.unit == "px"
    given = nifti.read_image(tmp_path / "a.nii", (8, 1.5, 1.25)).geometry
    assert (given.unit, given.spacing) == ("mm", (8, 1.5, 1.25))


def test_unknown_number_is_an_error_that_lists_the_known(oblique):
    with pytest.raises(LabelError, match=r"scheme 'acdc'.*1 RV cavity.*--scheme"):
        nifti.read_labels(oblique, SCHEMES["acdc"])


def test_labels_come_back_as_written_in_another_scheme(tmp_path):
    labels = (np.arange(np.prod(foreign.SHAPE)).reshape(1, *foreign.SHAPE) % 4).astype(np.uint8)
    seg = Segmentation(labels, Geometry(foreign.SHAPE, foreign.affine_lps()), ())
    nifti.write_labels(tmp_path / "a.nii.gz", seg, SCHEMES["acdc"])
    assert np.array_equal(nifti.read_labels(tmp_path / "a.nii.gz", SCHEMES["acdc"]).labels, labels)
    other = nifti.read_labels(tmp_path / "a.nii.gz", SCHEMES["mnms"]).labels
    assert np.array_equal(other == Structure.LV_CAVITY, labels == Structure.RV_CAVITY)


def test_mask_on_another_grid_is_refused(oblique, tmp_path):
    seg = Segmentation(
        np.zeros((1, 5, 14, 18), np.uint8), Geometry((5, 14, 18), foreign.affine_lps()), ()
    )
    with pytest.raises(GeometryError, match="grid"):
        nifti.write_labels(tmp_path / "m.nii", seg, SCHEMES["acdc"], oblique)
    moved = foreign.affine_lps()
    moved[0, 3] += 2
    seg = Segmentation(np.zeros((1, *foreign.SHAPE), np.uint8), Geometry(foreign.SHAPE, moved), ())
    with pytest.raises(GeometryError, match="grid"):
        nifti.write_labels(tmp_path / "m.nii", seg, SCHEMES["acdc"], oblique)


def test_number_above_255_cannot_be_written(tmp_path):
    seg = Segmentation(
        np.ones((1, *foreign.SHAPE), np.uint8), Geometry(foreign.SHAPE, foreign.affine_lps()), ()
    )
    with pytest.raises(LabelError, match="500"):
        nifti.write_labels(tmp_path / "m.nii", seg, SCHEMES["mmwhs"])


def test_folder_that_does_not_exist_cannot_be_written(tmp_path):
    image = Image(np.ones((1, *foreign.SHAPE)), Geometry(foreign.SHAPE, foreign.affine_lps()))
    with pytest.raises(OutputError, match="can be written"):
        nifti.write_image(tmp_path / "none" / "a.nii", image)


# Bad input


def test_empty_file_is_said(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"")
    with pytest.raises(FormatError, match="empty file"):
        nifti.read_image(tmp_path / "a.nii")


@pytest.mark.parametrize("kept", [30, 200, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_truncated_file_is_said(oblique, kept, name, tmp_path):
    data = oblique.read_bytes()
    data = data if name.endswith("gz") else gzip.decompress(data)
    path = tmp_path / name
    path.write_bytes(data[: kept if kept > 1 else int(len(data) * kept)])
    with pytest.raises(FormatError, match=r"a\.nii.*(again|really is)"):
        nifti.read_image(path)


def test_file_that_is_no_image_is_said(tmp_path):
    (tmp_path / "a.nii").write_text("hello " * 200)
    with pytest.raises(FormatError, match="does not begin like a NIfTI"):
        nifti.read_image(tmp_path / "a.nii")


def test_header_that_claims_500_gb_is_refused_before_memory_is_taken(oblique, tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(gzip.decompress(oblique.read_bytes()))
    edit(path, 40, "4h", 3, 6300, 6300, 6300)
    with pytest.raises(FormatError, match=r"6300 x 6300 x 6300 voxels, 46\d\.\d GB"):
        nifti.read_image(path)


def test_gzip_that_could_never_hold_what_it_claims_is_refused(oblique, tmp_path):
    data = bytearray(gzip.decompress(oblique.read_bytes()))
    struct.pack_into("<4h", data, 40, 3, 1000, 1000, 1000)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    assert MAX_BYTES > 2 * 1000**3
    with pytest.raises(FormatError, match="fewer bytes"):
        nifti.read_info(tmp_path / "a.nii.gz")  # no voxel is unpacked for that


@pytest.mark.parametrize("sizes", [(3, 0, 4, 5), (3, -2, 4, 5), (0, 3, 4, 5)])
def test_grid_without_voxels_is_refused(oblique, sizes, tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(gzip.decompress(oblique.read_bytes()))
    edit(path, 40, "4h", *sizes)
    with pytest.raises(FormatError, match="at least one"):
        nifti.read_image(path)


def test_five_axes_are_refused(tmp_path):
    save(tmp_path / "a.nii", np.ones((3, 4, 5, 1, 3), np.int16), np.diag([1.5, 1.5, 8, 1]))
    with pytest.raises(FormatError, match=r"5 axes.*2 to 4"):
        nifti.read_image(tmp_path / "a.nii")


def test_a_fifth_axis_of_one_is_no_axis(tmp_path):
    save(tmp_path / "a.nii", np.ones((3, 4, 5, 2, 1), np.int16), np.diag([1.5, 1.5, 8, 1]))
    assert nifti.read_image(tmp_path / "a.nii").voxels.shape == (2, 5, 4, 3)


def test_colour_and_complex_are_refused(tmp_path):
    save(tmp_path / "a.nii", np.ones((3, 4, 5), np.complex64), np.diag([1.5, 1.5, 8, 1]))
    with pytest.raises(FormatError, match="complex"):
        nifti.read_image(tmp_path / "a.nii")


@pytest.mark.parametrize("z", [0.0, 4000.0, float("nan"), 1e-5])
def test_zero_or_absurd_spacing_is_refused(oblique, z, tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(gzip.decompress(oblique.read_bytes()))
    edit(path, 280, "12f", 1.5, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, z, 0)
    with pytest.raises(GeometryError, match=r"a\.nii.*(spacing)"):
        nifti.read_image(path)
