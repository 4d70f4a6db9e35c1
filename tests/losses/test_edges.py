"""Bands along borders by hand, and a loss that cares for the few pixels on them."""

import math

import pytest

torch = pytest.importorskip("torch")
from heartseg.losses import IGNORED, balanced_edge_loss, edge_bands  # noqa: E402


def drawn(text: str) -> "torch.Tensor":
    """Rows of digits as one plane of class indices; `?` is what nobody annotated."""
    rows = [[IGNORED if one == "?" else int(one) for one in row] for row in text.split()]
    return torch.tensor([rows])


def shown(band: "torch.Tensor") -> str:
    """A plane of a band, rows of `#` on it, `.` off it, `?` unknown."""
    marks = {0: ".", 1: "#", IGNORED: "?"}
    return " ".join("".join(marks[int(one)] for one in row) for row in band)


STRIPE = drawn("0011100 0011100 0011100")


@pytest.mark.parametrize(
    ("width", "wanted"),
    [(1, "..#.#.."), (2, ".##.##."), (3, ".#####."), (4, "#######"), (5, "#######")],
)
def test_a_band_has_its_width_and_an_odd_pixel_lies_inside(width, wanted):
    (band,) = edge_bands(STRIPE, range(1, 2), width)[0]
    assert shown(band) == " ".join([wanted] * 3)


def test_each_class_has_its_own_border_and_the_background_one_too():
    truth = drawn("00000 01220 01220 00000")
    background, left, right = edge_bands(truth, range(3), 1)[0]
    assert shown(left) == "..... .#... .#... ....."
    assert shown(right) == "..... ..##. ..##. ....."  # the end of the image is further right
    assert shown(background) == "##### #...# #...# #####"


def test_the_end_of_the_image_is_no_border():
    band = edge_bands(drawn("1110 1110 1110"), range(1, 2), 1)[0, 0]
    assert shown(band) == "..#. ..#. ..#."
    assert not edge_bands(torch.ones(1, 3, 4), range(1, 2), 2).any()


def test_next_to_what_nobody_annotated_nothing_is_known():
    narrow, wide = (edge_bands(drawn("001100? 001100?"), range(1, 2), width) for width in (2, 4))
    assert shown(narrow[0, 0]) == ".####?? .####??"
    assert shown(wide[0, 0]) == "####??? ####???"


def test_corners_are_borders_and_volumes_have_them_along_z_too():
    assert shown(edge_bands(drawn("1000 0000"), range(1, 2), 2)[0, 0]) == "##.. ##.."
    volume = torch.zeros(1, 4, 3, 3, dtype=torch.long)
    volume[:, 2:] = 1
    assert edge_bands(volume, range(1, 2), 2)[0, 0, :, 1, 1].tolist() == [0, 1, 1, 0]


def test_each_side_of_a_channel_counts_one_half():
    bands = torch.zeros(2, 2, 5, 6, dtype=torch.uint8)
    bands[0, 0, 2, :3] = 1
    bands[1, 1] = 1
    bands[1, 1, 0, 0] = 0
    logits = torch.zeros(2, 2, 5, 6)
    logits[0, 0, 2, :3] = 1.5  # on the band of the first channel
    on, off = math.log1p(math.exp(-1.5)), math.log(2)
    wanted = ((on + off) / 2 + math.log(2)) / 2
    assert balanced_edge_loss(logits, bands).item() == pytest.approx(wanted)


def test_to_draw_no_border_is_as_wrong_as_to_draw_it_everywhere():
    bands = edge_bands(STRIPE, range(1, 2), 2)
    nowhere, everywhere, there = (
        balanced_edge_loss(logits, bands).item()
        for logits in (
            torch.full(bands.shape, -4.0),
            torch.full(bands.shape, 4.0),
            (bands.float() * 2 - 1) * 4,
        )
    )
    assert nowhere == pytest.approx(everywhere)
    assert there < 0.01 * nowhere


def test_an_empty_side_gives_its_half_away():
    logits = torch.full((1, 1, 3, 4), 0.7, requires_grad=True)
    nothing = torch.zeros(1, 1, 3, 4, dtype=torch.uint8)
    assert balanced_edge_loss(logits, nothing).item() == pytest.approx(math.log1p(math.exp(0.7)))
    unknown = torch.full((1, 1, 3, 4), IGNORED, dtype=torch.uint8)
    loss = balanced_edge_loss(logits, unknown)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_what_is_unknown_moves_nothing():
    bands = edge_bands(drawn("001100? 001100?"), range(1, 2), 2)
    logits = torch.randn(bands.shape, generator=torch.Generator().manual_seed(2)).requires_grad_()
    balanced_edge_loss(logits, bands).backward()
    assert ((logits.grad == 0) == (bands == IGNORED)).all()


def test_extreme_logits_are_no_trouble():
    bands = edge_bands(STRIPE, range(3), 2)  # of class 2 there is none
    for sure in (-200.0, 200.0):
        logits = torch.full(bands.shape, sure, requires_grad=True)
        loss = balanced_edge_loss(logits, bands)
        loss.backward()
        assert loss.isfinite()
        assert logits.grad.isfinite().all()
