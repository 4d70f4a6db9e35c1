"""The table of networks as a mapping that imports a description when it is asked for.

Other packages add networks through the entry point group `heartseg.networks`: the name of the
entry point is the network's, its object a description (an instance of a frozen dataclass that
keeps to `Architecture`, or such a class, taken with its defaults). heartseg's own names win.
"""

import dataclasses
import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from heartseg.core.errors import ConfigError, MissingExtraError
from heartseg.models.architecture import Architecture
from heartseg.models.table import Entry

GROUP = "heartseg.networks"
_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_WANTED = tuple(name for name in vars(Architecture) if not name.startswith("_"))


class Registry(Mapping[str, Architecture]):
    """Name -> default description; own networks first, then those of other packages.

    Looking up a name raises KeyError when there is none, MissingExtraError without torch, and
    ConfigError when another package's description is broken. Listing the names does not.
    """

    def __init__(self, own: Mapping[str, Entry]) -> None:
        self._own = own
        self._loaded: dict[str, Architecture] = {}

    def __getitem__(self, name: str) -> Architecture:
        if name not in self._loaded:
            if name in self._own:
                self._loaded[name] = _described(name, self._own[name])
            else:
                self._loaded[name] = _loaded(self._foreign[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._foreign

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from self._foreign

    def __len__(self) -> int:
        return len(self._own) + len(self._foreign)

    def owner(self, name: str) -> str:
        """Who answers for a network: heartseg, or the package that offers it."""
        return "heartseg" if name in self._own else _package(self._foreign[name])

    @property
    def refused(self) -> list[str]:
        """What other packages offer under a name that is taken or no name, a line each."""
        return self._offers[1]

    @property
    def _foreign(self) -> dict[str, EntryPoint]:
        return self._offers[0]

    @cached_property
    def _offers(self) -> tuple[dict[str, EntryPoint], list[str]]:
        taken: dict[str, EntryPoint] = {}
        refused = []
        for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
            if not _NAME.fullmatch(point.name):
                refused.append(
                    f"{_who(point)}: got the name {point.name!r}; allowed: a-z 0-9 . _ + -"
                )
            elif point.name in self._own:
                refused.append(f"{_who(point)}: heartseg has one of this name, which is used")
            elif point.name in taken:
                refused.append(f"{_who(point)}: {_who(taken[point.name])} is used")
            else:
                taken[point.name] = point
        return taken, refused


def _described(name: str, entry: Entry) -> Architecture:
    module, _, kind = entry.home.partition(":")
    try:
        home = importlib.import_module(f"heartseg.models.{module}")
    except ModuleNotFoundError as fault:
        if str(fault.name).startswith("heartseg"):
            raise
        raise MissingExtraError(f"network '{name}'", "train") from fault
    described: Architecture = getattr(home, kind)(**entry.settings)
    return described


def _loaded(point: EntryPoint) -> Architecture:
    try:
        found: Any = point.load()
        described: Any = found() if isinstance(found, type) else found
        lacking = [name for name in _WANTED if not hasattr(described, name)]
        settings = dataclasses.is_dataclass(described)
    except Exception as fault:  # somebody else's code, which may do anything
        if isinstance(fault, ModuleNotFoundError) and fault.name == "torch":
            raise MissingExtraError(f"network '{point.name}'", "train") from fault
        got = f"{type(fault).__name__}: {str(fault)[:200]}"
        raise ConfigError(_who(point), got=got, do="tell its author, or remove it") from fault
    if lacking or not settings:
        got = f"no {', '.join(lacking)}" if lacking else "no dataclass"
        raise ConfigError(_who(point), got=got, allowed="a description, see models/architecture.py")
    kept: Architecture = described
    return kept


def _who(point: EntryPoint) -> str:
    return f"network '{point.name}' of package {_package(point)}"


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
