"""Which mask belongs to which file."""

from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import GeometryError, LabelError, StudyError
from heartseg.core.study import View
from heartseg.read import published_labels, read_study
from heartseg.read.masks import study_masks
from tests import doors


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    return doors.write_patient(tmp_path / "patient003", labels=False)


def write_masks(folder: Path, ending: str, radii: tuple[int, int] = (8, 5)) -> None:
    for number, radius in zip((1, 9), radii, strict=True):
        name = f"patient003_frame{number:02d}{ending}"
        doors.save_nifti(folder / name, doors.heart(radius))


@pytest.mark.parametrize("ending", ["_seg.nii.gz", "_gt.nii", "_label.nii.gz", "_mask.nii", ".nii"])
@pytest.mark.parametrize("inner", [".", "patient003"])
def test_masks_are_found_by_the_names_of_the_files(
    ending: str, inner: str, patient: Path, tmp_path: Path
) -> None:
    write_masks(tmp_path / "masks" / inner, ending)
    found = study_masks(read_study(patient), tmp_path / "masks", "acdc")[View.SAX]
    assert (SCHEMES["acdc"].write(found.labels) == doors.cine((8, 5))).all()
    assert set(found.structures) == set(doors.STRUCTURES[1:])


def test_the_folder_of_the_study_comes_first_and_seg_before_gt(
    patient: Path, tmp_path: Path
) -> None:
    write_masks(tmp_path / "masks", "_seg.nii.gz", (4, 3))
    write_masks(tmp_path / "masks" / "patient003", "_gt.nii.gz", (4, 3))
    write_masks(tmp_path / "masks" / "patient003", "_seg.nii.gz", (7, 6))
    found = study_masks(read_study(patient), tmp_path / "masks", "acdc")[View.SAX]
    assert (SCHEMES["acdc"].write(found.labels) == doors.cine((7, 6))).all()


def test_the_image_is_never_its_own_mask(patient: Path) -> None:
    with pytest.raises(StudyError, match="no mask for patient003_frame01; allowed: .*_seg.nii.gz"):
        study_masks(read_study(patient), patient, "acdc")


def test_a_mask_on_another_grid_is_refused(patient: Path, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks", "_seg.nii.gz")
    cut = doors.heart()[:, 1:]
    doors.save_nifti(tmp_path / "masks" / "patient003_frame09_seg.nii.gz", cut)
    with pytest.raises(GeometryError, match=r"frame09_seg.*another grid.*resample"):
        study_masks(read_study(patient), tmp_path / "masks", "acdc")


def test_an_unknown_number_is_refused(patient: Path, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks", "_seg.nii.gz")
    doors.save_nifti(tmp_path / "masks" / "patient003_frame01_seg.nii.gz", doors.heart() * 3)
    with pytest.raises(LabelError, match=r"\[6, 9\] that mean nothing in scheme 'acdc'"):
        study_masks(read_study(patient), tmp_path / "masks", "acdc")


def test_exchanged_ventricles_are_refused_with_the_way_out(patient: Path, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks", "_seg.nii.gz")
    with pytest.raises(LabelError, match="read as 'mnms'.*other way round.*pass --scheme"):
        study_masks(read_study(patient), tmp_path / "masks", "mnms")


def test_structures_that_the_file_could_have_held_are_listed(patient: Path, tmp_path: Path) -> None:
    one = np.where(doors.heart() == 3, np.uint8(3), np.uint8(0))
    for number in ("01", "09"):
        doors.save_nifti(tmp_path / f"patient003_frame{number}_seg.nii.gz", one)
    found = study_masks(read_study(patient), tmp_path, "acdc")[View.SAX]
    assert Structure.RV_CAVITY in found.structures  # looked for, and none there


def test_a_folder_of_masks_publishes_nothing_and_is_no_fault(patient: Path, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks", "_seg.nii.gz")
    assert published_labels(tmp_path / "masks", read_study(patient)) is None


def test_a_data_set_publishes_its_labels(tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "set" / "patient004")
    doors.write_patient(tmp_path / "set" / "patient005", radii=(7, 4))
    for place in (patient, tmp_path / "set"):
        found = published_labels(place, read_study(patient))
        assert found is not None
        assert (SCHEMES["acdc"].write(found[View.SAX].labels) == doors.cine((8, 5))).all()
    with pytest.raises(StudyError, match="no labels of patient004; name its own folder"):
        published_labels(tmp_path / "set" / "patient005", read_study(patient))
