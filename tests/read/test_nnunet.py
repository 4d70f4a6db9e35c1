import json

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import LabelError
from heartseg.core.study import Modality, View
from heartseg.read import find_studies
from heartseg.read.candidate import Options
from heartseg.read.datasets import nnunet
from heartseg.read.datasets.nnunet_names import scheme_of_names
from tests import doors
from tests.read import more_miniatures

LV, MYO, RV, LA = (
    Structure.LV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.RV_CAVITY,
    Structure.LEFT_ATRIUM,
)


@pytest.fixture
def root(tmp_path):
    more_miniatures.nnunet(tmp_path)
    return tmp_path


def described(root, **new):
    file = root / "Dataset027_Heart" / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **new}))


def test_cases_of_one_patient_stay_together_and_folders_are_the_split(root):
    found = find_studies(root)
    assert [(c.id, c.patient, c.split) for c in found] == [
        ("patient001_frame00", "patient001", "train"),
        ("patient001_frame01", "patient001", "train"),
        ("patient002_frame00", "patient002", "train"),
        ("patient002_frame01", "patient002", "train"),
        ("patient003_frame00", "patient003", "test"),
    ]
    assert found[4].reference is None
    assert len(found[0].files) == 3


def test_names_of_labels_are_anatomy_and_the_first_channel_is_read(root):
    one = find_studies(root / "Dataset027_Heart")[0]
    study, seg = one.load(), one.reference()[View.SAX]
    assert study.modality is Modality.MR
    assert np.array_equal(study.images[View.SAX].voxels[0], more_miniatures.noise(doors.SHAPE, 0))
    assert "of 2 channels the first is read: cineMRI" in study.notes
    assert np.array_equal(seg.labels[0] == RV, doors.heart(8) == 1)
    assert np.array_equal(seg.labels[0] == LV, doors.heart(8) == 3)


def test_name_without_anatomy_is_an_error_with_a_way_out(root):
    described(root, labels={"background": 0, "liver": 1, "LV myo": 2, "LV": 3})
    one = find_studies(root)[0]
    assert one.load()
    with pytest.raises(LabelError, match=r"label 1 'liver'.*LV cavity.*write labels\.toml"):
        one.reference()
    toml = root / "Dataset027_Heart" / "labels.toml"
    toml.write_text('[labels]\n1 = "la"\n2 = "myo"\n3 = "lv"\n')
    labels = find_studies(root)[0].reference()[View.SAX].labels
    assert np.array_equal(labels[0] == LA, doors.heart(8) == 1)
    seg = nnunet.find(root, Options(scheme="mnms"))[0].reference()[View.SAX]
    assert np.array_equal(seg.labels[0] == LV, doors.heart(8) == 1)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ({"background": 0, "LV": 1, "left ventricular myocardium": 2}, {1: LV, 2: MYO}),
        ({"0": "background", "1": "left atrium"}, {1: LA}),
        ({"background": 0, "lv epicardium": [1, 2], "lv": 1, "rv": [3]}, {1: LV, 2: MYO, 3: RV}),
        ({"background": 0, "Left-Ventricle": 1, "ignore": 2}, {1: LV}),
        ({"background": 0, "left ventricle blood cavity": 1}, {1: LV}),
    ],
)
def test_numbers_and_regions_become_anatomy(labels, wanted):
    assert scheme_of_names("x", labels).numbers == {0: 0, **wanted}


@pytest.mark.parametrize("value", [-1, 1.5, True, [], [1, "2"], {"a": 1}, None, "lv"])
def test_labels_of_no_such_form_are_refused(value):
    with pytest.raises(LabelError, match="a number, a list of numbers"):
        scheme_of_names("x", {"lv": value})


def test_voxels_to_ignore_are_refused_and_not_taken_for_background(root):
    described(root, labels={"background": 0, "rv": 1, "myo": 2, "ignore": 3})
    with pytest.raises(LabelError, match=r"\[3\]"):
        find_studies(root)[0].reference()


def test_version_one_and_files_without_a_channel_are_read(tmp_path):
    folder = tmp_path / "Task02_Heart"
    for name in ("la_003", "la_004"):
        doors.save_nifti(folder / "imagesTr" / f"{name}.nii.gz", doors.heart(7))
        doors.save_nifti(
            folder / "labelsTr" / f"{name}.nii.gz", (doors.heart(7) == 3) * np.uint8(1)
        )
    json_text = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "left atrium"}}
    (folder / "dataset.json").write_text(json.dumps(json_text))
    (folder / "imagesTr" / "._la_003.nii.gz").write_bytes(b"left by an archive")
    found = find_studies(tmp_path)
    assert [c.id for c in found] == ["la_003", "la_004"]
    (seg,) = found[0].reference().values()
    assert seg.structures == (LA,)


def test_validation_part_of_one_fold_is_the_split(root):
    folds = [{"train": ["patient001_frame00"], "val": ["patient002_frame00", "patient002_frame01"]}]
    file = root / "Dataset027_Heart" / "splits_final.json"
    file.write_text(json.dumps(folds))
    assert [c.split for c in find_studies(root)][:4] == ["train", "train", "validate", "validate"]
    file.write_text(json.dumps(folds * 5))  # cross-validation: every patient trains somewhere
    assert {c.split for c in find_studies(root)} == {"train", "test"}


def test_label_without_image_and_wrong_count_are_missing(root):
    for channel in (0, 1):
        name = f"patient002_frame01_000{channel}.nii.gz"
        (root / "Dataset027_Heart" / "imagesTr" / name).unlink()
    assert nnunet.missing(root) == [
        "patient002_frame01: no image in imagesTr",
        "dataset.json: numTraining is 4, imagesTr holds 3 cases",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"labels": {}}',
        '{"channel_names": {}, "labels": {}}',
        '{"channel_names": {"0": "MR"}, "labels": [1]}',
        '{"channel_names": {"0": "MR"}, "labels": {}, "file_ending": "/../x.nii.gz"}',
        '{"channel_names": {"0": "MR"}, "labels": {}, "file_ending": 3}',
    ],
)
def test_json_of_something_else_is_no_nnunet(text, root):
    (root / "Dataset027_Heart" / "dataset.json").write_text(text)
    assert nnunet.find(root, Options()) == []
