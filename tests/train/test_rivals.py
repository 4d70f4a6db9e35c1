"""Discriminators: their opinion is for the others to learn from, their step for themselves."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses.adversarial import taken_for_real  # noqa: E402
from heartseg.models.patch_discriminator import PatchDiscriminator  # noqa: E402
from heartseg.train.learning import Learning  # noqa: E402
from heartseg.train.rivals import Rivals  # noqa: E402


def rivals(history: int = 0) -> Rivals:
    torch.manual_seed(1)
    learning = Learning(optimiser="adam", rate=0.01, weight_decay=0.0, average=0.0)
    described = PatchDiscriminator(width=3, halvings=1)
    return Rivals(described, 1, ("a", "b"), learning, history, torch.device("cpu"))


def test_an_opinion_moves_the_image_alone():
    both, made = rivals(), torch.rand(2, 1, 8, 8, requires_grad=True)
    opinion = both.opinion("a", made)
    assert opinion.item() == pytest.approx(taken_for_real(both.networks["a"](made)).item())
    opinion.backward()
    assert made.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in both.networks.parameters())


def test_a_step_moves_the_rivals_alone():
    both, made = rivals(), torch.rand(2, 1, 8, 8, requires_grad=True)
    before = [weight.clone() for weight in both.networks.parameters()]
    pairs = {kind: (torch.rand(2, 1, 8, 8), made) for kind in ("a", "b")}
    told = both.step(1.0, pairs, torch.Generator())
    assert set(told) == {"discriminator_loss", "discriminator_gradient_norm"}
    assert made.grad is None
    after = list(both.networks.parameters())
    assert all(not torch.equal(x, y) for x, y in zip(before, after, strict=True))


def test_no_rate_moves_nothing():
    both = rivals()
    before = [weight.clone() for weight in both.networks.parameters()]
    images = torch.rand(2, 2, 1, 8, 8)
    both.step(0.0, {"a": (images[0], images[1])}, torch.Generator())
    assert all(torch.equal(x, y) for x, y in zip(before, both.networks.parameters(), strict=True))


def test_earlier_images_are_part_of_the_state():
    both = rivals(history=2)
    images = torch.rand(2, 2, 1, 8, 8)
    both.step(1.0, {"a": (images[0], images[1])}, torch.Generator())
    kept = both.state()["history"]
    assert torch.equal(torch.stack(kept["a"]["images"]), images[1])
    assert kept["b"]["images"] == []
