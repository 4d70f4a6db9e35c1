"""A patch is told by its place: by hand, and no gradient into the keys."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses.contrastive import patch_contrast  # noqa: E402


def vectors(seed: int) -> "torch.Tensor":
    random = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(random, dim=-1)


def test_by_hand():
    keys = torch.eye(3)[None]
    assert patch_contrast(keys, keys, 1.0).item() == pytest.approx(-1 + math.log(math.e + 2))
    rolled = keys.roll(1, dims=1)
    assert patch_contrast(rolled, keys, 0.5).item() == pytest.approx(math.log(math.exp(2) + 2))


def test_places_of_other_images_are_no_rivals():
    one = vectors(1)
    apart = [patch_contrast(one[[row]], one[[row]]).item() for row in (0, 1)]
    assert patch_contrast(one, one).item() == pytest.approx(sum(apart) / 2)


def test_a_moved_answer_costs_more():
    keys = vectors(2)
    assert patch_contrast(keys.roll(1, dims=1), keys) > 3 + patch_contrast(keys, keys)


def test_only_the_answer_learns():
    queries, keys = vectors(3).requires_grad_(), vectors(4).requires_grad_()
    patch_contrast(queries, keys).backward()
    assert queries.grad.abs().sum() > 0
    assert keys.grad is None
