"""The first dozen: every bad input is refused with a message that says what to do."""

import shutil
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import FormatError, GeometryError, InputError, LabelError, StudyError
from heartseg.core.image import Image
from heartseg.core.study import View
from heartseg.formats import nifti
from heartseg.read import find_studies, read_study
from heartseg.read.candidate import safe_id
from heartseg.read.labels import read_labels_for

RAMP = np.arange(6 * 5 * 4, dtype=np.float32).reshape(6, 5, 4)


def save(path: Path, array: np.ndarray = RAMP) -> Path:
    image = nib.Nifti1Image(array, np.diag([1.5, 1.5, 8, 1]))
    image.header.set_xyzt_units("mm", "msec")
    nib.save(image, path)
    return path


def test_missing_path_is_said(tmp_path):
    with pytest.raises(StudyError, match=r"none\.nii: got no such file.*check the path"):
        find_studies(tmp_path / "none.nii")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.dcm", "a.zip", "a.png", "a"])
def test_empty_file_is_said(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FormatError, match=f"{name}: got an empty file; copy or export it again"):
        read_study(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.dcm", "a.zip", "a.png", "a.txt", "a"])
def test_file_that_is_no_image_is_said(name, tmp_path):
    (tmp_path / name).write_text("dear heart, this is a letter and not a picture. " * 30)
    with pytest.raises(FormatError, match=rf"^{name}: got .*(again|really is|what the file is)"):
        read_study(tmp_path / name)


def test_truncated_zip_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.dcm", b"x" * 500)
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:300])
    with pytest.raises(FormatError, match="truncated.*pack the study's folder again"):
        read_study(tmp_path / "a.zip")


@pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN"), (np.inf, "infinite")])
def test_voxels_that_are_no_numbers_are_refused(value, said, tmp_path):
    array = RAMP.copy()
    array[1, 2, 3] = value
    with pytest.raises(FormatError, match=rf"1 of 120 voxels.*{said}.*replace them"):
        read_study(save(tmp_path / "a.nii", array))


