"""Entropies against numbers worked out on paper, and against torch, MONAI and SMP."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import (  # noqa: E402
    IGNORED,
    binary_cross_entropy,
    cross_entropy,
    focal_loss,
    voxel_weighted_cross_entropy,
)
from tests.losses.test_contract import noise, truth_of  # noqa: E402

LOGITS = torch.tensor([[[[0.0, math.log(3.0)]], [[0.0, 0.0]]]])
"""Two voxels of two classes: probabilities (1/2, 1/2) and (3/4, 1/4)."""


def test_cross_entropy_is_what_paper_says():
    wanted = (math.log(2) + math.log(4)) / 2
    assert cross_entropy(LOGITS, torch.tensor([[[0, 1]]])).item() == pytest.approx(wanted)


def test_class_weights_weigh_the_mean():
    weights = torch.tensor([1.0, 3.0])
    wanted = (1 * math.log(2) + 3 * math.log(4)) / 4
    found = cross_entropy(LOGITS, torch.tensor([[[0, 1]]]), weights)
    assert found.item() == pytest.approx(wanted)
    same = cross_entropy(LOGITS, torch.tensor([[[0, 1]]]), torch.tensor([2.0, 2.0]))
    assert same.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_ignored_voxels_leave_the_mean():
    found = cross_entropy(LOGITS, torch.tensor([[[IGNORED, 1]]]))
    assert found.item() == pytest.approx(math.log(4))


def test_voxels_weigh_as_they_are_told():
    found = voxel_weighted_cross_entropy(
        LOGITS, torch.tensor([[[0, 1]]]), torch.tensor([[[1.0, 2.0]]])
    )
    assert found.item() == pytest.approx((math.log(2) + 2 * math.log(4)) / 3)
    none = voxel_weighted_cross_entropy(
        LOGITS, torch.tensor([[[IGNORED, 1]]]), torch.tensor([[[5.0, 0.0]]])
    )
    assert none.item() == 0


def test_binary_cross_entropy_is_what_paper_says():
    logits = torch.tensor([[[[0.0]], [[math.log(3.0)]]]])  # sigmoids 1/2 and 3/4
    found = binary_cross_entropy(logits, torch.tensor([[[[1]], [[0]]]]))
    assert found.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_focal_loss_is_what_paper_says():
    found = focal_loss(LOGITS, torch.tensor([[[0, 1]]]), gamma=2.0)
    wanted = (0.25 * math.log(2) + (9 / 16) * math.log(4)) / 2
    assert found.item() == pytest.approx(wanted)
    plain = focal_loss(LOGITS, torch.tensor([[[0, 1]]]), gamma=0.0)
    assert plain.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


@pytest.mark.parametrize("space", [(9, 7), (4, 9, 7)])
def test_the_same_as_torch(space):
    logits, truth, weights = noise(space), truth_of(space), torch.tensor([0.2, 3.0, 1.5])
    truth.view(2, -1)[:, ::5] = IGNORED
    theirs = torch.nn.functional.cross_entropy(logits, truth, weights, ignore_index=IGNORED)
    torch.testing.assert_close(cross_entropy(logits, truth, weights), theirs)


def test_the_same_focal_loss_as_monai():
    losses = pytest.importorskip("monai.losses")
    logits, truth = noise((9, 7)), truth_of((9, 7))
    theirs = losses.FocalLoss(to_onehot_y=True, use_softmax=True, gamma=1.5)(logits, truth[:, None])
    # Theirs is a mean over the classes too, of which only the true one costs anything.
    torch.testing.assert_close(focal_loss(logits, truth, gamma=1.5), theirs * 3)


def test_the_same_binary_cross_entropy_as_smp():
    smp = pytest.importorskip("segmentation_models_pytorch")
    logits, targets = noise((9, 7)), (noise((9, 7), seed=9) > 0).float()
    theirs = smp.losses.SoftBCEWithLogitsLoss()(logits, targets)
    torch.testing.assert_close(binary_cross_entropy(logits, targets), theirs)
