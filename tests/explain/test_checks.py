"""The sanity checks find what they are for."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heartseg.explain.asked import Asked, Settings
from heartseg.explain.checks import checked_methods, sureness
from heartseg.explain.deletion import SHARES, plain_curves, square_ranks, with_map
from heartseg.explain.methods import OfNetwork
from heartseg.explain.question import Piece
from heartseg.explain.randomisation import cascade, stages
from heartseg.explain.saliency import saliency
from heartseg.explain.similarity import rank_correlation, structural_similarity
from heartseg.explain.target import mean_log_odds
from heartseg.models import build_network
from tests.explain.tiny import LV, PATCH, SIZE, asked, grey

HOW = Settings()


def mask() -> Tensor:
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[PATCH] = True
    return inside


def edges(question: Asked, _: Settings) -> Tensor:
    """A map that knows nothing of the network: how pixels differ from their neighbours."""
    down, right = np.gradient(question.pixels[0, 0].numpy())
    return torch.from_numpy(np.hypot(down, right))


def test_a_map_is_like_itself_and_unlike_noise() -> None:
    one, other = grey(1)[0, 0].numpy(), grey(2)[0, 0].numpy()
    assert rank_correlation(one, -one) == pytest.approx(1.0)
    assert structural_similarity(one, 3 * one) == pytest.approx(1.0)
    assert abs(rank_correlation(one, other) or 1) < 0.15
    assert structural_similarity(one, other) < 0.75
    assert rank_correlation(one, np.zeros_like(one)) is None


def test_ssim_is_that_of_another_library() -> None:
    skimage = pytest.importorskip("skimage.metrics")
    one, other = grey(1)[0, 0].numpy(), grey(2)[0, 0].numpy()
    one, other = one / one.max(), other / other.max()
    whole = skimage.structural_similarity(
        one,
        other,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        full=True,
    )[1]
    assert structural_similarity(one, other) == pytest.approx(float(whole.mean()), abs=0.02)


def test_the_cascade_goes_from_the_answer_down_to_the_pixels() -> None:
    network = build_network("unet", 1, 4, widths=(2, 3, 4)).eval()
    steps = stages(network, grey(size=(8, 12)))
    names = [name for step in steps for name in step]
    assert len(names) == len(set(names))
    assert names[0] == "output"
    assert names[-1] == "encoder.0.0"
    owned = {n for n, m in network.named_modules() if list(m.parameters(recurse=False))}
    assert set(names) == owned, "a weight is left as it was"


def test_shuffling_keeps_the_values_and_the_network_that_is_explained() -> None:
    torch.manual_seed(1)
    network = build_network("unet", 1, 4, widths=(2, 3)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    *_, (last, shuffled) = cascade(network, grey(size=(8, 12)), 5)
    assert last == "encoder.0"
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    weight = shuffled.state_dict()["encoder.0.0.weight"]
    old = before["encoder.0.0.weight"]
    assert not torch.equal(weight, old)
    assert torch.equal(weight.flatten().sort().values, old.flatten().sort().values)
    *_, (_, again) = cascade(network, grey(size=(8, 12)), 5)
    assert torch.equal(again.state_dict()["encoder.0.0.weight"], weight)


def test_an_edge_detector_fails_the_random_weights_and_a_gradient_passes() -> None:
    torch.manual_seed(0)
    network = build_network("unet", 1, 4, widths=(4, 6)).eval()
    pixels = grey(size=(16, 24))
    inside = torch.ones(16, 24, dtype=torch.bool)
    piece = Piece(asked(network, mean_log_odds(LV, inside), pixels), inside)
    methods = {
        "edges": OfNetwork(edges, "1", asks=False),
        "saliency": OfNetwork(saliency, "1", asks=False),
    }
    edge, gradient = checked_methods(methods, piece, LV, HOW)
    assert not edge.depends_on_weights
    assert edge.steps[-1].rank_correlation == pytest.approx(1.0)
    assert edge.beats_plain_orders is None
    assert gradient.depends_on_weights


class BrightPatch(nn.Module):
    """LV is sure where the mean of the patch is bright."""

    def forward(self, pixels: Tensor) -> Tensor:
        mean = pixels[..., PATCH[0], PATCH[1]].mean((-2, -1), keepdim=True)
        logits = torch.zeros(len(pixels), 4, *pixels.shape[2:])
        logits[:, LV] = 40 * (mean[:, 0] - 0.5)
        return logits


def test_the_map_of_the_pixels_that_matter_falls_first_and_rises_first() -> None:
    pixels = 0.2 * grey()
    pixels[..., PATCH[0], PATCH[1]] = 0.6
    pixels[..., 16:, :16] = 0.9  # brighter and with more edges, and of no consequence
    pixels[..., 16:, :16:4] = 0.1
    network = BrightPatch()
    sure = sureness(network, mask(), LV)
    blank = torch.zeros_like(pixels)
    plain = plain_curves(pixels, blank, sure, seed=0)
    good = np.zeros(SIZE, np.float32)
    good[PATCH] = -1.0  # the sign does not count
    found = with_map(good, pixels, blank, sure, plain)
    assert found.beats_all
    assert found.area("deletion", "map") < 0.2
    assert found.area("insertion", "map") > 0.8
    bad = with_map(1 + good, pixels, blank, sure, plain)
    assert not bad.beats_all
    assert bad.area("deletion", "map") > found.area("deletion", "random")
    for kind in (found.deletion, found.insertion):
        assert {len(curve) for curve in kind.values()} == {len(SHARES)}
    ends = {(round(c[0], 4), round(c[-1], 4)) for c in found.deletion.values()}
    assert len(ends) == 1, "all orders start at the image and end at the blank"
    assert (round(found.insertion["map"][-1], 4), round(found.insertion["map"][0], 4)) in ends


def test_squares_go_whole_and_the_largest_sum_goes_first() -> None:
    important = np.zeros((16, 20), np.float32)
    important[9, 17] = 5.0  # in the last square, four columns wide
    important[0, 8:16] = 1.0
    ranks = square_ranks(important)
    assert ranks.shape == (16, 20)
    assert (ranks[:8, 8:16] == 0).all()
    assert ranks[8:, 16:] == pytest.approx(1 / 6)
    assert len(np.unique(ranks)) == 6
