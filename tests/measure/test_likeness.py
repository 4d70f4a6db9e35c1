from dataclasses import replace

import numpy as np
import pytest

from heartseg.config import from_table, to_table
from heartseg.core.errors import MeasureError
from heartseg.core.geometry import Geometry
from heartseg.core.study import Phases
from heartseg.measure.likeness import (
    FEWEST,
    GROUPS,
    LEAST_SPREAD,
    Familiar,
    Looks,
    departures,
    familiar_of,
    looks_of,
    strangeness,
    unlikeness,
)
from tests.measure.hearts import LV, MYO, RV, round_heart, segmentation

BOTH = Phases(ed=0, es=1, how="given")
PATIENTS = 30


def looks(rng: np.random.Generator) -> Looks:
    """Two traits a group, normal about 3 with a standard deviation of 0.5."""
    return Looks(**{name: dict(zip(("a", "b"), rng.normal(3, 0.5, 2), strict=True))
                    for name in GROUPS})  # fmt: skip


@pytest.fixture(scope="module")
def patients() -> list[Looks]:
    rng = np.random.default_rng(7)
    return [looks(rng) for _ in range(PATIENTS)]


@pytest.fixture(scope="module")
def familiar(patients) -> Familiar:
    return familiar_of(patients)


def test_means_and_spreads_are_those_of_the_patients(patients, familiar):
    values = [one.beat["b"] for one in patients]
    mean, spread = familiar.groups["beat"].traits["b"]

    assert familiar.patients == PATIENTS
    assert mean == pytest.approx(np.mean(values), rel=1e-3)
    assert spread == pytest.approx(np.std(values), rel=1e-3)


def test_nearly_all_of_those_it_was_made_of_are_familiar(patients, familiar):
    flagged = sum(bool(unlikeness(one, familiar)) for one in patients)

    assert flagged <= 2
    assert familiar.limit > 1  # rare in one group of several is not rare in all


def test_a_trait_far_off_is_named_with_its_group(patients, familiar):
    odd = replace(patients[0], image={"a": 3.0, "b": 9.0})

    assert unlikeness(odd, familiar) == ("the image is unlike those that the model learnt from: b",)
    assert strangeness(odd, familiar) > familiar.limit > strangeness(patients[0], familiar)


def test_the_farthest_is_named_first_and_lower_is_as_far_as_higher(familiar):
    nothing = {name: {} for name in GROUPS}
    odd = Looks(**{**nothing, "heart_at_es": {"a": 6.0, "b": -3.0}})

    (reason,) = unlikeness(odd, familiar)
    assert reason == "the heart at end-systole is unlike those that the model learnt from: b, a"


def test_many_traits_somewhat_off_are_strange_together():
    rng = np.random.default_rng(1)
    names = [f"t{number}" for number in range(12)]
    seen = [
        Looks(**{**{name: {} for name in GROUPS}, "image": dict(zip(names, row, strict=True))})
        for row in rng.normal(0, 1, (60, 12))
    ]
    known = familiar_of(seen)
    off = replace(seen[0], image=dict.fromkeys(names, 2.0))

    assert max(map(abs, off.image.values())) < known.groups["image"].farthest
    assert unlikeness(off, known)


def test_a_trait_that_never_varied_may_vary_a_little():
    rng = np.random.default_rng(2)
    seen = [replace(looks(rng), beat={"a": 1.0}) for _ in range(PATIENTS)]

    off = departures({"a": 1.0 + LEAST_SPREAD}, familiar_of(seen).groups["beat"].traits)
    assert off == {"a": pytest.approx(1.0)}


def test_what_one_side_lacks_is_not_compared(familiar):
    nothing = Looks(**{name: {} for name in GROUPS})

    assert strangeness(nothing, familiar) == 0
    assert unlikeness(nothing, familiar) == ()
    assert unlikeness(replace(nothing, beat={"other": 99.0}), familiar) == ()
    assert unlikeness(nothing, replace(familiar, groups={})) == ()


def test_too_few_patients_make_nothing_familiar(patients):
    with pytest.raises(MeasureError, match=rf"got {FEWEST - 1} patients; allowed: at least"):
        familiar_of(patients[: FEWEST - 1])


def test_it_goes_into_a_bundle_s_file_and_back(familiar):
    assert from_table(Familiar, to_table(familiar)) == familiar


def drawn(labels: np.ndarray, geometry: Geometry | None = None):
    return segmentation(labels, geometry)


def test_a_study_has_traits_of_every_group():
    labels = np.stack([round_heart(), round_heart(15, 12)])
    grey = np.select([labels == LV, labels == MYO, labels == RV], [900, 200, 800], 400)

    found = looks_of(grey, drawn(labels), BOTH)
    assert found is not None
    assert all(getattr(found, name) for name in GROUPS)
    assert found.heart_at_ed != found.heart_at_es
    assert found.tissue_at_ed["contrast of blood to muscle"] > 0.5


def test_the_phases_are_the_frames_that_were_measured():
    labels = np.stack([round_heart(15, 12), round_heart()])

    found = looks_of(None, drawn(labels), Phases(ed=1, es=0, how="given"))
    assert found is not None
    assert found.heart_at_ed["size of the LV"] > found.heart_at_es["size of the LV"]


def test_one_phase_has_no_beat_and_no_image_has_no_tissue():
    found = looks_of(None, drawn(round_heart()[None]), Phases(ed=0, es=None, how="detected"))

    assert found is not None
    assert found.heart_at_ed
    assert found.beat == found.heart_at_es == found.image == found.tissue_at_ed == {}


def test_without_millimetres_nothing_is_compared():
    labels = np.stack([round_heart(), round_heart(15, 12)])
    bare = Geometry(labels.shape[1:], np.eye(4), unit="px")

    assert looks_of(None, drawn(labels, bare), BOTH) is None
