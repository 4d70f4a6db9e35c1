"""Losses of sigmoid channels, against numbers by hand and torch's own."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import IGNORED  # noqa: E402
from heartseg.losses.channels import (  # noqa: E402
    CHANNEL_LOSSES,
    channel_cross_entropy,
    channel_dice,
    channel_focal,
    channel_targets,
)

every_loss = pytest.mark.parametrize("name", CHANNEL_LOSSES)
TRUTH = torch.tensor([[[0, 1, 1, 2], [0, 2, 2, 2], [1, 0, 0, 2]]])


def answer(sure: float, truth: "torch.Tensor" = TRUTH) -> "torch.Tensor":
    return (channel_targets(truth, 2).float() * 2 - 1) * sure


def noise(seed: int = 3) -> "torch.Tensor":
    return torch.randn(1, 2, 3, 4, generator=torch.Generator().manual_seed(seed))


@every_loss
def test_a_better_answer_costs_less(name):
    costs = [CHANNEL_LOSSES[name](answer(sure), TRUTH).item() for sure in (-3, 0, 1, 3, 30)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.3 * costs[1]


@every_loss
def test_what_nobody_annotated_moves_no_weight(name):
    truth, logits = TRUTH.clone(), noise().requires_grad_()
    truth[:, 1, 2:] = IGNORED
    CHANNEL_LOSSES[name](logits, truth.to(torch.uint8)).backward()
    assert not logits.grad[:, :, 1, 2:].any()
    assert logits.grad[:, :, 0].any()


@every_loss
@pytest.mark.parametrize("there", [0, IGNORED])
def test_images_without_a_structure_or_an_annotation_break_nothing(name, there):
    logits = noise().requires_grad_()
    loss = CHANNEL_LOSSES[name](logits, torch.full((1, 3, 4), there))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_the_background_has_no_channel():
    targets = channel_targets(TRUTH, 2)
    assert targets.shape == (1, 2, 3, 4)
    assert targets[0, 0].sum() == 3
    assert targets[0, 1].sum() == 5


def test_binary_cross_entropy_is_that_of_torch():
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(
        noise(), channel_targets(TRUTH, 2).float()
    )
    torch.testing.assert_close(channel_cross_entropy(noise(), TRUTH), wanted)


def test_class_weights_weigh_voxels_by_their_class_in_all_channels():
    truth, logits = torch.tensor([[[0, 2]]]), torch.tensor([[[[1.0, -1.0]], [[0.5, 2.0]]]])
    each = [
        (math.log1p(math.exp(1.0)) + math.log1p(math.exp(0.5))) / 2,  # background: both off
        (math.log1p(math.exp(-1.0)) + math.log1p(math.exp(-2.0))) / 2,  # the second: off, on
    ]
    found = channel_cross_entropy(logits, truth, torch.tensor([1.0, 9.0, 3.0]))
    assert found.item() == pytest.approx((1 * each[0] + 3 * each[1]) / 4)


def test_focal_with_gamma_0_is_cross_entropy_and_else_discounts_what_is_easy():
    torch.testing.assert_close(
        channel_focal(noise(), TRUTH, gamma=0.0), channel_cross_entropy(noise(), TRUTH)
    )
    easy, hard = answer(3.0), answer(-3.0)
    share = [
        (channel_focal(one, TRUTH) / channel_cross_entropy(one, TRUTH)).item()
        for one in (easy, hard)
    ]
    assert share == pytest.approx([0.04743**2, 0.95257**2], rel=1e-3)


def test_dice_is_that_of_each_channel_alone():
    truth, logits = torch.tensor([[[1, 1, 2]]]), torch.full((1, 2, 1, 3), 50.0)
    # both channels are full: 2 * 2 + 1 over 3 + 2 + 1, and 2 * 1 + 1 over 3 + 1 + 1
    assert channel_dice(logits, truth).item() == pytest.approx(1 - (5 / 6 + 3 / 5) / 2)
