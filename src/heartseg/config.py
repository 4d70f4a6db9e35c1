"""TOML to frozen dataclasses, strictly, and back.

The truth is a dataclass next to the code that it configures; a file says only what differs from
its defaults. An unknown key is an error that names the key you meant. What a run really used,
`to_table(config)`, is stored with the run.

A file may start from another one with `base = "other.toml"` (relative to itself, one level).
Overrides are `schedule.steps=9`. Optional settings are unset with `none`.
"""

import difflib
import json
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from heartseg.core.errors import ConfigError

__all__ = ["from_table", "load", "to_table", "to_toml"]

Config = TypeVar("Config")
Table = Mapping[str, Any]

NONE = "none"
"""How a file or an override unsets an optional setting: TOML has no null."""


class _Typed(str):
    """Text of an override; it becomes what the setting's type asks for."""


def load(cls: type[Config], path: Path, overrides: Iterable[str] = ()) -> Config:
    """Read a run's settings.

    Args:
        cls: a dataclass whose fields are settings or further dataclasses.
        path: a TOML file.
        overrides: `a.b=value` each, stronger than the file.

    Raises:
        ConfigError: no such file, not TOML, an unknown key, a wrong type, a missing setting.
    """
    table = _with_base(path)
    for override in overrides:
        table = _merged(table, _override_table(override))
    return from_table(cls, table, where=path.name)


def from_table(cls: type[Config], table: Table, *, where: str = "settings") -> Config:
    """Build a dataclass from a table, with nothing left over.

    Args:
        cls: a dataclass. Fields may be bool, int, float, str, Path, enums, Literal, tuples,
            mappings, further dataclasses, and any of these `| None`.
        table: as tomllib reads it.
        where: the file's name, for messages.

    Raises:
        ConfigError: an unknown key, a wrong type, a missing setting.
    """
    built: Config = _dataclass(cls, table, f"{where}: ")
    return built


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
    if isinstance(value, (bool, int, float)):
        return repr(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(item, names) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_literal(item, names)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    raise ConfigError(".".join(names), got=type(value).__name__, allowed="what TOML can hold")


# From the file to one table.


def _with_base(path: Path) -> dict[str, Any]:
    table = _read(path)
    base = table.pop("base", None)
    if base is None:
        return table
    if not isinstance(base, str):
        raise ConfigError(f"{path.name}: base", got=_shown(base), allowed="the name of a file")
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
        return tomllib.loads(path.read_text(encoding="utf-8"))
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
    table: Any = _Typed(text.strip())
    for key in reversed(keys):
        table = {key: table}
    whole: dict[str, Any] = table
    return whole


# From a value of the table to the type that the field declares. `at` is how messages name it.


def _dataclass(cls: Any, table: Any, at: str) -> Any:
    if not isinstance(table, Mapping):
        raise _wrong(at.removesuffix(".").removesuffix(": "), table, "a table of settings")
    known = {field.name: field for field in fields(cls) if field.init}
    for key in table:
        if key not in known:
            raise _unknown(f"{at}{key}", key, known)
    types_of = typing.get_type_hints(cls)
    given = {key: _value(types_of[key], value, f"{at}{key}") for key, value in table.items()}
    missing = [name for name, field in known.items() if name not in given and _required(field)]
    if missing:
        raise ConfigError(f"{at}{missing[0]}", got="nothing", do="this setting has no default")
    return cls(**given)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _unknown(at: str, key: str, known: Iterable[str]) -> ConfigError:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    advice = f"did you mean '{close[0]}'?" if close else ""
    return ConfigError(at, got="no such setting", allowed=", ".join(known), do=advice)


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
    if isinstance(value, _Typed):
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
    candidates = (str(value), _parsed(value)) if isinstance(value, _Typed) else (value,)
    for candidate in candidates:
        for known, member in choices.items():
            if type(candidate) is type(known) and candidate == known:
                return member
    raise _wrong(at, value, ", ".join(_shown(choice) for choice in choices))


def _text(kind: type, value: Any, at: str) -> Any:
    if not isinstance(value, str):
        raise _wrong(at, value, "text")
    parsed = _parsed(value) if isinstance(value, _Typed) else value
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
    return ConfigError(at, got=_shown(value), allowed=allowed)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)
