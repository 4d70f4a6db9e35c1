"""Numbers of single methods against what they must be by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from heartseg.core.errors import ConfigError, ModelError
from heartseg.explain.asked import Settings
from heartseg.explain.attention import _positions, _pyramid, attention
from heartseg.explain.disagreement import disagreement
from heartseg.explain.entropy import entropy
from heartseg.explain.grad_cam import grad_cam
from heartseg.explain.grad_cam_plus_plus import grad_cam_plus_plus
from heartseg.explain.integrated_gradients import integrated_gradients
from heartseg.explain.layers import chosen_layer
from heartseg.explain.methods import METHODS, chosen_methods
from heartseg.explain.occlusion import occlusion
from heartseg.explain.saliency import saliency
from heartseg.explain.smoothgrad import smoothgrad
from heartseg.explain.spread import spread
from heartseg.explain.turn_disagreement import turn_disagreement
from heartseg.models import build_network
from heartseg.models.attention_unet import attention_maps
from heartseg.models.fusion import edge_shares
from tests.explain.tiny import LV, PATCH, PatchNetwork, asked, grey

HOW = Settings(integrated_steps=32)


class Squared(nn.Module):
    """One class that is the square of the pixels, in a layer with a name."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = nn.Identity()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.stage(pixels) ** 2
        return out


def total(logits: torch.Tensor) -> torch.Tensor:
    return logits.flatten(1).sum(1)


def test_the_gradient_of_a_square_is_twice_the_pixel() -> None:
    question = asked(Squared(), total)
    assert torch.allclose(saliency(question, HOW), 2 * grey()[0, 0])
    lowered = asked(Squared(), lambda logits: -total(logits))
    assert torch.allclose(saliency(lowered, HOW), -2 * grey()[0, 0]), "the sign is kept"


def test_smoothgrad_averages_the_gradients_of_noisy_copies() -> None:
    class Cubed(Squared):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.stage(pixels) ** 3

    how = Settings(smoothgrad_samples=400, smoothgrad_noise=0.2, at_once=100)
    flat = 0.5 * torch.ones(1, 1, 6, 7)
    # E 3 (x + n)^2 = 3 (x^2 + s^2)
    assert smoothgrad(asked(Cubed(), total, flat), how).mean() == pytest.approx(0.87, abs=0.02)
    other = Settings(smoothgrad_samples=4, seed=1)
    one, two = (
        smoothgrad(asked(Cubed(), total), h) for h in (other, Settings(smoothgrad_samples=4))
    )
    assert not torch.equal(one, two)


def test_integrated_gradients_add_up_to_what_the_image_gains() -> None:
    question = asked(PatchNetwork(), lambda logits: logits[:, LV].flatten(1).sum(1))
    gained = float(question(question.pixels) - question(question.blank))
    assert float(integrated_gradients(question, HOW).sum()) == pytest.approx(gained, rel=1e-3)


def test_occlusion_says_what_is_lost_under_each_square() -> None:
    question = asked(Squared(), total)
    map_ = occlusion(question, Settings(occlusion_patch_px=8, occlusion_step_px=8))
    pixels = question.pixels[0, 0]
    lost = (pixels[8:16, 16:24] ** 2).sum() - 64 * pixels.mean() ** 2
    assert torch.allclose(map_[8:16, 16:24], lost.expand(8, 8), atol=1e-4)


