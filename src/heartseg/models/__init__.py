"""Networks: described by a frozen dataclass, then built.

`ARCHITECTURES` is the whole list: `table.py`, and what other packages add. In: (n, channels, y, x)
pixels. Out: (n, classes, y, x) logits on the same grid, or on its middle where the convolutions
are valid; volumes have z before y. A network never knows about patients, files or losses.
"""

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heartseg.config import from_table
from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture
from heartseg.models.registry import Registry
from heartseg.models.table import TABLE

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURES = Registry(TABLE)
"""Name -> default description. Names cost nothing; a description is imported when it is taken."""


def architecture(table: Mapping[str, Any]) -> Architecture:
    """The description in a `[model]` table: its `name`, and what differs from the defaults.

    Raises:
        ConfigError: no such network or setting, or another package's that is broken.
        MissingExtraError: torch is not installed.
    """
    settings = dict(table)
    name = settings.pop("name", "unet")
    if not isinstance(name, str) or name not in ARCHITECTURES:
        raise _unknown(name)
    default = ARCHITECTURES[name]
    return from_table(type(default), settings, where=f"model '{name}'", base=default)


def _unknown(name: object) -> ConfigError:
    close = difflib.get_close_matches(str(name), list(ARCHITECTURES), n=3)
    advice = f"did you mean {' or '.join(close)}?" if close else ""
    return ConfigError(
        "model.name", got=repr(name), allowed="a name that `heartseg networks` lists", do=advice
    )


def build_network(name: str, channels: int, classes: int, **settings: Any) -> "nn.Module":
    """A network with fresh weights: (n, channels, y, x) -> logits (n, classes, y, x).

    Args:
        name: one of `ARCHITECTURES`.
        channels: of the input.
        classes: of the output, the background included.
        settings: of the architecture, where they differ from its defaults.

    Raises:
        ConfigError: no such network or setting.
        MissingExtraError: torch is not installed.
    """
    return architecture({"name": name, **settings}).build(channels, classes)


__all__ = ["ARCHITECTURES", "Architecture", "architecture", "build_network"]
