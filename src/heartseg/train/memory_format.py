"""How the numbers of a network lie in memory while it learns; its inputs follow its weights."""

import torch
from torch import nn

WIDE = 32
"""Channels at the finest level from which channels last are slow on an older processor."""


def memory_format(network: nn.Module, device: torch.device) -> torch.memory_format:
    """The order that a network learns fastest in: channels last, but for one kind.

    Without AVX-512 the gradients of wide kernels on fine planes take four times as long with
    channels last, and a whole step of U-Net 1.3 times. Narrow, coarse, depth-wise and 3-D
    kernels gain by them there too (benchmarks/LOG.md). The rule looks at the first convolution, so
    that a run is the same to the bit wherever it goes on on such a processor.

    Args:
        network: of planes or volumes.
        device: that trains.
    """
    first = next((one for one in network.modules() if isinstance(one, nn.Conv2d | nn.Conv3d)), None)
    if isinstance(first, nn.Conv3d):
        return torch.channels_last_3d
    older = device.type == "cpu" and "AVX512" not in torch.backends.cpu.get_cpu_capability()
    if older and first is not None and first.out_channels >= WIDE and max(first.stride) == 1:
        return torch.contiguous_format
    return torch.channels_last
