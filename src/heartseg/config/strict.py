"""From a table to a dataclass: every value has the type that its field declares.

In messages, `at` names the setting as the user wrote it, the file first.

A dataclass may offer named starting points, `presets()`: `preset = "name"` in its table takes one,
and what else the table says wins over it.
"""

import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from heartseg.core.errors import ConfigError

Config = TypeVar("Config")
Table = Mapping[str, Any]

NONE = "none"
"""How a file or an override unsets an optional setting: TOML has no null."""


PRESET = "preset"
"""The key that names a starting point."""


class Typed(str):
    """Text of an override; it becomes what the setting's type asks for."""


def from_table(
    cls: type[Config], table: Table, *, where: str = "settings", base: Config | None = None
) -> Config:
    """Build a dataclass from a table, with nothing left over.

    Args:
        cls: a dataclass. Fields may be bool, int, float, str, Path, enums, Literal, tuples,
            mappings, further dataclasses, and any of these `| None`.
        table: as tomllib reads it.
        where: the file's name, for messages.
        base: what the table leaves out; None for the defaults of the class.

    Raises:
        ConfigError: an unknown key, a wrong type, a missing setting.
    """
    built: Config = _dataclass(cls, table, f"{where}: ", base)
    return built


def _dataclass(cls: Any, table: Any, at: str, base: Any = None) -> Any:
    if not isinstance(table, Mapping):
        raise _wrong(at.removesuffix(".").removesuffix(": "), table, "a table of settings")
    known = {field.name: field for field in fields(cls) if field.init}
    if PRESET in table and hasattr(cls, "presets"):
        base = _preset(cls.presets(), table[PRESET], f"{at}{PRESET}")
        table = {key: value for key, value in table.items() if key != PRESET}
    for key in table:
        if key not in known:
            offered = [*known, PRESET] if hasattr(cls, "presets") else known
            raise _unknown(f"{at}{key}", key, offered)
    types_of = typing.get_type_hints(cls)
    given = {}
    for key, value in table.items():
        under = getattr(base, key, None)
        if is_dataclass(under) and isinstance(value, Mapping):
            given[key] = _dataclass(type(under), value, f"{at}{key}.", under)
        else:
            given[key] = _value(types_of[key], value, f"{at}{key}")
    if base is not None:
        given = {name: getattr(base, name) for name in known} | given
    missing = [name for name, field in known.items() if name not in given and _required(field)]
    if missing:
        raise ConfigError(f"{at}{missing[0]}", got="nothing", do="this setting has no default")
    return cls(**given)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _preset(offered: Mapping[str, Any], name: Any, at: str) -> Any:
    wanted = _parsed(name) if isinstance(name, Typed) else name
    if not isinstance(wanted, str) or wanted not in offered:
        advice = _meant(str(wanted), offered)
        raise ConfigError(at, got=shown(wanted), allowed=", ".join(offered), do=advice)
    return offered[wanted]


def _unknown(at: str, key: str, known: Iterable[str]) -> ConfigError:
    advice = _meant(key, known)
    return ConfigError(at, got="no such setting", allowed=", ".join(known), do=advice)


def _meant(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else ""


def _value(kind: Any, value: Any, at: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value, at)
    if is_dataclass(kind):
        return _dataclass(kind, value, f"{at}.")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(kind, value, at)
    if origin is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return _choice(kind, value, at)
    if kind is str or kind is Path:
        return _text(kind, value, at)
    if isinstance(value, Typed):
        value = _parsed(value)
    if origin is tuple:
        return _tuple(get_args(kind), value, at)
    return _scalar(kind, value, at)


def _one_of(kinds: tuple[Any, ...], value: Any, at: str) -> Any:
    if type(None) in kinds and value == NONE:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    faults: list[ConfigError] = []
    for kind in rest:
        try:
            return _value(kind, value, at)
        except ConfigError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    raise _wrong(at, value, " or ".join(_called(kind) for kind in rest)) from faults[-1]


def _mapping(kind: Any, value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(at, value, "a table")
    item = get_args(kind)[1]
    return {key: _value(item, entry, f"{at}.{key}") for key, entry in value.items()}


def _choice(kind: Any, value: Any, at: str) -> Any:
    if isinstance(kind, type):
        choices = {member.value: member for member in kind}  # type: ignore[attr-defined]
    else:
        choices = {choice: choice for choice in get_args(kind)}
    candidates = (str(value), _parsed(value)) if isinstance(value, Typed) else (value,)
    for candidate in candidates:
        for known, member in choices.items():
            if type(candidate) is type(known) and candidate == known:
                return member
    raise _wrong(at, value, ", ".join(shown(choice) for choice in choices))


def _text(kind: type, value: Any, at: str) -> Any:
    if not isinstance(value, str):
        raise _wrong(at, value, "text")
    parsed = _parsed(value) if isinstance(value, Typed) else value
    return kind(parsed if isinstance(parsed, str) else str(value))


def _tuple(kinds: tuple[Any, ...], value: Any, at: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(at, value, "a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _wrong(at, value, f"a list of {len(kinds)}")
    return tuple(
        _value(k, v, f"{at}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True))
    )


def _scalar(kind: Any, value: Any, at: str) -> Any:
    if kind in (Any, object):
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:  # not isinstance: True is no number of steps
        raise _wrong(at, value, _called(kind))
    return value


def _parsed(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return str(text)


_CALLED = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "text",
}


def _called(kind: Any) -> str:
    if is_dataclass(kind):
        return "a table of settings"
    return _CALLED.get(kind, str(kind).replace("typing.", ""))


def _wrong(at: str, value: Any, allowed: str) -> ConfigError:
    return ConfigError(at, got=shown(value), allowed=allowed)


def shown(value: Any) -> str:
    """A value as a message shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)
