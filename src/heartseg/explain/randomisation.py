"""Sanity check by random weights (Adebayo 2018, arXiv 1810.03292).

Stage after stage, from the answer down to the pixels, the values of each weight and statistic
change places among themselves, so that the network forgets what it learnt and keeps its size of
signals. (The paper draws them anew.) A map that hardly changes does not show the network: an edge
detector would look the same.
"""

import copy
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from heartseg.explain.layers import watched

MOST_STAGES = 5
"""Steps of the cascade; a network of more stages has several in a step."""


def stages(network: nn.Module, pixels: Tensor) -> tuple[tuple[str, ...], ...]:
    """Names of the modules with weights, in steps from the answer down to the pixels."""
    used = dict.fromkeys(one.name for one in watched(network, pixels) if _own(one.module))
    others = [n for n, m in network.named_modules() if n and _own(m) and n not in used]
    order = [*reversed(used), *others]
    blocks: dict[str, list[str]] = {}
    for name in order:
        blocks.setdefault(_stage_of(name), []).append(name)
    names = list(blocks)
    count = min(MOST_STAGES, len(names))
    edges = [round(step * len(names) / count) for step in range(count + 1)]
    return tuple(
        tuple(one for name in names[a:b] for one in blocks[name]) for a, b in pairwise(edges)
    )


def cascade(network: nn.Module, pixels: Tensor, seed: int) -> Iterator[tuple[str, nn.Module]]:
    """The network with more and more of it shuffled, and the name of the stage reached last.

    The network itself stays as it is.
    """
    shuffled = copy.deepcopy(network)
    random = torch.Generator().manual_seed(seed)
    for names in stages(network, pixels):
        for name in names:
            _shuffle(shuffled.get_submodule(name), random)
        yield _stage_of(names[-1]), shuffled


def _stage_of(name: str) -> str:
    """`decoder.4` of `decoder.4.0`."""
    return ".".join(name.split(".")[:2])


def _own(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _shuffle(module: nn.Module, random: torch.Generator) -> None:
    tensors = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    with torch.no_grad():
        for one in tensors:
            if one.is_floating_point() and one.numel() > 1:
                order = torch.randperm(one.numel(), generator=random).to(one.device)
                one.copy_(one.flatten()[order].view_as(one))
