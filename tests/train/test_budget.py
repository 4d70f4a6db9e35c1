"""As many steps as end in time, by a clock that the test holds."""

import json
from copy import deepcopy

import pytest

torch = pytest.importorskip("torch")
from heartseg.train import budget  # noqa: E402
from heartseg.train.budget import Speed, planned_steps  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint  # noqa: E402
from heartseg.train.loop import LAST, LOG, Schedule, fit  # noqa: E402
from tests.train import tiny  # noqa: E402
from tests.train.test_loop import Counting, StoppedError, stop_at  # noqa: E402

STEP_S, VALIDATION_S = 0.5, 2.0


class Timed(Counting):
    """Every step and validation moves the clock."""

    def __init__(self, clock):
        super().__init__([0.5] * 1000)
        self.clock = clock

    def step(self, rate):
        self.clock[0] += STEP_S
        return super().step(rate)

    def validate(self):
        self.clock[0] += VALIDATION_S
        return {"score": 0.5}


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(budget.time, "perf_counter", lambda: now[0])
    return now


def test_the_plan_ends_in_time(clock):
    begin, task = clock[0], Timed(clock)
    schedule = Schedule(minutes=2.0, validate_every=10)
    steps = planned_steps(task, schedule)
    for step in range(steps):
        task.step(1.0)
        if (step + 1) % 10 == 0 or step + 1 == steps:
            task.validate()
    passed = clock[0] - begin
    most = 120 * 0.98
    assert most - STEP_S - VALIDATION_S <= passed <= most


def test_measuring_leaves_no_trace(clock):
    task = Timed(clock)
    budget.measured(task, 2.0)
    assert task.count == 0


@pytest.mark.parametrize(("seconds", "steps"), [(0.1, 1), (7.0, 10), (7.4, 10), (9.5, 11)])
def test_steps_in_a_time_by_hand(seconds, steps):
    assert Speed(STEP_S, VALIDATION_S).steps_in(seconds, 10) == steps


def test_the_plan_is_kept_and_the_schedule_ends_with_it(tmp_path, monkeypatch):
    planned = iter([12, 999])  # another machine, another plan: the first one holds
    monkeypatch.setattr("heartseg.train.loop.planned_steps", lambda *_: next(planned))
    schedule = Schedule(minutes=1.0, warm_up=100, validate_every=5, log_every=1)
    with pytest.raises(StoppedError):
        fit(Counting([0.5] * 9), schedule, tmp_path, resume=False, watch=stop_at(3))
    assert load_checkpoint(tmp_path / LAST)["step"] == 0  # begun, and nothing learnt yet
    task = Counting([0.5] * 9)
    fit(task, schedule, tmp_path, resume=True)
    assert task.rates == [Schedule(steps=12, warm_up=1).rate(step) for step in range(12)]
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["planned_steps"] for line in lines if "planned_steps" in line] == [12]
    state = load_checkpoint(tmp_path / LAST)
    assert (state["step"], state["course"]["planned"]) == (12, 12)


def test_the_time_passed_is_in_the_checkpoint_and_goes_on(tmp_path, monkeypatch):
    now = [50.0]

    class Slow(Counting):
        def step(self, rate):
            now[0] += 10
            return super().step(rate)

    monkeypatch.setattr("heartseg.train.loop.time.monotonic", lambda: now[0])
    schedule = Schedule(steps=6, validate_every=2, log_every=1)
    with pytest.raises(StoppedError):
        fit(Slow([0.5] * 9), schedule, tmp_path, resume=False, watch=stop_at(3))
    assert load_checkpoint(tmp_path / LAST)["course"]["seconds"] == 20.0
    now[0] += 1e6  # the machine was off
    fit(Slow([0.5] * 9), schedule, tmp_path, resume=True)
    assert load_checkpoint(tmp_path / LAST)["course"]["seconds"] == 60.0


def test_a_network_is_as_it_was_after_its_speed_was_measured():
    task = tiny.task(precision="f16", dropout=0.5)
    task.step(1.0)
    before = deepcopy(task.state())
    speed = budget.measured(task, 0.0)
    assert min(speed.step_s, speed.validation_s) > 0
    assert tiny.difference(before, task.state()) == ""
