"""The expert's contours of Sunnybrook: discs of masks against the areas of the polygons."""

import re
from pathlib import Path

import numpy as np
import pydicom
import pytest

from heartseg.core.study import View
from heartseg.measure.study import Measured, measure_study
from heartseg.read import find_studies

PHASES = 20
"""Of each slice: files are numbered slice by slice."""

CONTOUR = re.compile(r"IM-0001-(\d+)-([io])contour")


@pytest.fixture(scope="module")
def patient(real_data: Path) -> Path:
    folder = real_data / "sunnybrook" / "SC-HF-I-1"
    if not folder.is_dir():
        pytest.skip("no Sunnybrook among the real images")
    return folder


@pytest.fixture(scope="module")
def measured(patient: Path) -> Measured:
    (found,) = find_studies(patient)
    return measure_study(found.load(), found.reference())


def shoelace(file: Path) -> float:
    """Area of a closed polygon, in pixels."""
    x, y = np.loadtxt(file).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.fixture(scope="module")
def polygons_ml(patient: Path) -> dict[tuple[str, int], float]:
    """By kind and phase of the beat: areas times pixel times slice distance, from the headers."""
    kept, places = {}, {}
    for file in sorted((patient / "contours").rglob("*.txt")):
        number, kind = CONTOUR.search(file.name).groups()
        dicom = patient / "dicom" / f"{int(number)}.dcm"
        header = pydicom.dcmread(dicom, stop_before_pixels=True)
        normal = np.cross(*np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3)))
        where = float(normal @ np.array(header.ImagePositionPatient, float))
        area = shoelace(file) * float(np.prod(np.array(header.PixelSpacing, float)))
        kept.setdefault((kind, int(number) % PHASES), {})[where] = area
        places[where] = None
    gaps = np.diff(sorted(places))
    distance = float(np.min(gaps))
    assert gaps == pytest.approx(distance * np.round(gaps / distance), rel=1e-3)
    return {key: sum(areas.values()) * distance / 1000 for key, areas in kept.items()}


def test_volumes_and_fraction_are_those_of_the_polygons(measured, polygons_ml):
    inner = [volume for (kind, _), volume in polygons_ml.items() if kind == "i"]
    edv, esv = max(inner), min(inner)

    assert len(inner) == 2
    assert measured.value("lv_edv_ml") == pytest.approx(edv, rel=0.01)
    assert measured.value("lv_esv_ml") == pytest.approx(esv, rel=0.01)
    assert measured.value("lv_ef") == pytest.approx(1 - esv / edv, abs=0.01)


def test_mass_is_the_outer_less_the_inner_contours_at_end_diastole(measured, polygons_ml):
    (outer,) = (volume for (kind, _), volume in polygons_ml.items() if kind == "o")
    inner = max(volume for (kind, _), volume in polygons_ml.items() if kind == "i")

    assert measured.value("lv_mass_g") == pytest.approx(1.05 * (outer - inner), rel=0.01)


def test_what_the_expert_did_not_draw_is_not_zero(measured):
    problems = {finding.key: finding.problem for finding in measured.findings}

    assert set(measured.phases) == {View.SAX}
    assert problems["rv_edv_ml"] == "RV cavity was not looked for"
    assert "no LV myocardium at frame" in problems["lv_mass_es_g"]
    assert problems["lv_peak_ejection_rate_ml_s"].startswith("not measured in every frame")
