import bz2
import gzip
from pathlib import Path

import nrrd as foreign_nrrd
import numpy as np
import pytest
import SimpleITK

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import FormatError, GeometryError, HeartsegError, LabelError
from heartseg.core.image import Image
from heartseg.formats import nrrd
from tests import foreign

FIELDS = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "4 3 2",
    "space directions": "(1.25,0,0) (0,1.5,0) (0,0,8)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(3,-5,7)",
}
RAMP = np.arange(24, dtype="<i2")  # x fastest
RAW = RAMP.tobytes()


def write(path: Path, data: bytes = RAW, rest: str = "", **fields: str | None) -> Path:
    """A header by hand; a field of None is left out, `_` in a name is a space."""
    said = {**FIELDS, **{key.replace("_", " "): value for key, value in fields.items()}}
    text = "".join(f"{key}: {value}\n" for key, value in said.items() if value is not None)
    detached = any("file" in key for key in said)
    path.write_bytes(
        f"NRRD0004\n# by hand\n{text}{rest}".encode() + (b"" if detached else b"\n" + data)
    )
    return path


def brightest_mm(image: Image) -> np.ndarray:
    frame = image.voxels[0]
    return image.geometry.point(np.unravel_index(int(frame.argmax()), frame.shape))


@pytest.mark.parametrize(("order", "flips"), foreign.STORED)
def test_marked_voxel_lies_where_simpleitk_put_it_however_stored(order, flips, tmp_path):
    array, affine = foreign.stored(order, flips)
    theirs = SimpleITK.GetImageFromArray(array.transpose(2, 1, 0))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    theirs.SetSpacing(spacing.tolist())
    theirs.SetOrigin(affine[:3, 3].tolist())
    theirs.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    SimpleITK.WriteImage(theirs, str(tmp_path / "a.nrrd"), flips[0])
    image = nrrd.read_image(tmp_path / "a.nrrd")
    np.testing.assert_allclose(brightest_mm(image), foreign.marked_mm(), atol=1e-3)
    assert image.voxels.shape[1] == 5
    assert np.array_equal(nrrd.stored_order(tmp_path / "a.nrrd").undo(image.voxels)[0], array)


@pytest.mark.parametrize(
    ("space", "turn"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
    ],
)
@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
def test_spaces_and_encodings_of_pynrrd(space, turn, name, encoding, tmp_path):
    affine = foreign.affine_lps()
    said = np.diag(turn) @ affine[:3, :3][:, ::-1]
    header = {
        "space": space,
        "space directions": said.T,
        "space origin": np.array(turn) * affine[:3, 3],
        "encoding": encoding,
    }
    foreign_nrrd.write(str(tmp_path / name), foreign.voxels().transpose(2, 1, 0), header)
    image, notes = nrrd.read_noted(tmp_path / name)
    assert np.array_equal(image.voxels[0], foreign.voxels())
    np.testing.assert_allclose(brightest_mm(image), foreign.marked_mm(), atol=1e-6)
    assert notes == ()
    if encoding == "bzip2":
        return  # ITK is built without it
    where = foreign.brightest_mm_by_simpleitk(tmp_path / name)
    np.testing.assert_allclose(where, foreign.marked_mm(), atol=1e-3)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("endian", "<>")
def test_every_type_of_pynrrd_is_read_as_it_is(dtype, endian, tmp_path):
    values = foreign.voxels(endian + dtype).transpose(2, 1, 0)
    foreign_nrrd.write(str(tmp_path / "a.nrrd"), values, {"spacings": [1.25, 1.5, 8]})
    image = nrrd.read_image(tmp_path / "a.nrrd")
    assert image.voxels.dtype == np.dtype(dtype)
    assert np.array_equal(image.voxels[0], foreign.voxels())


def test_hex_is_read(tmp_path):
    path = write(tmp_path / "a.nrrd", RAW.hex().encode() + b"\n", encoding="hex")
    assert np.array_equal(nrrd.read_image(path).voxels.ravel(), RAMP)
    assert np.array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).ravel(), RAMP)


