import math

import pytest

from heartseg.core.errors import MeasureError
from heartseg.core.study import Body
from heartseg.measure.body import body_problem, body_surface_m2


def test_mosteller_by_hand():
    assert body_surface_m2(180.0, 80.0) == pytest.approx(2.0)


def test_du_bois_by_hand():
    # 0.007184 * 170^0.725 * 70^0.425, worked out with logarithms
    by_hand = math.exp(math.log(0.007184) + 0.725 * math.log(170) + 0.425 * math.log(70))

    assert body_surface_m2(170.0, 70.0, "dubois") == pytest.approx(by_hand)
    assert by_hand == pytest.approx(1.81, abs=0.005)


@pytest.mark.parametrize(
    ("height", "weight", "what"),
    [
        (1.84, 95.0, "height 1.84 cm"),  # metres
        (251.0, 95.0, "height 251 cm"),
        (184.0, 1.9, "weight 1.9 kg"),
        (184.0, 95_000.0, "weight 95000 kg"),  # grams
        (float("nan"), 95.0, "height nan"),
    ],
)
def test_out_of_bounds_is_asked_not_used(height, weight, what):
    with pytest.raises(MeasureError, match=what):
        body_surface_m2(height, weight)


@pytest.mark.parametrize(("height", "weight"), [(50.0, 2.0), (250.0, 400.0)])
def test_the_bounds_themselves_are_in(height, weight):
    assert body_problem(Body(height_cm=height, weight_kg=weight)) is None


def test_what_is_missing_is_named():
    assert body_problem(Body(weight_kg=70.0)) == "height not known"
    assert body_problem(Body(height_cm=170.0)) == "weight not known"


def test_the_reason_why_a_value_was_refused_is_the_reason_for_what_needs_it():
    body = Body(weight_kg=70.0, not_used={"height_cm": "height 1.75 cm is outside"})
    assert body_problem(body) == "height 1.75 cm is outside"


def test_inches_and_pounds_that_pass_alone_are_asked_together():
    said = body_problem(Body(height_cm=69.0, weight_kg=80.0))  # 69 inches
    assert said is not None
    assert "body mass index of 168, outside 8 to 120" in said
    assert body_problem(Body(height_cm=50.0, weight_kg=3.4)) is None  # a newborn child
    assert body_problem(Body(height_cm=185.0, weight_kg=380.0)) is None
