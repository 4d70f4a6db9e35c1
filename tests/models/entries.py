"""Which networks this run of the tests looks at.

All of them, at their real size, take longer than `make test` may: `make networks` does that and
keeps what came out in `benchmarks/results/checks/networks.csv`. `make test` takes the light ones
and a few of the rest, others every day, so that each has its turn; but for the largest encoders,
one of which alone would take minutes of every test run of its day.
"""

import os
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from heartseg.models import ARCHITECTURES, Architecture, architecture

LIGHT = (
    *("unet", "unet-2015", "cmr-unet", "cmr-unet-dropout", "cmr-resunet", "cmr-fcn"),
    *("unet-3d", "unet-3d-anisotropic"),
)
LARGEST = ("resnet101", "efficientnet-b5", "efficientnet-b7")
"""Encoders that only `make networks` has the time for."""

A_DAY = 4
"""How many of the others `make test` takes."""

CHOICE = "HEARTSEG_NETWORKS"
"""Environment variable: names with commas between them, or "all"; each is then its real size."""

_EDGES = {"widths": [8, 12, 16, 16], "edge_channels": 8}
_FCN = {"widths": [8, 12, 16, 16, 16], "head": 24}
NARROWER: Mapping[str, Mapping[str, Any]] = {
    "unet-2015": {"widths": [8, 12, 16, 24, 32]},
    "unet-3d": {"widths": [4, 6, 8]},
    "unet-3d-anisotropic": {"widths": [6, 8, 10, 12]},
    **dict.fromkeys(("fcn-32s", "fcn-16s", "fcn-8s"), _FCN),
    "residual-unet-2d": {"widths": [8, 12, 16], "blocks": [1, 2, 2], "poolings": [[2, 2]] * 2},
    "attention-unet": {"widths": [8, 12, 16]},
    "unetplusplus-supervised": {"widths": [8, 12, 16], "pruned_to": 2},
    "edge-attention-base": {"widths": [8, 12, 16, 16]},
    "edge-attention-edges": {"widths": [8, 12, 16, 16], "edge_channels": 8},
    **dict.fromkeys(("edge-attention", "edge-attention-fusion"), _EDGES),
}
"""Settings under which `make test` checks what would take minutes."""


def chosen() -> tuple[str, ...]:
    """The networks to look at."""
    asked = os.environ.get(CHOICE, "")
    if asked:
        return tuple(ARCHITECTURES) if asked == "all" else tuple(asked.split(","))
    return (*LIGHT, *of_the_day(datetime.now(UTC).toordinal()))


def of_the_day(day: int) -> tuple[str, ...]:
    """The heavy ones whose turn it is, in an order in which neighbours differ."""
    rest = sorted(n for n in ARCHITECTURES if n not in LIGHT and not n.endswith(LARGEST))
    random.Random(0).shuffle(rest)
    start = day * A_DAY
    return tuple(sorted({rest[(start + i) % len(rest)] for i in range(min(A_DAY, len(rest)))}))


def description(name: str) -> Architecture:
    """A network as it is checked: narrower than it is, where `make test` could not wait for it."""
    narrower = {} if os.environ.get(CHOICE) else NARROWER.get(name, {})
    return architecture({"name": name, **narrower})
