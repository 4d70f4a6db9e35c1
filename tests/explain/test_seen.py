"""Networks that are shown a window answer whole planes, as the pipeline has them answer."""

import numpy as np
import pytest
import torch

from heartseg.core.errors import ModelError
from heartseg.explain.seen import Framed
from heartseg.models import build_network
from heartseg.segment.torch_runtime import probabilities
from heartseg.segment.window import Window, slices_through


@pytest.mark.parametrize(
    ("name", "window", "size"),
    [
        (
            "unet-3d",
            Window(
                margin_px=(0, 0, 0),
                smallest_px=(8, 16, 16),
                stride_px=(8, 8, 8),
                largest_px=(8, 64, 64),
            ),
            (5, 20, 28),
        ),
        (
            "unet-2015",
            Window(
                margin_px=(92, 92),
                smallest_px=(188, 188),
                stride_px=(16, 16),
                largest_px=(300, 300),
            ),
            (20, 28),
        ),
    ],
)
def test_a_window_answers_as_it_does_in_the_pipeline(
    name: str, window: Window, size: tuple[int, ...]
) -> None:
    torch.manual_seed(3)
    network = build_network(name, 1, 3, widths=(2, 3)) if name == "unet-3d" else None
    if network is None:
        network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 185))  # valid, as the paper's network
    network = network.eval()
    pixels = torch.rand(1, 1, *size)
    framed = Framed(network, window, name)

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
