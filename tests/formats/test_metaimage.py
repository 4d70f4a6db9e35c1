import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import FormatError, GeometryError, HeartsegError, LabelError, OutputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.formats import metaimage
from tests import foreign

HEADER = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "3 -5 7",
    "ElementSpacing": "1.25 1.5 8",
    "DimSize": "4 3 2",
    "ElementType": "MET_SHORT",
}
RAMP = np.arange(24, dtype="<i2")  # x fastest
PACKED = zlib.compress(RAMP.tobytes())


def write(path: Path, data: bytes = RAMP.tobytes(), file: str = "LOCAL", **fields: str) -> Path:
    """A header by hand; a field of None is left out."""
    lines = {**HEADER, **fields, "ElementDataFile": file}
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
    path.write_bytes(text.encode() + (data if file == "LOCAL" else b""))
    return path


def by_simpleitk(path: Path, array: np.ndarray, affine: np.ndarray, *, packed: bool) -> Path:
    """`array` (i, j, k) with its LPS affine, written by SimpleITK."""
    image = SimpleITK.GetImageFromArray(array.transpose(2, 1, 0))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    SimpleITK.WriteImage(image, str(path), packed)
    return path


def brightest_mm(image: Image) -> np.ndarray:
    frame = image.voxels[0]
    return image.geometry.point(np.unravel_index(int(frame.argmax()), frame.shape))


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_marked_voxel_lies_where_simpleitk_put_it_however_stored(order, flips, tmp_path):
    array, affine = foreign.stored(order, flips)
    path = by_simpleitk(tmp_path / "a.mhd", array, affine, packed=flips[0])
    image = metaimage.read_image(path)
    np.testing.assert_allclose(brightest_mm(image), foreign.marked_mm(), atol=1e-3)
    assert image.geometry.spacing[0] == pytest.approx(8.0)
    assert image.voxels.shape[1] == 5
    back = metaimage.stored_order(path).undo(image.voxels)[0]
    assert np.array_equal(back, array)  # the file's own axis order


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_simpleitk_reads_what_is_written_and_so_do_we(name, dtype, tmp_path):
    image = Image(foreign.voxels(dtype)[None], Geometry(foreign.SHAPE, foreign.affine_lps()))
    metaimage.write_image(tmp_path / name, image)
    theirs = SimpleITK.ReadImage(str(tmp_path / name))
    assert np.array_equal(SimpleITK.GetArrayFromImage(theirs), image.voxels[0])
    where = foreign.brightest_mm_by_simpleitk(tmp_path / name)
    np.testing.assert_allclose(where, foreign.marked_mm(), atol=1e-6)
    back = metaimage.read_image(tmp_path / name)
    assert back.voxels.dtype == image.voxels.dtype
    assert np.array_equal(back.voxels, image.voxels)
    assert back.geometry.same_grid(image.geometry)


def test_two_axes_are_one_plane_with_a_note(tmp_path):
    picture = SimpleITK.GetImageFromArray(np.arange(20, dtype=np.int16).reshape(5, 4))
    picture.SetSpacing((0.3, 0.15))
    picture.SetOrigin((7.0, -3.0))
    SimpleITK.WriteImage(picture, str(tmp_path / "a.mha"))
    image, notes = metaimage.read_noted(tmp_path / "a.mha")
    assert image.voxels.shape == (1, 1, 5, 4)
    assert image.geometry.spacing[1:] == pytest.approx((0.15, 0.3))
    where = picture.TransformIndexToPhysicalPoint((2, 3))
    assert image.geometry.point((0, 3, 2))[:2] == pytest.approx(where)
    assert not image.geometry.depth_known
    assert "no slice distance" in notes[0]


