"""Masks go back to the files that the frames came from."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import LabelError, OutputError
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.read import read_study
from heartseg.report.masks import save_masks
from tests import doors

ACDC = SCHEMES["acdc"]


def segmented(study: Study, numbers: np.ndarray) -> dict[View, Segmentation]:
    ((view, image),) = study.images.items()
    labels = ACDC.read(numbers.reshape(image.voxels.shape))
    return {view: Segmentation(labels, image.geometry, doors.STRUCTURES[1:], image.times_ms)}


def test_each_frame_of_a_patient_gets_a_mask_with_its_own_header(tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "patient042")
    for number in (1, 9):  # headers that differ in everything but the grid
        path = patient / f"patient042_frame{number:02d}.nii.gz"
        image = nib.load(path)
        array = np.asarray(image.dataobj)
        image.set_sform(image.affine, code=number % 4)
        image.set_qform(image.affine, code=2)
        nib.save(nib.Nifti1Image(array, None, image.header), path)
    study = read_study(patient)
    written = save_masks(study, segmented(study, doors.cine((8, 5))), tmp_path / "out", ACDC)
    assert [path.name for path in written] == [
        "patient042_frame01_seg.nii.gz",
        "patient042_frame09_seg.nii.gz",
    ]
    for path, radius, source in zip(
        written, (8, 5), sorted(patient.glob("*[19].nii.gz")), strict=True
    ):
        mask, image = nib.load(path), nib.load(source)
        assert mask.get_data_dtype() == np.uint8
        assert (doors.heart(radius) == np.asarray(mask.dataobj).T).all()
        assert mask.shape == image.shape
        for field in ("sform_code", "qform_code", "srow_x", "srow_y", "quatern_b", "pixdim"):
            assert np.array_equal(mask.header[field], image.header[field]), field
        assert mask.header.get_xyzt_units() == image.header.get_xyzt_units()


def test_a_cine_gets_one_mask_of_all_frames_at_its_times(tmp_path: Path) -> None:
    path = doors.save_nifti(tmp_path / "scan.nii", doors.painted(doors.cine()))
    study = read_study(path)
    (mask,) = save_masks(study, segmented(study, doors.cine()), tmp_path / "out", SCHEMES["mnms"])
    image = nib.load(mask)
    assert mask.name == "scan_seg.nii.gz"
    assert image.header["pixdim"][4] == pytest.approx(40.0)
    swapped = np.array([0, 3, 2, 1])  # mnms: 1 LV, 3 RV
    assert (swapped[doors.cine()] == np.asarray(image.dataobj).T).all()


def test_a_picture_gets_a_picture(tmp_path: Path) -> None:
    numbers = doors.heart()[0]
    Pictures.fromarray((numbers * 80).astype(np.uint8)).save(tmp_path / "scan.png")
    study = read_study(tmp_path / "scan.png")
    (mask,) = save_masks(study, segmented(study, numbers), tmp_path / "out", ACDC)
    assert mask.name == "scan_seg.png"
    with Pictures.open(mask) as picture:
        assert picture.mode == "L"
        assert (np.array(picture) == numbers).all()


def test_a_dicom_series_is_named_by_its_number_and_lies_where_it_lay(tmp_path: Path) -> None:
    study = read_study(doors.write_dicom(tmp_path / "dicom"))
    (mask,) = save_masks(study, segmented(study, doors.cine()), tmp_path / "out", ACDC)
    assert mask.name == "7_seg.nii.gz"
    back = read_study(mask)
    ((_, image),) = back.images.items()
    assert image.geometry.same_grid(study.images[View.SAX].geometry)
    assert (image.voxels == doors.cine()).all()


def test_a_structure_without_a_number_is_said_before_a_file_is_there(tmp_path: Path) -> None:
    study = read_study(doors.write_patient(tmp_path / "patient001"))
    with pytest.raises(LabelError, match="RV cavity.*camus.*--labels"):
        save_masks(study, segmented(study, doors.cine((8, 5))), tmp_path / "o", SCHEMES["camus"])
    assert not list((tmp_path / "o").iterdir())


def test_a_folder_that_cannot_be_is_an_output_error(tmp_path: Path) -> None:
    study = read_study(doors.write_patient(tmp_path / "patient001"))
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OutputError):
        save_masks(study, segmented(study, doors.cine((8, 5))), tmp_path / "taken", ACDC)
