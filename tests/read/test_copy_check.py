"""Every layout: a good miniature copy is clean, and each kind of damage is found."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from PIL import Image as Pictures

from heartseg.core.errors import StudyError
from heartseg.core.image import Image
from heartseg.read.candidate import Candidate
from heartseg.read.copy_check import Flaw, flaws, recognised
from heartseg.read.folder import names_labels
from heartseg.read.layouts import LAYOUTS
from tests.read.miniatures import MINIATURES

WITH_CARD = [layout.name for layout in LAYOUTS.values() if layout.card]
DRAWN = ("rvsc", "sunnybrook")
"""Their labels are contours: these have no grid and no numbers."""
WITH_MASKS = [name for name in WITH_CARD if name not in DRAWN]


def checked(root: Path, name: str | None = None) -> tuple[list[Flaw], list[Flaw]]:
    """(what is wrong, notes)."""
    layout, found = recognised(root, name)
    assert name in (None, layout.name)
    every = list(flaws(root, layout, found))
    return [f for f in every if f.wrong], [f for f in every if not f.wrong]


@pytest.fixture
def copy(tmp_path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        MINIATURES[name](tmp_path / "copy")
        return tmp_path / "copy"

    return make


def first_case(root: Path) -> Candidate:
    """The first one with labels."""
    return next(c for c in recognised(root)[1] if c.reference)


def label_file(root: Path) -> Path:
    files = [f for f in first_case(root).files if f.suffix not in (".cfg", ".raw", ".dcm")]
    drawn = [f for f in files if names_labels(f) or "contour" in f.as_posix().lower()]
    return next((f for f in drawn if "sequence" in f.name or "icontour" in f.name), drawn[0])


def image_file(root: Path) -> Path:
    files = [f for f in first_case(root).files if f.suffix not in (".cfg", ".txt")]
    images = [f for f in files if not names_labels(f) and "Contours" not in f.parts]
    return next((f for f in images if "sequence" in f.name), images[0])


def rewritten(file: Path, change: Callable[[np.ndarray], np.ndarray], stretch: float = 1) -> None:
    """Change the numbers of a label file, and its spacing where it has one."""
    if file.suffix == ".png":
        Pictures.fromarray(change(np.array(Pictures.open(file)))).save(file)
    elif file.suffix == ".mhd":
        image = SimpleITK.ReadImage(str(file))
        new = SimpleITK.GetImageFromArray(change(SimpleITK.GetArrayFromImage(image)))
        new.SetSpacing([value * stretch for value in image.GetSpacing()])
        SimpleITK.WriteImage(new, str(file))
    else:
        image = nib.load(file)
        values, affine = (
            change(np.asarray(image.dataobj)),
            image.affine @ np.diag([*[stretch] * 3, 1]),
        )
        new = nib.Nifti1Image(values, affine)
        new.header.set_xyzt_units("mm", "msec")
        nib.save(new, file)


def test_every_published_layout_has_a_miniature():
    assert sorted(MINIATURES) == sorted(WITH_CARD)


@pytest.mark.parametrize("name", WITH_CARD)
def test_good_copy_has_no_problem_and_is_recognised(name, copy):
    root = copy(name)
    wrong, notes = checked(root)
    assert recognised(root)[0].name == name
    assert wrong == []
    assert {note.kind for note in notes} <= {"missing"}  # of the published number of patients


@pytest.mark.parametrize("name", WITH_CARD)
def test_finders_read_no_pixels_and_know_all_files(name, copy):
    root = copy(name)
    for file in root.rglob("*"):
        if file.name.endswith((".nii.gz", ".png", ".dcm", ".mhd", ".raw")):
            file.write_bytes(b"broken")
    layout, found = recognised(root)
    assert layout.name == name
    assert all(c.patient and c.files for c in found)
    assert all(file.is_file() for c in found for file in c.files)
    assert len({c.id for c in found}) == len(found)


@pytest.mark.parametrize("name", WITH_MASKS)  # how many slices were contoured is told nowhere
def test_lost_labels_are_found(name, copy):
    root = copy(name)
    label_file(root).unlink()
    wrong, _ = checked(root, name)
    assert [flaw.kind for flaw in wrong] == ["missing"]


@pytest.mark.parametrize("name", WITH_CARD)
def test_lost_image_is_found(name, copy):
    root = copy(name)
    for file in [f for f in first_case(root).files if f == image_file(root) or f.suffix == ".dcm"]:
        file.unlink()
    wrong, _ = checked(root, name)
    assert {flaw.kind for flaw in wrong} & {"missing", "left over"}


@pytest.mark.parametrize("name", WITH_CARD)
def test_broken_image_is_found_and_named(name, copy):
    root = copy(name)
    file = image_file(root)
    if name in DRAWN:
        for one in file.parent.glob("*.dcm"):
            one.write_bytes(one.read_bytes()[:-100])
    else:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    wrong, _ = checked(root, name)
    assert [flaw.kind for flaw in wrong] in (["unreadable"], ["missing"])
    assert wrong[0].case == first_case(root).id


@pytest.mark.parametrize("name", WITH_CARD)
def test_broken_labels_are_found_and_named(name, copy):
    root = copy(name)
    file = label_file(root)
    file.write_bytes(b"7 7\n")
    wrong, _ = checked(root, name)
    assert [flaw.kind for flaw in wrong] == ["unreadable"]
    assert file.name in wrong[0].said


@pytest.mark.parametrize("name", WITH_MASKS)
def test_labels_on_another_grid_are_found_and_named(name, copy):
    root = copy(name)
    file = label_file(root)
    flat = file.suffix == ".png"
    rewritten(file, lambda values: values[:-1] if flat else values, stretch=1.5)
    wrong, _ = checked(root, name)
    assert [flaw.kind for flaw in wrong] == ["grid"]
    assert file.name in wrong[0].said


@pytest.mark.parametrize("name", WITH_MASKS)
def test_numbers_without_meaning_are_found_and_named(name, copy):
    root = copy(name)
    file = label_file(root)
    rewritten(file, lambda values: np.where(values == 2, 77, values).astype(np.uint8))
    wrong, _ = checked(root, name)
    assert [flaw.kind for flaw in wrong] == ["labels"]
    assert file.name in wrong[0].said
    assert "77" in wrong[0].said


def pixels_of(case: Candidate) -> list[Path]:
    """The first file that holds pixels of an image, or the whole DICOM study."""
    files = [f for f in case.files if f.suffix in (".gz", ".png", ".dcm", ".raw")]
    images = [f for f in files if not names_labels(f) and "Contours" not in f.parts]
    return [f for f in images if f.suffix == ".dcm"] or images[:1]


@pytest.mark.parametrize("name", [name for name in WITH_CARD if name != "camus-nifti"])
def test_the_same_pixels_under_two_names_are_noted(name, copy):
    root = copy(name)
    one, two = [c for c in recognised(root)[1] if c.reference and c.split in (None, "train")][:2]
    for mine, theirs in zip(pixels_of(one), pixels_of(two), strict=True):
        shutil.copyfile(mine, theirs)
    wrong, notes = checked(root)
    assert wrong == []
    (note,) = [note for note in notes if note.kind == "duplicate"]
    assert note.case == two.id
    assert one.id in note.said


def test_the_same_pixels_in_two_splits_are_wrong(copy):
    root = copy("acdc")
    shutil.copyfile(
        root / "training" / "patient001" / "patient001_frame01.nii.gz",
        root / "testing" / "patient101" / "patient101_frame01.nii.gz",
    )
    (flaw,) = checked(root)[0]
    assert (flaw.kind, flaw.case) == ("duplicate", "patient101")
    assert "patient001_frame01" in flaw.said
    assert "4 of 4 planes" in flaw.said


def test_patient_in_two_splits_is_found(copy):
    root = copy("acdc")
    shutil.copytree(root / "training" / "patient002", root / "testing" / "patient002")
    wrong, _ = checked(root)
    assert {flaw.kind for flaw in wrong} == {"split", "duplicate"}
    assert any("patient002 is in train and in test" in flaw.said for flaw in wrong)


def test_patient_in_two_lists_of_the_split_is_found(copy):
    root = copy("camus-nifti")
    with (root / "database_split" / "subgroup_testing.txt").open("a") as stream:
        stream.write("patient0001\n")
    (flaw,) = checked(root)[0]
    assert "patient0001 is in two lists" in flaw.said


def test_patient_that_is_there_twice_is_found(copy):
    root = copy("acdc")
    shutil.copytree(root / "training" / "patient002", root / "patient002")
    (flaw,) = checked(root)[0]
    assert (flaw.kind, flaw.case) == ("twice", "patient002")


def test_exchanged_ventricles_are_found(copy):
    root = copy("acdc")
    for file in (root / "training" / "patient002").glob("*_gt.nii.gz"):
        rewritten(file, lambda values: np.array([0, 3, 2, 1], np.uint8)[values])
    (flaw,) = checked(root)[0]
    assert (flaw.kind, flaw.case) == ("labels", "patient002")
    assert "surrounds the RV" in flaw.said


def test_patient_without_its_info_is_found(copy):
    root = copy("acdc")
    (root / "training" / "patient002" / "Info.cfg").unlink()
    wrong, _ = checked(root)
    assert any("training/patient002: no Info.cfg" in flaw.said for flaw in wrong)


def test_case_is_read_one_at_a_time(copy, monkeypatch):
    root = copy("camus-png")
    alive = []
    layout, found = recognised(root)
    steps = list(flaws(root, layout, found, lambda: alive.append(1)))
    assert len(alive) == len(found) == 3
    assert steps


@pytest.mark.parametrize(
    ("path", "name", "message"),
    [("none", None, "no such file"), (".", "acd", "--as.*acdc"), (".", "acdc", "no case of acdc")],
)
def test_what_cannot_be_checked_is_said(path, name, message, tmp_path):
    with pytest.raises(StudyError, match=message):
        recognised(tmp_path / path, name)


def test_unforeseen_fault_in_one_case_does_not_end_the_check(copy, monkeypatch):
    root = copy("emidec-png")

    def broken(*_: object) -> Image:
        raise ZeroDivisionError

    monkeypatch.setattr("heartseg.read.datasets.emidec._read_slices", broken)
    wrong, _ = checked(root)
    assert [flaw.case for flaw in wrong] == ["Case_N037", "Case_P040"]


@pytest.mark.parametrize(
    ("folder", "cases", "notes"),
    [
        ("camus_original", 3, ["missing"]),
        ("rvsc_p09", 1, ["missing"]),
        ("isbi2012_em", 60, ["missing"]),
    ],
)
def test_real_copies_are_clean(folder, cases, notes, real_data):
    root = real_data / folder
    wrong, said = checked(root)
    assert len(recognised(root)[1]) == cases
    assert wrong == []
    assert [note.kind for note in said] == notes