@pytest.mark.parametrize(
    ("step", "times", "said"),
    [
        (40.0, (0, 40, 80), "taken as milliseconds"),
        (0.04, (0, 40, 80), "taken as seconds"),
        (1.0, None, "no usable frame time"),
        (900.0, None, "no usable frame time"),
    ],
)
def test_fourth_axis_is_time_in_the_only_unit_that_fits(step, times, said, tmp_path):
    values = np.arange(3 * 2 * 5 * 4, dtype=np.int16).reshape(3, 2, 5, 4)
    cine = SimpleITK.GetImageFromArray(values, isVector=False)
    cine.SetSpacing((1.25, 1.5, 8.0, step))
    SimpleITK.WriteImage(cine, str(tmp_path / "a.mha"))
    image, notes = metaimage.read_noted(tmp_path / "a.mha")
    assert np.array_equal(image.voxels, values)
    assert image.geometry.spacing == (8.0, 1.5, 1.25)
    assert image.times_ms == (None if times is None else pytest.approx(times))
    assert said in notes[0]


def test_a_cine_comes_back_with_its_times(tmp_path):
    values = np.arange(3 * np.prod(foreign.SHAPE), dtype=np.int16).reshape(3, *foreign.SHAPE)
    image = Image(values, Geometry(foreign.SHAPE, foreign.affine_lps()), (5.0, 45.0, 85.0))
    metaimage.write_image(tmp_path / "a.mhd", image)
    back = metaimage.read_image(tmp_path / "a.mhd")
    assert np.array_equal(back.voxels, values)
    assert back.times_ms == (5.0, 45.0, 85.0)


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ({"BinaryDataByteOrderMSB": "True"}, RAMP.astype(">i2").tobytes()),
        ({"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "True"}, RAMP.byteswap().data),
        ({"CompressedData": "True", "CompressedDataSize": str(len(PACKED))}, PACKED),
        ({"BinaryData": "False"}, (" ".join(map(str, RAMP)) + "\n").encode()),
        ({"TransformMatrix": None, "Rotation": "1 0 0 0 1 0 0 0 1"}, RAMP.tobytes()),
        ({"Offset": None, "Position": "3 -5 7"}, RAMP.tobytes()),
        ({"ElementSpacing": None, "ElementSize": "1.25 1.5 8"}, RAMP.tobytes()),
    ],
)
def test_other_ways_to_say_the_same_are_read_as_simpleitk_reads_them(fields, data, tmp_path):
    path = write(tmp_path / "a.mha", bytes(data), **fields)
    image = metaimage.read_image(path)
    theirs = SimpleITK.ReadImage(str(path))
    assert np.array_equal(image.voxels.ravel(), RAMP)
    assert np.array_equal(image.voxels[0], SimpleITK.GetArrayFromImage(theirs))
    assert image.geometry.spacing[::-1] == theirs.GetSpacing() == (1.25, 1.5, 8)
    assert tuple(image.geometry.point((0, 0, 0))) == theirs.GetOrigin() == (3, -5, 7)


def test_header_size_skips_and_minus_one_takes_the_end(tmp_path):
    (tmp_path / "v.raw").write_bytes(b"h" * 13 + RAMP.tobytes())
    for size in ("13", "-1"):
        path = write(tmp_path / "a.mhd", file="v.raw", HeaderSize=size)
        assert np.array_equal(metaimage.read_image(path).voxels.ravel(), RAMP)
        assert np.array_equal(
            SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).ravel(), RAMP
        )


@pytest.mark.parametrize("files", ["LIST\nslice01.raw\nslice02.raw\n", "slice%02d.raw 1 2 1"])
def test_a_file_a_slice_is_read_as_simpleitk_reads_it(files, tmp_path):
    for number, part in enumerate((RAMP[:12], RAMP[12:]), start=1):
        (tmp_path / f"slice{number:02d}.raw").write_bytes(part.tobytes())
    path = write(tmp_path / "a.mhd", file=files)
    assert np.array_equal(metaimage.read_image(path).voxels.ravel(), RAMP)
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    assert np.array_equal(theirs.ravel(), RAMP)


