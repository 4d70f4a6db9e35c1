"""Grad-CAM for segmentation (Selvaraju 2017, arXiv 1610.02391; Vinogradova 2020, 2002.11434).

M = max(0, sum over k of w_k A_k), w_k the mean of d score / d A_k over the layer's places, A_k its
features; brought to the pixels by linear interpolation. The score of a structure is taken over the
pixels that the network gave it, as Seg-Grad-CAM does. M has no scale of its own and is divided by
its largest value.
"""

from captum.attr import LayerGradCam
from torch import Tensor, nn

from heartseg.explain.asked import Asked, Settings
from heartseg.explain.layers import chosen_layer


def grad_cam(asked: Asked, settings: Settings) -> Tensor:
    """Where the layer's features raise the number: (*size), 0 to 1."""
    _, layer = chosen_layer(asked.network, asked.pixels, settings.layer)
    map_: Tensor = LayerGradCam(asked, layer).attribute(asked.leaf, relu_attributions=True)
    return relative(enlarged(map_.detach(), asked.size))


def relative(map_: Tensor) -> Tensor:
    """Divided by its largest value; a map of zeros stays one."""
    largest = map_.max()
    return map_ / largest if largest > 0 else map_


def enlarged(map_: Tensor, size: tuple[int, ...]) -> Tensor:
    """A layer's map (1, 1, *fewer) at the size of the pixels: (*size)."""
    mode = "bilinear" if len(size) == 2 else "trilinear"
    return nn.functional.interpolate(map_, size=size, mode=mode, align_corners=False)[0, 0]
