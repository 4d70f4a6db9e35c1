"""Contours that leave and come back: the same mask on an oblique stack, through every form."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import View
from heartseg.formats.dicom_write import write_cine
from heartseg.read import find_studies
from heartseg.read.contour_table import read_contours_for
from heartseg.read.datasets.sunnybrook import FIRST_PIXEL as READ_AT
from heartseg.report.foreign_points import FIRST_PIXEL, OSIRIX, osirix_csv, sunnybrook_texts
from heartseg.report.points import contours_csv
from tests.read.test_dicom_study import cine
from tests.report.cases import LV, MYO, RV, SHAPE, SPACING_MM

WRITERS = {"contours": contours_csv, "osirix": osirix_csv}


@pytest.fixture
def ragged(segmentation: Segmentation) -> Segmentation:
    """Every pixel one of five things: pieces, holes and corners everywhere, to the border."""
    rng = np.random.default_rng(5)
    kinds = np.array([0, LV, MYO, RV, Structure.SCAR], np.uint8)
    labels = kinds[rng.integers(0, 5, segmentation.labels.shape)][:, :, :13, :17]
    padded = np.zeros_like(segmentation.labels)
    padded[:, :, :13, :17] = labels
    padded[2] = segmentation.labels[2]
    return replace(segmentation.like(padded), structures=(LV, MYO, RV, Structure.SCAR))


@pytest.mark.parametrize("form", WRITERS)
def test_a_table_gives_the_same_masks_again(
    ragged: Segmentation, form: str, tmp_path: Path
) -> None:
    file = tmp_path / f"x_{form}.csv"
    file.write_text(WRITERS[form](ragged))
    image = Image(np.zeros(ragged.labels.shape, np.int16), ragged.geometry, ragged.times_ms)
    again = read_contours_for(file, image)
    assert np.array_equal(again.labels, ragged.labels)
    assert again.structures == ragged.structures
    assert (again.covered, again.times_ms) == (None, ragged.times_ms)


def test_only_drawn_frames_come_back_as_drawn(segmentation: Segmentation, tmp_path: Path) -> None:
    part = replace(segmentation, covered=(1, 3))
    file = tmp_path / "x.csv"
    file.write_text(contours_csv(part))
    image = Image(np.zeros(part.labels.shape, np.int16), part.geometry)
    assert read_contours_for(file, image).covered == (1, 3)


def test_the_columns_of_osirix_hold_what_their_names_say(segmentation: Segmentation) -> None:
    labels = np.zeros_like(segmentation.labels)
    labels[2, 3, 20:22, 31:34] = RV
    heading, row = csv.reader(osirix_csv(segmentation.like(labels)).splitlines())
    assert tuple(heading) == OSIRIX
    found = dict(zip(heading, row, strict=False))
    assert (found["ImageNo"], found["RoiNo"], found["RoiName"]) == (
        str(2 * SHAPE[0] + 3),
        "0",
        "rv",
    )
    assert (found["RoiType"], found["NumOfPoints"], found["RoiMean"]) == ("11", "10", "")
    area = (6 - 0.5) * SPACING_MM[1] * SPACING_MM[2] / 100
    assert float(found["AreaPix2"]) == 5.5
    assert float(found["AreaCm2"]) == pytest.approx(area, abs=1e-4)
    straight = 2 * 2 * SPACING_MM[2] + 2 * 1 * SPACING_MM[1]
    cut = 4 * np.hypot(SPACING_MM[1], SPACING_MM[2]) / 2
    assert float(found["LengthCm"]) == pytest.approx((straight + cut) / 10, abs=1e-4)
    assert float(found["LengthPix"]) == pytest.approx(6 + 4 * np.sqrt(0.5), abs=1e-4)
    points = np.array(row[heading.index("NumOfPoints") + 1 :], float).reshape(-1, 5)
    for x, y, z, column, line in points:
        assert segmentation.geometry.point((3, line, column)) == pytest.approx([x, y, z], abs=1e-4)
    centre = [float(found[f"RoiCenter{axis}"]) for axis in "XYZ"]
    assert centre == pytest.approx(segmentation.geometry.point((3, 20.5, 32)).tolist(), abs=1e-3)


def test_a_second_ring_in_an_image_has_the_next_number(segmentation: Segmentation) -> None:
    rows = list(csv.DictReader(osirix_csv(segmentation).splitlines()))
    first = [row["RoiNo"] for row in rows if row["ImageNo"] == "0"]
    assert first == [str(number) for number in range(4)]  # lv, myo and its hole, rv


def test_sunnybrook_reads_its_two_structures_again(tmp_path: Path) -> None:
    """Written beside DICOM files that are numbered as Sunnybrook's, through its whole reader."""
    image = cine()
    folder = tmp_path / "P1"
    frames, slices = image.voxels.shape[:2]
    to_apex = image.geometry.canonical().flip[0]
    for count, file in enumerate(write_cine(folder / "dicom", image)):
        z, frame = divmod(count, frames)
        number = (z if to_apex else slices - 1 - z) * frames + frame + 1
        file.rename(file.with_name(f"n{number}.dcm"))
    rng = np.random.default_rng(2)
    labels = np.array([0, LV, MYO], np.uint8)[rng.integers(0, 3, image.voxels.shape)]
    labels[:, 1] = 0
    drawn = Segmentation(labels, image.geometry, (LV, MYO, RV))
    (folder / "contours").mkdir()
    for name, text in sunnybrook_texts(drawn, 1).items():
        (folder / "contours" / name).write_text(text)
    for file in (folder / "dicom").iterdir():
        file.rename(file.with_name(file.name[1:]))
    (candidate,) = find_studies(folder)
    assert candidate.layout == "sunnybrook"
    again = candidate.reference()[View.SAX]
    assert again.geometry.same_grid(image.geometry)
    assert np.array_equal(again.labels, labels)
    assert FIRST_PIXEL == READ_AT
    assert len(list((folder / "contours").iterdir())) == 2 * frames * (slices - 1)


def test_the_published_contours_of_a_patient_leave_and_come_back(
    real_data: Path, tmp_path: Path
) -> None:
    """Numbered as the patient's own files are, with the masks that its contours make."""
    place = real_data / "sunnybrook" / "SC-HF-I-1"
    if not place.is_dir():
        pytest.skip("no Sunnybrook among the real images")
    (candidate,) = find_studies(place)
    reference = candidate.reference()[View.SAX]
    covered = tuple(candidate.covered()[View.SAX])
    folder = tmp_path / place.name
    (folder / "contours").mkdir(parents=True)
    (folder / "dicom").symlink_to((place / "dicom").resolve())
    texts = sunnybrook_texts(replace(reference, covered=covered), 1)
    for name, text in texts.items():
        (folder / "contours" / name).write_text(text)
    published = {
        (file.name.split("-")[2], file.name.split("-")[3][0])
        for file in (place / "contours").rglob("*contour*.txt")
    }
    numbers = {(name.split("-")[2], name.split("-")[3][0]) for name in texts}
    assert {one for one in numbers if one[1] == "i"} == {o for o in published if o[1] == "i"}
    assert published <= numbers | {one for one in published if one[1] not in "io"}
    (again,) = find_studies(folder)
    assert np.array_equal(again.reference()[View.SAX].labels, reference.labels)