def test_constant_image_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"constant image \(every voxel is 3"):
        read_study(save(tmp_path / "a.nii.gz", np.full((6, 5, 4), 3, np.int16)))
    Pictures.fromarray(np.zeros((5, 6), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match="constant image"):
        read_study(tmp_path / "a.png")


def test_five_axes_are_refused(tmp_path):
    with pytest.raises(FormatError, match="5 axes"):
        read_study(save(tmp_path / "a.nii", np.ones((3, 4, 5, 2, 2), np.int16)))


def test_empty_folder_is_said(tmp_path):
    with pytest.raises(StudyError, match="an empty folder.*allowed: .nii"):
        read_study(tmp_path)


def test_folder_of_labels_only_is_said(tmp_path):
    save(tmp_path / "a_seg.nii.gz")
    save(tmp_path / "b_gt.nii")
    with pytest.raises(StudyError, match="2 of them labels"):
        read_study(tmp_path)


def test_folder_that_is_no_study_says_what_is_allowed(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(StudyError, match="1 files.*name the folder that holds the images"):
        read_study(tmp_path)


def test_every_error_names_the_base_name_and_never_the_path(tmp_path):
    secret = tmp_path / "Doe_Jane_19600101"
    secret.mkdir()
    for name in ("a.nii", "a.png", "a.dcm", "a.zip"):
        (secret / name).write_text("not an image " * 40)
        with pytest.raises(InputError) as caught:
            read_study(secret / name)
        assert "Doe" not in str(caught.value)


# Label files


@pytest.fixture
def image(tmp_path) -> Image:
    return nifti.read_image(save(tmp_path / "image.nii"))


def heart(*, swapped: bool = False) -> np.ndarray:
    """A ring of myocardium (2) around the LV with the RV beside it, (x, y, z), ACDC numbers."""
    labels = np.zeros((20, 16, 3), np.uint8)
    labels[6:15, 4:13] = 2
    labels[8:13, 6:11] = 1 if swapped else 3
    labels[2:6, 5:12] = 3 if swapped else 1
    return labels


def test_labels_on_another_grid_are_refused(image, tmp_path):
    path = save(tmp_path / "l.nii", np.ones((6, 5, 3), np.uint8))
    with pytest.raises(GeometryError, match=r"another grid: 3 x 5 x 6.*4 x 5 x 6.*resample"):
        read_labels_for(path, SCHEMES["acdc"], image)
    path = tmp_path / "moved.nii"
    nib.save(nib.Nifti1Image(np.ones((6, 5, 4), np.uint8), np.diag([1.5, 1.5, 9, 1])), path)
    with pytest.raises(GeometryError, match="another grid"):
        read_labels_for(path, SCHEMES["acdc"], image)
    aside = np.diag([1.5, 1.5, 8, 1])
    aside[0, 3] = 3.0  # as many and as large, two voxels aside: a NIfTI file knows its place
    nib.save(nib.Nifti1Image(np.ones((6, 5, 4), np.uint8), aside), path)
    with pytest.raises(GeometryError, match="another grid"):
        read_labels_for(path, SCHEMES["acdc"], image)


def test_unknown_label_number_is_refused(image, tmp_path):
    path = save(tmp_path / "l.nii", np.full((6, 5, 4), 7, np.uint8))
    with pytest.raises(LabelError, match=r"\[7\] that mean nothing.*3 LV cavity.*--scheme"):
        read_labels_for(path, SCHEMES["acdc"], image)


def test_four_dimensional_labels_for_a_still_are_refused(image, tmp_path):
    path = save(tmp_path / "l.nii", np.ones((6, 5, 4, 2), np.uint8))
    with pytest.raises(GeometryError, match="2 frames of labels; allowed: 1"):
        read_labels_for(path, SCHEMES["acdc"], image)


def test_missing_label_file_is_said(image, tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        read_labels_for(tmp_path / "l.nii", SCHEMES["acdc"], image)


def test_swapped_scheme_is_said_at_the_door(tmp_path):
    picture = nifti.read_image(save(tmp_path / "i.nii", np.arange(960.0).reshape(20, 16, 3)))
    path = save(tmp_path / "l.nii", heart())
    seg, warnings = read_labels_for(path, SCHEMES["acdc"], picture)
    assert warnings == ()
    assert seg.labels[0, 1, 8, 10] == Structure.LV_CAVITY
    _, warnings = read_labels_for(path, SCHEMES["mnms"], picture)
    assert len(warnings) == 1
    assert "l.nii: read as 'mnms'" in warnings[0]
    assert "--scheme" in warnings[0]
    path = save(tmp_path / "s.nii", heart(swapped=True))
    assert read_labels_for(path, SCHEMES["acdc"], picture)[1]


# Names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("patient 1", "patient_1"),
        ("../../etc", "etc"),
        ("=cmd()", "cmd"),
        ("Ä", "study"),
        (".hidden", "hidden"),
        ("x" * 200, "x" * 64),
        ("-rf", "rf"),
    ],
)
def test_ids_are_safe(name, safe):
    assert safe_id(name) == safe


def test_colliding_ids_get_a_suffix_and_studies_know_them(tmp_path):
    for name in ("a b.nii", "a_b.nii.gz", "A_b.nii", "sub/a_b.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save(tmp_path / name)
    found = find_studies(tmp_path)
    ids = [candidate.id for candidate in found]
    assert len({i.lower() for i in ids}) == 4
    assert all(i.lower().startswith("a_b") for i in ids)
    assert [candidate.load().id for candidate in found] == ids


def test_view_and_spacing_of_the_user_are_taken(tmp_path):
    path = save(tmp_path / "a.nii")
    study = read_study(path, view=View.LAX_2CH, spacing_mm=(6, 1, 2))
    assert list(study.images) == [View.LAX_2CH]
    assert study.images[View.LAX_2CH].geometry.spacing == (6, 1, 2)


def test_reading_leaves_nothing_behind(tmp_path):
    save(tmp_path / "a.nii")
    before = sorted(tmp_path.rglob("*"))
    read_study(tmp_path / "a.nii")
    assert sorted(tmp_path.rglob("*")) == before
    shutil.rmtree(tmp_path)