@pytest.mark.parametrize(
    ("first", "kinds", "directions", "spacings"),
    [
        (False, "domain domain domain time", "(1.25,0,0) (0,1.5,0) (0,0,8) none", "nan nan nan 40"),
        (True, "list domain domain domain", "none (1.25,0,0) (0,1.5,0) (0,0,8)", "40 nan nan nan"),
        (False, None, "(1.25,0,0) (0,1.5,0) (0,0,8) none", "nan nan nan 40"),
        (False, None, None, "1.25 1.5 8 40"),
    ],
)
def test_frames_are_found_wherever_their_axis_is(first, kinds, directions, spacings, tmp_path):
    values = np.arange(3 * 24, dtype="<i2").reshape(3, 2, 3, 4)  # t z y x
    stored = np.moveaxis(values, 0, -1) if first else values
    path = write(
        tmp_path / "a.nrrd",
        stored.tobytes(),
        dimension="4",
        sizes="3 4 3 2" if first else "4 3 2 3",
        kinds=kinds,
        space_directions=directions,
        space_origin="(3,-5,7)" if directions else None,
        spacings=spacings,
    )
    image, notes = nrrd.read_noted(path)
    assert np.array_equal(image.voxels, values)
    assert image.geometry.spacing == (8, 1.5, 1.25)
    assert image.times_ms == (0, 40, 80)
    assert "taken as milliseconds" in notes[-1]


def test_frames_as_itk_writes_them(tmp_path):
    values = np.arange(3 * 24, dtype=np.int16).reshape(3, 2, 3, 4)
    theirs = SimpleITK.GetImageFromArray(values, isVector=False)
    theirs.SetSpacing((1.25, 1.5, 8, 0.04))
    theirs.SetOrigin((3, -5, 7, 0))
    SimpleITK.WriteImage(theirs, str(tmp_path / "a.nrrd"))
    image = nrrd.read_image(tmp_path / "a.nrrd")
    assert np.array_equal(image.voxels, values)
    assert image.geometry.spacing == (8, 1.5, 1.25)
    assert tuple(image.geometry.point((0, 0, 0))) == (3, -5, 7)
    assert image.times_ms == pytest.approx((0, 40, 80))


def test_named_units_are_taken(tmp_path):
    path = write(
        tmp_path / "a.nrrd",
        np.arange(48, dtype="<i2").tobytes(),
        dimension="4",
        sizes="4 3 2 2",
        kinds=None,
        space=None,
        space_directions=None,
        space_origin=None,
        spacings="0.125 0.15 0.8 0.05",
        units='"cm" "cm" "cm" "s"',
    )
    image = nrrd.read_image(path)
    assert image.geometry.spacing == pytest.approx((8, 1.5, 1.25))
    assert image.times_ms == (0, 50)


def test_two_axes_are_one_plane(tmp_path):
    theirs = SimpleITK.GetImageFromArray(np.arange(12, dtype=np.int16).reshape(3, 4))
    theirs.SetSpacing((0.3, 0.15))
    SimpleITK.WriteImage(theirs, str(tmp_path / "a.nrrd"))
    image, notes = nrrd.read_noted(tmp_path / "a.nrrd")
    assert image.voxels.shape == (1, 1, 3, 4)
    assert image.geometry.spacing[1:] == pytest.approx((0.15, 0.3))
    assert "no slice distance" in notes[0]


def test_no_space_and_no_spacing_are_said(tmp_path):
    path = write(tmp_path / "a.nrrd", space=None, space_dimension="3")
    image, notes = nrrd.read_noted(path)
    assert image.geometry.spacing == (8, 1.5, 1.25)
    assert "left and right are not known" in notes[0]
    path = write(tmp_path / "a.nrrd", space=None, space_directions=None, space_origin=None)
    image, notes = nrrd.read_noted(path)
    assert image.geometry.unit == "px"
    assert "in pixels" in notes[0]
    assert nrrd.read_image(path, (9, 2, 3)).geometry.spacing == (9, 2, 3)


