"""The volume curve of a beat."""

import numpy as np
import pytest

from heartseg.phantom.cycle import Motion, phases


@pytest.mark.parametrize("seed", range(6))
def test_it_is_full_at_ed_and_empty_at_es_only(seed):
    motion = Motion.random(np.random.default_rng(seed))
    grid = np.linspace(0.0, 1.0, 2001)
    curve = np.array([motion.filling(p) for p in grid])
    assert curve[0] == pytest.approx(1.0)
    assert motion.filling(motion.systole) == pytest.approx(0.0, abs=1e-12)
    assert grid[curve.argmin()] == pytest.approx(motion.systole, abs=1e-3)
    assert curve.min() >= 0.0
    assert curve.max() <= 1.0 + 1e-12


def test_ejection_takes_about_a_third_and_filling_has_three_parts():
    motion = Motion(systole=0.35, rapid_end=0.6, kick_start=0.82, early_share=0.7, kick_share=0.2)
    early, late = motion.filling(0.60), motion.filling(0.82)
    assert early == pytest.approx(0.70, abs=0.03)
    assert 0.0 < late - early < 0.12
    assert motion.filling(0.999) - late == pytest.approx(0.2, abs=0.03)
    falling = np.diff([motion.filling(p) for p in np.linspace(0.0, 0.35, 50)])
    rising = np.diff([motion.filling(p) for p in np.linspace(0.35, 0.9999, 90)])
    assert (falling <= 0).all()
    assert (rising >= -1e-12).all()


def test_the_curve_is_periodic_and_has_no_jump():
    motion = Motion()
    assert motion.filling(1.25) == motion.filling(0.25)
    assert motion.filling(-0.1) == pytest.approx(motion.filling(0.9))
    values = np.array([motion.filling(p) for p in np.linspace(0.0, 1.0, 1001, endpoint=False)])
    assert np.abs(np.diff(values, append=values[0])).max() < 0.01


def test_the_rv_empties_later():
    motion = Motion(rv_delay=0.03)
    assert motion.rv_filling(0.38) == pytest.approx(0.0, abs=1e-12)
    assert motion.rv_filling(0.35) > 0.0


def test_frames_start_where_they_are_told():
    np.testing.assert_allclose(phases(4, 0.9), [0.9, 0.15, 0.4, 0.65])
