"""Structures of the heart, and the schemes that turn a file's label numbers into them.

Inside heartseg a label array is uint8 and holds `Structure` values. Files hold whatever their
makers chose: a named `Scheme` translates at the door, in both directions, and refuses what it
does not know. Codes are SNOMED CT concept identifiers. A cell is no part of the heart, but what the
first networks of this kind were judged by.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import LabelError
from heartseg.core.small_text import read_small_text

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: scheme designator (`SCT`, `LN`), value and meaning."""

    scheme: str
    value: str
    meaning: str


class Structure(IntEnum):
    """What a voxel can be; the values are heartseg's own and never leave it."""

    BACKGROUND = 0
    LV_CAVITY = 1
    LV_MYOCARDIUM = 2
    RV_CAVITY = 3
    LEFT_ATRIUM = 4
    RIGHT_ATRIUM = 5
    AORTA = 6
    PULMONARY_ARTERY = 7
    SCAR = 8
    NO_REFLOW = 9
    CELL = 10

    @property
    def key(self) -> str:
        """Short name for files and columns, e.g. `lv`."""
        return _NAMES[self][0]

    @property
    def title(self) -> str:
        """Name for people, e.g. `LV cavity`."""
        return _NAMES[self][1]

    @property
    def code(self) -> Code | None:
        """SNOMED CT code, None for the background."""
        value = _NAMES[self][2]
        return Code("SCT", value, self.title) if value else None


_NAMES: Mapping[Structure, tuple[str, str, str]] = MappingProxyType(
    {
        Structure.BACKGROUND: ("background", "background", ""),
        Structure.LV_CAVITY: ("lv", "LV cavity", "87878005"),
        Structure.LV_MYOCARDIUM: ("myo", "LV myocardium", "49848007"),
        Structure.RV_CAVITY: ("rv", "RV cavity", "53085002"),
        Structure.LEFT_ATRIUM: ("la", "left atrium", "82471001"),
        Structure.RIGHT_ATRIUM: ("ra", "right atrium", "73829009"),
        Structure.AORTA: ("ao", "aorta", "15825003"),
        Structure.PULMONARY_ARTERY: ("pa", "pulmonary artery", "81040000"),
        Structure.SCAR: ("scar", "myocardial scar", ""),
        Structure.NO_REFLOW: ("no_reflow", "microvascular obstruction", ""),
        Structure.CELL: ("cell", "cell", "4421005"),
    }
)


