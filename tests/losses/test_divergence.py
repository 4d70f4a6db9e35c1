"""Divergences by hand and against torch's own."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses.divergence import channel_divergence, divergence  # noqa: E402


def logits(seed: int) -> "torch.Tensor":
    return torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed))


def test_of_classes_by_hand_and_as_torch_has_it():
    before, after = torch.tensor([[0.25, 0.75]]).log(), torch.tensor([[0.5, 0.5]]).log()
    wanted = 0.25 * math.log(0.5) + 0.75 * math.log(1.5)
    assert divergence(before, after).item() == pytest.approx(wanted)
    p, q = logits(1), logits(2)
    own = torch.nn.functional.kl_div(
        q.log_softmax(1), p.log_softmax(1), reduction="none", log_target=True
    )
    torch.testing.assert_close(divergence(p, q), own.sum(1).mean())


def test_of_channels_by_hand():
    before, after = torch.logit(torch.tensor([[0.2]])), torch.logit(torch.tensor([[0.6]]))
    wanted = 0.2 * math.log(0.2 / 0.6) + 0.8 * math.log(0.8 / 0.4)
    assert channel_divergence(before, after).item() == pytest.approx(wanted)
    twice = channel_divergence(before.expand(1, 2), after.expand(1, 2))
    assert twice.item() == pytest.approx(2 * wanted)


@pytest.mark.parametrize("of", [divergence, channel_divergence])
def test_equal_answers_are_at_0_and_only_the_second_learns(of):
    before, after = logits(1).requires_grad_(), logits(2).requires_grad_()
    assert of(before, before).item() == pytest.approx(0, abs=1e-6)
    far = of(before, after)
    assert far > 0
    far.backward()
    assert before.grad is None
    assert after.grad.abs().sum() > 0
