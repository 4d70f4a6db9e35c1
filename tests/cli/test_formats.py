"""The same heart in every format, by the command line: the same masks, the same numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image as Pictures

from heartseg.core.anatomy import SCHEMES
from heartseg.formats import nifti
from heartseg.read import find_studies
from heartseg.read.image_file import read_labels
from tests import doors
from tests.cli.door import Done, heartseg

HEART = doors.cine((8, 6, 5, 7))
PLACED = ("scan.mha", "scan.mhd", "scan.nrrd", "scan.nhdr")
FILES = ("scan.nii.gz", *PLACED, "scan.tif")


def save(path: Path, numbers: np.ndarray) -> Path:
    """(t, z, y, x) in the format of the name, by foreign libraries, where `save_nifti` puts it."""
    z, y, x = doors.SPACING_MM
    if path.suffix == ".tif":
        said = {"axes": "TZYX", "spacing": z, "unit": "mm", "finterval": 0.04}
        values = numbers.astype(np.uint16)
        tifffile.imwrite(path, values, imagej=True, resolution=(1 / x, 1 / y), metadata=said)
    elif path.name.endswith(".nii.gz"):
        doors.save_nifti(path, numbers)
    else:
        image = SimpleITK.GetImageFromArray(numbers, isVector=False)
        image.SetSpacing((x, y, z, 40.0))
        image.SetOrigin((-31.0, 17.0, 5.5, 0.0))  # of doors.affine, in LPS
        SimpleITK.WriteImage(image, str(path))
    return path


def done(*arguments: object) -> Done:
    one = heartseg(*arguments)
    assert one.code == 0, one.err
    return one


def findings(out: Path) -> dict[str, float | None]:
    report = json.loads((out / "scan" / "report.json").read_text())
    return {one["key"]: one["value"] for one in report["findings"]}


@pytest.fixture(scope="module")
def segmented(gauge: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By file name: the folder that holds the scan, and its results in `out`."""
    folders = {}
    for name in FILES:
        folder = tmp_path_factory.mktemp("formats")
        save(folder / name, doors.painted(HEART))
        place = ("--view", "sax", "-o", folder / "out", "--model", gauge)
        done("segment", folder / name, *place, "--formats", "nifti,json")
        folders[name] = folder
    return folders


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_mask_and_the_same_numbers(
    name: str, segmented: dict[str, Path]
) -> None:
    out = segmented[name] / "out"
    mask = nifti.read_labels(out / "scan" / "scan_seg.nii.gz", SCHEMES["acdc"])
    assert np.array_equal(SCHEMES["acdc"].write(mask.labels), HEART)
    expected = findings(segmented["scan.nii.gz"] / "out")
    assert expected["lv_edv_ml"] == pytest.approx(doors.volume_ml(HEART[0], 3))
    for key, value in findings(out).items():
        assert value == (expected[key] and pytest.approx(expected[key], rel=1e-6)), key


@pytest.mark.parametrize("name", PLACED)
def test_simpleitk_lays_the_mask_over_its_source(name: str, segmented: dict[str, Path]) -> None:
    source = SimpleITK.ReadImage(str(segmented[name] / name))
    mask = SimpleITK.ReadImage(str(segmented[name] / "out" / "scan" / "scan_seg.nii.gz"))
    assert mask.GetSize() == source.GetSize()
    assert mask.GetSpacing()[:3] == pytest.approx(source.GetSpacing()[:3])
    for index in ((0, 0, 0, 0), (45, 0, 3, 0), (0, 37, 1, 0)):
        assert mask.TransformIndexToPhysicalPoint(index)[:3] == pytest.approx(
            source.TransformIndexToPhysicalPoint(index)[:3], abs=1e-4
        )


@pytest.mark.parametrize("suffix", [".mha", ".nrrd"])
@pytest.mark.parametrize("order", [(2, 1, 0), (0, 2, 1), (1, 0, 2), (2, 0, 1)])
def test_the_mask_has_the_axis_order_of_its_source(
    suffix: str, order: tuple[int, int, int], gauge: Path, tmp_path: Path
) -> None:
    """Slices stored along any axis: index by index the mask belongs to the source."""
    matrix = np.diag([-1.5, 1.5, 9.0])[:, [2, 1, 0]][:, list(order)]  # columns: i, j, k
    spacing = np.linalg.norm(matrix, axis=0)
    stored = doors.painted(HEART[0]).transpose(order)  # i, j, k
    image = SimpleITK.GetImageFromArray(stored.transpose(2, 1, 0))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((matrix / spacing).ravel().tolist())
    image.SetOrigin((20.0, -30.0, 40.0))
    SimpleITK.WriteImage(image, str(tmp_path / f"scan{suffix}"))
    out = tmp_path / "out"
    place = ("--view", "sax", "-o", out, "--model", gauge, "--formats", "nifti")
    done("segment", tmp_path / f"scan{suffix}", *place)
    mask = SimpleITK.ReadImage(str(out / "scan" / "scan_seg.nii.gz"))
    found = SimpleITK.GetArrayFromImage(mask).transpose(2, 1, 0)
    assert np.array_equal(found, HEART[0].transpose(order))
    assert mask.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-6)
    assert mask.GetOrigin() == pytest.approx(image.GetOrigin(), abs=1e-4)


