"""Each command runs, prints something true, and prints JSON and nothing else when asked."""

import csv
import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image as Pictures

import heartseg as package
from heartseg.segment import shipped_bundles
from tests import doors
from tests.cli.door import heartseg

KEYS = [
    *("study", "modality", "views", "model", "phases", "findings", "quality", "strategy", "body"),
    *("conventions", "landmarks", "curves", "slices", "segments", "interval_level"),
    *("interval_covers", "provenance"),
]
"""Of report.json, as the design writes them."""


@pytest.fixture
def shipped() -> str:
    if "cine-mr" not in shipped_bundles():
        pytest.skip("no model is shipped yet")
    return "cine-mr"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_segment_writes_what_the_design_says(gauge: Path, tmp_path: Path) -> None:
    doors.write_patient(tmp_path / "set" / "patient001")
    doors.write_patient(tmp_path / "set" / "patient002", radii=(9, 4))
    scan = doors.save_nifti(tmp_path / "scan.nii.gz", doors.painted(doors.cine()))
    Pictures.fromarray((doors.heart()[0] * 85).astype(np.uint8)).save(tmp_path / "frame 3.png")
    dicom = doors.write_dicom(tmp_path / "dicom")
    out = tmp_path / "out"
    done = heartseg(
        *("segment", tmp_path / "set", scan, tmp_path / "frame 3.png", dicom, "-o", out),
        *("--model", gauge, "--view", "sax"),
    )
    assert done.code == 0, done.err
    (study,) = [path.name for path in out.glob("MR-*")]
    pages = ("overview.png", "report.html", "report.json")
    assert names(out) == sorted(
        [
            "summary.csv",
            *(f"patient001/patient001_frame{n}_seg.nii.gz" for n in ("01", "09")),
            *(f"patient002/patient002_frame{n}_seg.nii.gz" for n in ("01", "09")),
            "scan/scan_seg.nii.gz",
            "frame_3/frame_3_seg.png",
            f"{study}/7_seg.nii.gz",
            *(f"{one}/{page}" for page in pages for one in ("patient001", "patient002", "scan")),
            *(f"{one}/{page}" for page in pages for one in ("frame_3", study)),
        ]
    )
    mask = nib.load(out / "scan" / "scan_seg.nii.gz")
    assert mask.get_data_dtype() == np.uint8
    assert (doors.cine() == np.asarray(mask.dataobj).T).all()
    assert np.array_equal(mask.affine, nib.load(scan).affine)
    with Pictures.open(out / "frame_3" / "frame_3_seg.png") as picture:
        assert (np.array(picture) == doors.heart()[0]).all()
    with (out / "summary.csv").open(newline="") as file:
        rows = {row["study"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["patient001", "patient002", "scan", "frame_3", study]
    assert float(rows["patient002"]["lv_esv_ml"]) == pytest.approx(
        doors.volume_ml(doors.heart(4), 3)
    )
    assert "LV ejection fraction" in done.out
    assert "patient001: not shipped with heartseg: read from folder 'gauge'" in done.err


def test_the_report_has_the_keys_of_the_design(gauge: Path, tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "patient001")
    heartseg("segment", patient, "-o", tmp_path, "--model", gauge, "--formats", "json")
    report = json.loads((tmp_path / "patient001-2" / "report.json").read_text())
    assert list(report) == KEYS
    assert list(report["model"]) == ["name", "version", "sha256", "licence", "precision"]
    assert report["phases"] == {"sax": {"ed": 0, "es": 1, "how": "given"}}
    finding = {one["key"]: one for one in report["findings"]}["lv_ef"]
    assert set(finding) == {
        *("key", "name", "value", "unit", "interval", "reference", "problem", "code"),
    }
    edv, esv = (doors.volume_ml(doors.heart(radius), 3) for radius in (8, 5))
    assert finding["value"] == pytest.approx(1 - esv / edv)
    assert finding["unit"] == "1"


def test_segment_prints_json_for_machines_and_nothing_else(gauge: Path, tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "patient001")
    arguments = ("segment", patient, tmp_path / "missing", "-o", tmp_path / "out", "--json")
    done = heartseg(*arguments, "--model", gauge, "--formats", "json")
    assert (done.code, done.err) == (1, "")
    first, second = done.json()
    assert [first["study"], first["status"]] == ["patient001", "done"]
    assert first["report"] == json.loads((tmp_path / "out/patient001/report.json").read_text())
    assert [second["study"], second["status"], second["report"]] == ["missing", "failed", None]
    assert "check the path" in second["said"]
    again = heartseg(*arguments, "--model", gauge).json()
    assert again[0]["status"] == "skipped"
    assert again[0]["report"] == first["report"]


def test_a_second_run_says_what_it_skips(gauge: Path, tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "patient001")
    arguments = ("segment", patient, "-o", tmp_path / "out", "--model", gauge)
    assert heartseg(*arguments, "--formats", "json").code == 0
    done = heartseg(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out == "patient001: skipped: already done; --overwrite does it again\n"
    assert heartseg(*arguments, "--overwrite").code == 0
    assert (tmp_path / "out" / "patient001" / "overview.png").is_file()


def test_bodies_of_a_table_reach_the_report(gauge: Path, tmp_path: Path) -> None:
    paths = [doors.write_patient(tmp_path / f"patient00{number}") for number in (1, 2)]
    (tmp_path / "bodies.csv").write_text("study,sex,weight_kg\npatient001,F,50\n")
    done = heartseg(
        *("segment", *paths, "-o", tmp_path / "out", "--model", gauge, "--formats", "json"),
        *("--body", tmp_path / "bodies.csv"),
    )
    assert done.code == 0, done.err
    report = json.loads((tmp_path / "out" / "patient001" / "report.json").read_text())
    assert (report["body"]["sex"], report["body"]["weight_kg"]) == ("F", 50.0)
    assert "patient002: no row for it in the table of bodies" in done.err


def test_measure_takes_published_labels_own_masks_and_what_segment_wrote(
    gauge: Path, tmp_path: Path
) -> None:
    patient = doors.write_patient(tmp_path / "set" / "patient001")
    heartseg("segment", patient, "-o", tmp_path / "seg", "--model", gauge, "--formats", "nifti")
    edv = doors.volume_ml(doors.heart(8), 3)
    for number, place in enumerate((patient, tmp_path / "set", tmp_path / "seg")):
        out = tmp_path / f"out{number}"
        done = heartseg("measure", patient, "--labels-from", place, "-o", out, "--json")
        assert done.code == 0, done.out
        (row,) = done.json()
        values = {finding["key"]: finding["value"] for finding in row["report"]["findings"]}
        assert values["lv_edv_ml"] == pytest.approx(edv)
        assert row["report"]["model"]["name"] == f"labels from {place.name}"
        assert names(out / "patient001") == ["overview.png", "report.html", "report.json"]


def test_measure_of_a_dicom_series_takes_the_mask_of_segment(gauge: Path, tmp_path: Path) -> None:
    dicom = doors.write_dicom(tmp_path / "dicom")
    heartseg("segment", dicom, "-o", tmp_path / "seg", "--model", gauge, "--formats", "nifti")
    done = heartseg(
        "measure", dicom, "--labels-from", tmp_path / "seg", "-o", tmp_path / "out", "--json"
    )
    assert done.code == 0, done.out
    (row,) = done.json()
    assert row["report"]["curves"]["lv_ml"] == pytest.approx(
        [doors.volume_ml(frame, 3) for frame in doors.cine()]
    )


def test_evaluate_of_what_segment_wrote(gauge: Path, tmp_path: Path) -> None:
    doors.write_patient(tmp_path / "set" / "patient001")
    out, table = tmp_path / "out", tmp_path / "tables" / "agreement.csv"
    heartseg("segment", tmp_path / "set", "-o", out, "--model", gauge, "--formats", "nifti")
    done = heartseg("evaluate", out, tmp_path / "set", "-o", table)
    assert (done.code, done.err) == (0, "")
    assert "Empty masks. Dice: both empty 1" in done.out
    assert "lv_ef" in done.out
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["case"], row["dice"]) for row in rows} == {("patient001", "1.0")}
    found = heartseg("evaluate", out, tmp_path / "set", "--json").json()
    assert found["clinical"]["lv_ef"]["mean_absolute_error"] == 0.0
    assert {row["structure"] for row in found["rows"]} == {"lv", "myo", "rv"}
    assert found["problems"] == {}


def test_evaluate_of_two_predictions_fills_a_folder(tmp_path: Path) -> None:
    for number, radii in ((1, (8, 5)), (2, (9, 6))):
        doors.write_patient(tmp_path / "set" / f"patient00{number}", radii=radii)
    shutil.copytree(tmp_path / "set", tmp_path / "first")
    shutil.copytree(tmp_path / "set", tmp_path / "second")
    pairs = (tmp_path / "first", tmp_path / "second", tmp_path / "set")
    done = heartseg("evaluate", *pairs, "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert "== first ==" in done.out
    assert "Two-sided Wilcoxon signed-rank tests, corrected together by Holm" in done.out
    assert "Human limit" in done.out
    tables = {
        file.stem: list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
        for file in (tmp_path / "out").glob("*.csv")
    }
    assert set(tables) == {
        "cases", "statistics", "findings", "agreement", "differences", "human_limit",
    }  # fmt: skip
    assert {row["prediction"] for row in tables["cases"]} == {"first", "second"}
    assert {row["hole_error"] for row in tables["cases"]} == {"0.0"}
    assert {row["unit"] for row in tables["statistics"]} == {"1", "mm", "mL", "pieces"}
    assert {row["first"] for row in tables["differences"]} == {"first"}
    ef = next(row for row in tables["agreement"] if row["finding"] == "lv_ef")
    assert (ef["bias"], ef["bias_low"], ef["limits_high"]) == ("0.0", "0.0", "0.0")
    plots = {file.name for file in (tmp_path / "out").glob("*.svg")}
    assert {"dice.svg", "dice-violins.svg"} <= plots
    assert {"bland-altman-first-lv_ef.svg", "correlation-second-rv_edv_ml.svg"} <= plots
    said = (tmp_path / "out" / "evaluation.txt").read_text(encoding="utf-8")
    assert "Specificity: both empty 1" in said
    both = heartseg("evaluate", *pairs, "--json").json()
    assert set(both) == {"predictions", "differences", "human_limit"}
    assert both["predictions"]["second"]["rows"][0]["dice"] == 1.0


def test_evaluate_needs_a_reference(tmp_path: Path) -> None:
    done = heartseg("evaluate", tmp_path / "only.nii")
    assert done.code == 2
    assert "got one path" in done.err


def test_evaluate_says_what_it_could_not_compare_and_fails(gauge: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        doors.write_patient(tmp_path / "set" / f"patient00{number}")
    shutil.copytree(tmp_path / "set", tmp_path / "pred")
    for file in (tmp_path / "pred" / "patient002").glob("*_frame01*"):
        file.unlink()
    done = heartseg("evaluate", tmp_path / "pred", tmp_path / "set")
    assert done.code == 1
    assert "patient002: not compared: pred: got no mask for patient002_frame01" in done.out
    assert len(heartseg("evaluate", tmp_path / "pred", tmp_path / "set", "--json").json()["rows"])


def test_a_table_that_cannot_be_written_is_said_after_the_results(tmp_path: Path) -> None:
    mask = doors.save_nifti(tmp_path / "m.nii.gz", doors.heart())
    done = heartseg("evaluate", mask, mask, "-o", mask / "table.csv")
    assert done.code == 1
    assert "dice" in done.out
    assert done.err.startswith("heartseg: table.csv: got File exists")


def test_inspect_says_what_it_sees(tmp_path: Path) -> None:
    dicom = doors.write_dicom(tmp_path / "dicom")
    (seen,) = heartseg("inspect", dicom, "--json").json()
    assert (seen["layout"], seen["modality"], seen["view"]) == ("dicom", "MR", "sax")
    assert (seen["frames"], seen["slices"], seen["size"]) == (4, 4, [38, 46])
    assert seen["spacing"] == [9.0, 1.5, 1.5]
    assert seen["body"]["height_cm"] == pytest.approx(170.0)
    text = heartseg("inspect", doors.write_patient(tmp_path / "patient001")).out
    assert text == (
        "study        patient001\n"
        "layout       acdc\n"
        "body         height 180 cm, weight 80 kg (Info.cfg)\n"
        "group        DCM\n"
        "image        MR, short axis: so are all images of acdc\n"
        "files        2: patient001_frame01.nii.gz, patient001_frame09.nii.gz\n"
        "frames       2, times not known\n"
        "grid         4 slices of 38 x 46 pixels, 9 x 1.5 x 1.5 mm\n"
        "orientation  of the patient not known: left and right cannot be told from the file\n"
        "phases       ED frame 1, ES frame 2 of 2 (given; from 0: 0,1)\n"
        "labels       published, numbers 0, 1, 2, 3: scheme acdc\n"
        "model        cine-mr: the shipped one for MR sax\n"
        "check        4 slices of a short axis: check that none is missing between base and apex\n"
    )


def test_inspect_fails_when_something_cannot_be_read(tmp_path: Path) -> None:
    for number in (1, 2):
        doors.write_patient(tmp_path / f"patient00{number}")
    (tmp_path / "patient002" / "patient002_frame01.nii.gz").write_bytes(b"x")
    done = heartseg("inspect", tmp_path, "--json")
    assert done.code == 1
    assert [bool(seen["problem"]) for seen in done.json()] == [False, True]


def test_models_tell_what_is_shipped(shipped: str) -> None:
    rows = {row["name"]: row for row in heartseg("models", "--json").json()}
    assert set(rows) == {shipped, "cine-mr-all"}
    for row in rows.values():
        assert (row["modality"], row["view"]) == ("MR", "sax")
        assert row["structures"] == "lv, myo, rv"
        assert row["licence"] in heartseg("models").out
    # Nobody of its data set is left to test what everybody trained.
    assert rows[shipped]["test_dice_mean"] > 0.9
    assert "test_dice_mean" not in rows["cine-mr-all"]


def test_the_doctor_says_how_fast_it_is_here(shipped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    monkeypatch.setattr("heartseg.cli.examination.PROBE_SECONDS", 0.2)
    found = heartseg("doctor", "--json").json()
    assert found["heartseg"] == package.__version__
    assert found["packages"]["numpy"] == importlib.metadata.version("numpy")
    assert found["extras"]["train"] is True
    assert shipped in found["models"]
    speed = found["speed"]
    rate = speed["planes_a_second"]
    assert rate > 0.5
    assert speed["seconds_to_segment_10_planes"] == pytest.approx(10 / rate, rel=0.1, abs=0.01)
    assert speed["seconds_to_segment_a_cine_of_240_planes"] == pytest.approx(240 / rate, rel=0.02)
    text = heartseg("doctor").out
    assert f"heartseg: {package.__version__}" in text
    assert "planes_a_second" in text


def test_the_doctor_gives_no_number_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heartseg.segment.bundle_folder._shipped_folder", lambda: Path("nowhere"))
    done = heartseg("doctor", "--json")
    assert done.code == 0, done.err
    assert "no such model" in done.json()["speed"]["problem"]
    assert done.json()["models"] == []


def test_phantoms_are_written_with_their_truth(tmp_path: Path) -> None:
    done = heartseg("phantom", "-o", tmp_path, "--seed", 3, "--as", "nifti", "--json")
    assert done.code == 0, done.err
    (folder,) = map(Path, done.json())
    assert folder == tmp_path / "phantom-0003"
    assert sorted(path.name for path in folder.iterdir()) == [
        "phantom-0003_sax.nii.gz",
        "phantom-0003_sax_gt.nii.gz",
        "truth.json",
    ]
    again = heartseg("phantom", "-o", tmp_path, "--seed", 3)
    assert again.code == 1
    assert "phantom-0003: got a folder that exists; choose another" in again.err


def test_phantoms_are_written_as_ct_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from heartseg.phantom import Acquisition, make_ct_study, study

    tiny = Acquisition(slices=2, frames=2, matrix=(40, 40), spacing_mm=(5.0, 5.0))
    monkeypatch.setattr(
        study, "PHANTOMS", {"ct": lambda seed: make_ct_study(seed, acquisition=tiny)}
    )
    for written_as, name in (("nifti", "phantom-0003_sax_ct"), ("dicom", "CT-")):
        out = tmp_path / written_as
        done = heartseg("phantom", "-o", out, "--kind", "ct", "--seed", 3, "--as", written_as)
        assert done.code == 0, done.err
        (seen,) = heartseg("inspect", out, "--json").json()
        assert (seen["modality"], seen["view"]) == ("CT", "sax")
        assert seen["study"].startswith(name)
    wrong = heartseg("phantom", "-o", tmp_path, "--kind", "ct", "--as", "dicom", "--exam", "x")
    assert wrong.code != 0
    assert "--kind cine-mr --as dicom" in wrong.err


def test_the_demo_prints_measured_beside_true(
    gauge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phantom of the design, with the writing of it made quick."""
    _quick_phantom(monkeypatch)
    monkeypatch.setattr("heartseg.choice.DEFAULT_MODELS", {("MR", "sax"): str(gauge)})
    mine = tmp_path / "phantom" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("not to be removed")
    for _ in range(2):  # the second time over the first
        done = heartseg("demo", "-o", tmp_path)
        assert done.code == 0, done.err
        assert "a synthetic heart (square)" in done.out
        assert "LV end-diastolic volume" in done.out
        assert "100.0 mL" in done.out
    assert mine.read_text() == "not to be removed"
    found = heartseg("demo", "-o", tmp_path, "--json").json()
    edv = {one["key"]: one for one in found["measures"]}["lv_edv_ml"]
    assert edv["true"] == 100.0
    assert edv["measured"] == pytest.approx(doors.volume_ml(doors.heart(8), 3))
    assert Path(found["report"]).is_file()


def test_the_demo_removes_no_folder_that_it_did_not_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "phantom" / "phantom-0001"
    theirs.mkdir(parents=True)
    (theirs / "thesis.txt").write_text("years of work")
    done = heartseg("demo", "-o", tmp_path)
    assert done.code == 1
    assert "phantom-0001: got a folder that exists" in done.err
    assert (theirs / "thesis.txt").is_file()


def _quick_phantom(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_study(folder: Path, seed: int, *, file_format: str) -> Path:
        assert file_format == "dicom"
        target = folder / f"phantom-{seed:04d}"
        doors.write_dicom(target / "dicom")
        (target / "truth.json").write_text('{"kind": "square", "lv_edv_ml": 100.0, "ed": 0}')
        return target

    monkeypatch.setattr("heartseg.cli.phantoms.make_study", lambda seed, kind: seed)
    monkeypatch.setattr("heartseg.cli.phantoms.write_study", write_study)


def test_the_version_and_the_help() -> None:
    assert heartseg("--version").out == package.__version__ + "\n"
    text = heartseg("--help")
    assert text.code == 0
    for command in ("demo", "segment", "measure", "evaluate", "inspect", "models", "doctor"):
        assert command in text.out
        assert heartseg(command, "--help").code == 0


def test_real_published_labels_are_measured(real_data: Path, tmp_path: Path) -> None:
    cases = {
        "patient005": ("acdc/training/patient005", 2),
        "SC-HF-I-1": ("sunnybrook/SC-HF-I-1", 20),
    }
    for name, (place, frames) in cases.items():
        path = real_data / place
        done = heartseg("measure", path, "--labels-from", path, "-o", tmp_path / "out", "--json")
        assert done.code == 0, done.out
        (row,) = done.json()
        assert row["study"] == name
        values = {finding["key"]: finding["value"] for finding in row["report"]["findings"]}
        assert 0.1 < values["lv_ef"] < 0.5  # both hearts fail
        assert len(row["report"]["curves"]["lv_ml"]) == frames


def test_real_published_labels_agree_with_themselves(real_data: Path) -> None:
    patient = real_data / "acdc" / "training" / "patient005"
    found = heartseg("evaluate", patient, patient, "--json").json()
    assert {row["dice"] for row in found["rows"]} == {1.0}
    assert found["clinical"]["lv_ef"]["mean_absolute_error"] == 0.0


def test_measure_takes_a_table_of_bodies_and_says_rows_of_no_study(tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "patient001")
    info = patient / "Info.cfg"
    info.write_text(info.read_text().replace("180.0", "1.80"))
    arguments = ("measure", patient, "--labels-from", patient, "--formats", "json")
    done = heartseg(*arguments, "-o", tmp_path / "asked")
    said = "height 1.8 cm is outside 30 to 250 cm: not used; give it with --height-cm"
    assert f"patient001: {said}" in done.err
    assert said in done.out
    table = tmp_path / "bodies.csv"
    table.write_text("study,height_cm\npatient001,180\npatient01,170\n")
    done = heartseg(*arguments, "-o", tmp_path / "told", "--body", table)
    assert done.code == 0
    assert done.err == (
        "heartseg: --body: 1 rows of no study in this run: patient01; ids stand in summary.csv\n"
    )
    report = json.loads((tmp_path / "told" / "patient001" / "report.json").read_text())
    assert report["body"]["sources"] == {"height_cm": "table bodies.csv", "weight_kg": "Info.cfg"}
    assert report["body"]["not_used"] == {}


def test_inspect_goes_on_after_a_bad_study_and_sums_up(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        doors.write_patient(tmp_path / f"patient00{number}")
    (tmp_path / "patient002" / "patient002_frame01.nii.gz").write_bytes(b"x")
    done = heartseg("inspect", tmp_path)
    assert done.code == 1
    assert done.out.count("study        ") == 3
    assert done.out.endswith(
        "\n\n3 studies, 2 with something to check; 1 cannot be read: patient002\n"
    )


def test_inspect_sees_an_archive_and_draws_it(tmp_path: Path) -> None:
    dicom = doors.write_dicom(tmp_path / "dicom")
    packed = shutil.make_archive(str(tmp_path / "study"), "zip", dicom)
    done = heartseg("inspect", packed, "--preview", tmp_path / "a.png")
    assert (done.code, done.err.endswith(": a.png\n")) == (0, True)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_inspect_draws_a_picture_a_study_into_a_folder(tmp_path: Path) -> None:
    for number in (1, 2):
        doors.write_patient(tmp_path / "set" / f"patient00{number}")
    done = heartseg("inspect", tmp_path / "set", "--preview", tmp_path / "p", "--json")
    assert done.code == 0, done.err
    assert len(done.json()) == 2
    assert names(tmp_path / "p") == ["patient001.png", "patient002.png"]
    done = heartseg("inspect", tmp_path / "set", "--preview", tmp_path / "one.png")
    assert (done.code, done.out) == (2, "")
    assert "--preview: got one file for several studies; name a folder" in done.err


def test_inspect_draws_the_preparation_that_is_asked_for(tmp_path: Path) -> None:
    scan, shown = tmp_path / "scan.png", {}
    Pictures.fromarray(np.random.default_rng(0).integers(0, 255, (64, 48), "uint8")).save(scan)
    for name in ("heartseg", "thesis-001"):
        out = tmp_path / f"{name}.png"
        done = heartseg("inspect", scan, "--preview", out, "--preparation", name)
        assert done.code == 0, done.err
        with Pictures.open(out) as drawn:
            shown[name] = drawn.height
    assert shown["thesis-001"] > shown["heartseg"]  # two steps more: another line of panels
    done = heartseg("inspect", scan, "--preparation", "thesis-001")
    assert (done.code, done.out) == (2, "")
    assert "--preparation: got no --preview" in done.err
    done = heartseg("inspect", scan, "--preview", tmp_path / "x.png", "--preparation", "none")
    assert (done.code, done.out) == (2, "")
    assert "allowed: heartseg, thesis-001" in done.err


def test_a_picture_that_is_inspected_is_never_drawn_over(tmp_path: Path) -> None:
    picture = Pictures.fromarray(np.arange(4096).reshape(64, 64).astype(np.uint8))
    picture.save(tmp_path / "scan.png")
    before = (tmp_path / "scan.png").read_bytes()
    done = heartseg("inspect", tmp_path / "scan.png", "--preview", tmp_path / "scan.png")
    assert done.code == 1
    assert "scan: not drawn: scan.png: got a file that is no preview" in done.err
    assert (tmp_path / "scan.png").read_bytes() == before


def test_segment_keeps_probabilities_only_when_asked(gauge: Path, tmp_path: Path) -> None:
    scan = doors.save_nifti(tmp_path / "scan.nii.gz", doors.painted(doors.heart()))
    common = ("segment", scan, "--model", gauge, "--view", "sax", "--formats", "json", "-o")
    assert heartseg(*common, tmp_path / "a").code == 0
    assert heartseg(*common, tmp_path / "b", "--save-probabilities").code == 0
    pages = ["scan/report.json", "summary.csv"]
    assert names(tmp_path / "a") == pages
    kept = ["scan/scan_prob.json", "scan/scan_prob.nii.gz"]
    assert names(tmp_path / "b") == sorted([*pages, *kept])


def test_segment_takes_several_models_and_says_when_they_do_not_fit(
    gauge: Path, tmp_path: Path
) -> None:
    scan = doors.save_nifti(tmp_path / "scan.nii.gz", doors.painted(doors.heart()))
    other = doors.write_gauge(tmp_path / "other", name="other", steepness=30.0, spacing_mm=2.0)
    common = ("segment", scan, "--view", "sax", "--formats", "json", "--json", "-o", tmp_path / "o")
    done = heartseg(*common, "--model", gauge, "--model", other)
    assert done.code == 0, done.err
    model = done.json()[0]["report"]["model"]
    assert model["name"] == "ensemble of 2: gauge, other"
    assert [one["name"] for one in model["members"]] == ["gauge", "other"]
    apical = doors.write_gauge(tmp_path / "apical", view="4ch", steepness=30.0)
    done = heartseg(*common, "--model", gauge, "--model", apical)
    assert done.code == 1
    assert "view sax of 'gauge' and 4ch" in done.err
    assert "allowed: the same structures, modality and view" in done.err