STRUCTURES_BY_KEY: Mapping[str, Structure] = MappingProxyType({one.key: one for one in Structure})
"""For the files and settings that name structures, e.g. `lv`."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a file's label numbers mean: `numbers` maps file value -> structure."""

    name: str
    numbers: Mapping[int, Structure]

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What can be drawn in this scheme, the background left out."""
        return tuple(one for one in self.numbers.values() if one is not Structure.BACKGROUND)

    def read(self, values: NDArray[Any], *, where: str = "labels") -> Labels:
        """Turn file values (any shape, integers or integral floats) into structures.

        Raises:
            LabelError: a value is not an integer or has no meaning in this scheme.
        """
        found = np.unique(values)
        meaningless = [v for v in found.tolist() if v not in self.numbers]
        if meaningless:
            raise LabelError(
                where,
                got=f"label values {meaningless[:8]} that mean nothing in scheme '{self.name}'",
                allowed=self.legend(),
                do="choose another scheme with --scheme, or write your own as a TOML file",
            )
        out = np.zeros(values.shape, np.uint8)
        for number in found.tolist():
            out[values == number] = self.numbers[int(number)]
        return out

    def write(self, labels: Labels, *, where: str = "labels") -> Labels:
        """Turn structures into this scheme's numbers.

        Raises:
            LabelError: a structure that the scheme has no number for, or one above 255.
        """
        table = np.zeros(256, np.uint8)
        numbers = {structure: number for number, structure in self.numbers.items()}
        for value in np.unique(labels).tolist():
            structure = Structure(value)
            if structure not in numbers:
                raise LabelError(
                    where,
                    got=f"{structure.title}, which scheme '{self.name}' has no number for",
                    allowed=self.legend(),
                    do="choose another scheme with --labels",
                )
            if numbers[structure] > 255:
                raise LabelError(
                    where,
                    got=f"{numbers[structure]} for {structure.title} in scheme '{self.name}'",
                    allowed="numbers up to 255 in a written mask",
                    do="choose another scheme with --labels",
                )
            table[value] = numbers[structure]
        written: Labels = table[labels]
        return written

    def legend(self) -> str:
        """`0 background, 1 RV cavity, ...` for messages and reports."""
        return ", ".join(f"{n} {s.title}" for n, s in sorted(self.numbers.items()))


def _scheme(name: str, *structures: Structure) -> Scheme:
    return Scheme(name, MappingProxyType(dict(enumerate((Structure.BACKGROUND, *structures)))))


_LV, _MYO, _RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
_MMWHS = {
    0: Structure.BACKGROUND,
    500: _LV,
    205: _MYO,
    600: _RV,
    420: Structure.LEFT_ATRIUM,
    550: Structure.RIGHT_ATRIUM,
    820: Structure.AORTA,
    850: Structure.PULMONARY_ARTERY,
}

SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "acdc": _scheme("acdc", _RV, _MYO, _LV),
        "mnms": _scheme("mnms", _LV, _MYO, _RV),
        "camus": _scheme("camus", _LV, _MYO, Structure.LEFT_ATRIUM),
        "emidec": _scheme("emidec", _LV, _MYO, Structure.SCAR, Structure.NO_REFLOW),
        "mmwhs": Scheme("mmwhs", MappingProxyType(_MMWHS)),
        "isbi2012": Scheme(
            "isbi2012", MappingProxyType({0: Structure.BACKGROUND, 255: Structure.CELL})
        ),
        "totalsegmentator": _scheme(
            "totalsegmentator",
            _MYO,
            Structure.LEFT_ATRIUM,
            _LV,
            Structure.RIGHT_ATRIUM,
            _RV,
            Structure.AORTA,
            Structure.PULMONARY_ARTERY,
        ),
    }
)
"""Built-in schemes; `totalsegmentator` is the order of its task heartchambers_highres, `isbi2012`
is no heart but the electron microscopy of the U-Net paper: its background is the membrane."""


def scheme(name: str) -> Scheme:
    """The scheme of that name, or read from the user's own TOML file.

    Such a file holds one table, number to structure key::

        [labels]
        1 = "lv"
        2 = "myo"

    Raises:
        LabelError: no such scheme or file, or a structure key that does not exist.
    """
    if name in SCHEMES:
        return SCHEMES[name]
    if not name.endswith(".toml"):
        allowed = ", ".join(SCHEMES) + ", or a TOML file"
        raise LabelError("label scheme", got=f"'{name}'", allowed=allowed)
    return _scheme_from_toml(Path(name))


def _scheme_from_toml(path: Path) -> Scheme:
    try:
        table = tomllib.loads(read_small_text(path))["labels"]
        numbers = {int(number): STRUCTURES_BY_KEY[key] for number, key in table.items()}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise LabelError(
            f"label scheme {path.name}",
            got=f"{type(fault).__name__} {fault}",
            allowed="a table [labels] of number = " + "|".join(STRUCTURES_BY_KEY),
        ) from fault
    return Scheme(path.stem, MappingProxyType({0: Structure.BACKGROUND, **numbers}))


def enclosure(labels: Labels, cavity: Structure) -> float | None:
    """Share of a cavity's in-plane border that touches LV myocardium, in [0, 1].

    Near 1 for the LV, which the myocardium rings, and well below one half for the RV. Axes are
    (..., y, x). None when the cavity is absent.
    """
    inside = labels == cavity
    contact = border = 0
    for axis in (-2, -1):
        first, second = _neighbours(inside, axis), _neighbours(labels, axis)
        for mine, other in ((first[0], second[1]), (first[1], second[0])):
            outside = mine & (other != cavity)
            border += int(np.count_nonzero(outside))
            contact += int(np.count_nonzero(outside & (other == Structure.LV_MYOCARDIUM)))
    return contact / border if border else None


def _neighbours(array: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Views of all but the last and all but the first along axis -2 or -1."""
    if axis == -1:
        return array[..., :-1], array[..., 1:]
    return array[..., :-1, :], array[..., 1:, :]


def ventricles_swapped(labels: Labels) -> bool:
    """True when the myocardium rings the voxels called RV rather than those called LV.

    That is how ACDC numbers (1 RV, 3 LV) look when read as M&Ms numbers (1 LV, 3 RV).
    """
    lv, rv = enclosure(labels, Structure.LV_CAVITY), enclosure(labels, Structure.RV_CAVITY)
    return lv is not None and rv is not None and rv > 0.5 > lv
