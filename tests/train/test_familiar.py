from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.measure.likeness import FEWEST
from heartseg.read import Candidate
from tests.measure.hearts import LV, MYO, RV, round_heart, segmentation

pytest.importorskip("torch")

from heartseg.train.familiar import familiar_patients


def patient(number: int, view: View = View.SAX) -> Candidate:
    """A heart a little larger than the last, ED in the second frame."""
    labels = np.stack([round_heart(15 + 0.1 * number, 12), round_heart(21 + 0.2 * number)])
    drawn = segmentation(labels)
    grey = np.select([labels == LV, labels == MYO, labels == RV], [900, 200, 800], 400)

    def load() -> Study:
        return Study(
            id=f"p{number}",
            modality=Modality.MR,
            images={view: Image(grey, drawn.geometry)},
            sources={},
            phases={view: Phases(ed=1, es=0, how="given")} if number % 2 else {},
        )

    def reference() -> Mapping[View, Segmentation]:
        return {view: drawn}

    template = Candidate.__dataclass_fields__
    given = {"id": f"p{number}", "load": load, "reference": reference}
    return Candidate(**{**_rest(template), **given})


def _rest(fields: Mapping[str, object]) -> dict[str, object]:
    """What a candidate must say besides."""
    known = {"path": None, "layout": "acdc", "files": ()}
    return {name: value for name, value in known.items() if name in fields}


@pytest.fixture(scope="module")
def patients() -> list[Candidate]:
    return [patient(number) for number in range(FEWEST)]


def test_a_model_takes_along_what_its_patients_look_like(patients):
    found = familiar_patients(patients, View.SAX)

    assert found is not None
    assert found.patients == FEWEST
    mean, spread = found.groups["heart_at_ed"].traits["size of the LV"]
    assert found.groups["heart_at_es"].traits["size of the LV"][0] < mean
    assert spread == pytest.approx(0.03, abs=0.01)
    assert found.groups["image"].traits["slice distance"][0] == pytest.approx(np.log(8.0), rel=1e-3)


def test_few_patients_are_none(patients):
    assert familiar_patients(patients[1:], View.SAX) is None


def test_what_is_not_drawn_whole_does_not_count(patients):
    bare = replace(patients[0], reference=None)
    partly = replace(patients[0], covered=lambda: {})

    for one in (bare, partly, patient(0, View.LAX_4CH)):
        assert familiar_patients([one, *patients[1:]], View.SAX) is None


def test_other_views_have_no_such_traits(patients):
    assert (
        familiar_patients([patient(n, View.LAX_4CH) for n in range(FEWEST)], View.LAX_4CH) is None
    )
