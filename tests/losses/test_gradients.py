"""Edges agree whatever the contrast, and disagree when they move, vanish or are invented."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses.gradients import gradient_consistency, gradients  # noqa: E402


def disc(shift: float = 0.0) -> "torch.Tensor":
    y, x = torch.meshgrid(torch.arange(21.0), torch.arange(26.0), indexing="ij")
    away = ((y - 9 - shift) ** 2 + (x - 14) ** 2).sqrt()
    return (0.1 + 0.8 * torch.sigmoid(5 - away))[None, None]


def test_gradients_are_a_change_a_pixel_along_each_axis():
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(9.0), indexing="ij")
    found = gradients((0.3 * y - 0.2 * x)[None, None].expand(2, 3, -1, -1))
    assert found.shape == (2, 3, 2, 4, 7)
    torch.testing.assert_close(found[:, :, 0], torch.full((2, 3, 4, 7), 0.3))
    torch.testing.assert_close(found[:, :, 1], torch.full((2, 3, 4, 7), -0.2))


def test_by_hand_in_one_pixel():
    """Two ramps: |g| = 0.1 along y, |h| = 0.2 along x and y."""
    y, x = torch.meshgrid(torch.arange(3.0), torch.arange(3.0), indexing="ij")
    one, other = (0.1 * y)[None, None], (0.2 * x + 0.2 * y)[None, None]
    wanted = 1 - (0.02 + 1e-4) ** 2 / ((0.01 + 1e-4) * (0.08 + 1e-4))
    assert gradient_consistency(one, other, 0.01).item() == pytest.approx(wanted, rel=1e-4)


def test_the_same_anatomy_in_another_contrast_agrees():
    image = disc()
    assert gradient_consistency(image, image).item() == pytest.approx(0, abs=1e-6)
    assert gradient_consistency(image, 1 - image).item() == pytest.approx(0, abs=1e-6)
    assert gradient_consistency(image, 0.8 * image).item() < 0.02


def test_what_moved_vanished_or_was_invented_costs():
    image, flat = disc(), torch.full((1, 1, 21, 26), 0.5)
    moved = [gradient_consistency(image, disc(shift)).item() for shift in (0.5, 1, 2, 4)]
    assert moved == sorted(moved)
    assert moved[0] > 0.01
    lost, invented = gradient_consistency(image, flat), gradient_consistency(flat, image)
    assert lost.item() == pytest.approx(invented.item())
    assert lost.item() > 0.1


def test_an_invented_edge_is_drawn_back():
    flat = torch.full((1, 1, 21, 26), 0.5)
    made = (0.5 + 0.1 * disc()).requires_grad_()
    gradient_consistency(flat, made).backward()
    less = (made - 1.0 * made.grad).detach()
    assert gradient_consistency(flat, less) < gradient_consistency(flat, made)
