"""Patch-wise contrast (Park 2020): a patch of the answer belongs to the same place of the input."""

import torch
from torch import Tensor, nn


def patch_contrast(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """Mean of -log(exp(q_i k_i / t) / sum_j exp(q_i k_j / t)) over places i; at least 0.

    InfoNCE within each image: the other places of the same image are what a query must be told
    apart from, so that nothing moves. The keys give no gradient.

    Args:
        queries: (n, places, size) features of the answer, of length 1.
        keys: the same of the input, at the same places.
        temperature: t; the smaller, the harder is a near miss punished.
    """
    alike = queries @ keys.detach().transpose(1, 2) / temperature  # (n, places, places)
    right = torch.arange(queries.shape[1], device=queries.device).expand(len(queries), -1)
    return nn.functional.cross_entropy(alike.flatten(0, 1), right.flatten())
