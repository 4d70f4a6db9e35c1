import json
import re
from dataclasses import asdict, fields
from inspect import getdoc

import nibabel as nib
import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.study import Body, View
from heartseg.formats.dicom_write import CineTags, write_cine
from heartseg.read import folder
from heartseg.read.inspect import Seen, inspect, orientation_known, orientation_letters
from tests import doors
from tests.read import miniatures, more_miniatures
from tests.read.test_acdc import patient
from tests.read.test_bad_input import save
from tests.read.test_dicom_study import cine


def test_a_cine_is_described_with_the_reason_for_its_view(tmp_path):
    write_cine(tmp_path / "a", cine(), CineTags(description="x", body=Body(sex="M", height_cm=180)))
    (seen,) = inspect(tmp_path / "a")
    assert (seen.modality, seen.view, seen.frames, seen.slices, seen.size) == (
        "MR",
        "sax",
        4,
        5,
        (14, 19),
    )
    assert seen.spacing == (8.0, 1.5, 1.25)
    assert seen.times_ms == (0, 150)
    assert seen.orientation == "PFL"  # each axis of the patient once
    assert not any("degrees off the long axis" in note for note in seen.notes)
    assert re.match(r"series 1, 5 slices x 4 phases, normal \d+ degrees off", seen.view_reason)
    assert (seen.frame_step_ms, seen.times_regular, seen.orientation_known) == (50.0, True, True)
    assert seen.body["height_cm"] == 180
    assert seen.names is None  # names of DICOM files may identify the patient
    json.dumps(asdict(seen))


def test_letters_say_where_axes_grow():
    affine = np.eye(4)[:, [2, 1, 0, 3]]  # z to the head, y to the back, x to the left
    assert orientation_letters(Geometry((2, 3, 4), affine)) == "HPL"
    assert orientation_letters(Geometry((2, 3, 4), affine * [-1, 1, -1, 1])) == "FPR"


def test_phases_group_and_reference_of_a_data_set_are_shown(tmp_path):
    (seen,) = inspect(patient(tmp_path))
    assert seen.phases == {"ed": 1, "es": 0, "how": "given"}
    assert (seen.scheme, seen.group, seen.files) == ("acdc", "HCM", 2)


def test_view_that_the_user_gives_is_the_reason_in_a_data_set_too(tmp_path):
    folder = patient(tmp_path)
    (seen,) = inspect(folder, view=View.LAX_4CH)
    assert (seen.view, seen.view_reason) == ("4ch", "given")
    (seen,) = inspect(folder)
    assert (seen.view, seen.view_reason) == ("sax", "so are all images of acdc")


def test_numbers_are_those_that_are_there(tmp_path):
    more_miniatures.mmwhs(tmp_path)
    (file,) = tmp_path.rglob("ct_train_1001_label.nii.gz")
    stored = nib.load(file)
    values = np.where(np.asarray(stored.dataobj) == 820, 0, np.asarray(stored.dataobj))
    nib.save(nib.Nifti1Image(values, stored.affine, stored.header), file)
    found = {one.study: one for one in inspect(tmp_path)}
    wanted = {0, 205, 420, 500, 550, 600, 850} & set(np.unique(values).tolist())
    assert found["ct_train_1001"].label_numbers == tuple(sorted(wanted))


def test_one_bad_study_does_not_hide_the_others(tmp_path):
    save(tmp_path / "good.nii")
    (tmp_path / "bad.nii").write_bytes(b"rubbish" * 100)
    bad, good = inspect(tmp_path)
    assert "does not begin like a NIfTI" in bad.problem
    assert good.problem is None


def test_a_fault_that_nobody_foresaw_in_one_study_does_not_hide_the_others(tmp_path, monkeypatch):
    for name in ("a", "b"):
        save(tmp_path / f"{name}.nii")
    real = folder._load

    def strange(path, *others):
        if path.name == "a.nii":
            raise RuntimeError(f"{path} of Jane Roe")
        return real(path, *others)

    monkeypatch.setattr(folder, "_load", strange)
    bad, good = inspect(tmp_path)
    assert bad.problem.startswith("RuntimeError in ")
    assert "Jane" not in bad.problem
    assert good.problem is None


