"""In which order a network's numbers lie while it learns."""

import pytest
import torch
from torch import nn

from heartseg.models import build_network
from heartseg.train.memory_format import WIDE, memory_format

CPU = torch.device("cpu")
LAST, PLAIN = torch.channels_last, torch.contiguous_format


@pytest.fixture(params=["AVX2", "AVX512", "DEFAULT"])
def capability(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    said: str = request.param
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: said)
    return said


@pytest.mark.parametrize(
    ("first", "slow"),
    [
        (nn.Conv2d(1, WIDE, 3), True),
        (nn.Conv2d(1, WIDE - 1, 3), False),
        (nn.Conv2d(1, WIDE, 7, stride=2), False),
        (nn.Conv2d(1, WIDE, 3, stride=(1, 2)), False),
        (nn.Linear(2, 2), False),
    ],
)
def test_wide_kernels_on_fine_planes_are_plain_on_an_older_processor(
    capability: str, first: nn.Module, slow: bool
) -> None:
    network = nn.Sequential(first, nn.Conv2d(WIDE, 2 * WIDE, 3))
    if isinstance(first, nn.Linear):
        network = nn.Sequential(first)
    wanted = PLAIN if slow and capability != "AVX512" else LAST
    assert memory_format(network, CPU) is wanted
    assert memory_format(network, torch.device("cuda")) is LAST


def test_volumes_have_their_own_order(capability: str) -> None:
    network = nn.Sequential(nn.Conv3d(1, WIDE, 3))
    assert memory_format(network, CPU) is torch.channels_last_3d


def test_networks_of_the_papers_are_wide_and_the_shipped_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    for name in ("cmr-unet", "unet-plain", "fcn-8s"):
        assert memory_format(build_network(name, 1, 4), CPU) is PLAIN, name
    shipped = build_network("unet", 1, 4, widths=(16, 32, 64))
    assert memory_format(shipped, CPU) is LAST
    assert memory_format(build_network("unet-resnet34", 1, 4), CPU) is LAST
