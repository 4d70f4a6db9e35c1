"""The loop, with a task that does nothing but count."""

import json
import math
from itertools import pairwise

import pytest

from heartseg.core.errors import ConfigError, ModelError, OutputError

torch = pytest.importorskip("torch")
from heartseg.train.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from heartseg.train.loop import BEST, LAST, LOG, Schedule, fit  # noqa: E402

SCHEDULE = Schedule(steps=10, warm_up=2, validate_every=2, log_every=1)


class Counting:
    """Its weight is the number of steps; its scores are given."""

    def __init__(self, scores=(), losses=None):
        self.count, self.scores, self.losses = 0, list(scores), losses or {}
        self.rates = []

    def step(self, rate):
        self.count += 1
        self.rates.append(rate)
        return {"loss": self.losses.get(self.count, 1 / self.count)}

    def validate(self):
        return {"score": self.scores[self.count // 2 - 1]} if self.scores else {}

    def state(self):
        return {"count": torch.tensor(self.count)}

    def restore(self, state):
        self.count = int(state["count"])


class StoppedError(Exception):
    pass


def stop_at(wanted):
    def watch(step, numbers):
        if step == wanted and "loss" in numbers:
            raise StoppedError

    return watch


def lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def test_the_rate_rises_then_falls_as_half_a_cosine():
    schedule = Schedule(steps=100, warm_up=9)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[4] == pytest.approx(0.5 * 0.5 * (1 + math.cos(math.pi * 0.04)))
    assert rates[50] == pytest.approx(0.5)
    assert rates[75] == pytest.approx(0.1464466)
    assert all(a < b for a, b in pairwise(rates[:9]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert 0 < rates[99] < 0.001


def test_without_warm_up_the_first_rate_is_full():
    assert Schedule(steps=10, warm_up=0).rate(0) == 1.0


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"validate_every": 0}, {"warm_up": -1}])
def test_a_schedule_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="schedule"):
        Schedule(**wrong)


def test_the_task_is_stepped_at_the_schedule_s_rates(tmp_path):
    task = Counting([0.5] * 5)
    fit(task, SCHEDULE, tmp_path, resume=False)
    assert task.rates == [SCHEDULE.rate(step) for step in range(10)]


def test_the_best_checkpoint_is_the_best(tmp_path):
    fit(Counting([0.1, 0.7, 0.3, 0.6, 0.2]), SCHEDULE, tmp_path, resume=False)
    best, last = load_checkpoint(tmp_path / BEST), load_checkpoint(tmp_path / LAST)
    assert (best["step"], best["best"], int(best["task"]["count"])) == (4, 0.7, 4)
    assert (last["step"], last["best"], int(last["task"]["count"])) == (10, 0.7, 10)


def test_a_worse_one_does_not_overwrite_the_best_after_resuming(tmp_path):
    scores = [0.1, 0.7, 0.3, 0.6, 0.2]
    with pytest.raises(StoppedError):
        fit(Counting(scores), SCHEDULE, tmp_path, resume=False, watch=stop_at(7))
    assert load_checkpoint(tmp_path / LAST)["step"] == 6
    resumed = Counting(scores)
    fit(resumed, SCHEDULE, tmp_path, resume=True)
    assert resumed.rates == [SCHEDULE.rate(step) for step in range(6, 10)]
    assert load_checkpoint(tmp_path / BEST)["step"] == 4
    assert load_checkpoint(tmp_path / LAST)["best"] == 0.7


def test_an_equal_score_keeps_the_earlier(tmp_path):
    fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False)
    assert load_checkpoint(tmp_path / BEST)["step"] == 2


def test_without_validation_there_is_a_last_and_no_best(tmp_path):
    fit(Counting(), SCHEDULE, tmp_path, resume=False)
    assert load_checkpoint(tmp_path / LAST)["step"] == 10
    assert not (tmp_path / BEST).exists()
    assert [set(line) for line in lines(tmp_path)] == [{"step", "seconds", "loss"}] * 10


def test_the_end_is_kept_though_no_validation_falls_on_it(tmp_path):
    fit(Counting(), Schedule(steps=7, validate_every=5), tmp_path, resume=False)
    assert load_checkpoint(tmp_path / LAST)["step"] == 7


@pytest.mark.parametrize("stop", [1, 5, 6, 9])
def test_a_resumed_log_has_no_doubles_and_no_gaps(tmp_path, stop):
    with pytest.raises(StoppedError):
        fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False, watch=stop_at(stop))
    with (tmp_path / LOG).open("a") as file:
        file.write('{"step": 2, "sec')  # the kill tore a line
    fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=True)
    written = lines(tmp_path)
    assert [line["step"] for line in written if "loss" in line] == list(range(1, 11))
    assert [line["step"] for line in written if "score" in line] == [2, 4, 6, 8, 10]
    seconds = [line["seconds"] for line in written]
    assert seconds == sorted(seconds)


