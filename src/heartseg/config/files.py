"""From a settings file, its base and the overrides to one table."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from heartseg.config.strict import Table, Typed, from_table, shown
from heartseg.core.errors import ConfigError
from heartseg.core.small_text import read_small_text

Config = TypeVar("Config")


def load(cls: type[Config], path: Path, overrides: Iterable[str] = ()) -> Config:
    """Read a run's settings.

    Args:
        cls: a dataclass whose fields are settings or further dataclasses.
        path: a TOML file.
        overrides: `a.b=value` each, stronger than the file.

    Raises:
        ConfigError: no such file, not TOML, an unknown key, a wrong type, a missing setting.
    """
    return from_changes(cls, _with_base(path), overrides, where=path.name)


def from_changes(
    cls: type[Config], table: Table, overrides: Iterable[str], *, where: str = "settings"
) -> Config:
    """The same of a table: the overrides are stronger.

    Raises:
        ConfigError: as `load`.
    """
    for override in overrides:
        table = _merged(table, _override_table(override))
    return from_table(cls, table, where=where)


def _with_base(path: Path) -> dict[str, Any]:
    table = _read(path)
    base = table.pop("base", None)
    if base is None:
        return table
    if not isinstance(base, str):
        raise ConfigError(f"{path.name}: base", got=shown(base), allowed="the name of a file")
    below = _read(path.parent / base)
    if "base" in below:
        raise ConfigError(
            f"{path.name}: base",
            got=f"'{base}', which has a base itself",
            allowed="one level",
            do=f"put the settings of {below['base']} into {base}",
        )
    return _merged(below, table)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small_text(path))
    except OSError as fault:
        raise ConfigError(f"{path.name}", got=fault.strerror or "no file to read") from fault
    except ValueError as fault:  # tomllib's and the decoder's own errors are both ValueErrors
        raise ConfigError(f"{path.name}", got=f"no TOML: {fault}", allowed="TOML, UTF-8") from fault


def _merged(below: Table, above: Table) -> dict[str, Any]:
    out = dict(below)
    for key, value in above.items():
        under = out.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        out[key] = _merged(under, value) if both else value  # type: ignore[arg-type]
    return out


def _override_table(override: str) -> dict[str, Any]:
    name, equals, text = override.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not equals or not all(keys):
        raise ConfigError("--set", got=f"'{override}'", allowed="a.b=value")
    table: Any = Typed(text.strip())
    for key in reversed(keys):
        table = {key: table}
    whole: dict[str, Any] = table
    return whole
