import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK

from heartseg.core.errors import OutputError, StudyError
from heartseg.core.study import View
from heartseg.read import find_studies
from heartseg.read.datasets.nnunet_export import Case, folds, write_nnunet
from tests import doors
from tests.read import more_miniatures


@pytest.fixture
def mnms(tmp_path):
    more_miniatures.mnms(tmp_path / "mnms")
    return find_studies(tmp_path / "mnms")


def content(folder):
    return json.loads((folder / "dataset.json").read_text())


def test_folder_keeps_the_rules_of_nnunet(mnms, tmp_path):
    done = write_nnunet(mnms, tmp_path / "raw", number=27, name="Heart")
    assert done.folder.name == "Dataset027_Heart"
    said = content(done.folder)
    assert said["channel_names"] == {"0": "MR"}
    numbers = sorted(said["labels"].values())
    assert numbers == list(range(len(numbers)))  # consecutive, background first
    assert said["labels"]["background"] == 0
    images = {f.name for f in (done.folder / "imagesTr").iterdir()}
    labels = {f.name for f in (done.folder / "labelsTr").iterdir()}
    assert said["numTraining"] == len(images) == len(labels) == 6
    assert {name.replace("_0000.nii.gz", ".nii.gz") for name in images} == labels
    assert len(list((done.folder / "imagesTs").iterdir())) == 2
    for name in labels:  # as nnU-Net's integrity check: same grid, only the named numbers, 3-D
        mask = SimpleITK.ReadImage(str(done.folder / "labelsTr" / name))
        file = done.folder / "imagesTr" / name.replace(".nii.gz", "_0000.nii.gz")
        image = SimpleITK.ReadImage(str(file))
        assert image.GetDimension() == mask.GetDimension() == 3
        assert image.GetSize() == mask.GetSize()
        for one in ("GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(image, one)() == pytest.approx(getattr(mask, one)())
        assert set(np.unique(SimpleITK.GetArrayFromImage(mask))) <= set(numbers)


def test_what_has_no_labels_is_skipped_and_said(mnms, tmp_path):
    done = write_nnunet(mnms, tmp_path, number=1, name="x")
    assert [(name, why.partition(":")[2]) for name, why in done.skipped] == [
        ("C1K8P5", " got no labels")
    ]
    assert {case.name for case in done.cases if case.patient == "A0S9V9"} == {
        "A0S9V9_frame01",
        "A0S9V9_frame03",
    }


def test_split_of_the_data_set_is_the_one_fold(mnms, tmp_path):
    done = write_nnunet(mnms, tmp_path, number=1, name="x")
    (fold,) = json.loads((done.folder / "splits_final.json").read_text())
    assert fold["val"] == ["D0R0R9_frame01", "D0R0R9_frame03"]
    assert len(fold["train"]) == 4
    assert {c.split for c in find_studies(done.folder)} == {"train", "validate", "test"}


def test_split_may_be_the_users(mnms, tmp_path):
    done = write_nnunet(mnms, tmp_path, number=1, name="x", split_of=lambda c: "train")
    assert not (done.folder / "imagesTs").exists()
    assert content(done.folder)["numTraining"] == 8


@pytest.mark.parametrize("patients", [1, 2, 3, 7])
def test_no_patient_is_on_both_sides_of_a_fold(patients):
    cases = [
        Case(name=f"p{n}_frame{f}", patient=f"p{n}", split="train")
        for n in range(patients)
        for f in (0, 1)
    ]
    every = folds(cases)
    assert len(every) == min(patients, 5)
    assert sorted(name for fold in every for name in fold["val"]) == sorted(c.name for c in cases)
    for fold in every:
        assert fold["train"]
        if patients > 1:
            sides = [{name.partition("_")[0] for name in fold[side]} for side in ("train", "val")]
            assert not sides[0] & sides[1]


def test_several_views_need_a_choice(tmp_path):
    more_miniatures.mnms2(tmp_path / "copy")
    found = find_studies(tmp_path / "copy")
    with pytest.raises(StudyError, match=r"no labelled frame.*labels of sax, 4ch.*--view"):
        write_nnunet(found, tmp_path / "a", number=1, name="x")
    done = write_nnunet(found, tmp_path / "b", number=1, name="x", view=View.LAX_4CH)
    assert len(done.cases) == 6


def test_studies_with_other_structures_are_skipped(mnms, tmp_path):
    more_miniatures.mmwhs(tmp_path / "whole")
    others = find_studies(tmp_path / "whole")
    done = write_nnunet([*mnms, others[1]], tmp_path, number=1, name="x")
    assert done.skipped[-1][0] == "ct_train_1001"
    assert "aorta" in done.skipped[-1][1]


def test_ct_is_called_ct_because_nnunet_normalises_by_that_name(tmp_path):
    more_miniatures.mmwhs(tmp_path / "whole")
    found = find_studies(tmp_path / "whole" / "ct_train")
    assert content(write_nnunet(found, tmp_path, number=1, name="x").folder)["channel_names"] == {
        "0": "CT"
    }


@pytest.mark.parametrize(("number", "name"), [(0, "x"), (1000, "x"), (1, "../x"), (1, "")])
def test_names_that_nnunet_does_not_take_are_refused(number, name, mnms, tmp_path):
    with pytest.raises(OutputError, match="1 to 999"):
        write_nnunet(mnms, tmp_path / "raw", number=number, name=name)


def test_nothing_is_overwritten(mnms, tmp_path):
    write_nnunet(mnms, tmp_path, number=1, name="x")
    with pytest.raises(OutputError, match="another number"):
        write_nnunet(mnms, tmp_path, number=1, name="x")


def test_damaged_study_does_not_end_the_export(mnms, tmp_path):
    def broken():
        raise StudyError("A0S9V9", got="a broken file")

    first = next(c for c in mnms if c.id == "A0S9V9")
    rest = [c for c in mnms if c is not first]
    done = write_nnunet([replace(first, load=broken), *rest], tmp_path, number=1, name="x")
    assert done.skipped[0] == ("A0S9V9", "A0S9V9: got a broken file")
    assert content(done.folder)["numTraining"] == 4


def test_acdc_there_and_back_is_the_same(real_data, tmp_path):
    acdc = find_studies(real_data / "acdc" / "training")[:3]
    done = write_nnunet(acdc, tmp_path, number=27, name="ACDC")
    assert not done.skipped
    back = {c.id: c for c in find_studies(done.folder)}
    assert len(back) == 6
    for candidate in acdc:
        study, truth = candidate.load().images[View.SAX], candidate.reference()[View.SAX]
        for frame in (0, 1):
            again = back[f"{candidate.id}_frame{frame:02d}"]
            assert again.patient == candidate.id
            image, seg = again.load().images[View.SAX], again.reference()[View.SAX]
            assert np.array_equal(image.voxels[0], study.voxels[frame])
            assert np.array_equal(seg.labels[0], truth.labels[frame])
            assert image.geometry.same_grid(study.geometry)
            assert set(seg.structures) == set(truth.structures)


def test_turned_image_keeps_its_place(tmp_path):
    doors.write_dicom(tmp_path / "dicom")
    (study,) = find_studies(tmp_path / "dicom")
    image = study.load().images[View.SAX]
    from heartseg.core.image import Segmentation

    labels = doors.ACDC.read(doors.cine())
    seg = Segmentation(labels, image.geometry, tuple(s for s in doors.STRUCTURES if s))
    labelled = replace(study, reference=lambda: {View.SAX: seg})
    done = write_nnunet([labelled], tmp_path, number=1, name="x")
    for back in find_studies(done.folder):
        again = back.load().images[View.SAX]
        assert again.geometry.same_grid(image.geometry)
        t = int(back.id[-2:])
        assert np.array_equal(again.voxels[0], image.voxels[t])
