"""The border weight map on lines and planes whose distances can be counted."""

import math
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import IGNORED, border_cross_entropy, border_weights  # noqa: E402
from heartseg.losses.border import SIGMA, W0  # noqa: E402
from tests.losses.test_contract import noise  # noqa: E402

TWO = torch.tensor([[[1, 1, 0, 0, 0, 2, 0]]])
"""Two cells, three pixels apart; a last pixel has the second nearest at five."""


def wanted(first: float, second: float) -> float:
    return 1 + 10 * math.exp(-((first + second) ** 2) / (2 * 5**2))


def test_weights_are_those_of_equation_2():
    assert (W0, SIGMA) == (10, 5)
    found = border_weights(TWO)[0, 0].tolist()
    between = [wanted(1, 3), wanted(2, 2), wanted(3, 1)]
    assert found == pytest.approx([1, 1, *between, 1, wanted(1, 5)], rel=1e-6)


def test_height_width_and_classes_are_as_asked():
    found = border_weights(TWO, w0=4.0, sigma=2.0, class_weights=torch.tensor([0.5, 2.0, 3.0]))
    middle = 0.5 + 4 * math.exp(-(4**2) / (2 * 2**2))
    assert found[0, 0, [0, 3, 5]].tolist() == pytest.approx([2, middle, 3], rel=1e-6)


def test_cells_that_touch_are_one_and_corners_do_not_touch():
    touching = torch.tensor([[[1, 1, 0], [1, 1, 0], [0, 0, 0]]])
    assert border_weights(touching).unique().tolist() == [1]
    corners = torch.tensor([[[1, 0], [0, 1]]])
    assert border_weights(corners)[0, 0, 1].item() == pytest.approx(wanted(1, 1))


def test_what_nobody_annotated_is_no_cell():
    truth = TWO.clone()
    truth[0, 0, 5] = IGNORED
    assert border_weights(truth).unique().tolist() == [1]


@pytest.mark.parametrize("space", [(70, 90), (7, 30, 28)], ids=["2-D", "3-D"])
def test_windows_see_what_whole_images_do(space):
    """Against the definition, cell by cell over the whole image."""
    from scipy import ndimage

    random = np.random.default_rng(5)
    blurred = ndimage.gaussian_filter(random.standard_normal(space), 1.3)
    there = blurred > 1.2 * blurred.std()
    numbered, count = ndimage.label(there)
    assert count > 4
    far = np.array([ndimage.distance_transform_edt(numbered != one) for one in range(1, count + 1)])
    first, second = np.sort(far, axis=0)[:2]
    whole = 1 + 10 * np.exp(-((first + second) ** 2) / 50) * ~there
    found = border_weights(torch.from_numpy(there.astype(np.int64))[None])[0].numpy()
    np.testing.assert_allclose(found, whole, atol=2e-3)
    assert whole.max() > 5


def test_an_error_between_two_cells_costs_most():
    logits = torch.zeros(1, 3, 1, 7)
    logits[:, 0, :, [2, 3, 4, 6]] = logits[:, 1, :, :2] = logits[:, 2, :, 5] = 9
    costs = []
    for wrong in (3, 0):  # between the cells, or within one
        spoilt = logits.clone()
        spoilt[0, :, 0, wrong] = torch.tensor([-9.0, 9.0, 0.0]) if wrong == 3 else -9.0
        spoilt[0, 2, 0, wrong] = 9.0
        costs.append(border_cross_entropy(spoilt, TWO).item())
    assert costs[0] > 3 * costs[1]


def test_without_cells_it_is_the_plain_mean():
    truth = torch.zeros(2, 9, 7, dtype=torch.long)
    logits = noise((9, 7))
    plain = torch.nn.functional.cross_entropy(logits, truth)
    torch.testing.assert_close(border_cross_entropy(logits, truth), plain)


def test_a_real_section_is_weighed_in_a_moment(real_data):
    from PIL import Image

    with Image.open(real_data / "isbi2012_em" / "labels" / "0.png") as picture:
        truth = torch.from_numpy((np.asarray(picture) > 0).astype(np.int64))[None]
    began = time.process_time()
    weights = border_weights(truth)[0]
    assert time.process_time() - began < 5  # of 512 x 512 pixels with hundreds of cells
    membrane = truth[0] == 0
    assert weights[membrane].mean() > 4 * weights[~membrane].mean()
    assert weights.max() <= 11