@pytest.mark.parametrize(
    ("name", "rest"),
    [("LIST", "s1.raw\ns2.raw\n"), ("s%d.raw 1 2 1", ""), ("s%d.raw 1 2 1 2", "")],
)
def test_a_file_a_slice(name, rest, tmp_path):
    (tmp_path / "s1.raw").write_bytes(RAW[:24])
    (tmp_path / "s2.raw").write_bytes(RAW[24:])
    path = write(tmp_path / "a.nhdr", rest=rest, data_file=name)
    assert np.array_equal(nrrd.read_image(path).voxels.ravel(), RAMP)
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    assert np.array_equal(theirs.ravel(), RAMP)


@pytest.mark.parametrize("skip", [{"byte_skip": "7"}, {"byte_skip": "-1"}, {"line_skip": "1"}])
def test_what_stands_before_the_data_is_skipped(skip, tmp_path):
    (tmp_path / "v.raw").write_bytes(b"header\n" + RAW)
    path = write(tmp_path / "a.nhdr", datafile="v.raw", **skip)
    assert np.array_equal(nrrd.read_image(path).voxels.ravel(), RAMP)
    assert np.array_equal(foreign_nrrd.read(str(path))[0].ravel(order="F"), RAMP)


# Segments of 3D Slicer


def segments(path: Path, *names: str, values: np.ndarray = RAMP % 3) -> Path:
    keys = "".join(
        f"Segment{n}_ID:=Segment_{n}\nSegment{n}_LabelValue:={n + 1}\nSegment{n}_Name:={name}\n"
        f"Segment{n}_Layer:=0\n"
        for n, name in enumerate(names)
    )
    return write(path, values.astype("u1").tobytes(), keys, type="uint8")


def test_names_of_segments_say_what_the_numbers_mean(tmp_path):
    path = segments(tmp_path / "a.seg.nrrd", "Left Ventricle", "LV_myocardium")
    labels = nrrd.read_labels(path, SCHEMES["acdc"])
    expected = [Structure.BACKGROUND, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM] * 8
    assert labels.labels.ravel().tolist() == expected
    assert labels.structures == (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)


def test_names_that_nobody_knows_leave_it_to_the_scheme(tmp_path):
    path = segments(tmp_path / "a.seg.nrrd", "Left Ventricle", "Segment_2")
    labels = nrrd.read_labels(path, SCHEMES["acdc"])
    assert labels.labels.ravel().tolist() == [0, Structure.RV_CAVITY, Structure.LV_MYOCARDIUM] * 8
    path = segments(tmp_path / "b.seg.nrrd", "LV", "RV", values=RAMP % 4)
    with pytest.raises(LabelError, match=r"b\.seg\.nrrd.*\[3\].*segment names"):
        nrrd.read_labels(path, SCHEMES["acdc"])


def test_segments_on_layers_are_refused(tmp_path):
    path = write(
        tmp_path / "a.seg.nrrd",
        bytes(48),
        type="uint8",
        dimension="4",
        sizes="2 4 3 2",
        kinds="vector domain domain domain",
        space_directions="none (1.25,0,0) (0,1.5,0) (0,0,8)",
    )
    with pytest.raises(FormatError, match="each channel or layer"):
        nrrd.read_labels(path, SCHEMES["acdc"])


# Hostile and damaged files


