"""Pages of settings: what a RUN.toml may say, from the dataclasses that read it."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from docstrings import attributes
from sheets import markdown_table

from heartseg.train.settings import RunSettings
from heartseg.train.translate.settings import TranslateSettings


def run_settings() -> str:
    """Of a training run."""
    lead = (
        "What a RUN.toml may say. Whatever is left out keeps its default; `--set a.b=value` wins."
    )
    return "\n\n".join([lead, *_tables_of_settings(RunSettings, "")])


def translation_settings() -> str:
    """Of a translation's training."""
    lead = (
        'What a RUN.toml with `task = "translate"` may say. Whatever is left out keeps its '
        "default; `--set a.b=value` wins."
    )
    return "\n\n".join([lead, *_tables_of_settings(TranslateSettings, "")])


def _tables_of_settings(kind: Any, heading: str) -> Iterator[str]:
    doc = inspect.getdoc(kind) or ""
    title = f"## [{heading}]\n\n{doc.partition(chr(10))[0]}\n\n" if heading else ""
    yield title + _presets(kind) + settings_table(kind, doc)
    for name, declared in typing.get_type_hints(kind).items():
        for inner in (declared, *get_args(declared)):
            if dataclasses.is_dataclass(inner):
                yield from _tables_of_settings(inner, f"{heading}.{name}".lstrip("."))


def _presets(kind: Any) -> str:
    """The line about starting points, of a kind of settings that has some."""
    if not hasattr(kind, "presets"):
        return ""
    names = ", ".join(f"`{name}`" for name in kind.presets())
    return f'`preset = "..."` starts from the values of {names}.\n\n'


def settings_table(kind: Any, doc: str) -> str:
    """A line for each field that is no table of its own; empty without any."""
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__[1:-1]):  # what a kind of settings inherits it need not repeat
        meanings |= attributes(inspect.getdoc(base) or "")
    meanings |= attributes(doc)
    kinds = typing.get_type_hints(kind)
    rows = [
        (f"`{f.name}`", _kind(kinds[f.name]), setting_default(f), meanings.get(f.name, ""))
        for f in dataclasses.fields(kind)
        if f.init and not dataclasses.is_dataclass(kinds[f.name])
    ]
    return markdown_table(("setting", "is", "default", "means"), rows) if rows else ""


def bounded_settings(kind: Any, bounds: Mapping[str, str]) -> str:
    """A line for each setting of a traditional method, with what is allowed."""
    meanings = attributes(inspect.getdoc(kind) or "")
    rows = [
        (f"`{f.name}`", bounds.get(f.name, "-"), setting_default(f), meanings.get(f.name, ""))
        for f in dataclasses.fields(kind)
        if f.name != "seeds"
    ]
    return markdown_table(("setting", "allowed", "default", "means"), rows)


def _kind(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{shown(choice)}`" for choice in inner)
    if dataclasses.is_dataclass(kind):
        return "table"
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inner)
    if origin is tuple:
        return "list of " + _kind(inner[0]) if inner[-1] is ... else f"{len(inner)} values"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    return _KINDS.get(kind, getattr(kind, "__name__", str(kind)))


_KINDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    types.NoneType: "none",
}


def setting_default(field: "dataclasses.Field[Any]") -> str:
    """As a RUN.toml would say it."""
    if field.default is not dataclasses.MISSING:
        return f"`{shown(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{shown(field.default_factory())}`"
    return "required"


def shown(value: Any) -> str:
    """A value as a RUN.toml would say it, but for quotes."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if value == "":
        return '""'
    return "none" if value is None else str(value)
