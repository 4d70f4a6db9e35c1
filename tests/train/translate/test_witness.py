"""The witness judges what it knows, by labels where there are some, and learns if it may."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from heartseg.core.anatomy import Structure  # noqa: E402
from heartseg.core.errors import ConfigError  # noqa: E402
from heartseg.segment import load_bundle  # noqa: E402
from heartseg.train.translate.methods import Anatomy  # noqa: E402
from heartseg.train.translate.witness import SharedClasses, Witness, witness_of  # noqa: E402
from tests.train.translate import small  # noqa: E402

SPACING_MM = load_bundle("cine-mr").preparation.spacing_mm
AS_SHIPPED = (
    "anatomy.frozen=cine-mr",
    *(f"{side}.preparation.spacing_mm={SPACING_MM}" for side in ("source", "target")),
)


class Bright(torch.nn.Module):
    """Calls dark background, grey class 2, bright class 1."""

    def forward(self, images):
        middle = 1 - (images - 0.5).abs() * 4
        return torch.cat([0.3 - images, images - 0.7, 0.4 * middle], dim=1) * 20


def witness(*sees: str, **more: object) -> Witness:
    asked = Anatomy(frozen="x", sees=sees, **more)
    return Witness(Bright(), 3, asked)


def test_it_says_nothing_of_kinds_that_it_does_not_know():
    images, truth = torch.rand(2, 1, 4, 4), torch.ones(2, 4, 4, dtype=torch.long)
    knows = witness("target")
    assert knows.disagreement([("source", images, truth)]).item() == 0
    assert knows.disagreement([("target", images, None)]).item() == 0
    alone = knows.disagreement([("target", images, truth)])
    assert alone > 0
    both = [("target", images, truth), ("source", images, truth)]
    assert knows.disagreement(both) == alone  # a mean over what was judged


def test_it_is_judged_by_labels_else_by_what_was_seen_before():
    images, truth = torch.tensor([0.1, 0.5, 0.9]).view(1, 1, 1, 3), torch.zeros(1, 1, 3)
    knows = witness("source")
    assert knows.reference("source", images, truth) is truth
    assert knows.reference("source", images).tolist() == [[[0, 2, 1]]]
    assert knows.reference("target", images) is None


def test_the_same_anatomy_costs_less():
    knows, truth = witness("source"), torch.tensor([[[0, 2, 1]]])
    same = torch.tensor([0.1, 0.5, 0.9]).view(1, 1, 1, 3)
    costs = [knows.disagreement([("source", x, truth)]) for x in (same, same.flip(-1))]
    assert costs[0] < 0.5 * costs[1]


def test_its_weight_rises():
    assert [witness("source", weight=2.0, warm_up=4).weight(s) for s in (0, 1, 4, 9)] == [
        0, 0.5, 2, 2,
    ]  # fmt: skip
    assert witness("source", weight=2.0).weight(0) == 2


def test_structures_that_are_not_asked_for_are_background():
    logits = torch.tensor([[1.0, 2.0, 3.0, 4.0]]).view(1, 4, 1, 1)
    has = (Structure.BACKGROUND, Structure.RV_CAVITY, Structure.LV_MYOCARDIUM, Structure.LV_CAVITY)
    wanted = (Structure.BACKGROUND, Structure.LV_CAVITY)
    found = SharedClasses(torch.nn.Identity(), has, wanted)(logits).softmax(1).flatten()
    odds = np.exp([1, 2, 3, 4.0])
    assert found.tolist() == pytest.approx([odds[:3].sum() / odds.sum(), odds[3] / odds.sum()])


def test_a_shipped_model_may_be_asked():
    changes = (*AS_SHIPPED, "anatomy.sees=['source']", "spatial.size_px=32")
    asked = small.settings(*changes)
    found = witness_of(asked, Path(), small.CPU, labelled=True)
    assert found is not None
    images = torch.rand(1, 1, 32, 32, requires_grad=True)
    truth = torch.ones(1, 32, 32, dtype=torch.long)
    found.disagreement([("source", images, truth)]).backward()
    assert images.grad.abs().sum() > 0
    assert not [w for w in found.network.parameters() if w.requires_grad or w.grad is not None]
    assert found.learn(1.0, images, truth) == {}
    assert found.state() == {}


@pytest.mark.parametrize(
    ("changes", "labelled", "match"),
    [
        (("anatomy.frozen=cine-mr", "source.preparation.spacing_mm=1"), True, "spacing_mm"),
        ((*AS_SHIPPED, "structures=['la']"), True, "knows no la"),
        ((*AS_SHIPPED, "spatial.size_px=24"), True, "24 pixels"),
        (("anatomy.frozen=cine-mr", "anatomy.sees=['target']"), False, "without labels"),
        (small.JOINT, False, "without labels"),
        (("anatomy.joint.name=unet", "anatomy.joint.widths=[2,2,2,2,2,2]"), True, "stride 32"),
        (("anatomy.joint.name=unet-3d",), True, "network of planes"),
    ],
)
def test_a_witness_that_cannot_judge_is_refused(changes, labelled, match):
    with pytest.raises(ConfigError, match=match):
        witness_of(small.settings(*changes), Path(), small.CPU, labelled=labelled)
