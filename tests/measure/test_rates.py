import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.measure.function import measure_function
from heartseg.measure.rates import peak_rates
from heartseg.phantom.cycle import Motion
from tests.measure.hearts import beating, segmentation

RR_MS = 900.0


def curve(frames: int, start: float = 0.0) -> tuple[np.ndarray, tuple[float, ...]]:
    """140 to 56 mL and back by the phantom's own volume curve."""
    shares = np.arange(frames) / frames
    filling = [Motion().filling((start + share) % 1.0) for share in shares]
    return 56.0 + 84.0 * np.array(filling), tuple(shares * RR_MS)


# A half cosine wave of height h over a time T is steepest at pi/2 h/T.
EJECTION = np.pi / 2 * 84.0 / (0.35 * 0.9)
FILLING = np.pi / 2 * 84.0 * 0.68 / (0.25 * 0.9)


@pytest.mark.parametrize("frames", [20, 25, 40])
@pytest.mark.parametrize("start", [0.0, 0.31])
def test_the_steepest_parts_of_a_known_curve(frames, start):
    rates = peak_rates(*curve(frames, start))

    assert rates.ejection.value == pytest.approx(EJECTION, rel=0.05)
    assert rates.filling.value == pytest.approx(FILLING, rel=0.09)


def test_a_beat_that_begins_where_it_fills_fastest_is_followed_round():
    rates = peak_rates(*curve(30, start=0.475))

    assert rates.filling.value == pytest.approx(FILLING, rel=0.07)


def test_noise_of_a_percent_changes_the_rates_by_little():
    rng = np.random.default_rng(3)
    volumes, times = curve(30)

    noisy = [peak_rates(volumes * (1 + 0.01 * rng.standard_normal(30)), times) for _ in range(20)]

    assert np.mean([one.ejection.value for one in noisy]) == pytest.approx(EJECTION, rel=0.08)
    assert np.mean([one.filling.value for one in noisy]) == pytest.approx(FILLING, rel=0.10)


def test_frames_at_uneven_times_are_taken_at_their_own():
    times = np.cumsum(np.tile([20.0, 40.0, 30.0], 10)) - 20.0
    volumes = 100.0 + 0.05 * times  # 50 mL/s, and it does not return to its start

    assert peak_rates(volumes, tuple(times)).filling.value == pytest.approx(50.0)
    assert peak_rates(volumes[::-1], tuple(times)).ejection.value > 0


@pytest.mark.parametrize(
    ("volumes", "times", "said"),
    [
        (np.full(19, 90.0), tuple(np.arange(19) * 40.0), "19 frames, too few"),
        (np.full(20, 90.0), None, "no usable times"),
        (np.full(20, 90.0), tuple(np.zeros(20)), "no usable times"),
        (np.r_[np.full(19, 90.0), 0.0], tuple(np.arange(20) * 40.0), "not measured in every frame"),
    ],
)
def test_why_there_are_none(volumes, times, said):
    rates = peak_rates(volumes, times)

    for one in (rates.ejection, rates.filling):
        assert one.value is None
        assert said in one.problem


@pytest.mark.parametrize(("unit", "said"), [("px", "--spacing-mm"), ("mm", "areas and no volume")])
def test_what_has_no_volume_has_no_rate(unit, said):
    labels = beating(frames=24)[:, 4:5]
    spacing = None if unit == "px" else (None, 1.5, 1.25)
    grid = Geometry.from_pixels(labels.shape[1:], spacing)

    found = measure_function(segmentation(labels, grid, times_ms=tuple(np.arange(24) * 35.0)))

    for key in ("lv_peak_ejection_rate_ml_s", "rv_peak_filling_rate_ml_s"):
        (rate,) = (one for one in found.findings if one.key == key)
        assert rate.value is None
        assert said in rate.problem


def test_a_cine_has_the_rates_of_both_ventricles():
    cine = segmentation(beating(frames=24), times_ms=tuple(np.arange(24) * 35.0))

    found = measure_function(cine)

    for side in ("lv", "rv"):
        own = peak_rates(np.array(found.curves[f"{side}_ml"]), cine.times_ms)
        assert found.value(f"{side}_peak_ejection_rate_ml_s") == own.ejection.value
        assert found.value(f"{side}_peak_filling_rate_ml_s") == own.filling.value
