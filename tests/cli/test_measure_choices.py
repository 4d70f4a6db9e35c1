"""`heartseg measure` on echo views, and the choices of a laboratory, through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.formats.nifti import write_image, write_labels
from tests.cli.door import heartseg
from tests.measure.echoes import SPACING_MM, frame, half_ellipsoid_ml, view
from tests.measure.hearts import beating, segmentation
from tests.read.miniatures import camus


def report_in(folder: Path) -> dict:
    (found,) = folder.glob("*/report.json")
    return json.loads(found.read_text(encoding="utf-8"))


def test_a_camus_patient_is_measured_and_reported(tmp_path: Path) -> None:
    camus(tmp_path / "camus")
    patient = tmp_path / "camus" / "training" / "patient0002"

    done = heartseg(
        "measure", patient, "--labels-from", patient, "--scheme", "camus", "-o", tmp_path / "out"
    )

    assert done.code == 0
    report = report_in(tmp_path / "out")
    assert set(report["phases"]) == {"2ch", "4ch"}
    values = {one["key"]: one["value"] for one in report["findings"]}
    assert values["lv_edv_ml"] is not None
    assert values["lv_ef_4ch"] is not None
    assert any("Biplane Simpson" in said for said in report["conventions"])
    assert "4ch_ed_apex" in report["landmarks"]
    for name in ("report.html", "overview.png"):
        assert (tmp_path / "out" / "patient0002" / name).stat().st_size > 1000
    page = (tmp_path / "out" / "patient0002" / "report.html").read_text(encoding="utf-8")
    assert "Left ventricle, 4-chamber view alone" in page
    assert "LV long axis and base" in page
    assert "base to apex" not in page


def test_one_view_in_a_file_is_a_single_plane(tmp_path: Path) -> None:
    seen = view(frame(80, 46), frame(66, 32))
    grid = Geometry.from_pixels((1, *seen.labels.shape[2:]), SPACING_MM)
    image = Image(np.where(seen.labels > 0, 40, 90).astype(np.int16), grid)
    write_image(tmp_path / "apical.nii.gz", image)
    write_labels(
        tmp_path / "apical_seg.nii.gz",
        type(seen)(seen.labels, grid, seen.structures),
        SCHEMES["camus"],
    )

    done = heartseg(
        *("measure", tmp_path / "apical.nii.gz", "--labels-from", tmp_path / "apical_seg.nii.gz"),
        *("--scheme", "camus", "--view", "2ch", "-o", tmp_path / "out"),
    )

    assert done.code == 0
    values = {one["key"]: one["value"] for one in report_in(tmp_path / "out")["findings"]}
    assert values["lv_edv_ml"] == pytest.approx(half_ellipsoid_ml(80, 46), rel=0.02)
    assert values["lv_ef"] == values["lv_ef_2ch"]


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A cine whose cavity holds a bar of muscle, and its labels."""
    labels = beating(frames=8, es=3, rv_es=4)
    voxels = np.array([30, 400, 120, 380])[labels].astype(np.int16)
    voxels[:, :, 26:32, 32:37] = np.minimum(voxels[:, :, 26:32, 32:37], 120)
    grid = Geometry.from_pixels(labels.shape[1:], (8.0, 1.5, 1.25))
    write_image(tmp_path / "cine.nii.gz", Image(voxels, grid))
    write_labels(tmp_path / "cine_seg.nii.gz", segmentation(labels, grid), SCHEMES["acdc"])
    return tmp_path / "cine.nii.gz"


def test_a_choice_changes_the_numbers_and_says_so(stack: Path, tmp_path: Path) -> None:
    masks = stack.with_name("cine_seg.nii.gz")
    command = ("measure", stack, "--labels-from", masks, "--formats", "json")

    plain = heartseg(*command, "-o", tmp_path / "plain")
    chosen = heartseg(*command, "--papillary", "mass", "--base", "scmr", "-o", tmp_path / "chosen")

    assert (plain.code, chosen.code) == (0, 0)
    reports = [report_in(tmp_path / name) for name in ("plain", "chosen")]
    edv, edv_chosen = (
        next(one["value"] for one in report["findings"] if one["key"] == "lv_edv_ml")
        for report in reports
    )
    assert edv_chosen < edv
    said = " ".join(reports[1]["conventions"])
    assert f"EDV {edv:.1f} to {edv_chosen:.1f} mL" in said
    assert "Base by SCMR 2020" in said
    assert "Base by SCMR 2020" not in " ".join(reports[0]["conventions"])
    settings = [report["provenance"]["settings"] for report in reports]
    assert (settings[0]["papillary"], settings[1]["papillary"]) == ("cavity", "mass")
    assert settings[1]["base"] == "scmr"


@pytest.mark.parametrize("option", ["--papillary", "--base"])
def test_an_unknown_choice_is_wrong_usage(stack: Path, tmp_path: Path, option: str) -> None:
    done = heartseg(
        *("measure", stack, "--labels-from", stack, option, "other", "-o", tmp_path / "out")
    )

    assert done.code == 2
    assert option in done.err
    assert not (tmp_path / "out").exists()


def test_contours_leave_and_come_back_as_the_same_numbers(stack: Path, tmp_path: Path) -> None:
    masks = stack.with_name("cine_seg.nii.gz")
    command = ("measure", stack, "--view", "sax", "--formats", "csv,osirix,sunnybrook")
    first = heartseg(*command, "--labels-from", masks, "-o", tmp_path / "masks")
    assert first.code == 0, first.err
    folder = tmp_path / "masks" / "cine"
    texts = [file.name for file in folder.glob("IM-0001-*-icontour-manual.txt")]
    assert len(texts) > 8
    values = {one["key"]: one["value"] for one in report_in(tmp_path / "masks")["findings"]}
    for place in (folder / "cine_osirix.csv", folder):
        out = tmp_path / f"{place.name}-again"
        done = heartseg(*command[:-1], "csv", "--labels-from", place, "-o", out)
        assert done.code == 0, done.err
        again = {one["key"]: one["value"] for one in report_in(out)["findings"]}
        assert again == values
        areas = [one / "cine_areas.csv" for one in (folder, out / "cine")]
        before, after = (sorted(file.read_text().splitlines()) for file in areas)
        assert after == before
    again = heartseg(
        *command[:-1], "json", "--labels-from", masks, "-o", tmp_path / "masks", "--overwrite"
    )
    assert again.code == 0
    assert {file.name for file in folder.iterdir()} == {"report.json"}  # nothing stale
