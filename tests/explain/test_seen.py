"""Networks that are shown a window answer whole planes, as the pipeline has them answer."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from heartseg.core.errors import ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.explain.seen import Framed, Model
from heartseg.prepare import Preparation
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


def test_a_slice_is_shown_with_its_neighbours_as_the_pipeline_shows_it() -> None:
    random = np.random.default_rng(2)
    image = Image(random.random((2, 4, 8, 12)), Geometry.from_pixels((4, 8, 12), (9.0, 1.5, 1.5)))
    preparation = Preparation(stride=4, neighbours=1)
    cpu = torch.device("cpu")
    network = nn.Conv2d(3, 2, 3, padding=1).eval()
    description = SimpleNamespace(window=None, preparation=preparation)
    seen = Model(description, network, cpu).seeing(image)  # type: ignore[arg-type]
    pieces = seen.pieces(1)
    shown = preparation.sample(image).channels(1)
    assert [tuple(one.shape) for one in pieces] == [(1, 3, 8, 12)] * 4
    assert np.array_equal(torch.cat(pieces).numpy(), shown)
    wanted = seen.sample.restore(probabilities(network, shown, cpu))
    np.testing.assert_allclose(seen.answers(1), wanted, atol=1e-6)
