"""One study through the six verbs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.api import GIVEN
from heartseg.choice import Models, chosen_models
from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import LabelError, MeasureError, ModelError, StudyError
from heartseg.core.image import Image
from heartseg.core.study import Body, Modality, Phases, Study, View
from heartseg.given import GivenLabels
from heartseg.pipeline import (
    Settings,
    analyse,
    explain,
    measure,
    predict,
    segment,
    with_body,
)
from heartseg.prepare.localise import Location
from heartseg.read import Candidate, find_studies, read_study
from heartseg.report.json_file import load_report
from heartseg.segment import Bundle, load_bundle, shipped_bundles
from tests import doors


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    return doors.write_patient(tmp_path / "patient008")


def candidate(path: Path) -> Candidate:
    (found,) = find_studies(path)
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_patient_becomes_masks_numbers_and_a_report(
    patient: Path, gauge: Path, tmp_path: Path
) -> None:
    settings = Settings(model=str(gauge), device="cpu")
    report = analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")
    assert names(tmp_path / "out") == [
        "overview.png",
        "patient008_frame01_seg.nii.gz",
        "patient008_frame09_seg.nii.gz",
        "report.html",
        "report.json",
    ]
    assert report.value("lv_edv_ml") == pytest.approx(doors.volume_ml(doors.heart(8), 3))
    assert report.value("lv_esv_ml") == pytest.approx(doors.volume_ml(doors.heart(5), 3))
    assert report.phases == {View.SAX: Phases(ed=0, es=1, how="given")}
    assert (report.model.name, report.model.precision) == ("gauge", "f32")
    assert report.model.sha256 == load_bundle(gauge).sha256
    assert report.body == Body(height_cm=180.0, weight_kg=80.0)
    assert "asked for" in report.strategy["model for sax"]
    assert report.strategy["view sax"] == "so are all images of acdc"
    assert "not shipped with heartseg" in report.strategy["origin of the model"]
    assert set(report.provenance.inputs) == {
        "patient008_frame01.nii.gz",
        "patient008_frame09.nii.gz",
    }


def test_phases_and_body_of_the_user_win(patient: Path, gauge: Path, tmp_path: Path) -> None:
    settings = Settings(
        model=str(gauge),
        phases=Phases(ed=1, es=0, how="given"),
        body=Body(sex="F", weight_kg=60.0),
        formats=("json",),
    )
    report = analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")
    assert names(tmp_path / "out") == ["report.json"]
    assert report.value("lv_edv_ml") == pytest.approx(doors.volume_ml(doors.heart(5), 3))
    assert report.body == Body(sex="F", height_cm=180.0, weight_kg=60.0)


def test_a_phase_that_is_no_frame_is_said(patient: Path, gauge: Path, tmp_path: Path) -> None:
    settings = Settings(model=str(gauge), phases=Phases(ed=0, es=9, how="given"))
    with pytest.raises(MeasureError, match="frame 9; allowed: 0 to 1"):
        analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")


def test_the_name_given_is_the_id_and_the_labels_are_still_found(
    patient: Path, tmp_path: Path
) -> None:
    settings = Settings(given=GivenLabels(patient, "acdc"), formats=("json",))
    report = analyse(candidate(patient), Models(), settings, tmp_path / "o", name="patient008-2")
    assert report.study == "patient008-2"
    assert report.value("lv_edv_ml") == pytest.approx(doors.volume_ml(doors.heart(8), 3))
    assert report.model.name == "labels from patient008"
    assert "its data set's own" in report.strategy["segmentation"]


def test_masks_that_are_given_are_not_written_again(patient: Path, tmp_path: Path) -> None:
    analyse(
        candidate(patient), Models(), Settings(given=GivenLabels(patient, "acdc")), tmp_path / "o"
    )
    assert names(tmp_path / "o") == ["overview.png", "report.html", "report.json"]


def test_the_written_numbers_are_those_of_the_scheme(
    patient: Path, gauge: Path, tmp_path: Path
) -> None:
    from heartseg.formats.nifti import read_labels

    settings = Settings(model=str(gauge), labels="mnms", formats=("nifti", "json"))
    analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")
    mask = tmp_path / "out" / "patient008_frame01_seg.nii.gz"
    again = SCHEMES["acdc"].write(read_labels(mask, SCHEMES["mnms"]).labels)
    assert (again[0] == doors.heart(8)).all()
    camus = replace(settings, labels="camus")
    with pytest.raises(LabelError, match="no number for"):
        analyse(candidate(patient), Models("cpu"), camus, tmp_path / "other")


def test_probabilities_are_written_when_asked_for_and_change_nothing_else(
    patient: Path, gauge: Path, tmp_path: Path
) -> None:
    import nibabel as nib

    settings = Settings(model=str(gauge), device="cpu", formats=("nifti", "json"))
    for asked in (False, True):
        chosen = replace(settings, save_probabilities=asked)
        analyse(candidate(patient), Models("cpu"), chosen, tmp_path / str(asked))
    stems = ("patient008_frame01", "patient008_frame09")
    new = [f"{stem}_prob.{end}" for stem in stems for end in ("json", "nii.gz")]
    assert names(tmp_path / "True") == sorted([*names(tmp_path / "False"), *new])
    for stem in stems:
        mask = tmp_path / "True" / f"{stem}_seg.nii.gz"
        assert mask.read_bytes() == (tmp_path / "False" / mask.name).read_bytes()
        sure = nib.load(tmp_path / "True" / f"{stem}_prob.nii.gz").get_fdata()[..., 0, :]
        assert (sure.argmax(-1) == np.asarray(nib.load(mask).dataobj)).all()


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    """What two trainings leave: `fold-0/bundle` and `fold-1/bundle`."""
    doors.write_gauge(tmp_path / "runs" / "fold-0" / "bundle", steepness=40.0)
    doors.write_gauge(tmp_path / "runs" / "fold-1" / "bundle", steepness=20.0)
    (tmp_path / "runs" / "notes.txt").write_text("x")
    return tmp_path / "runs"


def test_models_together_give_the_mean_of_what_each_gives(patient: Path, folds: Path) -> None:
    study = read_study(patient)
    each = [str(folds / f"fold-{number}" / "bundle") for number in (0, 1)]

    def sure(model: str | tuple[str, ...]) -> np.ndarray:
        settings = Settings(model=model, device="cpu", save_probabilities=True)
        (one,) = predict(study, Models("cpu"), settings).values()
        assert one.probabilities is not None
        return one.probabilities.values

    apart = [sure(one) for one in each]
    assert np.abs(apart[0] - apart[1]).max() > 0.05
    for asked in (tuple(each), str(folds)):
        assert np.abs(sure(asked) - (apart[0] + apart[1]) / 2).max() < 2e-5


def test_the_report_names_every_model_that_predicted(
    patient: Path, folds: Path, tmp_path: Path
) -> None:
    settings = Settings(model=str(folds), device="cpu", formats=("json", "html"))
    report = analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")
    model = load_report(tmp_path / "out" / "report.json").model
    assert (model.name, model.version, model.sha256) == ("ensemble of 2: gauge", "1", None)
    hashes = [load_bundle(folds / f"fold-{number}" / "bundle").sha256 for number in (0, 1)]
    assert [one.sha256 for one in model.members] == hashes
    assert "2 models asked for: the mean" in report.strategy["model for sax"]
    assert "at your own risk" in report.strategy["origin of the model"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(one in page for one in hashes)


def study_of(*views: View, modality: Modality = Modality.MR) -> Study:
    return Study(
        id="s", modality=modality, images=dict.fromkeys(views), sources=dict.fromkeys(views, ())
    )


@pytest.mark.parametrize("view", [View.SAX, View.UNKNOWN])
def test_short_axis_mr_gets_the_shipped_model(view: View) -> None:
    study = study_of(view, View.LAX_2CH)
    assert chosen_models(study, Models()) == {view: ("cine-mr",)}


def test_a_view_without_a_model_says_what_there_is() -> None:
    with pytest.raises(StudyError, match="US of view 4ch.*allowed: MR sax; pass --view.*--model"):
        chosen_models(study_of(View.LAX_4CH, modality=Modality.US), Models())


def test_a_model_that_was_asked_for_sees_the_views_it_is_made_for(gauge: Path) -> None:
    asked, models = (str(gauge),), Models("cpu")
    both = study_of(View.LAX_2CH, View.SAX)
    assert list(chosen_models(both, models, asked)) == [View.SAX]
    assert list(chosen_models(study_of(View.UNKNOWN), models, asked)) == [View.UNKNOWN]
    with pytest.raises(StudyError, match="view 2ch; allowed: sax.*gauge.*pass --view sax"):
        chosen_models(study_of(View.LAX_2CH), models, asked)


def test_what_the_file_does_not_say_is_said(gauge: Path, tmp_path: Path) -> None:
    if "cine-mr" not in shipped_bundles():
        pytest.skip("no model is shipped yet")
    path = doors.save_nifti(tmp_path / "scan.nii.gz", doors.painted(doors.cine()))
    strategy, model = explain(read_study(path), Models("cpu"), Settings())
    assert model.name == "cine-mr"
    assert strategy == {"model for sax": "cine-mr: the shipped one for MR sax"}
    unknown = read_study(path, view=View.UNKNOWN)
    strategy, _ = explain(unknown, Models("cpu"), Settings())
    assert "taken for short-axis cine MR" in strategy["model for unknown"]


def test_turning_the_planes_changes_nothing_for_a_model_without_direction(
    patient: Path, gauge: Path
) -> None:
    study = read_study(patient)
    for turns in (4, 8):
        found = segment(study, Models("cpu"), Settings(model=str(gauge), turns=turns))
        assert (SCHEMES["acdc"].write(found[View.SAX].labels) == doors.cine((8, 5))).all()


def test_a_model_is_loaded_once(gauge: Path) -> None:
    models = Models("cpu")
    assert models.ready(str(gauge)) is models.ready(str(gauge))
    with pytest.raises(ModelError, match="no such model"):
        models.ready("nothing")


def test_the_body_of_the_user_replaces_values_one_by_one() -> None:
    study = replace(study_of(View.SAX), body=Body(sex="M", height_cm=180.0))
    body = with_body(study, Body(height_cm=150.0, age_years=50.0)).body
    assert body == Body(sex="M", age_years=50.0, height_cm=150.0)
    assert with_body(study, Body()).body == study.body


def test_what_the_reader_doubts_sends_to_review(gauge: Path, tmp_path: Path) -> None:
    said = "slice 2 has 2 phases, not 20: do not trust its volumes there"
    study = read_study(doors.write_patient(tmp_path / "patient008"))
    doubted = replace(study, doubts={View.SAX: (said,), View.LAX_4CH: ("not segmented",)})
    settings = Settings(model=str(gauge), device="cpu", intervals=False)
    masks = segment(study, Models("cpu"), settings)

    before, after = (measure(one, masks, GIVEN, {}, settings).quality for one in (study, doubted))

    assert after.verdict == "review"
    assert after.reasons == (*before.reasons, said)


def test_every_study_of_a_cine_keeps_its_frames(gauge: Path, tmp_path: Path) -> None:
    path = doors.save_nifti(tmp_path / "cine.nii.gz", doors.painted(doors.cine()))
    report = analyse(
        candidate(path), Models("cpu"), Settings(model=str(gauge), formats=("json",)), tmp_path
    )
    lv = [doors.volume_ml(frame, 3) for frame in doors.cine()]
    assert np.allclose(report.curves["lv_ml"], lv)
    assert report.phases[View.SAX].how == "detected"
    assert (report.phases[View.SAX].ed, report.phases[View.SAX].es) == (0, 2)


PLACE = Location((slice(4, 36), slice(6, 44)), 0.9, found=True)


def looked(monkeypatch: pytest.MonkeyPatch, place: Location) -> list[str]:
    """Let the first look find this; the models that looked."""
    asked: list[str] = []

    def locate(image: Image, bundle: Bundle, runtime: object) -> Location:
        asked.append(bundle.name)
        return place

    monkeypatch.setattr("heartseg.segment.locate.locate", locate)
    return asked


def test_the_heart_is_sought_first_where_that_is_asked(
    patient: Path, gauge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = looked(monkeypatch, PLACE)
    settings = Settings(model=str(gauge), device="cpu", formats=("json",), locate=True)
    report = analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")
    assert asked == ["gauge"]
    assert report.strategy["heart in sax"].startswith("found by a coarse look at L ")
    assert not any("no heart" in why for why in report.quality.reasons)
    assert report.value("lv_edv_ml") == pytest.approx(doors.volume_ml(doors.heart(8), 3), rel=0.02)
    half = replace(PLACE, box=(slice(0, 16), slice(0, 20)))
    looked(monkeypatch, half)
    less = analyse(candidate(patient), Models("cpu"), settings, tmp_path / "other")
    assert (less.value("lv_edv_ml") or 0.0) < report.value("lv_edv_ml") / 2


def test_a_heart_that_is_not_found_is_said_and_sought_in_whole_planes(
    patient: Path, gauge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(monkeypatch, replace(PLACE, sure=0.31, found=False))
    settings = Settings(model=str(gauge), device="cpu", formats=("json",), locate=True)
    report = analyse(candidate(patient), Models("cpu"), settings, tmp_path / "out")
    assert report.value("lv_edv_ml") == pytest.approx(doors.volume_ml(doors.heart(8), 3))
    said = "no heart found by a coarse look (31 % sure): the network sees whole planes"
    assert report.strategy["heart in sax"] == said
    assert report.quality.verdict == "review"
    assert report.quality.reasons[0].startswith("no heart was found before segmenting")


@pytest.mark.parametrize("locate", [None, False])
def test_strangers_models_are_shown_whole_planes_unless_it_is_asked(
    patient: Path, gauge: Path, monkeypatch: pytest.MonkeyPatch, locate: bool | None
) -> None:
    asked = looked(monkeypatch, PLACE)
    study = read_study(patient)
    found = predict(study, Models("cpu"), Settings(model=str(gauge), locate=locate))
    assert (asked, found[View.SAX].heart) == ([], None)
