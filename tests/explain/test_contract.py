"""What every method owes, found by its line in the table."""

import numpy as np
import pytest
import torch
from torch import nn

from heartseg.explain.asked import Asked, Settings
from heartseg.explain.checks import map_of
from heartseg.explain.methods import METHODS, OfAnswers, OfNetwork
from heartseg.explain.target import log_odds, mean_log_odds, soft_volume
from heartseg.models.attention_unet import AttentionUNet
from tests.explain.tiny import (
    LV,
    PATCH,
    SIZE,
    BalancedNetwork,
    ConstantNetwork,
    PatchNetwork,
    asked,
    grey,
)

SETTINGS = Settings(
    smoothgrad_samples=4, integrated_steps=8, occlusion_patch_px=4, occlusion_step_px=4, at_once=8
)
ATTENTIVE = "attention"
"""A weight of places, no consequence of the pixels: it has tests of its own."""
OTHERS = [name for name in METHODS if name != ATTENTIVE]
LOCATED = [name for name in OTHERS if name != "turn-disagreement"]
"""A network that looks at a place of the plane looks elsewhere when the image is turned."""

SIGNED = [name for name, one in METHODS.items() if isinstance(one, OfNetwork) and one.signed]
"""In the number's own unit; a map that is relative to its largest value shows rounding large."""


def in_patch() -> torch.Tensor:
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[PATCH] = True
    return mask


def networks(name: str) -> list[nn.Module]:
    """As many as the method needs, none like another."""
    if name == ATTENTIVE:
        torch.manual_seed(4)
        return [AttentionUNet(widths=(2, 4, 4)).build(1, 4)]
    method = METHODS[name]
    many = method.fewest if isinstance(method, OfAnswers) else 1
    return [PatchNetwork(gain) for gain in (8.0, 3.0)[:many]]


def question(network: nn.Module) -> Asked:
    return asked(network, mean_log_odds(LV, in_patch()))


def map_by(name: str, several: list[nn.Module], settings: Settings = SETTINGS) -> np.ndarray:
    method = METHODS[name]
    if isinstance(method, OfNetwork):
        return map_of(method, question(several[0]), LV, settings)
    with torch.no_grad():
        answers = [one.eval()(grey()).softmax(1)[0].numpy() for one in several]
    return method.function(np.stack(answers), LV)


@pytest.mark.parametrize("name", METHODS)
def test_a_map_has_a_finite_number_for_every_pixel(name: str) -> None:
    map_ = map_by(name, networks(name))
    assert map_.shape == SIZE
    assert map_.dtype == np.float32
    assert np.isfinite(map_).all()
    assert map_.max() > 0
    method = METHODS[name]
    assert map_.min() >= 0 or (isinstance(method, OfNetwork) and method.signed)


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_map(name: str) -> None:
    several = networks(name)
    before = torch.random.get_rng_state()
    assert (map_by(name, several) == map_by(name, several)).all()
    assert torch.equal(before, torch.random.get_rng_state()), "it took the caller's chance"


@pytest.mark.parametrize("name", LOCATED)
def test_the_map_lies_where_the_network_looks(name: str) -> None:
    size = np.abs(map_by(name, networks(name)))
    assert size[PATCH].sum() > 0.9 * size.sum() > 0


@pytest.mark.parametrize("name", OTHERS)
def test_a_network_that_sees_nothing_has_no_map(name: str) -> None:
    many = len(networks(name))
    map_ = map_by(name, [ConstantNetwork() for _ in range(many)])
    assert np.abs(map_).max() < 1e-6


@pytest.mark.parametrize("name", SIGNED)
def test_a_structure_that_depends_on_no_pixel_has_no_map(name: str) -> None:
    network = BalancedNetwork()
    with torch.no_grad():
        logits = network(grey())
    assert np.ptp(log_odds(logits, LV).numpy()) < 1e-5
    assert np.ptp(logits[:, 1].numpy()) > 1e-2, "another structure does depend on them"
    method = METHODS[name]
    assert isinstance(method, OfNetwork)
    map_ = method.function(asked(network, mean_log_odds(LV, in_patch())), SETTINGS).numpy()
    assert np.abs(map_).max() < 1e-5


@pytest.mark.parametrize("name", SIGNED)
def test_a_measure_twice_as_large_has_a_map_twice_as_large(name: str) -> None:
    method = METHODS[name]
    assert isinstance(method, OfNetwork)
    one, two = (
        method.function(asked(PatchNetwork(), soft_volume(LV, ml)), SETTINGS) for ml in (0.1, 0.2)
    )
    assert torch.allclose(2 * one, two, rtol=1e-4, atol=1e-9)
    if name in ("saliency", "smoothgrad"):
        assert (one[PATCH] > 0).all(), "brighter is more LV in this network"


@pytest.mark.parametrize("name", OTHERS)
def test_volumes_have_maps_of_volumes(name: str) -> None:
    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv3d(1, 2, 3, padding=1)
            self.classes = nn.Conv3d(2, 4, 1)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.classes(torch.relu(self.features(pixels)))
            return out

    method, size = METHODS[name], (3, 8, 12)
    if isinstance(method, OfAnswers):
        answers = torch.rand(2, 4, *size).softmax(1).numpy()
        assert method.function(answers, LV).shape == size
        return
    torch.manual_seed(1)
    score = mean_log_odds(LV, torch.ones(size, dtype=torch.bool))
    map_ = method.function(asked(Deep(), score, grey(size=size)), SETTINGS)
    assert tuple(map_.shape) == size
    assert torch.isfinite(map_).all()


def test_every_method_says_its_formula_and_paper() -> None:
    import sys

    for name, method in METHODS.items():
        said = sys.modules[method.function.__module__].__doc__ or ""
        assert any(f"{year}" in said for year in range(2011, 2021)), name
        assert "=" in said or name in (ATTENTIVE, "turn-disagreement"), name