def test_the_clock_of_a_resumed_log_goes_on(tmp_path):
    fit(Counting([0.5] * 5), Schedule(steps=4, log_every=1), tmp_path, resume=False)
    text = (tmp_path / LOG).read_text()
    slow = [json.dumps({**json.loads(line), "seconds": 900.0}) for line in text.splitlines()]
    (tmp_path / LOG).write_text("\n".join(slow))
    fit(Counting([0.5] * 5), Schedule(steps=6, log_every=1), tmp_path, resume=True)
    assert lines(tmp_path)[-1]["step"] == 6
    assert lines(tmp_path)[-1]["seconds"] >= 900


def test_a_finished_run_that_is_resumed_takes_no_step(tmp_path):
    fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False)
    before, task = (tmp_path / LOG).read_text(), Counting([0.5] * 5)
    fit(task, SCHEDULE, tmp_path, resume=True)
    assert task.rates == []
    assert (tmp_path / LOG).read_text() == before


def test_resuming_where_nothing_is_begins(tmp_path):
    task = Counting([0.5] * 5)
    fit(task, SCHEDULE, tmp_path / "new" / "run", resume=True)
    assert task.count == 10


def test_a_run_is_not_lost_by_starting_another_over_it(tmp_path):
    fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False)
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(OutputError, match="--resume"):
        fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False)
    assert (tmp_path / LAST).read_bytes() == before


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_and_spoils_no_checkpoint(tmp_path, bad):
    with pytest.raises(ModelError, match="training step 5.*learning.rate"):
        fit(Counting([0.5] * 5, {6: bad}), SCHEDULE, tmp_path, resume=False)
    assert load_checkpoint(tmp_path / LAST)["step"] == 4


def test_a_score_that_is_no_number_stops(tmp_path):
    with pytest.raises(ModelError, match="validation after step 4"):
        fit(Counting([0.5, math.nan, 0.9]), SCHEDULE, tmp_path, resume=False)
    assert load_checkpoint(tmp_path / LAST)["step"] == 2


def test_a_checkpoint_of_another_task_is_refused(tmp_path):
    save_checkpoint(tmp_path / LAST, {"step": 3, "best": 0.0, "task": {"weights": 1}})
    with pytest.raises(ModelError, match="another task"):
        fit(Counting(), SCHEDULE, tmp_path, resume=True)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="run folder"):
        fit(Counting(), SCHEDULE, tmp_path / "file" / "run", resume=False)


def test_a_watcher_sees_what_is_logged(tmp_path):
    seen = []
    fit(
        Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False, watch=lambda *both: seen.append(both)
    )
    assert [(step, set(numbers)) for step, numbers in seen] == [
        (line["step"], set(line) - {"step", "seconds"}) for line in lines(tmp_path)
    ]


LONG = [0.1, 0.5, 0.4, 0.4, 0.4, 0.6, 0.2, 0.3, 0.1, 0.1]


@pytest.mark.parametrize("stop", [None, 5, 7, 11])
def test_a_plateau_is_remembered_by_a_resumed_run(tmp_path, stop):
    schedule = Schedule(
        steps=20, warm_up=0, validate_every=2, log_every=1, shape="plateau", plateau=2
    )
    task = Counting(LONG)
    if stop:
        with pytest.raises(StoppedError):
            fit(task, schedule, tmp_path, resume=False, watch=stop_at(stop))
        task = Counting(LONG)
    fit(task, schedule, tmp_path, resume=bool(stop))
    rates = [1.0] * 8 + [0.1] * 8 + [0.01] * 4
    assert task.rates == pytest.approx(rates[len(rates) - len(task.rates) :])
    assert load_checkpoint(tmp_path / LAST)["course"]["drops"] == 3


@pytest.mark.parametrize("stop", [None, 5, 9])
def test_patience_is_remembered_by_a_resumed_run(tmp_path, stop):
    schedule = Schedule(steps=20, validate_every=2, log_every=1, patience=3)
    if stop:
        with pytest.raises(StoppedError):
            fit(Counting(LONG), schedule, tmp_path, resume=False, watch=stop_at(stop))
    task = Counting(LONG)
    fit(task, schedule, tmp_path, resume=bool(stop))
    assert task.count == 10  # the best was at 4; 6, 8 and 10 are no better
    assert load_checkpoint(tmp_path / LAST)["step"] == 10
    assert load_checkpoint(tmp_path / BEST)["step"] == 4
    again = Counting(LONG)
    fit(again, schedule, tmp_path, resume=True)
    assert again.rates == []


def test_a_checkpoint_from_before_there_was_a_course_goes_on(tmp_path):
    with pytest.raises(StoppedError):
        fit(Counting([0.5] * 5), SCHEDULE, tmp_path, resume=False, watch=stop_at(7))
    state = load_checkpoint(tmp_path / LAST)
    del state["course"]
    save_checkpoint(tmp_path / LAST, state)
    task = Counting([0.5] * 5)
    fit(task, SCHEDULE, tmp_path, resume=True)
    assert task.rates == [SCHEDULE.rate(step) for step in range(6, 10)]