def test_header_without_a_spacing_has_pixels_unless_it_is_given(tmp_path):
    for fields in ({"ElementSpacing": None}, {"ElementSpacing": "1 1 1", "Offset": "0 0 0"}):
        path = write(tmp_path / "a.mha", **fields)
        image, notes = metaimage.read_noted(path)
        assert image.geometry.unit == "px"
        assert "in pixels" in notes[0]
        given = metaimage.read_image(path, (9, 2, 3)).geometry
        assert (given.unit, given.spacing) == ("mm", (9, 2, 3))


def test_camus_as_published_is_anisotropic(real_data):
    folder = real_data / "camus_original" / "patient0001"
    for path in sorted(folder.glob("*.mhd")):
        image = metaimage.read_image(path)
        assert image.geometry.spacing == (1.54, 0.154, 0.308)  # depth is sampled finer
        theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
        assert np.array_equal(image.voxels[0], theirs)
    labels = metaimage.read_labels(folder / "patient0001_2CH_ED_gt.mhd", SCHEMES["camus"])
    assert set(np.unique(labels.labels)) == {0, *map(int, labels.structures)}


def test_labels_come_back_and_unknown_numbers_do_not(tmp_path):
    labels = (np.arange(np.prod(foreign.SHAPE)).reshape(1, *foreign.SHAPE) % 4).astype(np.uint8)
    seg = Segmentation(labels, Geometry(foreign.SHAPE, foreign.affine_lps()), ())
    metaimage.write_labels(tmp_path / "a.mha", seg, SCHEMES["acdc"])
    back = metaimage.read_labels(tmp_path / "a.mha", SCHEMES["acdc"])
    assert np.array_equal(back.labels, labels)
    assert Structure.RV_CAVITY in back.structures
    with pytest.raises(LabelError, match=r"a\.mha.*\[4, 5"):
        metaimage.read_labels(write(tmp_path / "a.mha"), SCHEMES["acdc"])


def test_folder_that_does_not_exist_and_odd_types_cannot_be_written(tmp_path):
    geometry = Geometry(foreign.SHAPE, foreign.affine_lps())
    with pytest.raises(OutputError, match="can be written"):
        metaimage.write_image(tmp_path / "none" / "a.mha", Image(foreign.voxels()[None], geometry))
    with pytest.raises(OutputError, match="complex"):
        metaimage.write_image(
            tmp_path / "a.mha", Image(foreign.voxels("complex64")[None], geometry)
        )


# Hostile and damaged files


@pytest.mark.parametrize(
    "name",
    [
        "../secret.raw",
        "deep/../../secret.raw",
        "..\\secret.raw",
        "{tmp}/secret.raw",
        "link.raw",
        "linked/secret.raw",
        "loop.raw",
        "C:\\secret.raw",
        "file:///secret.raw",
        "a\0b",
        "x" * 5000,
        "LIST\n../secret.raw\nin.raw\n",
        "../secre%dt.raw 1 2 1",
        "../slice%d.raw 1 2 1",
    ],
)
def test_data_outside_of_the_folder_are_never_opened(name, tmp_path):
    secret = tmp_path / "secret.raw"
    secret.write_bytes(RAMP.tobytes())
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "in.raw").write_bytes(RAMP.tobytes())
    (folder / "link.raw").symlink_to(secret)
    (folder / "loop.raw").symlink_to(folder / "loop.raw")
    (folder / "linked").symlink_to(tmp_path)
    path = write(folder / "a.mhd", file=name.replace("{tmp}", str(tmp_path)))
    with pytest.raises(FormatError, match=r"a\.mhd: got (a data file outside|a header whose)") as e:
        metaimage.read_image(path)
    assert str(tmp_path) not in str(e.value)


