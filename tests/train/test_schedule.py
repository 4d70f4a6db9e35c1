"""Rates by formula, and the course that plateaus and patience take."""

import pytest

from heartseg.core.errors import ConfigError

pytest.importorskip("torch")
from heartseg.train.schedule import Course, Schedule


def after(schedule, scores):
    """The course after these scores."""
    course = Course()
    for score in scores:
        course = course.after(score, schedule)
    return course


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ({"shape": "constant"}, [1, 1, 1, 1]),
        ({"shape": "polynomial", "power": 2.0}, [1, 0.5625, 0.25, 0.0625]),
        ({"shape": "step", "drop_every": 30, "drop_to": 0.5}, [1, 1, 0.5, 0.25]),
        ({"shape": "cosine"}, [1, 0.853553, 0.5, 0.146447]),
    ],
)
def test_the_shapes_by_hand(shape, wanted):
    schedule = Schedule(steps=100, warm_up=0, **shape)
    assert [schedule.rate(step) for step in (0, 25, 50, 75)] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("shape", ["constant", "polynomial", "step", "plateau", "cosine"])
def test_every_shape_warms_up(shape):
    cold, warm = (Schedule(steps=1000, warm_up=n, shape=shape) for n in (0, 9))
    assert warm.rate(0) == pytest.approx(0.1 * cold.rate(0))
    assert warm.rate(4) == pytest.approx(0.5 * cold.rate(4))
    assert warm.rate(9) == cold.rate(9)


def test_a_plateau_drops_the_rate_and_waits_anew():
    schedule = Schedule(shape="plateau", plateau=2, drop_to=0.5, warm_up=0)
    courses = [after(schedule, [0.5, 0.4, 0.5, 0.3, 0.2, 0.6, 0.6][:n]) for n in range(8)]
    assert [one.drops for one in courses] == [0, 0, 0, 1, 1, 2, 2, 2]
    assert [schedule.rate(9, one.drops) for one in courses[::3]] == [1.0, 0.5, 0.25]
    assert courses[7].best == 0.6
    assert (courses[7].waited, courses[5].waited) == (1, 4)


def test_other_shapes_do_not_drop():
    assert after(Schedule(plateau=1), [0.5, 0.4, 0.3]).drops == 0


def test_patience_ends_a_run():
    schedule = Schedule(patience=2)
    assert not after(schedule, [0.1, 0.3, 0.2]).ended(schedule)
    assert after(schedule, [0.1, 0.3, 0.2, 0.3]).ended(schedule)  # as good is no better
    assert not after(schedule, [0.1, 0.3, 0.2, 0.31, 0.2]).ended(schedule)
    assert not after(Schedule(), [0.3] * 99).ended(Schedule())


def test_the_steps_end_a_run():
    assert Course(step=6000).ended(Schedule())
    assert not Course(step=5999).ended(Schedule())


def test_a_course_comes_back_from_its_checkpoint():
    schedule = Schedule(shape="plateau", plateau=2)
    course = after(schedule, [0.5, 0.4, 0.3, 0.2])
    state = {"step": course.step, "best": course.best, "course": course.state()}
    assert Course.of(state) == course
    assert (course.waited, course.stale, course.drops) == (3, 1, 1)


def test_an_older_checkpoint_holds_step_and_best_alone():
    assert Course.of({"step": 7, "best": 0.25}) == Course(step=7, best=0.25)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0.0},
        {"patience": 0},
        {"plateau": 0},
        {"drop_every": 0},
        {"drop_to": 1.0},
        {"drop_to": 0.0},
        {"power": 0.0},
    ],
)
def test_a_schedule_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="schedule"):
        Schedule(**wrong)


def test_only_plateau_and_patience_need_scores():
    assert Schedule(patience=3).needs_scores
    assert Schedule(shape="plateau").needs_scores
    assert not Schedule(shape="step").needs_scores
