"""Random numbers for a batch, from the run's own generator."""

import torch
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Uniform in [low, high), on the generator's device."""
    numbers = torch.rand(shape, generator=generator, device=generator.device)
    return numbers * (high - low) + low


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard normal, on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)


def chosen(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """(count, 1, 1, 1) of 1.0 with that probability, else 0.0."""
    hit = torch.rand((count, 1, 1, 1), generator=generator, device=generator.device) < probability
    return hit.float()


def smooth_field(
    shape: tuple[int, int, int, int], knots: int, generator: torch.Generator
) -> Tensor:
    """(n, c, y, x) smooth noise of about unit size: `knots` x `knots` normals, bicubic between."""
    count, channels, rows, columns = shape
    coarse = normal((count, channels, knots, knots), generator)
    down, across = (_bicubic(knots, length, coarse.device) for length in (rows, columns))
    return down @ coarse @ across.T


def _bicubic(knots: int, length: int, device: torch.device) -> Tensor:
    """(length, knots) shares of each knot in each pixel, the outermost knots at the ends.

    Interpolation is linear, and along each axis apart: two small products do it for all planes, in
    a twentieth of the time.
    """
    each = torch.eye(knots, device=device)[None, None]
    shares: Tensor = torch.nn.functional.interpolate(
        each, (length, knots), mode="bicubic", align_corners=True
    )[0, 0]
    return shares
