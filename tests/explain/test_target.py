"""What is explained, in numbers."""

import pytest
import torch

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, MeasureError, StudyError
from heartseg.core.study import Phases
from heartseg.explain.target import (
    MEASURES,
    log_odds,
    mean_log_odds,
    slopes,
    soft_volume,
    target_of,
)
from heartseg.explain.wanted import chosen_frames, chosen_slices
from heartseg.measure.measures import STACK

BOTH = Phases(ed=2, es=5, how="given")


def test_log_odds_are_those_of_the_softmax() -> None:
    logits = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(1))
    p = logits.softmax(1)[:, 2]
    assert torch.allclose(log_odds(logits, 2), (p / (1 - p)).log(), atol=1e-5)
    assert torch.allclose(log_odds(logits + 7, 2), log_odds(logits, 2), atol=1e-5)


def test_a_structure_is_asked_about_in_its_own_pixels() -> None:
    logits = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(3, 5, dtype=torch.bool)
    mask[1, 2:4] = True
    wanted = log_odds(logits, 1)[:, 1, 2:4].mean(1)
    assert torch.allclose(mean_log_odds(1, mask)(logits), wanted)


def test_a_soft_volume_is_that_of_the_mask_where_the_network_is_sure() -> None:
    logits = torch.zeros(1, 4, 3, 5)
    logits[0, 3, 1, :2] = 60.0
    logits[0, 0] = torch.where(logits[0, 3] > 0, 0.0, 60.0)
    assert float(soft_volume(3, 0.5)(logits)) == pytest.approx(1.0)


def test_the_slopes_of_ef_are_those_of_its_formula() -> None:
    found = slopes(MEASURES["lv_ef"], {"ed": 120.0, "es": 50.0})
    assert found.value == pytest.approx(100 * 70 / 120)
    assert found.of_phase["ed"] == pytest.approx(100 * 50 / 120**2)
    assert found.of_phase["es"] == pytest.approx(-100 / 120)
    with pytest.raises(MeasureError, match="no volume at end-diastole"):
        slopes(MEASURES["lv_ef"], {"ed": 0.0, "es": 0.0})


@pytest.mark.parametrize(
    ("key", "value"),
    [("lv_edv_ml", 120), ("lv_sv_ml", 70), ("rv_esv_ml", 50), ("lv_mass_g", 126)],
)
def test_measures_by_hand(key: str, value: float) -> None:
    measure = MEASURES[key]
    given = {"ed": 120.0, "es": 50.0}
    found = slopes(measure, {name: given[name] for name in measure.phases})
    assert found.value == pytest.approx(value)


def test_measures_are_keys_of_the_report() -> None:
    assert set(MEASURES) <= set(STACK)


def test_a_wrong_target_is_told_the_right_ones() -> None:
    with pytest.raises(ConfigError, match=r"got 'lvef'; allowed: a structure \(lv, myo.*lv_ef"):
        target_of("lvef")
    with pytest.raises(ConfigError, match="got 'background'"):
        target_of("background")
    structures = (Structure.BACKGROUND, Structure.RV_CAVITY, Structure.LV_CAVITY)
    assert target_of("lv_ef").channel(structures) == 2
    with pytest.raises(ConfigError, match="a model without LV myocardium; allowed: rv, lv"):
        target_of("myo").channel(structures)


def test_the_frames_of_a_measure() -> None:
    assert target_of("lv_ef").frames(BOTH) == {"ed": 2, "es": 5}
    assert target_of("lv_edv_ml").frames(BOTH) == {"ed": 2}
    right = Phases(ed=2, es=5, rv_es=7, how="detected")
    assert target_of("rv_ef").frames(right) == {"ed": 2, "es": 7}
    assert target_of("lv_ef").frames(right) == {"ed": 2, "es": 5}
    assert target_of("lv").frames(None) == {}
    still = Phases(ed=0, es=None, how="detected")
    assert target_of("lv_mass_g").frames(still) == {"ed": 0}
    with pytest.raises(StudyError, match="without ES; allowed: images of end-diastole"):
        target_of("lv_ef").frames(still)
    with pytest.raises(StudyError, match="without ED and ES"):
        target_of("lv_ef").frames(None)


def test_frames_are_chosen_by_phase_and_number() -> None:
    assert chosen_frames(None, BOTH, 9, {}) == (2, 5)
    assert chosen_frames(None, None, 9, {}) == (0,)
    assert chosen_frames("all", BOTH, 3, {}) == (0, 1, 2)
    assert chosen_frames("es, 0", BOTH, 9, {}) == (0, 5)
    needed = {"ed": 2, "es": 7}
    assert chosen_frames(None, BOTH, 9, needed) == (2, 7)
    assert chosen_frames("all", BOTH, 9, needed) == (2, 7)
    assert chosen_frames("es", BOTH, 9, needed) == (7,)
    with pytest.raises(ConfigError, match=r"frame 3, which is no part .* 2 \(ed\), 7 \(es\)"):
        chosen_frames("ed,3", BOTH, 9, needed)
    with pytest.raises(ConfigError, match="got '9'; allowed: all, ed, es, or numbers 0 to 8"):
        chosen_frames("9", BOTH, 9, {})
    with pytest.raises(StudyError, match="es of a study without it"):
        chosen_frames("es", Phases(ed=0, es=None, how="given"), 9, {})


def test_slices_are_chosen_by_number_or_where_the_structure_is() -> None:
    assert chosen_slices("all", [2], 4) == (0, 1, 2, 3)
    assert chosen_slices("middle", [5, 6, 7, 8], 10) == (7,)
    assert chosen_slices("middle", [], 10) == (5,)
    assert chosen_slices("7, 1,1", [], 10) == (1, 7)
    with pytest.raises(ConfigError, match="got '-1'; allowed: all, middle, or numbers 0 to 3"):
        chosen_slices("-1", [], 4)
