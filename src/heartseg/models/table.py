"""Every network that heartseg can build: its name, and where its description lies.

This is the one list. Adding a network is its file in this folder and its line here; the tests of
`tests/models/test_contract.py`, `heartseg networks` and the reference find it by this line.
Nothing is imported before it is asked for, so that the names are known without torch.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from heartseg.models.grid import DECODERS, ENCODERS


class Entry(NamedTuple):
    """`module:Class` in this folder, and the settings that differ from the class's defaults."""

    home: str
    settings: Mapping[str, Any] = {}


_GRID = {
    f"{decoder}-{encoder}": Entry("grid:Grid", {"decoder": decoder, "encoder": encoder})
    for decoder in DECODERS
    for encoder in ENCODERS
}

_MODERN = {
    "residual-unet-2d": Entry("residual_unet:ResidualUNet"),
    "attention-unet": Entry("attention_unet:AttentionUNet"),
    "unetplusplus-supervised": Entry("nested_unet:NestedUNet"),
}
"""What users expect beside the papers' networks."""

_EDGES = {
    "edge-attention": Entry("edge_attention:EdgeAttention"),
    "edge-attention-base": Entry("edge_attention:EdgeSupervised"),
    "edge-attention-edges": Entry("edge_attention:EdgeSupervised", {"edge_channels": 16}),
    "edge-attention-fusion": Entry("edge_attention:EdgeAttention", {"edges_supervised": False}),
}
"""Thesis 000: both of its ideas, neither, and each alone."""

TABLE: Mapping[str, Entry] = {
    "unet": Entry("unet:UNet"),
    "unet-2015": Entry("unet_2015:UNet2015"),
    "unet-3d": Entry("unet_3d:UNet3D"),
    "unet-3d-anisotropic": Entry("unet_3d_anisotropic:UNet3DAnisotropic"),
    "cmr-unet": Entry("cmr_unet:CmrUNet"),
    "cmr-unet-dropout": Entry("cmr_unet:CmrUNet", {"dropout": 0.5}),
    "cmr-resunet": Entry("cmr_resunet:CmrResUNet"),
    "cmr-fcn": Entry("cmr_fcn:CmrFCN"),
    "fcn-32s": Entry("fcn:FCN", {"finest": 32}),
    "fcn-16s": Entry("fcn:FCN", {"finest": 16}),
    "fcn-8s": Entry("fcn:FCN", {"finest": 8}),
    **_MODERN,
    **_EDGES,
    **_GRID,
}
