"""Networks that are shown a window answer whole planes, as the pipeline has them answer."""

import numpy as np
import pytest
import torch
from torch import nn

from heartseg.core.errors import ModelError
from heartseg.explain.seen import Framed
from heartseg.segment.torch_runtime import probabilities
from heartseg.segment.window import Window, slices_through


@pytest.mark.parametrize(
    ("network", "window", "size"),
    [
        (
            nn.Conv3d(1, 3, 3, padding=1),  # its padding spoils a pixel, which the margin cuts off
            Window(
                margin_px=(0, 2, 2),
                smallest_px=(8, 16, 16),
                stride_px=(8, 8, 8),
                largest_px=(8, 64, 64),
            ),
            (5, 20, 28),
        ),
        (
            nn.Conv2d(1, 3, 9),  # valid: it answers four pixels less on each side
            Window(margin_px=(4, 4), smallest_px=(12, 12), stride_px=(8, 8), largest_px=(60, 60)),
            (20, 28),
        ),
    ],
)
def test_a_window_answers_as_it_does_in_the_pipeline(
    network: nn.Module, window: Window, size: tuple[int, ...]
) -> None:
    network = network.eval()
    pixels = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(3))
    framed = Framed(network, window, "framed")

    def look(planes: np.ndarray) -> np.ndarray:
        return probabilities(network, planes, torch.device("cpu"))

    slices = pixels[0, 0].numpy()[:, None] if len(size) == 3 else pixels.numpy()
    piped = slices_through(window, look)(slices)
    mine = framed(pixels).softmax(1)[0].detach().numpy()
    wanted = np.moveaxis(piped, 1, 0) if len(size) == 3 else piped[0]
    assert np.abs(mine - wanted).max() < 1e-5
    leaf = pixels.clone().requires_grad_()
    framed(leaf).sum().backward()
    assert leaf.grad is not None
    assert (leaf.grad != 0).any()


def test_what_takes_several_windows_is_refused() -> None:
    window = Window(margin_px=(0, 0), smallest_px=(8, 8), stride_px=(8, 8), largest_px=(16, 16))
    with pytest.raises(ModelError, match=r"20x12 pixels, for which it takes several windows"):
        Framed(torch.nn.Identity(), window, "small")(torch.rand(1, 1, 20, 12))
