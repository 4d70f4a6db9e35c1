"""Soft Dice against numbers worked out on paper (SMOOTH = 1)."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import soft_dice_loss  # noqa: E402


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
