"""Whole examinations in three layouts: the short axis is found, put together and explained."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from heartseg.choice import Models
from heartseg.core.errors import ConfigError, GeometryError, OutputError, StudyError
from heartseg.core.study import View
from heartseg.formats.dicom_enhanced import enhanced
from heartseg.formats.dicom_exam import ExamSeries, ExamTags
from heartseg.phantom import Acquisition, make_exam, write_exam
from heartseg.phantom.exam_files import LAYOUTS
from heartseg.pipeline import Settings, examine
from heartseg.read import find_studies, read_study

SCAN = Acquisition(
    slices=6, frames=8, matrix=(48, 56), spacing_mm=(4.0, 3.5), slice_distance_mm=16.0, seed=4
)
LONG = (View.LAX_2CH, View.LAX_3CH, View.LAX_4CH)


@pytest.fixture(scope="module")
def exam():
    return make_exam(21, acquisition=SCAN)


@pytest.fixture(scope="module")
def folders(exam, tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("exams")
    return {layout: write_exam(root / layout, exam, layout) for layout in LAYOUTS}


@pytest.fixture(scope="module")
def studies(folders):
    return {layout: read_study(folder / "dicom") for layout, folder in folders.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_short_axis_is_the_same_in_every_layout(layout, exam, studies):
    image, true = studies[layout].images[View.SAX], exam.made[0].images[View.SAX]
    assert image.geometry.same_grid(true.geometry)
    whole = [z for z in range(SCAN.slices) if z != 1]  # slice 1 has fewer frames
    assert np.array_equal(image.voxels[:, whole], true.voxels[:, whole])
    other = studies["one-series"].images[View.SAX]
    assert np.array_equal(image.voxels, other.voxels)
    assert image.times_ms == pytest.approx(other.times_ms)
    np.testing.assert_allclose(image.times_ms, true.times_ms, rtol=0.02)
    assert studies[layout].body == studies["one-series"].body


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_slice_of_fewer_frames_shows_the_nearest_phases(layout, exam, studies):
    few, found = exam.stack[1].image, studies[layout].images[View.SAX].voxels[:, 1]
    assert few.frames == 6
    nearest = [0, 1, 1, 2, 3, 4, 4, 5]  # of k / 6 to j / 8; at 1/8 and 5/8 by hand
    for t, k in enumerate(nearest):
        shown = [i for i in range(6) if np.array_equal(found[t], few.voxels[i, 0])]
        apart = [min(abs(t / 8 - i / 6), 1 - abs(t / 8 - i / 6)) for i in range(6)]
        assert len(shown) == 1
        assert apart[shown[0]] == pytest.approx(min(apart))
        assert shown[0] == k or apart[k] == pytest.approx(min(apart))
    # The second from the apex, which is stored first, is the fifth of six from the base.
    assert any("slice 5 has 6 phases, not 8" in note for note in studies[layout].notes)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("one-series", "slice 3 was acquired more than once: the last one is used"),
        ("series-per-slice", "series 23 was acquired again: the later one is used"),
        ("enhanced", "one slice was acquired again as series 21: the later one is used"),
    ],
)
def test_the_repeated_slice_is_the_last_and_said(layout, said, exam, studies):
    found = studies[layout].images[View.SAX].voxels[:, exam.again]
    assert np.array_equal(found, exam.stack[exam.again].image.voxels[:, 0])
    assert not np.array_equal(found, exam.discarded.image.voxels[:, 0])
    assert said in studies[layout].notes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_else_is_recognised_and_named(layout, studies):
    study = studies[layout]
    assert set(study.images) == {View.SAX, *LONG, View.LATE_ENHANCEMENT}
    text = "\n".join(study.notes)
    for words in (
        "saved screens or scans (OT) are left out: 1",
        "series 1 is left alone: localiser",
        "series 5 is left alone: perfusion",
        "series 6 is left alone: magnitude of a flow measurement",
        "series 7 is left alone: velocity map",
    ):
        assert words in text
    shown = study.reasons[View.LATE_ENHANCEMENT]
    assert shown == "series 8, late enhancement, stills 280 ms after inversion"
    assert re.match(
        r"series [\d to+]+, 6 slices x 8 phases, normal 0 degrees off the long axis",
        study.reasons[View.SAX],
    )


def _edit(folder: Path, target: Path, change) -> Path:
    """A copy of the files, each changed; `change` returns False for one to leave out."""
    target.mkdir()
    for file in sorted(folder.iterdir()):
        ds = pydicom.dcmread(file)
        if change(ds) is not False:
            ds.save_as(target / file.name)
    return target


def _number(ds) -> int:
    return int(ds.SeriesNumber)


def test_names_that_lie_do_not_win_over_geometry(folders, tmp_path):
    lies = {2: "SAX planning", 3: "cine sax", 4: "", 8: "cine sax", 20: "4ch"}

    def lie(ds) -> None:
        ds.SeriesDescription = lies.get(_number(ds), "")

    study = read_study(_edit(folders["one-series"] / "dicom", tmp_path / "lies", lie))
    assert study.images[View.SAX].voxels.shape[:2] == (8, 6)
    assert set(LONG) < set(study.images)
    text = "\n".join([*study.notes, *study.reasons.values()])
    assert "the name says 'sax', but its plane runs along the heart" in text
    assert "the name says '4ch', but its 6 slices cut across the heart" in text


def test_a_study_of_long_axes_only_is_not_segmented_and_says_why(folders, tmp_path):
    def long_only(ds) -> bool:
        return _number(ds) in (2, 3, 4)

    folder = _edit(folders["one-series"] / "dicom", tmp_path / "long", long_only)
    (candidate,) = find_studies(folder)
    with pytest.raises(Exception, match="no shipped model is made for") as raised:
        examine(candidate, Models(), Settings())
    said = str(raised.value)
    assert "2ch" in said
    assert "4ch" in said
    assert "--view" in said


def test_scouts_alone_are_not_taken_for_a_short_axis(folders, tmp_path):
    folder = _edit(folders["one-series"] / "dicom", tmp_path / "s", lambda ds: _number(ds) == 1)
    (candidate,) = find_studies(folder)
    with pytest.raises(Exception, match="no shipped model is made for"):
        examine(candidate, Models(), Settings())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_kinds_in_one_study_segment_the_short_axis_only(layout, folders, gauge):
    (candidate,) = find_studies(folders[layout] / "dicom")
    analysis = examine(candidate, Models("cpu"), Settings(model=str(gauge)))
    assert set(analysis.segmentations) == {View.SAX}
    strategy = analysis.report.strategy
    assert "recognised and left alone" in strategy["no model for 4ch"]


def test_a_whole_stack_that_is_acquired_again_replaces_the_first(folders, tmp_path):
    source = folders["one-series"] / "dicom"
    folder = _edit(source, tmp_path / "twice", lambda ds: _number(ds) == 20)

    def again(ds) -> bool:
        if _number(ds) != 20:
            return False
        ds.SeriesNumber, ds.SeriesInstanceUID = "9", ds.SeriesInstanceUID[:-2] + "91"
        ds.SOPInstanceUID = ds.SOPInstanceUID[:-2] + "91"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.AcquisitionTime = "235000"
        ds.PixelData = (ds.pixel_array + 7).astype(ds.pixel_array.dtype).tobytes()
        return True

    _edit(source, folder / "b", again)
    study = read_study(folder)
    assert study.sources[View.SAX][0].stem == "9"
    text = "\n".join(study.notes)
    assert "series 9 chosen over series 20" in text
    assert "both cover the heart, and the last acquired counts" in text


def test_a_few_slices_do_not_replace_a_whole_stack(folders, tmp_path):
    source = folders["one-series"] / "dicom"
    folder = _edit(source, tmp_path / "part", lambda ds: _number(ds) == 20)
    low = sorted({float(pydicom.dcmread(file).SliceLocation) for file in folder.iterdir()})[:2]

    def part(ds) -> bool:
        ds.SeriesNumber, ds.SeriesInstanceUID = "30", ds.SeriesInstanceUID[:-2] + "91"
        ds.SOPInstanceUID = ds.SOPInstanceUID[:-2] + "91"
        ds.AcquisitionTime = "235000"
        return _number(ds) == 30 and float(ds.SliceLocation) in low

    _edit(folder, tmp_path / "part2", part)
    shutil.move(tmp_path / "part2", folder / "b")
    study = read_study(folder)
    assert study.sources[View.SAX][0].stem == "20"
    assert "it covers 96 mm, the other only 32 mm" in "\n".join(study.notes)


def test_slices_tilted_by_half_a_degree_are_one_stack_and_said(folders, exam, tmp_path):
    angle = np.radians(0.5)
    true = exam.made[0].images[View.SAX].geometry

    def tilt(ds) -> bool:
        if _number(ds) not in (22, 26):  # 26 is the last: it decides the step
            return 20 <= _number(ds) < 99
        row, column = np.reshape(np.array(ds.ImageOrientationPatient, float), (2, 3))
        turned = np.cos(angle) * row + np.sin(angle) * np.cross(row, column)
        half = 3.5 * 55 / 2
        position = np.array(ds.ImagePositionPatient, float) + half * (row - turned)
        ds.ImagePositionPatient = [f"{value:.8f}" for value in position]
        ds.ImageOrientationPatient = [f"{value:.8f}" for value in (*turned, *column)]
        return True

    study = read_study(_edit(folders["series-per-slice"] / "dicom", tmp_path / "t", tilt))
    image = study.images[View.SAX]
    assert image.geometry.shape == true.shape
    np.testing.assert_allclose(image.geometry.affine, true.affine, atol=1e-3)
    assert any("2 slices are tilted by up to 0.5 degrees" in note for note in study.notes)


def test_a_missing_slice_is_refused_even_among_many_other_series(folders, tmp_path):
    folder = _edit(
        folders["series-per-slice"] / "dicom", tmp_path / "m", lambda ds: _number(ds) != 25
    )
    with pytest.raises(GeometryError, match="slice may be missing"):
        read_study(folder)


def test_a_slice_of_another_size_is_refused_clearly(folders, tmp_path):
    def crop(ds) -> None:
        if _number(ds) == 25:
            pixels = ds.pixel_array[:, :48]
            ds.Columns, ds.PixelData = 48, pixels.tobytes()

    folder = _edit(folders["series-per-slice"] / "dicom", tmp_path / "c", crop)
    with pytest.raises(StudyError, match=r"48 x 48 pixels \(series 25\).*48 x 56"):
        read_study(folder)


def test_copies_are_left_out_and_shared_identifiers_are_not(folders, studies, tmp_path):
    source = folders["one-series"] / "dicom"
    folder = _edit(source, tmp_path / "u", lambda ds: _number(ds) == 20)
    count = len(list(folder.iterdir()))
    _edit(source, folder / "copies", lambda ds: _number(ds) == 20)
    study = read_study(folder)
    assert f"{count} copies of images were left out" in study.notes
    expected = studies["one-series"].images[View.SAX].voxels
    assert np.array_equal(study.images[View.SAX].voxels, expected)

    def same(ds) -> bool:
        ds.SOPInstanceUID = "1.2.3"
        return _number(ds) == 20

    blurred = read_study(_edit(source, tmp_path / "same", same))
    assert np.array_equal(blurred.images[View.SAX].voxels, expected)


def test_two_studies_in_one_folder_of_shuffled_names_are_two(folders, studies, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for layout in ("one-series", "enhanced"):
        for file in (folders[layout] / "dicom").iterdir():
            shutil.copy(file, mixed / f"{hash((layout, file.name)) & 0xFFFFFFFF:08x}")
    found = {candidate.id: candidate.load() for candidate in find_studies(mixed)}
    assert set(found) == {studies["one-series"].id, studies["enhanced"].id}
    for study in found.values():
        expected = studies["one-series"].images[View.SAX].voxels
        assert np.array_equal(study.images[View.SAX].voxels, expected)


@pytest.mark.parametrize("one_series", [True, False])
def test_an_enhanced_object_a_slice_is_the_same_stack(one_series, exam, studies, tmp_path):
    tags = ExamTags(patient_id="p", layout="each")
    for number, loop in enumerate(exam.stack, start=40):
        series = ExamSeries(number=number, description="", loops=(loop,))
        ds = enhanced(series, tags, range(loop.image.frames)[::-1])
        if one_series:
            ds.SeriesInstanceUID, ds.SeriesNumber = tags.uid("one"), "40"
        ds.save_as(tmp_path / f"{99 - number}", enforce_file_format=True)
    image = read_study(tmp_path).images[View.SAX]
    assert np.array_equal(image.voxels, studies["enhanced"].images[View.SAX].voxels)


def test_a_parallel_cine_between_the_slices_is_no_part_of_the_stack(folders, studies, tmp_path):
    """As a flow measurement or a tagged cine whose headers do not tell."""

    def between(ds) -> bool:
        if _number(ds) != 25:
            return False
        row, column = np.reshape(np.array(ds.ImageOrientationPatient, float), (2, 3))
        position = np.array(ds.ImagePositionPatient, float) + 7.0 * np.cross(row, column)
        ds.ImagePositionPatient = [f"{value:.6f}" for value in position]
        ds.SeriesNumber, ds.SeriesInstanceUID = "50", ds.SeriesInstanceUID[:-2] + "50"
        ds.SOPInstanceUID = ds.SOPInstanceUID[:-2] + "50"
        return True

    source = folders["series-per-slice"] / "dicom"
    folder = _edit(source, tmp_path / "b", lambda ds: 20 <= _number(ds) < 99)
    _edit(source, folder / "between", between)
    study = read_study(folder)
    expected = studies["series-per-slice"].images[View.SAX].voxels
    assert np.array_equal(study.images[View.SAX].voxels, expected)
    assert any("chosen over series 50" in note for note in study.notes)


def test_findings_are_equal_in_every_layout(folders, gauge):
    found = []
    for folder in folders.values():
        (candidate,) = find_studies(folder / "dicom")
        report = examine(candidate, Models("cpu"), Settings(model=str(gauge))).report
        found.append({one.key: one.value for one in report.findings})
    known = [{key: value for key, value in one.items() if value is not None} for one in found]
    assert {"lv_edv_ml", "lv_ef"} <= set(known[0]) < set(found[0])
    assert known[1] == pytest.approx(known[0], rel=1e-9)
    assert known[2] == pytest.approx(known[0], rel=1e-9)


# The files themselves


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_foreign_validator_finds_no_error(layout, folders):
    seen = set()
    for file in sorted((folders[layout] / "dicom").iterdir()):
        series = _number(pydicom.dcmread(file, stop_before_pixels=True))
        if series in seen or (series > 20 and 20 in seen and series != 99):
            continue
        seen.add(series)
        said = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
        assert "Error" not in said.stderr + said.stdout, said.stderr
    assert {1, 2, 5, 7, 8, 20, 99} <= seen


def test_simpleitk_sees_the_classic_stack_where_it_is(folders, exam, tmp_path):
    import SimpleITK

    def first_frames(ds) -> bool:
        last = ds.get("AcquisitionNumber") != exam.again + 1  # the spoilt version comes first
        return _number(ds) == 20 and float(ds.TriggerTime) == 0 and last

    folder = _edit(folders["one-series"] / "dicom", tmp_path / "itk", first_frames)
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = SimpleITK.ReadImage(names)
    true = exam.made[0].images[View.SAX].geometry
    assert image.GetSize() == (56, 48, 6)
    np.testing.assert_allclose(image.GetSpacing(), true.spacing[::-1], rtol=1e-5)
    for corner in ((0, 0, 0), (5, 47, 55)):
        there = image.TransformIndexToPhysicalPoint(corner[::-1])
        np.testing.assert_allclose(there, true.point(corner), atol=1e-3)


def test_frames_of_an_enhanced_object_carry_their_own_place_and_time(folders, exam):
    objects = [pydicom.dcmread(file) for file in (folders["enhanced"] / "dicom").iterdir()]
    (ds,) = [one for one in objects if _number(one) == 20]
    assert ds.pixel_array.shape == (sum(loop.image.frames for loop in exam.stack), 48, 56)
    true = exam.made[0].images[View.SAX]
    times = []
    for groups, pixels in zip(ds.PerFrameFunctionalGroupsSequence, ds.pixel_array, strict=True):
        place = groups.PlanePositionSequence[0].ImagePositionPatient
        z = round((np.linalg.inv(true.geometry.affine) @ [*map(float, place), 1])[0])
        sync = groups.CardiacSynchronizationSequence[0]
        share = sync.NominalCardiacTriggerDelayTime / sync.RRIntervalTimeNominal
        times.append(share)
        if z not in (1, exam.again):
            assert np.array_equal(pixels, true.voxels[round(share * 8), z])
    assert times != sorted(times)


def test_what_cannot_be_written_is_said(exam, tmp_path):
    with pytest.raises(ConfigError, match=r"'mosaic'.*one-series, series-per-slice, enhanced"):
        write_exam(tmp_path, exam, "mosaic")
    write_exam(tmp_path, exam, "enhanced")
    with pytest.raises(OutputError, match="new folder"):
        write_exam(tmp_path, exam, "enhanced")
