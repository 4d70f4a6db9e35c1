"""A folder becomes a RUN.toml: by rules, with reasons, the same each time, and it trains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
from heartseg.config import load
from heartseg.core.errors import OutputError, StudyError
from heartseg.core.study import Modality, View
from heartseg.train.fingerprint import Fingerprint, Look, fingerprint
from heartseg.train.plan import plan_text, planned, write_plan
from heartseg.train.settings import RunSettings
from tests import doors

LOOK = Look(
    unit="mm", spacing=(1.5, 1.4), size=(200, 160), heart=(60, 70), planes=20, brightest=1.7
)
SEEN = Fingerprint(
    layout="acdc",
    studies=100,
    patients=100,
    modality=Modality.MR,
    view=View.SAX,
    assumed=False,
    structures=("rv", "myo", "lv"),
    looks=(LOOK,),
    without=(),
)


def settings_of(found: Fingerprint, folder: Path) -> RunSettings:
    """Through a file, as a user would."""
    path = folder / "run.toml"
    path.write_text(plan_text(found, planned(found), "mine", "data"), encoding="utf-8")
    return load(RunSettings, path)


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    for number in range(1, 4):
        doors.write_patient(tmp_path / "My set" / f"patient00{number}", radii=(8, 4 + number))
    return tmp_path / "My set"


def test_the_numbers_follow_from_what_was_seen(tmp_path: Path) -> None:
    made = settings_of(SEEN, tmp_path)
    # sqrt(1.5 * 1.4) = 1.449; 70 * 1.4 / 1.4 = 70 px; 200 * 1.5 / 1.4 = 215 px
    assert made.preparation.spacing_mm == 1.4
    assert (made.preparation.field_px, made.preparation.stride) == (224, 32)
    assert made.spatial.size_px == 160
    assert made.preparation.percentiles == (1.0, 99.0)
    assert (made.learning.batch, made.schedule.steps) == (16, 6000)
    assert made.structures == ("rv", "myo", "lv")
    assert (made.split.by, made.split.folds) == ("fold", 5)


def test_fine_pixels_are_made_coarser_until_a_plane_is_not_too_large(tmp_path: Path) -> None:
    fine = replace(LOOK, spacing=(0.2, 0.2), size=(1000, 800), heart=(500, 450), brightest=1.0)
    made = settings_of(replace(SEEN, looks=(fine,)), tmp_path)
    assert made.preparation.spacing_mm == 0.62  # 200 mm / 320
    assert made.spatial.size_px <= made.preparation.field_px == 352
    assert made.preparation.percentiles == (0.0, 100.0)
    assert made.learning.batch == 4


def test_large_pictures_without_lengths_are_stretched_and_small_ones_left(tmp_path: Path) -> None:
    large = replace(LOOK, unit="px", spacing=(1, 1), size=(512, 400), heart=(300, 100))
    made = settings_of(replace(SEEN, looks=(large,)), tmp_path)
    assert (made.preparation.spacing_mm, made.preparation.field_px) == (None, 256)
    small = replace(large, size=(40, 36), heart=(16, 15))
    made = settings_of(replace(SEEN, looks=(small,), modality=Modality.US), tmp_path)
    assert made.preparation.field_px == 40
    assert made.preparation.stride == 8
    assert (made.spatial.size_px, made.spatial.flip) == (32, 0.0)


def test_ct_is_seen_through_a_window_of_its_unit(tmp_path: Path) -> None:
    made = settings_of(replace(SEEN, modality=Modality.CT), tmp_path)
    assert made.preparation.window == (-200.0, 600.0)
    assert settings_of(SEEN, tmp_path).preparation.window is None


def test_few_patients_are_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="2 patients with labels; allowed: at least 3"):
        planned(replace(SEEN, patients=2))
    assert settings_of(replace(SEEN, patients=4), tmp_path).split.folds == 3


def test_what_some_studies_lack_and_what_is_assumed_is_said() -> None:
    found = replace(SEEN, without=("a", "b"), assumed=True)
    text = plan_text(found, planned(found), "mine", "data")
    assert "# 2 of the studies read have no labels of this view" in text
    assert "assume_view = true" in text
    assert all("  # " in line for line in text.splitlines() if " = " in line)


def test_a_folder_is_measured(patients: Path) -> None:
    found = fingerprint(patients)
    assert (found.layout, found.studies, found.view) == ("acdc", 3, View.SAX)
    assert found.structures == ("rv", "myo", "lv")
    drawn = np.stack([doors.heart(8), doors.heart(5)]).any(axis=(0, 1))
    look = found.looks[0]
    sides = sorted(int(np.ptp(np.flatnonzero(drawn.any(axis=axis)))) + 1 for axis in (0, 1))
    assert sorted(look.heart) == sides
    assert sorted(look.size) == [38, 46]
    assert (look.unit, look.planes) == ("mm", 6)
    assert look.spacing == pytest.approx((1.5, 1.5))


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    doors.write_patient(tmp_path / "a" / "patient001", labels=False)
    with pytest.raises(StudyError, match="1 studies, none with labels"):
        fingerprint(tmp_path / "a")


def test_the_plan_is_the_same_each_time_and_trains(
    patients: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heartseg.train.artefact import train_model

    monkeypatch.setattr("heartseg.train.plan.MEASURED_S", 0.01)
    path = write_plan(patients, tmp_path / "runs" / "one.toml", "cpu")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert " minutes on cpu here" in lines.pop(1)
    again = fingerprint(patients)
    assert lines == plan_text(again, planned(again), "my-set", "../My set").splitlines()
    quick = ["schedule.steps=2", "schedule.warm_up=0", "learning.batch=2", "log.curves=false"]
    bundle = train_model(path, tmp_path / "run", changes=quick, device="cpu")
    assert [one.key for one in bundle.structures] == ["background", "rv", "myo", "lv"]
    with pytest.raises(OutputError, match=r"one.toml: got a file of that name"):
        write_plan(patients, path, "cpu")


@pytest.mark.parametrize(
    ("place", "view", "keys"),
    [
        ("acdc/training", View.SAX, ("rv", "myo", "lv")),
        ("camus_original", View.LAX_2CH, ("lv", "myo", "la")),
    ],
)
def test_real_data_sets_are_planned(
    real_data: Path, place: str, view: View, keys: tuple[str, ...], tmp_path: Path
) -> None:
    folder = real_data / place
    if not folder.is_dir():
        pytest.skip(f"no {place}")
    found = fingerprint(folder)
    made = settings_of(found, tmp_path)
    assert (made.view, made.structures) == (view, keys)
    assert made.spatial.size_px <= made.preparation.field_px
    assert 2 * planned(found).heart_px <= made.spatial.size_px + 64
