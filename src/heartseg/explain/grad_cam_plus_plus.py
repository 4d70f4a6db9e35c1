"""Grad-CAM++ (Chattopadhyay 2018, arXiv 1710.11063): places with strong gradients weigh more.

With g = d score / d A_k at each place of the layer:

    a = g^2 / (2 g^2 + g^3 * sum of A_k over all places)
    w_k = sum over the places of a * max(0, g);  M = max(0, sum over k of w_k A_k)

as the paper has it for the exponential of the score, whose common factor is left out; M is divided
by its largest value. captum has no Grad-CAM++.
"""

import torch
from torch import Tensor, nn

from heartseg.explain.asked import Asked, Settings
from heartseg.explain.grad_cam import enlarged, relative
from heartseg.explain.layers import chosen_layer

TINY = 1e-12


def grad_cam_plus_plus(asked: Asked, settings: Settings) -> Tensor:
    """Where the layer's features raise the number: (*size), 0 to 1."""
    _, layer = chosen_layer(asked.network, asked.pixels, settings.layer)
    features, gradient = _features(asked, layer)
    places = tuple(range(2, features.ndim))
    square, cube = gradient**2, gradient**3
    below = 2 * square + cube * features.sum(places, keepdim=True)
    share = torch.where(below.abs() > TINY * square.amax(), square / below, 0.0)
    weights = (share * gradient.relu()).sum(places, keepdim=True)  # (1, k, 1, 1)
    return relative(enlarged((weights * features).sum(1, keepdim=True).relu(), asked.size))


def _features(asked: Asked, layer: nn.Module) -> tuple[Tensor, Tensor]:
    """The layer's features (1, k, *fewer), and the gradient of the number by them."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        # The rest of the network reads a copy: what changes it in place leaves this one alone.
        kept = output if output.requires_grad else output.detach().requires_grad_()
        seen.append(kept)
        return kept.clone()

    hook = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            number = asked(asked.leaf).sum()
            (gradient,) = torch.autograd.grad(number, seen[-1], allow_unused=True)
    finally:
        hook.remove()
    features = seen[-1].detach()
    return features, torch.zeros_like(features) if gradient is None else gradient.detach()
