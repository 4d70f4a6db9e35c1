"""Attention maps: the numbers by which a network itself weighs places.

| network | what is shown | paper |
|---|---|---|
| attention-unet | its finest gate: the share of the skip that passes, 0 to 1 | Oktay 2018 |
| pan-* | the pyramid's map of places, before it multiplies the features | Li 2018 |
| edge-attention, -fusion | the share of edge features at the finest level, 0 to 1 | thesis 000 |
| manet-* | how much all places together look at each, 1 where all get the same | Fan 2020 |

Attention is not asked for a structure: it is one map for the whole answer. That a place weighs much
does not say in which direction it moves the answer (Jain & Wallace 2019).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.core.errors import ModelError
from heartseg.explain.asked import Asked, Settings
from heartseg.explain.grad_cam import enlarged
from heartseg.models.attention_unet import attention_maps
from heartseg.models.fusion import edge_shares

WITH_ATTENTION = (
    "attention-unet, edge-attention and edge-attention-fusion, and manet or pan with any encoder "
    "but none"
)


def attention(asked: Asked, settings: Settings) -> Tensor:
    """How a place is weighed (*size), 0 or more.

    Raises:
        ModelError: the network weighs no places.
    """
    _ = settings
    for maps in (_gates, _fusions, _pyramid, _positions):
        found = maps(asked.network, asked.pixels)
        if found is not None:
            return enlarged(found, asked.size)
    raise ModelError(
        "attention", got="a network without attention to places", allowed=WITH_ATTENTION
    )


def _gates(network: nn.Module, pixels: Tensor) -> Tensor | None:
    with torch.no_grad():
        maps = attention_maps(network, pixels)
    return maps[0] if maps else None


def _fusions(network: nn.Module, pixels: Tensor) -> Tensor | None:
    with torch.no_grad():
        shares = edge_shares(network, pixels)
    return shares[0] if shares else None


def _pyramid(network: nn.Module, pixels: Tensor) -> Tensor | None:
    """Of PAN: what multiplies the features is what is left when the pooled branch is taken off."""
    block = _block(network, "pan", "FPABlock")
    if block is None:
        return None
    heard = _heard(network, pixels, block, "mid", "branch1", "")
    middle, pooled, whole = heard["mid"], heard["branch1"], heard[""]
    weighed = whole - pooled  # the map times the middle, in every channel
    above = (weighed * middle).sum(1, keepdim=True)
    return above / (middle * middle).sum(1, keepdim=True).clamp_min(1e-12)


def _positions(network: nn.Module, pixels: Tensor) -> Tensor | None:
    """Of MA-Net: the softmax over all pairs of places, summed over those that look."""
    block = _block(network, "manet", "PABBlock")
    if block is None:
        return None
    heard = _heard(network, pixels, block, "top_conv", "center_conv")
    looked_at, looking = heard["top_conv"].flatten(2), heard["center_conv"].flatten(2)
    pairs = looking.transpose(1, 2) @ looked_at  # (1, places, places)
    shares = pairs.flatten(1).softmax(1).view_as(pairs)
    received = shares.sum(1) * pairs.shape[1]  # over those that look
    return received.view(1, 1, *heard["top_conv"].shape[2:])


def _block(network: nn.Module, decoder: str, name: str) -> nn.Module | None:
    """The library's block of that name; the library loads only when such a network is built."""
    home = f"segmentation_models_pytorch.decoders.{decoder}.decoder"
    kinds = ((one, type(one)) for one in network.modules())
    return next((o for o, kind in kinds if (kind.__module__, kind.__name__) == (home, name)), None)


def _heard(network: nn.Module, pixels: Tensor, block: nn.Module, *names: str) -> dict[str, Tensor]:
    """What the named parts of a block answered; "" is the block itself."""
    heard: dict[str, Tensor] = {}
    hooks = [block.get_submodule(name).register_forward_hook(_into(heard, name)) for name in names]
    try:
        with torch.no_grad():
            network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return heard


def _into(heard: dict[str, Tensor], name: str) -> Callable[..., None]:
    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        heard[name] = output.clone()

    return keep
