"""Saliency: the gradient of the number by the pixels (Simonyan 2014, arXiv 1312.6034).

S = d score / d pixel, with its sign: where it is positive, brighter pixels raise the number. It is
true for very small changes only, one pixel at a time.
"""

from captum.attr import Saliency
from torch import Tensor

from heartseg.explain.asked import Asked, Settings, of_places


def saliency(asked: Asked, settings: Settings) -> Tensor:
    """The gradient (*size): what the number gains a unit of grey of each pixel."""
    _ = settings
    gradient: Tensor = Saliency(asked).attribute(asked.leaf, abs=False)
    return of_places(gradient).detach()