def test_a_data_file_that_waits_for_ever_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "v.raw")
    with pytest.raises(FormatError, match="is not there"):
        metaimage.read_image(write(tmp_path / "a.mhd", file="v.raw"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"DimSize": "6300 6300 6300"}, r"6300 x 6300 x 6300 voxels, 46\d\.\d GB"),
        ({"DimSize": "1000 1000 1000"}, "fewer bytes"),
        ({"DimSize": "9" * 3000 + " 1 1"}, "dimsize"),
        ({"DimSize": "999999999999999 999999999999999 999999999999999"}, "GB"),
        ({"DimSize": "4 0 2"}, "at least one"),
        ({"DimSize": "4 -3 2"}, "at least one"),
        ({"DimSize": "4 3 x"}, "dimsize"),
        ({"DimSize": None}, "dimsize"),
        ({"DimSize": "4 3 2 1 2", "NDims": "5"}, "2 to 4 axes"),
        ({"DimSize": "24", "NDims": "1"}, "2 to 4 axes"),
        ({"NDims": "2"}, "a size for each"),
        ({"ElementNumberOfChannels": "3"}, "3 channels.*convert it to grey"),
        ({"ElementType": "MET_FLOAT_ARRAY"}, "MET_FLOAT_ARRAY"),
        ({"ElementType": None}, "allowed: MET_CHAR"),
        ({"ElementSpacing": "1 1"}, "elementspacing"),
        ({"ElementSpacing": "1 1 e"}, "elementspacing"),
        ({"ElementSpacing": "1 0 8"}, "spacing"),
        ({"ElementSpacing": "1 -1 8"}, "spacing"),
        ({"ElementSpacing": "1 nan 8"}, "spacing"),
        ({"ElementSpacing": "1 1e9 8"}, "spacing"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "places no grid"),
        ({"TransformMatrix": "1 0 0 inf 0 0 0 0 1"}, "places no grid"),
        ({"Offset": "1 2 nan"}, "places no grid"),
        ({"HeaderSize": "-7", "file": "v.raw"}, "headersize"),
        ({"file": "other.raw"}, "'other.raw' is not there"),
        ({"file": "LIST\n"}, "empty list"),
        ({"file": "LIST\nv.raw\nv.raw\nv.raw\nv.raw\nv.raw\n"}, "an equal share"),
        ({"file": "v%s.raw 1 2 1"}, "pattern"),
        ({"file": "v%9999999d.raw 1 2 1"}, "pattern"),
        ({"file": "v%d.raw 1 999999999 1"}, "pattern"),
        ({"file": "v%d.raw 1 2 0"}, "pattern"),
    ],
)
def test_header_that_cannot_be_true_is_refused(fields, said, tmp_path):
    (tmp_path / "v.raw").write_bytes(RAMP.tobytes())
    path = write(tmp_path / "a.mhd", **fields)
    with pytest.raises((FormatError, GeometryError), match=said):
        metaimage.read_image(path)


def test_packed_data_never_grow_beyond_what_was_claimed(tmp_path):
    bomb = zlib.compress(bytes(50_000_000))
    path = write(tmp_path / "a.mha", bomb, CompressedData="True")
    with pytest.raises(FormatError, match="damaged"):
        metaimage.read_image(path)
    path = write(tmp_path / "b.mha", bomb[:500], CompressedData="True", DimSize="1000 1000 900")
    with pytest.raises(FormatError, match="fewer bytes"):
        metaimage.read_image(path)


@pytest.mark.parametrize("packed", ["True", "False"])
def test_truncated_anywhere_is_said(packed, tmp_path):
    noise = np.random.default_rng(1).integers(0, 999, 24).astype("<i2").tobytes()
    data = zlib.compress(noise) if packed == "True" else noise
    whole = write(tmp_path / "a.mha", data, CompressedData=packed).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "a.mha").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            metaimage.read_image(tmp_path / "a.mha")


def test_noise_instead_of_a_header_is_said(tmp_path):
    random = np.random.default_rng(2)
    whole = write(tmp_path / "a.mha").read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 4):
            data[at] = random.integers(256)
        (tmp_path / "a.mha").write_bytes(data)
        try:
            metaimage.read_image(tmp_path / "a.mha")
        except HeartsegError:
            continue
