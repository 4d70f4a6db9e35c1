import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Orientation
from heartseg.core.image import Image
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.measure.base import slices_left_out, without_atrium
from heartseg.measure.choices import Choices
from heartseg.measure.study import measure_study
from tests.measure.hearts import LV, MYO, round_heart, segmentation, short_axis

PAIR = Phases(ed=0, es=1, how="given")
VOXEL_ML = 8.0 * 1.5 * 1.25 / 1000
BASE = 7
"""The heart of `hearts.round_heart` has its base at the last slice that it holds."""


def pool(labels, z: int, rows: slice, columns: slice, covered: float) -> None:
    """A rectangle of blood in a slice with muscle along a share of its border, from the top."""
    labels[z] = 0
    top, bottom, left, right = rows.start, rows.stop, columns.start, columns.stop
    border = [(top - 1, x) for x in range(left, right)]
    border += [(y, right) for y in range(top, bottom)]
    border += [(bottom, x) for x in reversed(range(left, right))]
    border += [(y, left - 1) for y in reversed(range(top, bottom))]
    for y, x in border[: round(covered * len(border))]:
        labels[z, y, x] = MYO
    labels[z, rows, columns] = LV


def heart(ed: float, es: float, grows: bool):
    """Two phases; in the basal slice muscle covers these shares of the pool's border."""
    labels = np.stack([round_heart(22, 9), round_heart(15, 12)])
    small, large = slice(20, 36), slice(16, 40)
    for frame, covered, rows in (
        (0, ed, small if grows else large),
        (1, es, large if grows else small),
    ):
        pool(labels[frame], BASE, rows, slice(24, 44), covered)
    return segmentation(labels, short_axis(labels.shape[1:]))


@pytest.mark.parametrize(
    ("ed", "es", "grows", "left"),
    [
        (0.45, 0.40, True, (1, 1)),  # atrium at both phases
        (0.60, 0.40, True, (0, 1)),  # atrium has come down into the slice at end-systole
        (0.55, 0.55, True, (0, 0)),  # half is bordered: LV
        (0.45, 0.40, False, (0, 0)),  # it shrinks: outflow tract, which counts
    ],
)
def test_the_rule_of_scmr(ed, es, grows, left):
    seen = heart(ed, es, grows)

    after = without_atrium(seen, PAIR)

    assert tuple(slices_left_out(seen, after, frame) for frame in (0, 1)) == left
    for frame in (0, 1):
        kept = after.labels[frame, :BASE] == seen.labels[frame, :BASE]
        assert kept.all()
    assert (after.labels == MYO).sum() == (seen.labels == MYO).sum()


def test_the_base_is_found_at_either_end_of_the_stack():
    seen = heart(0.45, 0.40, True)
    turn = Orientation((0, 1, 2), (True, False, True))
    turned = segmentation(turn.apply(seen.labels), seen.geometry.oriented(turn))

    after = without_atrium(turned, PAIR)

    assert (after.labels == turn.apply(without_atrium(seen, PAIR).labels)).all()


def test_an_open_slice_below_a_closed_one_is_not_the_base():
    seen = heart(0.9, 0.9, True)
    pool(seen.labels[0], 4, slice(20, 36), slice(24, 44), 0.2)
    pool(seen.labels[1], 4, slice(16, 40), slice(24, 44), 0.2)

    assert (without_atrium(seen, PAIR).labels == seen.labels).all()


def test_a_single_phase_shows_nothing_that_grows():
    seen = heart(0.3, 0.3, True)

    assert without_atrium(seen, Phases(ed=0, es=None, how="given")) is seen


def study(seen) -> Study:
    images = {View.SAX: Image(np.zeros(seen.labels.shape, np.int16), seen.geometry)}
    return Study(id="b", modality=Modality.MR, images=images, sources={}, phases={View.SAX: PAIR})


def test_the_change_is_printed():
    seen = heart(0.60, 0.40, True)

    drawn = measure_study(study(seen), {View.SAX: seen})
    ruled = measure_study(study(seen), {View.SAX: seen}, choices=Choices(base="scmr"))

    pool_ml = 24 * 20 * VOXEL_ML
    assert ruled.value("lv_esv_ml") == pytest.approx(drawn.value("lv_esv_ml") - pool_ml)
    assert ruled.value("lv_edv_ml") == drawn.value("lv_edv_ml")
    (said,) = (one for one in ruled.conventions if one.startswith("Base by SCMR 2020"))
    assert "0 slices left out at ED, 1 at ES" in said
    assert f"ESV {drawn.value('lv_esv_ml'):.1f} to {ruled.value('lv_esv_ml'):.1f} mL" in said
    assert not any(one.startswith("Base by SCMR") for one in drawn.conventions)


def test_what_the_rule_needs_is_said_where_it_is_missing():
    seen = heart(0.3, 0.3, True)
    alone = segmentation(np.where(seen.labels == MYO, 0, seen.labels), structures=(LV,))
    late = {View.LATE_ENHANCEMENT: seen}
    diastole = seen.like(seen.labels.copy())
    diastole.labels[1][diastole.labels[1] == MYO] = 0
    assert (without_atrium(diastole, PAIR).labels[1] == diastole.labels[1]).all()

    for masks, why in (
        ({View.SAX: alone}, "no myocardium to judge by"),
        ({View.SAX: diastole}, "no myocardium to judge by"),
        (late, "no end-systole"),
    ):
        found = measure_study(study(seen), masks, choices=Choices(base="scmr"))
        assert any(f"not applied, there is {why}" in said for said in found.conventions)


def test_an_unknown_choice_is_refused():
    with pytest.raises(ConfigError, match="--base.*'scrm'.*drawn, scmr"):
        Choices.named("cavity", "scrm")
    with pytest.raises(ConfigError, match="--papillary.*cavity, mass"):
        Choices.named("blood", "drawn")
    assert Choices.named("mass", "scmr") == Choices(papillary="mass", base="scmr")
