"""What `heartseg explain` writes and says."""

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile
from PIL import Image as Pictures

from heartseg.explain.methods import METHODS, USUAL
from heartseg.read import find_studies
from heartseg.report.study_folder import is_result
from tests import doors
from tests.cli.door import heartseg


@pytest.fixture(scope="module")
def done(patient: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    answer = heartseg(
        *("explain", patient, "-o", out, "--model", model, "--target", "lv_ef", "--check"),
        *("--method", "saliency", "--method", "grad-cam++", "--slices", "0,1"),
    )
    assert answer.code == 0, answer.err
    assert "EF points of soft volumes" in answer.out
    return out / "patient011"


def test_arrays_have_the_source_s_header_and_nothing_where_nothing_was_asked(
    done: Path, patient: Path
) -> None:
    for frame in (1, 9):
        source = nib.load(patient / f"patient011_frame{frame:02d}.nii.gz")
        array = nib.load(done / f"patient011_frame{frame:02d}_saliency_map.nii.gz")
        assert array.get_data_dtype() == np.float32
        assert (array.affine == source.affine).all()
        for name in ("sform_code", "qform_code", "xyzt_units", "pixdim"):
            assert (array.header[name] == source.header[name]).all(), name
        values = array.get_fdata()
        assert values.shape == source.shape
        assert np.isfinite(values[..., :2]).all()
        assert np.isnan(values[..., 2:]).all()
        assert np.abs(values[..., :2]).max() > 0
    assert (done / "patient011_frame01_grad-cam-plus-plus_map.nii.gz").is_file()


def test_the_array_is_the_map_at_its_place(done: Path, patient: Path, lv: np.ndarray) -> None:
    array = nib.load(done / "patient011_frame01_saliency_map.nii.gz").get_fdata()
    moved = np.moveaxis(array, range(3), range(3)[::-1])[:2]  # (z, y, x)
    # Grey values at LV's own level or between it and the wall's move its volume; those far do not.
    assert np.abs(moved[lv[0, :2]]).min() > np.abs(moved[doors.cine((8,))[0, :2] == 0]).max()


def test_the_json_tells_everything(done: Path) -> None:
    said = json.loads((done / "explain.json").read_text(encoding="utf-8"))
    assert said["target"] == {
        "key": "lv_ef",
        "name": "LV ejection fraction",
        "unit": "EF points",
        "structure": "lv",
    }
    assert said["model"]["name"] == "torch-gauge"
    first, second = said["maps"]
    assert (first["method"], second["method"]) == ("saliency", "grad-cam++")
    assert first["frames"] == [0, 1]
    assert all((done / name).is_file() for one in said["maps"] for name in one["arrays"])
    assert (done / first["overlay"]).is_file()
    measure = said["measure"]["sax"]
    assert measure["value"] == pytest.approx(measure["hard"], abs=1.0)
    checks = said["checks"]["sax"]
    assert [one["method"] for one in checks] == ["saliency", "grad-cam++"]
    assert set(checks[0]["areas"]["deletion"]) == {"map", "random", "edges", "bright"}
    assert said["settings"]["layer"] == "decoder"
    assert said["provenance"]["research_only"].startswith("Research use only")


def test_pictures_and_page_stand_alone(done: Path) -> None:
    for name in ("sax_saliency_map.png", "sax_grad-cam-plus-plus_map.png", "sax_checks.png"):
        with Pictures.open(done / name) as picture:
            assert picture.width > 600, name
    page = (done / "index.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert not re.search(r"(src|href)=[\"']?(?!data:)\w", page)
    assert "default-src 'none'" in page
    assert "EF points per unit of grey" in page


def test_an_explained_study_is_skipped_and_done_again_when_asked(
    done: Path, patient: Path, model: Path
) -> None:
    same = ("explain", patient, "-o", done.parent, "--model", model, "--slices", "1")
    again = heartseg(*same, "--json")
    assert again.code == 0
    (row,) = again.json()
    assert (row["status"], row["study"]) == ("skipped", "patient011")
    before = {file.name: file.read_bytes() for file in done.iterdir()}
    try:
        anew = heartseg(*same, "--method", "entropy", "--overwrite", "--json")
        assert anew.code == 0, anew.err
        left = {file.name for file in done.iterdir()}
        assert not [name for name in left if "saliency" in name], "an old map stands among new ones"
        assert "sax_entropy_map.png" in left
    finally:
        for file in done.iterdir():
            file.unlink()
        for name, content in before.items():
            (done / name).write_bytes(content)


def test_maps_are_not_taken_for_images(done: Path) -> None:
    assert is_result(done / "sax_saliency_map.png")
    assert is_result(done / "patient011_frame01_saliency_map.nii.gz")
    assert not is_result(done.parent / "sax_saliency_map.png")
    offered = find_studies(done.parent)
    assert all(is_result(one.path) for one in offered)
    answer = heartseg("segment", done.parent, "-o", done.parent / "seg")
    assert "results of heartseg, no images" in answer.err


def test_a_folder_of_somebody_is_left_alone(patient: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "patient011").mkdir()
    (tmp_path / "patient011" / "notes.txt").write_text("mine", encoding="utf-8")
    answer = heartseg("explain", patient, "-o", tmp_path, "--model", model, "--slices", "1")
    assert answer.code == 1
    assert "not heartseg's" in answer.err
    assert [file.name for file in (tmp_path / "patient011").iterdir()] == ["notes.txt"]


def test_a_picture_gets_a_tiff(model: Path, tmp_path: Path) -> None:
    plane = doors.painted(doors.heart(8))[0].astype(np.uint16)
    Pictures.fromarray((plane // 4).astype(np.uint8)).save(tmp_path / "one.png")
    answer = heartseg(
        *("explain", tmp_path / "one.png", "-o", tmp_path / "out", "--model", model),
        *("--view", "sax", "--method", "saliency"),
    )
    assert answer.code == 0, answer.err
    values = tifffile.imread(tmp_path / "out" / "one" / "one_saliency_map.tiff")
    assert values.shape == plane.shape
    assert values.dtype == np.float32
    assert np.abs(values).max() > 0
    of_volume = heartseg(
        *("explain", tmp_path / "one.png", "-o", tmp_path / "out2", "--model", model),
        *("--view", "sax", "--target", "lv_edv_ml"),
    )
    assert of_volume.code == 1
    assert "--spacing-mm" in of_volume.err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--method", "lime"), "--method: got 'lime'; allowed: saliency"),
        (("--target", "ef"), "--target: got 'ef'"),
        (("--method", "spread"), "got one model"),
        (("--set", "layers=x"), "did you mean 'layer'"),
        (("--device", "tpu"), "--device"),
    ],
)
def test_wrong_words_are_heard_of_at_once(
    wrong: tuple[str, ...], said: str, patient: Path, model: Path, tmp_path: Path
) -> None:
    answer = heartseg("explain", patient, "-o", tmp_path / "out", "--model", model, *wrong)
    assert answer.code == 2, answer.err
    assert said in answer.err
    assert not (tmp_path / "out").exists()


def test_one_that_fails_stops_none_of_the_others(
    patient: Path, model: Path, tmp_path: Path
) -> None:
    answer = heartseg(
        *("explain", tmp_path / "missing", patient, "-o", tmp_path / "out", "--model", model),
        *("--method", "entropy", "--slices", "1", "--json"),
    )
    assert answer.code == 1
    assert [row["status"] for row in answer.json()] == ["failed", "done"]


def test_the_help_names_every_method() -> None:
    said = re.sub(r"[\s│]+", " ", heartseg("explain", "--help").out)
    for name in METHODS:
        assert name in said or name in said.replace("- ", "-"), name
    assert set(USUAL) <= set(METHODS)