@pytest.mark.parametrize(
    "name", ["../secret.raw", "{tmp}/secret.raw", "link.raw", "LIST", "../secre%d.raw 1 2 1"]
)
def test_data_outside_of_the_folder_are_never_opened(name, tmp_path):
    (tmp_path / "secret.raw").write_bytes(RAW)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    path = write(
        folder / "a.nhdr", rest="../secret.raw\n", data_file=name.replace("{tmp}", str(tmp_path))
    )
    with pytest.raises(FormatError, match=r"a\.nhdr: got a data file outside") as caught:
        nrrd.read_image(path)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sizes": "6300 6300 6300"}, r"6300 x 6300 x 6300 voxels, 46\d\.\d GB"),
        ({"sizes": "1000 1000 1000"}, "fewer bytes"),
        ({"sizes": "1000 1000 1000", "encoding": "gzip"}, "fewer bytes"),
        ({"sizes": "1000 1000 1000", "encoding": "bzip2"}, "fewer bytes"),
        ({"sizes": "1000 1000 1000", "encoding": "ascii"}, "fewer bytes"),
        ({"sizes": "9" * 3000 + " 1 1"}, "sizes"),
        ({"sizes": "4 0 2"}, "at least one"),
        ({"sizes": "4 -3 2"}, "at least one"),
        ({"sizes": None}, "sizes"),
        ({"dimension": "4"}, "dimension"),
        ({"dimension": "6", "sizes": "1 1 1 1 1 1"}, "dimension"),
        ({"type": "block"}, "block"),
        ({"encoding": "zrl"}, "encoding 'zrl'"),
        ({"kinds": "RGB-color domain domain"}, "rgb-color.*convert it to grey"),
        ({"kinds": "list list domain"}, "kinds"),
        ({"space_directions": "(1,0,0) (0,1,0)"}, "space directions"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0)"}, "space directions"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0,x)"}, "space directions"),
        ({"space_directions": "none none none"}, "space directions"),
        ({"space_directions": "(1,0,0) (1,0,0) (0,0,8)"}, "places no grid"),
        ({"space_directions": "(1,0,0) (0,inf,0) (0,0,8)"}, "places no grid"),
        ({"space_directions": "(1,0,0) (0,1e9,0) (0,0,8)"}, "spacing"),
        ({"space_origin": "(1,2)"}, "space origin"),
        ({"space_origin": "(1,2,nan)"}, "places no grid"),
        ({"byte_skip": "-2"}, "byte skip"),
        ({"byte_skip": "x"}, "byte skip"),
        ({"byte_skip": "3", "encoding": "gzip"}, "byte skip"),
        ({"line_skip": "999999"}, "fewer bytes"),
        ({"data_file": "s%d.raw 1 9e99 1"}, "data file"),
        ({"data_file": "s%d.raw 1 nan 1"}, "data file"),
        ({"data_file": "LIST"}, "data file"),
        ({"data_file": "none.raw"}, "is not there"),
    ],
)
def test_header_that_cannot_be_true_is_refused(fields, said, tmp_path):
    with pytest.raises((FormatError, GeometryError), match=said):
        nrrd.read_image(write(tmp_path / "a.nrrd", **fields))


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_packed_data_never_grow_beyond_what_was_claimed(encoding, pack, tmp_path):
    path = write(tmp_path / "a.nrrd", pack(bytes(50_000_000)), encoding=encoding)
    with pytest.raises(FormatError, match="damaged"):
        nrrd.read_image(path)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("raw", bytes),
        ("gzip", gzip.compress),
        ("bzip2", bz2.compress),
        ("hex", lambda d: d.hex().encode()),
    ],
)
def test_truncated_anywhere_is_said(encoding, pack, tmp_path):
    noise = np.random.default_rng(1).integers(0, 999, 24).astype("<i2").tobytes()
    whole = write(tmp_path / "a.nrrd", pack(noise), encoding=encoding).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "a.nrrd").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            nrrd.read_image(tmp_path / "a.nrrd")


def test_noise_instead_of_a_header_is_said(tmp_path):
    random = np.random.default_rng(2)
    whole = write(tmp_path / "a.nrrd").read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 4):
            data[at] = random.integers(256)
        (tmp_path / "a.nrrd").write_bytes(data)
        try:
            nrrd.read_image(tmp_path / "a.nrrd")
        except HeartsegError:
            continue