KEYS = re.findall(
    r"\w+",
    """
    study layout files names modality view view_reason frames slices size spacing unit
    orientation orientation_known times_ms frame_step_ms times_regular cycle_covered phases
    body group labels label_numbers label_schemes label_swapped label_unknown scheme model
    model_reason notes problems problem
    """,
)


def test_the_keys_are_a_contract_and_each_is_explained(tmp_path):
    assert [one.name for one in fields(Seen)] == KEYS
    (seen,) = inspect(save(tmp_path / "x.nii"))
    assert list(asdict(seen)) == KEYS
    explained = getdoc(Seen).partition("Attributes:")[2]
    for key in KEYS:
        assert re.search(rf"^ {{4}}([\w, ]+, )?{key}(, [\w, ]+)?: \S", explained, re.M), key


def test_the_directions_of_a_file_are_the_patient_s_only_where_they_can_be():
    flat = np.eye(4)[:, [2, 1, 0, 3]]
    placed = flat.copy()
    placed[:3, 3] = (-120.0, 40.0, 7.0)
    turned = placed.copy()
    turned[:3, :3] = turned[:3, :3] @ [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
    known = {
        "acdc": (Geometry((2, 3, 4), placed), View.SAX, False),
        "oblique": (Geometry((2, 3, 4), turned), View.SAX, True),
        "axial CT": (Geometry((2, 3, 4), placed), View.VOLUME, True),
        "no place": (Geometry((2, 3, 4), flat), View.VOLUME, False),
        "picture": (Geometry((1, 3, 4), turned, "px"), View.UNKNOWN, False),
    }
    for name, (geometry, view, wanted) in known.items():
        assert orientation_known(geometry, view) is wanted, name


def renumbered(patient, swap):
    """The patient with the numbers of its published labels exchanged."""
    for file in patient.glob("*_gt.nii.gz"):
        image = nib.load(file)
        values = np.asarray(image.dataobj).astype(np.uint8)
        changed = np.select(
            [values == a for a in swap], [np.uint8(b) for b in swap.values()], values
        )
        nib.save(nib.Nifti1Image(changed.astype(np.uint8), image.affine), file)
    return patient


def test_published_labels_in_the_numbers_of_another_data_set_are_said(tmp_path):
    patient = doors.write_patient(tmp_path / "patient001")
    (seen,) = inspect(patient)
    assert (seen.labels, seen.label_numbers, seen.scheme) == ("published", (0, 1, 2, 3), "acdc")
    (seen,) = inspect(renumbered(patient, {1: 3, 3: 1}))
    assert (seen.label_swapped, seen.scheme) == (("acdc",), None)
    assert any("the other way round" in said and "--scheme mnms" in said for said in seen.problems)


def test_published_labels_without_a_meaning_are_said_and_the_study_is_read(tmp_path):
    (seen,) = inspect(renumbered(doors.write_patient(tmp_path / "patient001"), {1: 9}))
    assert seen.problem is None
    assert any("label values [9]" in said for said in seen.problems)


def test_a_label_image_alone_is_seen_as_one(tmp_path):
    (seen,) = inspect(doors.save_nifti(tmp_path / "x_gt.nii", doors.heart()))
    assert (seen.labels, seen.label_schemes, seen.scheme) == ("image", ("acdc",), "acdc")
    assert seen.label_swapped == ("mnms",)
    assert not seen.problems
    (seen,) = inspect(doors.save_nifti(tmp_path / "x_seg.nii", doors.heart() * 9))
    assert seen.label_unknown == (9, 18, 27)
    assert "label numbers without a meaning: 9, 18, 27; write a scheme" in seen.problems[0]


@pytest.mark.parametrize(
    ("make", "scheme"),
    [
        (miniatures.camus_nifti, "camus"),
        (miniatures.camus_png, "camus"),
        (miniatures.emidec_png, "emidec"),
        (more_miniatures.mnms2, "mnms"),
        (more_miniatures.mmwhs, "mmwhs"),
        (miniatures.rvsc, None),
        (more_miniatures.echonet, None),
    ],
)
def test_published_numbers_are_of_the_data_sets_scheme(make, scheme, tmp_path):
    make(tmp_path)
    seen = [one for one in inspect(tmp_path) if one.labels == "published" and not one.problems]
    seen = seen or inspect(tmp_path)
    assert {one.scheme for one in seen if one.label_numbers is not None} == {scheme}
