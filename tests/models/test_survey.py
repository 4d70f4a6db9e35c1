"""Numbers of a network, against sums by hand and against what a spoilt pixel really reaches."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from heartseg.models import ARCHITECTURES, architecture  # noqa: E402
from heartseg.models.reach import receptive_field  # noqa: E402
from heartseg.models.survey import layers, survey  # noqa: E402

NARROW = {
    "unet": {"widths": [2, 2, 2, 2, 2, 2]},
    "unet-2015": {"widths": [2, 2, 2, 2, 2]},
    "cmr-unet": {},
    "cmr-resunet": {},
    "fcn-32s": {"widths": [2, 2, 2, 2, 2], "head": 2},
    "fcn-8s": {"widths": [2, 2, 2, 2, 2], "head": 2},
}


def measured_field(network: nn.Module, places: range, rows: int, columns: int) -> int:
    """The widest row of input pixels that reach one output column of a strip.

    Everything left of a pixel is spoilt with NaN, which every operation hands on: the last edge at
    which the output column stays whole is where its dependence begins; mirrored, where it ends.
    """

    def whole(edge: int, column: int, *, from_left: bool) -> bool:
        strip = torch.zeros(1, 1, rows, columns)
        if from_left:
            strip[..., :edge] = torch.nan
        else:
            strip[..., edge:] = torch.nan
        with torch.no_grad():
            return not bool(network(strip)[0, 0, :, column].isnan().any())

    widest = 0
    for column in places:
        low, high = 0, columns
        while low < high:  # the largest edge from the left that leaves it whole
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if whole(middle, column, from_left=True) else (low, middle - 1)
            )
        first, low, high = low, 0, columns
        while low < high:  # the smallest edge to the right
            middle = (low + high) // 2
            low, high = (
                (low, middle) if whole(middle, column, from_left=False) else (middle + 1, high)
            )
        widest = max(widest, low - first)
    return widest


@pytest.mark.parametrize("name", NARROW)
def test_the_receptive_field_is_what_a_spoilt_pixel_reaches(name):
    described = architecture({"name": name, **NARROW[name]})
    torch.manual_seed(0)
    network = described.build(1, 1).eval()
    field = survey(name, described).receptive_field
    assert field is not None
    rows = described.smallest_size[0]
    reach = field[1] + 64
    columns = described.smallest_size[1] + -(-2 * reach // 32) * 32
    middle = (columns - 2 * described.margin) // 2
    places = range(middle, middle + 32, 11)
    found = measured_field(network, places, rows, columns)
    assert found <= field[1]
    assert found >= field[1] - 16  # these places may miss the most demanding one


def test_the_most_demanding_pixel_of_ronneberger_sees_204_and_the_least_188():
    """140 at the bottom; its 4 or 5 rows of 16 pixels make 140 + 3 x 16 or 140 + 4 x 16."""
    assert survey("unet-2015", ARCHITECTURES["unet-2015"]).receptive_field == (204, 204)
    network = architecture({"name": "unet-2015", "widths": [2] * 5}).build(1, 1).eval()
    fields = [measured_field(network, range(p, p + 1), 188, 508) for p in range(140, 156, 2)]
    assert set(fields) == {188, 204}


def meta(*made: nn.Module) -> nn.Module:
    return nn.Sequential(*made).to("meta").eval()


@pytest.mark.parametrize(
    ("network", "field"),
    [
        (meta(nn.Conv2d(1, 1, 3)), [3, 3]),
        (meta(nn.Conv2d(1, 1, 3, dilation=4), nn.Conv2d(1, 1, (1, 5))), [9, 13]),
        (meta(nn.MaxPool2d(2), nn.Conv2d(1, 1, 3), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3)), [16, 16]),
        (meta(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.AvgPool2d(3, 2, 1)), [3, 3]),
        (meta(nn.Upsample(scale_factor=2, mode="bilinear")), [2, 2]),
        (meta(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)), [2, 2]),
        (meta(nn.ConvTranspose2d(1, 1, 4, stride=2)), [2, 2]),
        (meta(nn.Conv2d(1, 1, 3), nn.InstanceNorm2d(1)), None),
        (meta(nn.Conv2d(1, 1, 3), nn.GroupNorm(1, 1)), None),
        (meta(nn.AdaptiveAvgPool2d(1), nn.Upsample((60, 80))), None),
    ],
)
def test_small_networks_are_known_by_hand(network, field):
    assert receptive_field(network, 1, (120, 140)) == field


def test_multiply_adds_and_parameters_are_counted_by_hand():
    found = survey("cmr-unet", ARCHITECTURES["cmr-unet"])
    first = 256 * 256 * 32 * 9
    table = {layer.name: layer for layer in layers(ARCHITECTURES["cmr-unet"])}
    assert table["encoder.0.0"].multiply_adds == first
    assert table["encoder.0.0"].parameters == 32 * 10
    assert table["encoder.0.0"].output == (1, 32, 256, 256)
    assert table["up.0"].multiply_adds == 32 * 32 * 512 * 256
    assert table["up.0"].output == (1, 256, 32, 32)
    assert list(table)[-1] == "output"
    assert found.native_size == (256, 256)


@pytest.mark.parametrize("name", NARROW)
def test_the_layers_add_up_to_the_network(name):
    found, rows = survey(name, ARCHITECTURES[name]), layers(ARCHITECTURES[name])
    assert sum(row.parameters for row in rows) == found.parameters
    assert sum(row.multiply_adds for row in rows) == found.multiply_adds


def test_looking_at_a_network_draws_no_random_number():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    survey("unet", ARCHITECTURES["unet"])
    assert np.array_equal(before.numpy(), torch.get_rng_state().numpy())
