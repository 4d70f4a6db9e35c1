"""`heartseg translate`: trains, goes on, applies, and `heartseg train` reads what it wrote."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from tests.cli.door import heartseg

pytest.importorskip("torch")
from heartseg.config import from_changes
from heartseg.core.errors import OutputError
from heartseg.core.study import View
from heartseg.read import find_studies
from heartseg.train.checkpoint import load_checkpoint
from heartseg.train.frames import frames_of
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.translate.pictures import grid
from tests.train import tiny
from tests.train.translate import small


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two data sets, and in `out` what training made."""
    folder = tmp_path_factory.mktemp("translation")
    done = heartseg("translate", "train", small.write_run(folder), "-o", folder / "out")
    assert done.code == 0, done.err
    assert "wrote the translator to-dark 0.1.0" in done.out
    assert "discriminator_loss" in done.out
    return folder


def test_a_run_leaves_checkpoint_log_pictures_record_and_translator(run: Path) -> None:
    out = run / "out"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*.*")}
    assert names == {
        *("last.pt", "log.jsonl", "run.json", "split.json"),
        *("pictures/000002.png", "pictures/000004.png"),
        *(f"translator/{name}" for name in ("there.onnx", "back.onnx", "translator.toml")),
    }
    split = json.loads((out / "split.json").read_text())
    assert not set(split["source_trained_on"]) & set(split["source_validated_on"])
    assert set(split["target_trained_on"]) <= {"heart5", "heart6", "heart7"}
    assert json.loads((out / "run.json").read_text())["settings"]["task"] == "translate"


def test_a_stopped_run_goes_on_to_the_same_weights(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("translate", "train", run / "run.toml", "-o", tmp_path / "out")

    drawn = []

    def stop(rows: Any) -> bytes:
        """The disk is full at the second picture; the checkpoint of the first one is there."""
        drawn.append(rows)
        if len(drawn) == 2:
            raise OutputError("disk", got="full")
        return grid(rows)

    with monkeypatch.context() as broken:
        broken.setattr("heartseg.train.translate.pictures.grid", stop)
        assert heartseg(*command).code == 1
    assert load_checkpoint(tmp_path / "out" / "last.pt")["step"] == 2
    begun = heartseg(*command, "--resume")
    assert begun.code == 0, begun.err
    whole, other = (load_checkpoint(one / "last.pt") for one in (run / "out", tmp_path / "out"))
    assert whole["step"] == other["step"] == 4
    assert tiny.difference(whole["task"], other["task"]) == ""
    changed = heartseg(*command, "--resume", "--set", "cyclegan.cycle=3")
    assert changed.code == 2
    assert "cyclegan" in changed.err


def test_a_run_is_not_overwritten_and_a_wrong_file_is_said(run: Path) -> None:
    again = heartseg("translate", "train", run / "run.toml", "-o", run / "out")
    assert again.code == 1
    assert "--resume" in again.err
    wrong = heartseg("translate", "train", run / "run.toml", "-o", run / "x", "--set", "taks=1")
    assert wrong.code == 2
    assert "did you mean 'task'" in wrong.err


@pytest.fixture(scope="module")
def made(run: Path, gauge: Path) -> Path:
    """The translated set."""
    out = run / "set"
    done = heartseg(
        *("translate", "apply", run / "out" / "translator", run / "bright", "-o", out),
        *("--assume-view", "--target", run / "dark", "--encoder-model", "cine-mr"),
        *("--source-model", gauge, "--least-dice", "0.3"),
    )
    assert done.code == 0, done.err
    assert "3 of 3 images keep their anatomy" in done.out
    return out


def test_grids_labels_and_patients_stay(run: Path, made: Path) -> None:
    for name in ("heart0", "heart1", "heart2"):
        before = nib.load(run / "bright" / "images" / f"{name}.nii.gz")
        after = nib.load(made / "images" / f"{name}.nii.gz")
        np.testing.assert_allclose(after.affine, before.affine, atol=1e-4)
        assert after.shape == before.shape
        assert after.get_data_dtype() == np.float32
        values = np.asanyarray(after.dataobj)
        assert 0 <= values.min() < values.max() <= 1
        assert len(np.unique(values)) > 1000  # floats from end to end
        truth, copied = (
            np.asanyarray(nib.load(root / "labels" / f"{name}.nii.gz").dataobj)
            for root in (run / "bright", made)
        )
        np.testing.assert_array_equal(copied, truth)
    assert (made / "labels.toml").read_text() == (
        '[labels]\n0 = "background"\n1 = "rv"\n2 = "myo"\n3 = "lv"\n'
    )
    assert (made / "split.csv").read_text().splitlines()[1] == "heart0,heart0,"


def test_training_reads_a_translated_set_as_any_other(made: Path) -> None:
    table = {
        **{"name": "x", "folder": str(made), "view": "lge", "assume_view": True},
        "split": {"by": "fold", "folds": 3},
    }
    settings = from_changes(RunSettings, table, ())
    chosen = select(settings, Path())
    (frame,) = frames_of(chosen.training, settings)
    assert set(np.unique(frame.classes)) == {0, 1, 2, 3}
    found = find_studies(made, view=View.LATE_ENHANCEMENT)
    assert [one.patient for one in found] == ["heart0", "heart1", "heart2"]


def test_the_report_lies_beside_it(run: Path, made: Path) -> None:
    told = json.loads((made / "anatomy.json").read_text())
    assert told["accepted"] == 3
    assert told["means"]["dice_source"] > 0.9
    assert told["means"]["dice_back"] is not None
    assert told["histogram_distance"]["before"] > told["histogram_distance"]["floor"]
    assert told["feature_space"]["model"].startswith("cine-mr")
    assert told["provenance"]["inputs"] == ["bright", "dark"]
    assert told["translator"]["sha256"] in (run / "out/translator/translator.toml").read_text()
    assert "data:image/png" in (made / "anatomy.html").read_text()


def test_what_moved_is_put_apart_counted_and_said(run: Path, gauge: Path) -> None:
    out = run / "strict"
    done = heartseg(
        *("translate", "apply", run / "out" / "translator", run / "bright", "-o", out),
        *("--assume-view", "--target-model", gauge, "--least-dice", "1", "--json"),
    )
    assert done.code == 0, done.err
    told = done.json()
    assert (told["images"], told["accepted"], len(told["rejected"])) == (3, 0, 3)
    assert sorted(path.name for path in (out / "rejected" / "images").iterdir()) == [
        f"heart{n}.nii.gz" for n in range(3)
    ]
    assert not list((out / "images").iterdir())
    assert (out / "split.csv").read_text() == "file,patient,split\n"
    assert "rejected" in (out / "anatomy.html").read_text()


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--least-dice", "high"), 2, "a number, or none"),
        (("--device", "gpu"), 2, "device"),
        (("--encoder-model", "no-such", "--target", "."), 1, "no such model"),
        (("--assume-view", "--target-model", "no-such"), 1, "no such model"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Path, tmp_path: Path, more: tuple[str, ...], code: int, said: str
) -> None:
    translator = run / "out" / "translator"
    done = heartseg("translate", "apply", translator, run / "bright", "-o", tmp_path / "s", *more)
    assert done.code == code
    assert said in done.err


def test_a_set_is_not_mixed_with_another(run: Path, made: Path) -> None:
    translator = run / "out" / "translator"
    done = heartseg("translate", "apply", translator, run / "bright", "-o", made, "--assume-view")
    assert done.code == 1
    assert "mixed" in done.err
