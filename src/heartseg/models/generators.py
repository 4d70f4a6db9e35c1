"""The table of generators: networks that make one kind of image of another.

A generator is a frozen dataclass like an architecture, but what it builds answers with an image:
pixels (n, channels, y, x) in about [0, 1] -> the same shape in [0, 1], in floats from end to end.
Adding one is its file in this folder and its line in `GENERATORS`; `tests/models/
test_generators.py` then tests it.
"""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast

from heartseg.config import from_table
from heartseg.core.errors import ConfigError
from heartseg.models.maker import Maker
from heartseg.models.resnet_generator import ResnetGenerator
from heartseg.models.unet_generator import UNetGenerator


class Generator(Protocol):
    """A frozen dataclass whose fields are the generator's settings."""

    @property
    def paper(self) -> str:
        """Who described it."""
        ...

    @property
    def stride(self) -> int:
        """Rows and columns of an input are multiples of it."""
        ...

    @property
    def smallest_px(self) -> int:
        """Rows and columns of the smallest input."""
        ...

    def build(self, channels: int) -> Maker:
        """The generator with fresh weights from torch's global generator."""
        ...

    def encoded_widths(self, channels: int) -> tuple[int, ...]:
        """Channels of each of the features that `Maker.encoded` gives."""
        ...


GENERATORS: Mapping[str, type[Any]] = MappingProxyType(
    {"resnet": ResnetGenerator, "unet": UNetGenerator}
)


def generator(table: Mapping[str, Any]) -> Generator:
    """The description in a `[generator]` table: its `name`, and what differs from the defaults.

    Raises:
        ConfigError: no such generator or setting.
    """
    settings = dict(table)
    name = settings.pop("name", "resnet")
    if name not in GENERATORS:
        close = difflib.get_close_matches(str(name), list(GENERATORS), n=1)
        advice = f"did you mean '{close[0]}'?" if close else ""
        raise ConfigError(
            "generator.name", got=repr(name), allowed=", ".join(GENERATORS), do=advice
        )
    made = from_table(GENERATORS[name], settings, where=f"generator '{name}'")
    return cast(Generator, made)
