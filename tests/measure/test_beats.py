import numpy as np
import pytest

from heartseg.measure.beats import beat_ms, beats


def loop(frames: int, per_beat: int, start: float = 0.0, depth: float = 60.0) -> np.ndarray:
    """Volumes from 120 mL down by `depth` and back, one cosine a beat."""
    phase = 2 * np.pi * (np.arange(frames) / per_beat + start)
    return 120.0 - depth * (0.5 - 0.5 * np.cos(phase))


def test_each_beat_goes_from_a_largest_to_the_next_smallest_volume():
    assert beats(loop(61, 20)) == ((0, 10), (20, 30), (40, 50))


def test_a_loop_that_begins_in_systole_leaves_its_first_beat_out():
    assert beats(loop(60, 20, start=0.3)) == ((14, 24), (34, 44))
    assert beats(loop(60, 20, start=0.2)) == ((16, 26), (36, 46))


def test_a_loop_of_part_of_a_beat_keeps_what_there_is():
    assert beats(loop(18, 20)) == ((0, 10),)
    assert beats(loop(11, 20)) == ()  # it ends in systole: no smallest volume within
    assert beats(loop(7, 6)) == ()  # no cine
    assert beats(np.zeros(20)) == ()


def test_atrial_waves_and_noise_make_no_beats():
    rng = np.random.default_rng(1)
    phase = np.arange(64) / 32
    kick = 14.0 * np.sin(6 * np.pi * phase)

    found = beats(loop(64, 32) + kick + rng.standard_normal(64))

    assert len(found) == 2


def test_a_frame_that_holds_nothing_is_no_end_systole():
    volumes = loop(41, 20)
    volumes[16] = 0.0

    assert beats(volumes) == ((0, 10), (20, 30))


def test_a_loop_of_which_two_frames_were_drawn_has_no_curve():
    volumes = np.zeros(41)
    volumes[[3, 12]] = 120.0, 60.0

    assert beats(volumes) == ()


def test_the_time_of_a_beat_is_from_end_systole_to_end_systole():
    times = tuple(np.arange(61) * 40.0)

    assert beat_ms(beats(loop(61, 20)), times) == pytest.approx(800.0)
    assert beat_ms(beats(loop(30, 20)), times) is None
    assert beat_ms(beats(loop(61, 20)), None) is None
