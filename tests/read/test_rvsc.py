import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.study import Phases, View
from heartseg.formats.dicom_write import write_cine
from heartseg.read import find_studies
from heartseg.read.contour import polygon_mask, read_points
from heartseg.read.datasets.rvsc import FIRST_PIXEL
from heartseg.read.layouts import LAYOUTS
from tests.read.test_dicom_study import cine


def box(low: int, high: int) -> str:
    """A square of the pixels `low` to `high`, counted from 0, along the edges of pixels."""
    a, b = low, high + 1
    return f"{a} {a}\n{b} {a}\n{b} {b}\n{a} {b}\n"


@pytest.fixture
def patient(tmp_path):
    """Slice 1 has contours at frames 1 (ED) and 2 (ES)."""
    folder = tmp_path / "patient07"
    files = write_cine(folder / "P07dicom", cine())
    for number, file in enumerate(files):
        file.rename(file.with_name(f"P07-{number:04d}.dcm"))
    frames = cine().frames
    drawn = folder / "P07contours-manual"
    drawn.mkdir()
    for number, high in ((frames + 1, 6), (frames + 2, 4)):
        (drawn / f"P07-{number:04d}-icontour-manual.txt").write_text(box(3, high))
        (drawn / f"P07-{number:04d}-ocontour-manual.txt").write_text(box(2, high + 1))
    return folder


def test_inner_contours_are_the_cavity_at_two_phases(patient):
    (candidate,) = find_studies(patient)
    assert (candidate.id, candidate.layout, candidate.patient) == ("P07", "rvsc", "P07")
    study, labels = candidate.load(), candidate.reference()[View.SAX].labels
    assert study.phases == {View.SAX: Phases(ed=1, es=2, how="given")}
    assert candidate.covered() == {View.SAX: {1: (Structure.RV_CAVITY,), 2: (Structure.RV_CAVITY,)}}
    assert (labels == Structure.RV_CAVITY).sum(axis=(2, 3))[1:3, 1].tolist() == [16, 4]
    assert (labels[1, 1, 3:7, 3:7] == Structure.RV_CAVITY).all()
    assert np.count_nonzero(labels) == 20


def test_contour_on_the_list_that_is_not_there_is_missed(patient):
    (patient / "P07list.txt").write_text(
        ".\\patient07\\P07contours-manual\\P07-0099-icontour-manual.txt\n", encoding="ascii"
    )
    (candidate,) = find_studies(patient.parent)
    (said,) = LAYOUTS[candidate.layout].missing(patient)
    assert said.startswith("P07-0099-icontour-manual.txt")


@pytest.mark.parametrize(
    ("mask", "kind", "area"), [("endocardium", "i", 7315), ("epicardium", "o", 8992)]
)
def test_published_masks_hold_every_pixel_of_the_polygon(mask, kind, area, real_data):
    folder = real_data / "rvsc_p09"
    # The tool wrote columns from the last to the first, a line each.
    theirs = np.loadtxt(folder / f"{mask}-p09-0020.mask").T[:, ::-1] > 0
    file = folder / "P09contours-manual" / f"P09-0020-{kind}contour-manual.txt"
    ours = polygon_mask(read_points(file, FIRST_PIXEL), theirs.shape)
    assert theirs.sum() == area
    assert not (ours & ~theirs).any()
    assert 2 * ours.sum() / (ours.sum() + theirs.sum()) > 0.98  # they fill what the line touches


def test_published_patient_is_read_at_both_phases(real_data):
    (candidate,) = find_studies(real_data / "rvsc_p09")
    study, labels = candidate.load(), candidate.reference()[View.SAX].labels
    assert study.phases[View.SAX] == Phases(ed=0, es=7, how="given")
    assert study.images[View.SAX].times_ms[7] == pytest.approx(341.25, abs=20)
    drawn = {(int(t), int(z)) for t, z in zip(*labels.any(axis=(2, 3)).nonzero(), strict=True)}
    assert drawn == {(0, 0), (0, 1), (7, 0)}
