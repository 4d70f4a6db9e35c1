"""What a run shows: curves that say what was logged, scalars that TensorBoard reads."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
from heartseg.train import curves
from heartseg.train.log import LOG
from heartseg.train.watching import all_of, tensorboard_watcher

LINES = [
    {"step": step, "seconds": 0.1, "loss": 2.0 / step, "rate": 1 - step / 20}
    for step in range(1, 20)
] + [{"step": step, "score": 0.05 * step, "validation_loss": 0.5} for step in (5, 10, 15)]


def write_log(folder, lines=LINES):
    folder.mkdir(exist_ok=True)
    (folder / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_curve_holds_the_steps_that_told_it():
    steps, values = curves.curve(LINES, "score")
    assert steps.tolist() == [5, 10, 15]
    assert values.tolist() == pytest.approx([0.25, 0.5, 0.75])


def test_the_gap_is_what_validation_loses_more():
    steps, apart = curves.gap(curves.curve(LINES, "loss"), curves.curve(LINES, "validation_loss"))
    assert steps.tolist() == [5, 10, 15]
    assert apart.tolist() == pytest.approx([0.5 - 0.4, 0.5 - 0.2, 0.5 - 2 / 15])


def test_smoothing_is_a_mean_over_a_share():
    found = curves.smoothed(np.array([0.0, 3.0, 6.0, 9.0, 30.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 0.2)
    assert found.tolist() == pytest.approx([1.5, 3, 6, 15, 13, 10, 0, 0, 0, 0])


def test_the_picture_is_drawn_and_changes_with_the_log(tmp_path):
    from PIL import Image

    pictures = []
    for name, lines in (("a", LINES), ("b", LINES[:19]), ("c", LINES[:5])):
        write_log(tmp_path / name, lines)
        path = curves.draw_curves(tmp_path / name)
        assert path == tmp_path / name / "curves.png"
        with Image.open(path) as picture:
            pictures.append(picture.size)
        assert [one.name for one in (tmp_path / name).iterdir() if "tmp" in one.name] == []
    assert pictures[0][1] > pictures[1][1]  # a panel more, for the scores


def test_classes_are_called_by_their_titles():
    assert curves._title("dice_2", ["LV cavity", "RV cavity"]) == "RV cavity"
    assert curves._title("dice_3", ["LV cavity", "RV cavity"]) == "class 3"
    assert curves._title("score", ["LV cavity"]) == "mean"


def test_nothing_logged_is_nothing_drawn(tmp_path):
    write_log(tmp_path, [])
    assert curves.draw_curves(tmp_path) is None
    assert not (tmp_path / "curves.png").exists()


def test_tensorboard_reads_what_was_logged(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator
    watch = tensorboard_watcher(tmp_path)
    for line in LINES:
        watch(line["step"], {k: v for k, v in line.items() if k not in ("step", "seconds")})
    events = accumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    scalars = {(one.step, round(one.value, 4)) for one in events.Scalars("training/loss")}
    assert scalars == {(step, round(2.0 / step, 4)) for step in range(1, 20)}
    assert [one.step for one in events.Scalars("validation/score")] == [5, 10, 15]


def test_every_watcher_is_told():
    told = []
    watch = all_of([lambda *both: told.append(both), lambda *both: told.append(both)])
    watch(3, {"loss": 0.5})
    assert told == [(3, {"loss": 0.5})] * 2
    assert all_of([]) is None
