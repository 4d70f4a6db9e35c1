"""Reports get intervals where a model was calibrated for it, and else the reason why not."""

import copy
import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

import heartseg as hs
from heartseg.choice import Models
from heartseg.core.finding import Report
from heartseg.core.study import Phases
from heartseg.given import GivenLabels
from heartseg.measure.calibration import KEYS, Calibration, Width
from heartseg.pipeline import Settings, examine
from heartseg.read import find_studies
from heartseg.report.html import html_page
from heartseg.report.json_file import load_report
from heartseg.report.language import language, shipped
from heartseg.report.page import page
from heartseg.report.summary import csv_text, summary_row
from heartseg.report.text import report_text
from heartseg.segment import load_bundle, write_bundle
from tests import doors

CALIBRATION = Calibration(
    level=0.9,
    looks=2,
    patients=99,
    calibrated="by hand",
    findings={key: Width(times=2.0, floor=0.06 if key.endswith("_ef") else 1.0) for key in KEYS},
)


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return doors.write_patient(tmp_path_factory.mktemp("studies") / "patient008", radii=(8, 6))


@pytest.fixture(scope="module")
def sure(gauge: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gauge with constants."""
    bundle, folder = load_bundle(gauge), tmp_path_factory.mktemp("sure") / "sure"
    write_bundle(folder, bundle.onnx, replace(bundle, name="sure", intervals=CALIBRATION))
    return folder


def reported(patient: Path, **settings: object) -> Report:
    (candidate,) = find_studies(patient)
    return examine(candidate, Models("cpu", 1), Settings(device="cpu", **settings)).report  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report(patient: Path, sure: Path) -> Report:
    return reported(patient, model=str(sure))


def test_a_calibrated_model_gives_intervals_of_what_was_calibrated(report: Report) -> None:
    found = {one.key: one for one in report.findings}
    value = found["lv_edv_ml"].value
    # The gauge sees the same from every side: no spread, and half an interval is 2 x 1 mL.
    assert found["lv_edv_ml"].interval == pytest.approx((value - 2, value + 2))
    assert found["lv_ef"].interval == pytest.approx(
        (found["lv_ef"].value - 0.12, found["lv_ef"].value + 0.12)
    )
    have = {key for key, one in found.items() if one.interval is not None}
    could = {key for key in KEYS if found[key].value > 0}  # the RV of the fixture grows
    assert could == {*KEYS} - {"rv_sv_ml", "rv_ef"}
    assert have == could | {f"{key}_per_m2" for key in could - {"lv_ef"}}
    assert report.interval_level == 0.9
    assert report.interval_covers.startswith("90 % segmentation interval; reader and rescan")
    assert report.strategy["intervals"] == (
        "from 2 looks at the measured frames, calibrated on 99 patients"
    )


def test_intervals_and_borderline_are_on_every_page(report: Report) -> None:
    said = "borderline: the interval holds 40 and 50 %"
    interval = next(one.interval for one in report.findings if one.key == "lv_ef")
    printed = f"{100 * interval[0]:.1f} – {100 * interval[1]:.1f}"
    covers = "90 % segmentation interval; reader and rescan variation not included"
    for text in (html_page(page(report)), report_text(report)):
        assert printed in text
        assert said in text
        assert covers in text
    (row,) = csv.DictReader(io.StringIO(csv_text([summary_row(report)])))
    assert (float(row["lv_ef_low"]), float(row["lv_ef_high"])) == pytest.approx(interval)
    assert f"lv_ef: {said}" in row["problems"]
    assert "lv_wall_max_mm_low" not in row


@pytest.mark.parametrize("name", [name for name in shipped() if name != "en"])
def test_all_that_is_said_of_intervals_is_translated(
    report: Report, patient: Path, gauge: Path, sure: Path, name: str
) -> None:
    others = [
        reported(patient, model=str(gauge)),
        reported(patient, model=(str(gauge), str(_other(gauge)))),
    ]
    for one in (report, *others):
        assert page(one, language=language(name)).untranslated == ""
    for why in ("contours as drawn, and others were chosen", "two phases, and there is one"):
        one = replace(report, strategy={"intervals": f"none: calibrated for {why}"})
        assert page(one, language=language(name)).untranslated == ""


def _other(gauge: Path) -> Path:
    return doors.write_gauge(gauge.parent / "other", name="other", steepness=300.0)


def test_a_model_without_constants_says_so(patient: Path, gauge: Path) -> None:
    report = reported(patient, model=str(gauge))
    assert report.strategy["intervals"] == "none: model gauge has no calibration"
    assert (report.interval_level, report.interval_covers) == (None, None)
    assert all(one.interval is None for one in report.findings)


def test_what_was_not_calibrated_gets_none(patient: Path, gauge: Path, sure: Path) -> None:
    together = reported(patient, model=(str(sure), str(_other(gauge))))
    chosen = reported(patient, model=str(sure), papillary="mass")
    for report, why in ((together, "one model, and several"), (chosen, "contours as drawn")):
        assert why in report.strategy["intervals"]
        assert report.interval_level is None


def test_a_single_phase_gets_none(patient: Path, sure: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.nii.gz"
    alone.write_bytes((patient / "patient008_frame01.nii.gz").read_bytes())
    report = reported(alone, model=str(sure))
    assert report.value("lv_edv_ml") is not None
    assert report.strategy["intervals"] == "none: calibrated for two phases, and there is one"


def test_the_user_may_leave_them(patient: Path, sure: Path) -> None:
    report = reported(patient, model=str(sure), intervals=False)
    assert "intervals" not in report.strategy
    assert report.interval_level is None
    assert report.provenance.settings["intervals"] is False


def test_labels_and_traditional_methods_have_none_and_say_nothing(patient: Path) -> None:
    for settings in ({"given": GivenLabels(patient, "acdc")}, {"model": "classical:otsu"}):
        report = reported(patient, **settings)
        assert report.interval_level is None
        assert "intervals" not in report.strategy


def test_the_looks_are_at_the_phases_that_were_measured(patient: Path, sure: Path) -> None:
    turned = reported(patient, model=str(sure), phases=Phases(ed=1, es=0, how="given"))
    found = {one.key: one for one in turned.findings}
    assert found["lv_edv_ml"].value < found["lv_esv_ml"].value
    assert found["lv_edv_ml"].interval == pytest.approx(
        (found["lv_edv_ml"].value - 2, found["lv_edv_ml"].value + 2)
    )
    assert found["lv_ef"].interval is None  # it is below 0


def test_python_users_get_them_too(patient: Path, sure: Path, report: Report) -> None:
    study = hs.read_study(patient)
    seen = hs.segment_study(study, model=str(sure))
    assert hs.measure_study(study, seen).findings == report.findings
    left = hs.segment_study(study, model=str(sure), intervals=False)
    assert hs.measure_study(study, left).interval_level is None
    assert hs.measure_study(study, dict(seen)).interval_level is None
    assert hs.measure_study(study, seen, papillary="mass").interval_level is None


def test_a_copy_of_what_was_segmented_says_the_same(
    patient: Path, sure: Path, report: Report
) -> None:
    study = hs.read_study(patient)
    again = copy.deepcopy(hs.segment_study(study, model=str(sure), device="cpu"))
    assert hs.measure_study(study, again).findings == report.findings


def test_the_report_is_read_back_with_them(report: Report, tmp_path: Path) -> None:
    hs.save_report(report, tmp_path)
    assert load_report(tmp_path / "report.json") == report
    said = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert said["interval_level"] == 0.9
