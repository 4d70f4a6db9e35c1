"""Which images of two slices show the same phase; times by hand."""

import numpy as np
import pytest

from heartseg.core.errors import StudyError
from heartseg.formats.dicom import Plane
from heartseg.formats.dicom_time import (
    Said,
    aligned,
    clock_of,
    interval_ms,
    taken,
    without_repeats,
)


def loop(times, *, rr: float | None = None, at: float = 120000.0, name: str = "a") -> list[Plane]:
    interval = {} if rr is None else {"NominalInterval": rr}
    return [
        Plane(
            name=f"{name}{index}",
            frame=0,
            position=(0.0, 0.0, 0.0),
            orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            spacing=(1.0, 1.0),
            clocks={"TriggerTime": float(time), "AcquisitionTime": at, **interval},
            slope=1.0,
            intercept=0.0,
        )
        for index, time in enumerate(times)
    ]


def times_of(rows, z: int) -> list[float]:
    return [row[z].clocks["TriggerTime"] for row in rows]


def test_slices_of_other_heart_rates_go_by_their_share_of_the_cycle():
    usual = loop(np.arange(10) * 100, rr=1000)
    few = loop(np.arange(5) * 120 + 10, rr=600)
    rows, times, notes = aligned([usual, usual, few], "TriggerTime")
    assert times_of(rows, 2) == [10, 10, 130, 130, 250, 250, 370, 370, 490, 490]
    assert times == tuple(np.arange(10) * 100.0)
    assert notes == [
        Said(2, "has 5 phases, not 10: the nearest are used by the share of its own heart cycle")
    ]


def test_without_an_interval_the_nearest_time_is_used():
    rows, _, notes = aligned([loop([0, 100, 200, 300]), loop([10, 290])], "TriggerTime")
    assert times_of(rows, 1) == [10, 10, 290, 290]
    assert notes == [Said(1, "has 2 phases, not 4: the nearest are used")]


def test_image_of_another_phase_is_not_shown_without_a_word():
    """A slice that was broken off in diastole has no systole to show."""
    usual = loop(np.arange(10) * 100, rr=1000)
    _, _, ((_, words, doubt),) = aligned([usual, usual, loop([0, 100], rr=1000)], "TriggerTime")
    assert words.endswith("cycle, up to 40 % of the cycle off: do not trust its volumes there")
    assert doubt
    whole = loop(np.arange(10) * 100)
    _, _, ((_, words, doubt),) = aligned([whole, whole, loop([0, 600])], "TriggerTime")
    assert words.endswith("nearest are used, up to 300 ms off: do not trust its volumes there")
    assert doubt
    _, _, ((_, words, doubt),) = aligned([whole, whole, loop([0, 300, 600, 700])], "TriggerTime")
    assert words.endswith("the nearest are used")  # two frames off at most
    assert not doubt


def test_the_cycle_closes():
    usual = loop(np.arange(10) * 100, rr=1000)
    rows, _, _ = aligned([usual, usual, loop([0, 400], rr=1000)], "TriggerTime")
    assert times_of(rows, 2) == [0, 0, 0, 400, 400, 400, 400, 400, 0, 0]


def test_as_many_frames_at_other_shares_of_the_cycle_are_matched():
    """Prospective triggering: 40 ms a frame whatever the heart does."""
    slow, fast = loop(np.arange(20) * 40, rr=1000), loop(np.arange(20) * 40, rr=800)
    rows, _, notes = aligned([slow, slow, slow, fast], "TriggerTime")
    assert times_of(rows, 0)[8] == 320
    assert times_of(rows, 3)[8] == 240  # 320 of 1000 ms is 256 of 800 ms
    assert any("at other times" in words for _, words, _ in notes)


def test_retrospective_slices_of_unequal_rates_stay_as_they_are():
    slices = [loop(np.arange(20) * rr / 20, rr=rr) for rr in (730, 750, 800)]
    rows, times, notes = aligned(slices, "TriggerTime")
    assert [times_of(rows, z) for z in range(3)] == [
        [plane.clocks["TriggerTime"] for plane in one] for one in slices
    ]
    assert times[1] == pytest.approx((730 + 750 + 800) / 60)
    assert notes == []


def test_the_last_complete_breath_hold_of_a_slice_is_kept():
    usual = loop(np.arange(10) * 100)
    first = loop(np.arange(10) * 100, at=120100, name="first")
    second = loop(np.arange(10) * 97 + 1, at=120200, name="second")
    broken = loop(np.arange(3) * 96 + 2, at=120300, name="broken")
    mixed = [*second, *broken, *first]
    kept, notes = without_repeats([usual, mixed, usual, usual])
    assert [plane.name[:6] for plane in kept[1]] == ["second"] * 10
    assert notes == [Said(1, "was acquired more than once: the last one is used")]


def test_nothing_that_orders_images_is_refused():
    with pytest.raises(StudyError, match="no trigger time that orders them"):
        clock_of([loop([0, 0, 0])], "series 4")


def test_times_of_the_day_are_seconds_with_and_without_a_date():
    (plane,) = loop([0], at=13_02_03.5)
    assert taken(plane)[0] == pytest.approx(13 * 3600 + 2 * 60 + 3.5)
    dated = {"FrameAcquisitionDateTime": 2020_01_01_13_02_03.5}
    other = Plane(
        name="b", frame=0, position=None, orientation=None, spacing=None, clocks=dated,
        slope=1.0, intercept=0.0,
    )  # fmt: skip
    assert taken(other)[0] == pytest.approx(taken(plane)[0], abs=0.01)
    assert interval_ms([other]) is None
