import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError
from heartseg.core.study import Phases, View
from heartseg.formats.dicom_write import write_cine
from heartseg.read import find_studies
from heartseg.read.contour import polygon_mask
from tests.read.test_dicom_study import cine


def box(low: float, high: float) -> str:
    """A square from pixel `low` to pixel `high`, counted from 1, around the pixel centres."""
    a, b = low - 0.5, high + 0.5
    return f"{a} {a}\n{b} {a}\n{b} {b}\n{a} {b}\n"


@pytest.fixture
def patient(tmp_path):
    """Slice 2 has contours at frames 1 (ED) and 3 (ES)."""
    files = write_cine(tmp_path / "P1" / "dicom", cine())
    for number, file in enumerate(files, start=1):
        file.rename(file.with_name(f"{number}.dcm"))
    texts = tmp_path / "P1" / "contours"
    texts.mkdir()
    ed, es = 2 * 4 + 1 + 1, 2 * 4 + 3 + 1
    (texts / f"IM-0001-{ed:04d}-icontour-manual.txt").write_text(box(4, 6))
    (texts / f"IM-0001-{ed:04d}-ocontour-manual.txt").write_text(box(3, 8))
    (texts / f"IM-0001-{es:04d}-icontour-manual.txt").write_text(box(5, 5))
    return tmp_path / "P1"


def test_contours_become_labels_on_their_plane(patient):
    (candidate,) = find_studies(patient)
    assert candidate.layout == "sunnybrook"
    labels = candidate.reference()[View.SAX].labels
    assert candidate.load().phases == {View.SAX: Phases(ed=1, es=3, how="given")}
    assert np.argwhere(labels == Structure.LV_CAVITY).shape == (9 + 1, 4)
    assert np.count_nonzero(labels == Structure.LV_MYOCARDIUM) == 36 - 9
    assert labels[1, 2, 3, 3] == labels[1, 2, 5, 5] == Structure.LV_CAVITY  # pixels 4 to 6 from 1
    assert labels[1, 2, 2, 2] == labels[1, 2, 7, 7] == Structure.LV_MYOCARDIUM
    assert labels[3, 2, 4, 4] == Structure.LV_CAVITY


def test_covered_says_where_background_means_background(patient):
    (candidate,) = find_studies(patient)
    both = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    assert candidate.covered() == {View.SAX: {1: both, 3: both[:1]}}


def test_folder_of_patients_is_found(patient):
    assert [c.id for c in find_studies(patient.parent)] == ["P1"]


@pytest.mark.parametrize("text", ["", "1 2\n3 4\n", "1 2 3\n", "a b\n", "nan 1\n2 2\n3 1\n"])
def test_text_that_is_no_polygon_is_said(patient, text):
    file = next(patient.rglob("*ocontour*"))
    file.write_text(text)
    (candidate,) = find_studies(patient)
    with pytest.raises(FormatError, match="ocontour"):
        candidate.reference()


def test_polygon_agrees_with_a_second_implementation():
    draw = pytest.importorskip("skimage.draw")
    angles = np.linspace(0, 2 * np.pi, 37)[:-1]
    radius = 8 + 3 * np.sin(3 * angles + 0.3)
    points = np.stack([20.3 + radius * np.cos(angles), 15.6 + radius * np.sin(angles)], axis=1)
    ours = polygon_mask(points, (31, 43))
    assert np.array_equal(ours, draw.polygon2mask((31, 43), points[:, ::-1]))


def test_polygon_that_leaves_the_picture_is_cut():
    points = np.array([(-5.0, -5.0), (3.5, -5.0), (3.5, 2.5), (-5.0, 2.5)])
    mask = polygon_mask(points, (6, 7))
    assert mask[:3, :4].all()
    assert mask.sum() == 12
