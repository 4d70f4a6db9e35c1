"""SmoothGrad: the mean gradient of noisy copies of the image (Smilkov 2017, arXiv 1706.03825).

S = mean over k of d score / d pixel at pixels + noise_k, the noise normal and independent in every
pixel. The number of copies and the noise are in the settings.
"""

import torch
from captum.attr import NoiseTunnel, Saliency
from torch import Tensor

from heartseg.explain.asked import Asked, Settings, of_places


def smoothgrad(asked: Asked, settings: Settings) -> Tensor:
    """The mean gradient (*size), with its sign; the same seed gives the same map."""
    with torch.random.fork_rng(devices=_cards(asked.pixels)):
        torch.manual_seed(settings.seed)
        gradient: Tensor = NoiseTunnel(Saliency(asked)).attribute(
            asked.leaf,
            nt_type="smoothgrad",
            nt_samples=settings.smoothgrad_samples,
            nt_samples_batch_size=min(settings.at_once, settings.smoothgrad_samples),
            stdevs=settings.smoothgrad_noise,
            abs=False,
        )
    return of_places(gradient).detach()


def _cards(pixels: Tensor) -> list[int]:
    return [] if pixels.device.index is None else [pixels.device.index]
