"""The names for Python users, as the documents write them."""

from pathlib import Path

import numpy as np
import pytest

import heartseg as hs
from heartseg.core.anatomy import SCHEMES
from heartseg.core.study import View
from heartseg.report.json_file import load_report
from tests import doors


def test_the_four_lines_of_the_design(gauge: Path, tmp_path: Path) -> None:
    path = str(doors.write_patient(tmp_path / "patient011"))
    study = hs.read_study(path)
    seg = hs.segment_study(study, model=str(gauge))
    report = hs.measure_study(study, seg)
    hs.save_report(report, str(tmp_path / "out"))
    assert load_report(tmp_path / "out" / "report.json") == report
    assert (tmp_path / "out" / "report.html").is_file()
    assert (SCHEMES["acdc"].write(seg[View.SAX].labels) == doors.cine((8, 5))).all()
    assert report.value("lv_edv_ml") == pytest.approx(doors.volume_ml(doors.heart(8), 3))


def test_the_shipped_model_by_its_name(tmp_path: Path) -> None:
    from heartseg.segment import shipped_bundles

    if "cine-mr" not in shipped_bundles():
        pytest.skip("no model is shipped yet")
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    seg = hs.segment_study(study, model="cine-mr")
    report = hs.measure_study(study, seg)
    assert report.model.name == "cine-mr"
    assert seg[View.SAX].labels.shape == study.images[View.SAX].voxels.shape
    assert "origin of the model" not in report.strategy


def test_the_report_names_the_model_and_what_was_asked(gauge: Path, tmp_path: Path) -> None:
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    report = hs.measure_study(study, hs.segment_study(study, model=str(gauge), turns=4))
    assert (report.model.name, report.model.licence) == ("gauge", "CC0")
    assert "not shipped with heartseg" in report.strategy["origin of the model"]
    assert report.provenance.settings["turns"] == 4


def test_labels_of_a_person_are_measured_and_said_to_be_theirs(tmp_path: Path) -> None:
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    image = study.images[View.SAX]
    from heartseg.core.image import Segmentation

    labels = SCHEMES["acdc"].read(doors.cine((7, 4)))
    own = {View.SAX: Segmentation(labels, image.geometry, doors.STRUCTURES[1:])}
    report = hs.measure_study(study, own)
    assert report.model.name == "labels given by the caller"
    assert report.value("lv_esv_ml") == pytest.approx(doors.volume_ml(doors.heart(4), 3))


def test_a_choice_is_carried_out_and_kept_in_the_provenance(gauge: Path, tmp_path: Path) -> None:
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    seg = hs.segment_study(study, model=str(gauge))
    report = hs.measure_study(study, seg, base="scmr")
    assert any("Base by SCMR 2020" in said for said in report.conventions)
    assert report.provenance.settings["base"] == "scmr"
    assert report.model.name == "gauge"
    with pytest.raises(hs.HeartsegError, match="--papillary"):
        hs.measure_study(study, seg, papillary="muscle")


def test_segmentations_behave_like_the_mapping_they_are(gauge: Path, tmp_path: Path) -> None:
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    seg = hs.segment_study(study, model=str(gauge), device="cpu")
    assert (list(seg), len(seg), View.SAX in seg, View.LAX_2CH in seg) == ([View.SAX], 1, 1, 0)
    hs.save_report(hs.measure_study(study, seg), tmp_path / "o", study=study, segmentations=seg)
    assert (tmp_path / "o" / "overview.png").is_file()


def test_probabilities_are_kept_when_asked_for(gauge: Path, tmp_path: Path) -> None:
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    seg = hs.segment_study(study, model=str(gauge), device="cpu", keep_probabilities=True)
    sure = seg.probabilities[View.SAX]
    assert sure.structures == doors.STRUCTURES
    assert (sure.values.argmax(0) == doors.cine((8, 5))).all()
    assert not hs.segment_study(study, model=str(gauge), device="cpu").probabilities


def test_more_than_one_study_is_not_guessed(tmp_path: Path) -> None:
    for number in (1, 2):
        doors.save_nifti(tmp_path / f"{number}.nii", np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    with pytest.raises(hs.HeartsegError, match=r"got 2 studies \(1, 2\); allowed: one"):
        hs.read_study(str(tmp_path))


def test_what_a_model_is_unsure_of_is_in_its_report_and_not_in_a_persons(tmp_path: Path) -> None:
    soft = str(doors.write_gauge(tmp_path / "soft", name="soft", steepness=3.0))
    study = hs.read_study(doors.write_patient(tmp_path / "patient011"))
    seg = hs.segment_study(study, model=soft)
    report = hs.measure_study(study, seg)
    assert report.quality.verdict == "review"
    assert "the model is unsure of the LV myocardium at end-systole" in report.quality.reasons
    own = hs.measure_study(study, dict(seg))
    assert not any("the model" in reason for reason in own.quality.reasons)
