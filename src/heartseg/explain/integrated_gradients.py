"""Integrated gradients (Sundararajan 2017, arXiv 1703.01365).

I = (pixel - blank) * integral over a in 0..1 of d score / d pixel at blank + a (pixels - blank).
The sum over all pixels is what the number gains from the blank to the image, as far as so many
points on the way (Gauss-Legendre) catch the integral. The blank is the image's mean grey.
"""

from captum.attr import IntegratedGradients
from torch import Tensor

from heartseg.explain.asked import Asked, Settings, of_places


def integrated_gradients(asked: Asked, settings: Settings) -> Tensor:
    """Each pixel's share (*size) of what the number gains from a blank image, with its sign."""
    share: Tensor = IntegratedGradients(asked).attribute(
        asked.leaf,
        baselines=asked.blank,
        n_steps=settings.integrated_steps,
        internal_batch_size=settings.at_once,
    )
    return of_places(share).detach().to(asked.pixels.dtype)
