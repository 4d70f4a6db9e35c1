"""The axes of a grid: what varies, by which labels, in which order, and what cannot be paired."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from heartseg.config.strict import shown
from heartseg.core.errors import ConfigError

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Axis:
    """Something that is varied: its name, and by label what each value changes."""

    name: str
    values: Mapping[str, Table]


def axes_of(table: Table, sections: set[str], where: str, lead: str = "") -> Iterator[Axis]:
    """Read `[axes]`: below a section of settings, sections again or lists; else groups by name.

    Args:
        table: as tomllib reads it.
        sections: names of the settings of a RUN.toml.
        where: the file's name, for messages.
        lead: of the names, with its dot.

    Raises:
        ConfigError: no such setting, or values that make no axis.
    """
    for key, value in table.items():
        name = f"{lead}{key}"
        at = f"{where}: axes.{name}"
        if isinstance(value, list):
            if not lead and key not in sections:
                raise _no_setting(at, key, sections)
            yield Axis(name, _distinct(at, [(label_of(v), _nested(name, v)) for v in value]))
        elif not isinstance(value, Mapping) or not value:
            allowed = "a list of values, or a table of groups of settings"
            raise ConfigError(at, got=shown(value), allowed=allowed)
        elif lead or key in sections:
            yield from axes_of(value, sections, where, f"{name}.")
        else:
            yield Axis(key, _groups(at, value, sections))


def _groups(at: str, groups: Table, sections: set[str]) -> Mapping[str, Table]:
    for label, changes in groups.items():
        if not isinstance(changes, Mapping):
            allowed = "a table of settings for each value, or [] of a setting"
            raise ConfigError(f"{at}.{label}", got=shown(changes), allowed=allowed)
        for key in changes:
            if key not in sections:
                raise _no_setting(f"{at}.{label}.{key}", key, sections)
    return _distinct(at, list(groups.items()))


def _no_setting(at: str, key: str, known: set[str]) -> ConfigError:
    close = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.5)
    advice = f"did you mean '{close[0]}'?" if close else ""
    return ConfigError(at, got="no such setting", allowed=", ".join(sorted(known)), do=advice)


def _distinct(at: str, values: Sequence[tuple[str, Table]]) -> Mapping[str, Table]:
    labels = [label for label, _ in values]
    twice = {label for label in labels if labels.count(label) > 1}
    if twice or not values:
        got = f"'{min(twice)}' twice" if twice else "no value"
        raise ConfigError(at, got=got, allowed="different values, at least one")
    return dict(values)


def label_of(value: Any) -> str:
    """A value of a setting as a table shows it: a part by its name, a list joined by +."""
    if isinstance(value, Mapping):
        rest = [f"{key} {label_of(one)}" for key, one in value.items() if key != "name"]
        return ", ".join([*([label_of(value["name"])] if "name" in value else []), *rest]) or "{}"
    if isinstance(value, (list, tuple)):
        return "+".join(map(label_of, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nested(name: str, value: Any) -> Table:
    table = value
    for key in reversed(name.split(".")):
        table = {key: table}
    nested: Table = table
    return nested


Rule = Mapping[str, frozenset[str]]


def rule_of(table: Table, axes: Sequence[Axis], where: str) -> Rule:
    """By axis the labels that a table under `[[exclude]]` takes.

    Raises:
        ConfigError: no such axis or value, or a rule that excludes everything.
    """
    known = {axis.name: axis for axis in axes}
    rule = {}
    for name, value in _flat(table, set(known)):
        at = f"{where}: exclude.{name}"
        if name not in known:
            raise ConfigError(at, got="no such axis", allowed=", ".join(known))
        labels = {label_of(one) for one in (value if isinstance(value, list) else [value])}
        strange = labels - set(known[name].values)
        if strange:
            allowed = ", ".join(known[name].values)
            raise ConfigError(at, got=f"'{min(strange)}'", allowed=allowed)
        rule[name] = frozenset(labels)
    if not rule:
        raise ConfigError(f"{where}: exclude", got="an empty rule, which excludes everything")
    return rule


def _flat(table: Table, known: set[str], lead: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{lead}{key}"
        if isinstance(value, Mapping) and name not in known:
            yield from _flat(value, known, f"{name}.")
        else:
            yield name, value


def is_excluded(labels: Mapping[str, str], rule: Rule) -> bool:
    """True when a run has a refused label on every axis of the rule."""
    return all(labels[name] in refused for name, refused in rule.items())


def in_order(axes: Sequence[Axis], repeats: Sequence[str]) -> Iterator[dict[str, str]]:
    """Labels by axis, in the order of the file: repeats outermost, the last axis innermost."""
    outer = [axis for axis in axes if axis.name in repeats]
    inner = [axis for axis in axes if axis.name not in repeats]
    for chosen in product(*(axis.values for axis in (*outer, *inner))):
        by_name = dict(zip((axis.name for axis in (*outer, *inner)), chosen, strict=True))
        yield {axis.name: by_name[axis.name] for axis in axes}