class Features(nn.Module):
    """Two features of the pixels; the answer is a weighed sum of one, or of both."""

    def __init__(self, weights: tuple[float, float]) -> None:
        super().__init__()
        self.stage = nn.Conv2d(1, 2, 1)
        self.classes = nn.Conv2d(2, 1, 1)
        with torch.no_grad():
            self.stage.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
            self.stage.bias.copy_(torch.tensor([0.0, 1.0]))
            self.classes.weight.copy_(torch.tensor(weights).view(1, 2, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.classes(self.stage(pixels))
        return out


@pytest.mark.parametrize("cam", [grad_cam, grad_cam_plus_plus])
def test_a_class_activation_map_is_the_feature_that_raises_the_answer(cam: object) -> None:
    pixels = grey()
    for weights, wanted in (((1.0, 0.0), pixels), ((0.0, 1.0), 1 - pixels)):
        map_ = cam(asked(Features(weights), total), HOW)  # type: ignore[operator]
        assert torch.allclose(map_, (wanted / wanted.max())[0, 0], atol=1e-5)


def test_features_that_lower_the_answer_are_left_out() -> None:
    assert float(grad_cam(asked(Features((-1.0, 0.0)), total), HOW).abs().max()) == 0
    both = asked(Features((1.0, -1.0)), total)
    only = grad_cam_plus_plus(both, HOW)
    assert torch.allclose(only, (grey() / grey().max())[0, 0], atol=1e-5)


def test_grad_cam_plus_plus_weighs_strong_places_more() -> None:
    class Uneven(Features):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            features = self.stage(pixels)
            strong = torch.zeros_like(features[:, :1])
            strong[..., 1, 2] = 5.0
            return strong * features[:, :1] + 0.04 * features[:, 1:]

    # g of the first feature is 5 in one of six places, that of the second 0.04 in all of them;
    # a = g^2 / (2 g^2 + g^3 sum A) = 1 / (2 + g sum A), and w sums a g.
    pixels = grey(size=(2, 3))
    question = asked(Uneven((1.0, 0.0)), total, pixels)
    a, b = pixels[0, 0], 1 - pixels[0, 0]
    w_a = 5.0 / (2 + 5.0 * float(a.sum()))
    w_b = 6 * 0.04 / (2 + 0.04 * float(b.sum()))
    wanted = w_a * a + w_b * b
    map_ = grad_cam_plus_plus(question, Settings(layer="stage"))
    assert torch.allclose(map_, wanted / wanted.max(), atol=1e-4)


def test_the_layers_of_the_shipped_network() -> None:
    network = build_network("unet", 1, 4, widths=(2, 3, 4)).eval()
    assert chosen_layer(network, grey(size=(8, 12)), "decoder")[0] == "decoder.1"
    assert chosen_layer(network, grey(size=(8, 12)), "bottleneck")[0] == "encoder.2"
    assert chosen_layer(network, grey(size=(8, 12)), "up.0")[0] == "up.0"
    with pytest.raises(ConfigError, match=r"bottleneck, decoder, or a module such as .*decoder\.1"):
        chosen_layer(network, grey(size=(8, 12)), "nowhere")


def test_the_attention_of_gates_is_the_finest_one() -> None:
    torch.manual_seed(4)
    network = build_network("attention-unet", 1, 4, widths=(2, 4, 4))
    pixels = grey(size=(16, 24))
    found = attention(asked(network, total, pixels), HOW)
    assert torch.allclose(found, attention_maps(network, pixels)[0][0, 0])


def test_the_attention_of_a_fusion_is_the_share_of_the_edges_at_the_finest_level() -> None:
    torch.manual_seed(4)
    network = build_network("edge-attention", 1, 4, widths=(2, 4, 4), edge_channels=3)
    pixels = grey(size=(16, 24))
    found = attention(asked(network, total, pixels), HOW)
    assert torch.allclose(found, edge_shares(network, pixels)[0][0, 0])


def test_networks_without_attention_are_told_which_have_it() -> None:
    with pytest.raises(ModelError, match="attention-unet, edge-attention .*, and manet or pan"):
        attention(asked(PatchNetwork(), total), HOW)


def test_the_positions_of_manet_are_what_all_places_together_look_at() -> None:
    from segmentation_models_pytorch.decoders.manet.decoder import PABBlock

    torch.manual_seed(4)
    block = PABBlock(3, 2).eval()
    pixels = torch.rand(1, 3, 4, 5)
    top, centre = block.top_conv(pixels).flatten(2)[0], block.center_conv(pixels).flatten(2)[0]
    pairs = torch.einsum("kp,kq->pq", centre, top)  # of a place that looks and one looked at
    wanted = 20 * (pairs - pairs.logsumexp((0, 1))).exp().sum(0).view(4, 5)
    found = _positions(nn.Sequential(block), pixels)
    assert found is not None
    assert torch.allclose(found[0, 0], wanted, atol=1e-4)
    assert float(found.mean()) == pytest.approx(1.0)


def test_the_pyramid_of_pan_is_the_map_that_multiplies_its_features() -> None:
    from segmentation_models_pytorch.decoders.pan.decoder import FPABlock

    torch.manual_seed(4)
    block = FPABlock(3, 5).eval()
    pixels = torch.rand(1, 3, 16, 24)
    seen: list[torch.Tensor] = []
    block.conv1.register_forward_hook(lambda *call: seen.append(call[-1]))
    found = _pyramid(nn.Sequential(block), pixels)
    assert found is not None
    assert tuple(found.shape) == (1, 1, 16, 24)
    whole, middle, pooled = block(pixels), block.mid(pixels), block.branch1(pixels)
    assert torch.allclose(found * middle + pooled, whole, atol=1e-4)
    assert found.max() > 0


def test_entropy_is_in_bits() -> None:
    p = np.array([[0.25, 1.0, 0.5], [0.25, 0.0, 0.5], [0.25, 0, 0], [0.25, 0, 0]], np.float32)
    assert entropy(p[None], 0).tolist() == pytest.approx([2.0, 0.0, 1.0], abs=1e-6)


def test_models_that_contradict_each_other_disagree_by_a_bit() -> None:
    sure = np.array([[1.0, 1.0, 0.5], [0.0, 0.0, 0.5]], np.float32)
    other = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.5]], np.float32)
    both = np.stack([sure, other])
    assert disagreement(both, 0).tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert entropy(both, 0).tolist() == pytest.approx([1.0, 0.0, 1.0], abs=1e-6)
    assert spread(both, 1).tolist() == pytest.approx([0.5, 0.0, 0.0])
    one_wavers = np.stack([sure[:, :1], sure[:, 2:]])  # H(3/4) less the mean of 0 and 1 bit
    h = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert float(disagreement(one_wavers, 0)[0]) == pytest.approx(h - 0.5, abs=1e-6)


