"""Soft Dice against numbers worked out on paper (SMOOTH = 1)."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import (  # noqa: E402
    channel_dice_loss,
    dice_and_binary_cross_entropy,
    generalised_dice_loss,
    soft_dice_loss,
    tversky_loss,
)
from tests.losses.test_contract import noise, truth_of  # noqa: E402


def planes(*foreground: list[float]) -> "torch.Tensor":
    """(1, classes, 1, x) probabilities; the background takes the rest."""
    rows = torch.tensor(foreground)
    return torch.cat([1 - rows.sum(0, keepdim=True), rows])[None, :, None]


def truth(*labels: int) -> "torch.Tensor":
    return torch.tensor([[list(labels)]])


@pytest.mark.parametrize(
    ("probabilities", "labels", "loss"),
    [
        (planes([0.5, 1.0]), truth(1, 1), 1 - (2 * 1.5 + 1) / (1.5 + 2 + 1)),  # 1/9
        (planes([1.0, 0.0, 0.0]), truth(0, 1, 0), 1 - 1 / 3),  # nothing hit
        (planes([0.0] * 9), truth(*[1] * 9), 1 - 1 / 10),  # nothing found
        (planes([0.25, 0.25], [0.5, 0.75]), truth(1, 2), 1 - (1.5 / 2.5 + 2.5 / 3.25) / 2),
    ],
)
def test_it_is_what_paper_says(probabilities, labels, loss):
    assert soft_dice_loss(probabilities, labels).item() == pytest.approx(loss, abs=1e-6)


def test_a_perfect_answer_costs_nothing():
    labels = torch.tensor([[[0, 1, 2], [2, 2, 0]]])
    perfect = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    assert soft_dice_loss(perfect, labels).item() == pytest.approx(0, abs=1e-6)


def test_a_class_that_is_absent_and_not_found_costs_nothing():
    assert soft_dice_loss(planes([1.0, 0.0], [0.0, 0.0]), truth(1, 0)).item() == pytest.approx(0)


def test_the_background_does_not_count():
    few, many = planes([1.0, 0.0]), planes([1.0] + [0.0] * 99)
    wrong = soft_dice_loss(few, truth(0, 1)).item()
    assert soft_dice_loss(many, truth(0, 1, *[0] * 98)).item() == pytest.approx(wrong)


def test_sums_go_over_the_batch_not_plane_by_plane():
    probabilities = torch.cat([planes([1.0, 1.0]), planes([0.5, 0.0])])
    labels = torch.cat([truth(1, 1), truth(0, 0)])  # the second plane holds no heart
    assert soft_dice_loss(probabilities, labels).item() == pytest.approx(1 - 5 / 5.5)


def test_the_gradient_raises_what_is_right_and_lowers_what_is_wrong():
    logits = torch.zeros(1, 2, 1, 2, requires_grad=True)
    soft_dice_loss(logits.softmax(1), truth(1, 0)).backward()
    assert logits.grad[0, 1, 0, 0] < 0 < logits.grad[0, 1, 0, 1]


def test_channels_may_overlap():
    probabilities = torch.tensor([[[[1.0, 1.0]], [[0.5, 0.0]]]])
    targets = torch.tensor([[[[1, 1]], [[1, 0]]]])
    wanted = 1 - (1 + 2 / 2.5) / 2
    assert channel_dice_loss(probabilities, targets).item() == pytest.approx(wanted)


def test_the_loss_of_the_thesis_is_half_of_each():
    logits = torch.tensor([[[[0.0, 0.0]]]])
    targets = torch.tensor([[[[1, 0]]]])
    wanted = 0.5 * math.log(2) + 0.5 * (1 - 2 / 3)
    found = dice_and_binary_cross_entropy(logits, targets)
    assert found.item() == pytest.approx(wanted)


def test_tversky_makes_missing_dearer_than_drawing_too_much():
    missed = tversky_loss(planes([1.0, 0.0]), truth(1, 1)).item()
    excess = tversky_loss(planes([1.0, 1.0]), truth(1, 0)).item()
    assert missed == pytest.approx(1 - 2 / (1 + 0.7 + 1))
    assert excess == pytest.approx(1 - 2 / (1 + 0.3 + 1))


def test_generalised_dice_weighs_classes_by_their_size():
    # sizes 3 (background) and 1; p right but for half of the foreground voxel
    found = generalised_dice_loss(planes([0.0, 0.0, 0.0, 0.5]), truth(0, 0, 0, 1))
    overlap = 3 / 9 + 0.5
    total = (3.5 + 3) / 9 + (0.5 + 1)
    assert found.item() == pytest.approx(1 - 2 * overlap / total)


@pytest.mark.parametrize("space", [(9, 7), (4, 9, 7)])
def test_the_same_as_monai(space):
    losses = pytest.importorskip("monai.losses")
    probabilities, labels = noise(space).softmax(1), truth_of(space)
    theirs = losses.DiceLoss(
        include_background=False, to_onehot_y=True, batch=True, smooth_nr=1.0, smooth_dr=1.0
    )(probabilities, labels[:, None])
    torch.testing.assert_close(soft_dice_loss(probabilities, labels), theirs)
    theirs = losses.TverskyLoss(
        include_background=False,
        to_onehot_y=True,
        batch=True,
        alpha=0.2,
        beta=0.9,
        smooth_nr=1.0,
        smooth_dr=1.0,
    )(probabilities, labels[:, None])
    torch.testing.assert_close(tversky_loss(probabilities, labels, 0.2, 0.9), theirs)
    theirs = losses.GeneralizedDiceLoss(to_onehot_y=True, batch=True, smooth_nr=0.0, smooth_dr=0.0)(
        probabilities, labels[:, None]
    )
    torch.testing.assert_close(generalised_dice_loss(probabilities, labels), theirs)


def test_an_absent_class_weighs_as_the_dearest_of_those_that_are_there():
    # sizes 3, 1 and none: weights 1/9, 1 and, for the absent one, 1
    probabilities = planes([0.0, 0.0, 0.0, 1.0], [0.5, 0.0, 0.0, 0.0])
    found = generalised_dice_loss(probabilities, truth(0, 0, 0, 1))
    overlap = 2.5 / 9 + 1
    total = 5.5 / 9 + 2 + 0.5
    assert found.item() == pytest.approx(1 - 2 * overlap / total)
