"""Least squares: by hand, and pulling both ways."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses.adversarial import taken_for_real, told_apart  # noqa: E402


def test_by_hand():
    made, real = torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([[1.0, 0.5]])
    assert taken_for_real(made).item() == pytest.approx((1 + 0 + 4) / 3)
    assert told_apart(real, made).item() == pytest.approx(0.5 * 0.25 / 2 + 0.5 * 10 / 3)


def test_knowing_nothing_costs_a_quarter():
    half = torch.full((2, 1, 3, 5), 0.5)
    assert told_apart(half, half).item() == pytest.approx(0.25)
    assert taken_for_real(half).item() == pytest.approx(0.25)


def test_maker_and_judge_pull_the_answer_apart():
    answer = torch.tensor([0.4], requires_grad=True)
    taken_for_real(answer).backward()
    maker = answer.grad.clone()
    answer.grad = None
    told_apart(torch.tensor([1.0]), answer).backward()
    assert maker.item() < 0 < answer.grad.item()