def test_a_network_that_is_the_same_in_all_turns_does_not_disagree() -> None:
    class Pointwise(nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.cat([pixels, -3 * pixels], 1)

    assert float(turn_disagreement(asked(Pointwise(), total), HOW).max()) < 1e-6
    turned = turn_disagreement(asked(PatchNetwork(), total, grey(size=(24, 24))), HOW)
    assert float(turned[PATCH].max()) > 0.3


def test_names_are_checked_and_each_method_is_done_once() -> None:
    assert list(chosen_methods(("entropy", "saliency", "entropy"), 1)) == ["entropy", "saliency"]
    assert list(chosen_methods((), 1)) == ["saliency", "grad-cam", "entropy"]
    with pytest.raises(ConfigError, match="got 'lime'; allowed: saliency, smoothgrad"):
        chosen_methods(("lime",), 1)
    with pytest.raises(ConfigError, match="got one model; allowed: 2 or more"):
        chosen_methods(("disagreement",), 1)
    assert len(chosen_methods(tuple(METHODS), 2)) == len(METHODS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"smoothgrad_samples": 0},
        {"occlusion_step_px": 17},
        {"smoothgrad_noise": 0.0},
        {"turns": 2},
        {"seed": -1},
    ],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]


class Between(nn.Module):
    """One class: its own slice and twice the one above, squared; the one below is not looked at."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        _, own, above = pixels.split(1, dim=1)
        return own**2 + 2 * above**2


def test_a_place_is_told_what_a_slice_and_its_neighbours_do_there_together() -> None:
    below, own, above = (grey(seed) for seed in (3, 4, 5))
    question = asked(Between(), total, torch.cat([below, own, above], dim=1))
    wanted = (2 * own + 4 * above)[0, 0]
    assert torch.allclose(saliency(question, HOW), wanted, atol=1e-6)
    gained = float(question(question.pixels) - question(question.blank))
    share = integrated_gradients(question, HOW)
    assert share.shape == own.shape[2:]
    assert float(share.sum()) == pytest.approx(gained, rel=1e-3)
    still = Settings(smoothgrad_samples=2, smoothgrad_noise=1e-6)
    assert torch.allclose(smoothgrad(question, still), wanted, atol=1e-3)
    map_ = occlusion(question, Settings(occlusion_patch_px=8, occlusion_step_px=8))
    hidden = (own**2 + 2 * above**2)[0, 0, 8:16, 16:24].sum() - 64 * 3 * question.pixels.mean() ** 2
    assert torch.allclose(map_[8:16, 16:24], hidden.expand(8, 8), atol=1e-3)
