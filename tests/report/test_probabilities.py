"""Probabilities lie over the files that the frames came from, for every reader of the field."""

import json
from dataclasses import asdict
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.core.errors import OutputError
from heartseg.core.finding import ModelUse
from heartseg.core.probability import Keeping, Probabilities
from heartseg.core.study import Study, View
from heartseg.read import read_study
from heartseg.report.probabilities import save_probabilities
from tests import doors

MODEL = ModelUse(name="gauge", version="1", sha256="ab" * 32, licence="CC0", precision="f32")


def random(study: Study) -> dict[View, Probabilities]:
    """No two voxels alike; of each they sum to 1."""
    ((view, image),) = study.images.items()
    raw = np.random.default_rng(4).random((image.frames, 4, *image.geometry.shape), np.float32)
    keeping = Keeping(raw / raw.sum(axis=1, keepdims=True))
    assert len(list(keeping)) == image.frames
    return {view: keeping.of(image, doors.STRUCTURES)}


def test_a_cine_is_five_axes_and_every_one_is_named(tmp_path: Path) -> None:
    path = doors.save_nifti(tmp_path / "scan.nii", doors.painted(doors.cine()), description="Ann")
    study = read_study(path)
    given = random(study)
    image, said = save_probabilities(study, given, tmp_path / "out", MODEL)
    assert (image.name, said.name) == ("scan_prob.nii.gz", "scan_prob.json")
    read = nib.load(image)
    assert read.shape == (46, 38, 4, 4, 4)
    assert np.array_equal(read.affine, nib.load(path).affine)
    assert read.header["pixdim"][4] == pytest.approx(40.0)
    assert read.header.get_intent()[0] == "vector"
    assert read.get_data_dtype() == np.float32
    assert bytes(read.header["descrip"]).strip(b"\0") == b""
    values = read.get_fdata()  # (x, y, z, t, structure)
    assert np.abs(values.transpose(4, 3, 2, 1, 0) - given[View.SAX].values).max() < 1e-6
    table = json.loads(said.read_text())
    assert table["file"] == image.name
    assert table["axes"] == ["i", "j", "k", "frame", "structure"]
    assert [one["key"] for one in table["structures"]] == ["background", "rv", "myo", "lv"]
    assert [one["index"] for one in table["structures"]] == [0, 1, 2, 3]
    assert table["structures"][3]["code"]["value"] == "87878005"
    assert table["model"] == {key: asdict(MODEL)[key] for key in table["model"]}
    assert table["model"]["sha256"] == "ab" * 32


def test_the_readers_of_itk_see_a_vector_in_each_voxel(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = doors.save_nifti(tmp_path / "scan.nii.gz", doors.painted(doors.heart()))
    study = read_study(path)
    given = random(study)
    image, _ = save_probabilities(study, given, tmp_path, MODEL)
    seen, source = sitk.ReadImage(str(image)), sitk.ReadImage(str(path))
    assert seen.GetNumberOfComponentsPerPixel() == 4
    assert seen.GetSize()[:3] == source.GetSize()
    assert seen.GetOrigin()[:3] == pytest.approx(source.GetOrigin())
    values = sitk.GetArrayFromImage(seen).reshape(*doors.SHAPE, 4)
    assert np.abs(np.moveaxis(values, -1, 0) - given[View.SAX].values[:, 0]).max() < 1e-5


def test_each_frame_of_a_patient_gets_its_own(tmp_path: Path) -> None:
    study = read_study(doors.write_patient(tmp_path / "patient042"))
    given = random(study)
    written = save_probabilities(study, given, tmp_path / "out", MODEL)
    images = [path for path in written if path.name.endswith(".nii.gz")]
    assert [path.name for path in images] == [
        "patient042_frame01_prob.nii.gz",
        "patient042_frame09_prob.nii.gz",
    ]
    for frame, path in enumerate(images):
        values = nib.load(path).get_fdata()
        assert values.shape == (46, 38, 4, 1, 4)
        mine = given[View.SAX].values[:, frame]
        assert np.abs(values[..., 0, :].transpose(3, 2, 1, 0) - mine).max() < 1e-6


def test_a_file_in_another_order_of_axes_keeps_it(tmp_path: Path) -> None:
    labels = doors.painted(doors.heart())  # (z, y, x), stored here as (z, x, y)
    turned = nib.Nifti1Image(labels.transpose(0, 2, 1), doors.affine()[:, [2, 0, 1, 3]])
    nib.save(turned, tmp_path / "scan.nii")
    study = read_study(tmp_path / "scan.nii", view=View.SAX)
    image, _ = save_probabilities(study, random(study), tmp_path / "out", MODEL)
    read = nib.load(image)
    assert read.shape == (4, 46, 38, 1, 4)
    assert np.array_equal(read.affine, turned.affine)


def test_dicom_and_pictures_get_them_too(tmp_path: Path) -> None:
    Pictures.fromarray((doors.heart()[0] * 80).astype(np.uint8)).save(tmp_path / "scan.png")
    for path, name, shape in (
        (tmp_path / "scan.png", "scan_prob.nii.gz", (46, 38, 1, 1, 4)),
        (doors.write_dicom(tmp_path / "dicom"), "7_prob.nii.gz", (46, 38, 4, 4, 4)),
    ):
        study = read_study(path)
        image, _ = save_probabilities(study, random(study), tmp_path / "out", MODEL)
        assert image.name == name
        assert nib.load(image).shape == shape


def test_a_folder_that_cannot_be_is_an_output_error_and_nothing_half_stays(tmp_path: Path) -> None:
    study = read_study(doors.write_patient(tmp_path / "patient001"))
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OutputError):
        save_probabilities(study, random(study), tmp_path / "taken", MODEL)
    (tmp_path / "out" / "patient001_frame01_prob.json").mkdir(parents=True)
    with pytest.raises(OutputError):
        save_probabilities(study, random(study), tmp_path / "out", MODEL)
    assert not list((tmp_path / "out").glob(".*"))
