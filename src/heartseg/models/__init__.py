"""Networks: described by a frozen dataclass, then built.

`ARCHITECTURES` is the whole list; adding a network is one file and one line here, and
`tests/models/test_contract.py` then tests it. In: (n, channels, y, x) pixels. Out: (n, classes,
y, x) logits on the same grid. A network never knows about patients, files or losses.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from heartseg.config import from_table
from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture
from heartseg.models.unet import UNet

ARCHITECTURES: Mapping[str, type[Architecture]] = MappingProxyType({"unet": UNet})


def architecture(table: Mapping[str, Any]) -> Architecture:
    """The description in a `[model]` table: its `name`, and what differs from the defaults.

    Raises:
        ConfigError: no such network or setting.
    """
    settings = dict(table)
    name = settings.pop("name", "unet")
    if not isinstance(name, str) or name not in ARCHITECTURES:
        raise ConfigError("model.name", got=repr(name), allowed=", ".join(ARCHITECTURES))
    return from_table(ARCHITECTURES[name], settings, where=f"model '{name}'")


def build_network(name: str, channels: int, classes: int, **settings: Any) -> nn.Module:
    """A network with fresh weights: (n, channels, y, x) -> logits (n, classes, y, x).

    Args:
        name: one of `ARCHITECTURES`.
        channels: of the input.
        classes: of the output, the background included.
        settings: of the architecture, where they differ from its defaults.

    Raises:
        ConfigError: no such network or setting.
    """
    return architecture({"name": name, **settings}).build(channels, classes)


__all__ = ["ARCHITECTURES", "Architecture", "architecture", "build_network"]