@pytest.mark.parametrize("masks", FILES)
@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.mha", "scan.tif"])
def test_measure_takes_masks_in_every_format(
    name: str, masks: str, segmented: dict[str, Path], tmp_path: Path
) -> None:
    given = tmp_path / masks.replace("scan", "scan_seg")
    save(given, HEART)
    scan = segmented[name] / name
    if name == "scan.tif" != masks:  # a TIFF lies at the origin, these masks do not
        refused = heartseg("measure", scan, "--labels-from", given, "-o", tmp_path / "out")
        assert refused.code == 1
        assert "another grid" in refused.err
        return
    said = ("--view", "sax", "--formats", "json")
    for place in (given, tmp_path):
        done("measure", scan, "--labels-from", place, "-o", tmp_path / "out", *said, "--overwrite")
        found = findings(tmp_path / "out")["lv_edv_ml"]
        assert found == pytest.approx(doors.volume_ml(HEART[0], 3))


@pytest.mark.parametrize("name", FILES)
def test_measure_takes_what_segment_wrote_with_a_spacing_of_the_user(
    name: str, gauge: Path, tmp_path: Path
) -> None:
    save(tmp_path / name, doors.painted(HEART))
    said = ("--view", "sax", "--spacing-mm", "8,1.5,1.5", "--formats", "nifti,json")
    done("segment", tmp_path / name, *said, "-o", tmp_path / "out", "--model", gauge)
    mask = tmp_path / "out" / "scan" / "scan_seg.nii.gz"
    done("measure", tmp_path / name, *said, "-o", tmp_path / "again", "--labels-from", mask)
    expected = doors.volume_ml(HEART[0], 3) * 8 / 9
    for folder in ("out", "again"):
        assert findings(tmp_path / folder)["lv_edv_ml"] == pytest.approx(expected)


@pytest.mark.parametrize("name", FILES)
def test_inspect_says_the_same_of_every_format(name: str, segmented: dict[str, Path]) -> None:
    (seen,) = done("inspect", segmented[name] / name, "--view", "sax", "--json").json()
    assert (seen["frames"], seen["slices"], seen["size"]) == (4, 4, [38, 46])
    assert (seen["spacing"], seen["unit"]) == ([9.0, 1.5, 1.5], "mm")
    assert seen["times_ms"] == pytest.approx([0.0, 120.0], abs=1e-3)


def test_pages_without_millimetres_get_a_nifti_mask_that_measure_takes(
    gauge: Path, tmp_path: Path
) -> None:
    pages = [Pictures.fromarray(plane.astype(np.uint16)) for plane in doors.painted(HEART[0])]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    out = tmp_path / "out"
    said = ("--view", "sax", "--formats", "nifti,json")
    done("segment", tmp_path / "scan.tif", *said, "-o", out, "--model", gauge)
    mask = out / "scan" / "scan_seg.nii.gz"
    assert np.array_equal(
        SCHEMES["acdc"].write(read_labels(mask, SCHEMES["acdc"]).labels)[0], HEART[0]
    )
    for spacing in ((), ("--spacing-mm", "9,1.5,1.5")):
        place = ("-o", tmp_path / "again", "--labels-from", mask, "--overwrite")
        done("measure", tmp_path / "scan.tif", *said, *place, *spacing)
        edv = findings(tmp_path / "again")["lv_edv_ml"]
        assert edv == (pytest.approx(doors.volume_ml(HEART[0], 3)) if spacing else None)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_of_one_plane_gets_a_picture(suffix: str, gauge: Path, tmp_path: Path) -> None:
    plane = doors.painted(HEART[0, 0]).astype(np.uint16)
    Pictures.fromarray(plane).save(tmp_path / f"scan{suffix}")
    said = ("--view", "sax", "--spacing-mm", "9,1.5,1.5", "--formats", "nifti,json")
    done("segment", tmp_path / f"scan{suffix}", *said, "-o", tmp_path / "out", "--model", gauge)
    with Pictures.open(tmp_path / "out" / "scan" / "scan_seg.png") as mask:
        assert np.array_equal(np.array(mask), HEART[0, 0])


def test_a_video_is_segmented_frame_by_frame(gauge: Path, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "scan.avi"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 38, 46, "gray"
        for plane in HEART[:, 0] * np.uint8(80):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plane, format="gray")))
        container.mux(stream.encode(None))
    out = tmp_path / "out"
    said = ("--view", "sax", "--spacing-mm", "9,1.5,1.5", "--formats", "nifti,json")
    done("segment", tmp_path / "scan.avi", *said, "-o", out, "--model", gauge)
    mask = read_labels(out / "scan" / "scan_seg.nii.gz", SCHEMES["acdc"])
    assert np.array_equal(SCHEMES["acdc"].write(mask.labels)[:, 0], HEART[:, 0])
    assert mask.times_ms == pytest.approx((0, 40, 80, 120), abs=1e-3)


def test_camus_as_published_is_inspected(real_data: Path) -> None:
    found = find_studies(real_data / "camus_original" / "patient0001" / "patient0001_2CH_ED.mhd")
    (candidate,) = found
    ((view, image),) = candidate.load().images.items()
    assert view == "2ch"
    assert image.geometry.spacing[1:] == (0.154, 0.308)
