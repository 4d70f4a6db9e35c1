"""From a dataclass to plain values, and to TOML."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from heartseg.config.strict import NONE, Table
from heartseg.core.errors import ConfigError


def to_table(instance: object) -> dict[str, Any]:
    """The resolved settings, defaults included, as plain values that TOML and JSON can hold.

    `from_table(type(x), to_table(x)) == x`. A None that is also the default is left out.
    """
    table: dict[str, Any] = {}
    for field in fields(instance):  # type: ignore[arg-type]
        value = getattr(instance, field.name)
        if field.init and not (value is None and field.default is None):
            table[field.name] = _plain(value)
    return table


def _plain(value: Any) -> Any:
    if value is None:
        return NONE
    if is_dataclass(value):
        return to_table(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def to_toml(table: Table) -> str:
    """A table as TOML text; `tomllib.loads(to_toml(table)) == table`.

    Raises:
        ConfigError: a value that TOML cannot hold (None, an array, an object).
    """
    return "\n".join(_section(table, ())).lstrip("\n") + "\n"


def _section(table: Table, names: tuple[str, ...]) -> list[str]:
    leaves = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"\n[{'.'.join(map(_key, names))}]"] if names and (leaves or not table) else []
    lines += [f"{_key(key)} = {_literal(value, (*names, key))}" for key, value in leaves.items()]
    for key, value in table.items():
        if key not in leaves:
            lines += _section(value, (*names, key))
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:  # JSON's escapes are TOML's, but for the delete character
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _literal(value: Any, names: tuple[str, ...]) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):  # plain numbers, also of numpy's subclasses
        return repr(float(value) if isinstance(value, float) else int(value))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(item, names) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_literal(item, names)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    raise ConfigError(".".join(names), got=type(value).__name__, allowed="what TOML can hold")
