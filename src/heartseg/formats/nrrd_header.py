"""What an NRRD header says: its fields, its axes in space and time, and the names of segments.

Format: https://teem.sourceforge.net/nrrd/format.html. A reader of our own, because sizes have to be
checked before memory is taken and data files must not lead out of the folder.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError
from heartseg.core.geometry import Frame
from heartseg.formats import data_file
from heartseg.formats.bounds import require_memory

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
        **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
        **dict.fromkeys(("short", "short int", "signed short", "int16", "int16_t"), "i2"),
        **dict.fromkeys(("ushort", "unsigned short", "uint16", "uint16_t"), "u2"),
        **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
        **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
        **dict.fromkeys(("longlong", "long long", "int64", "int64_t"), "i8"),
        **dict.fromkeys(("ulonglong", "unsigned long long", "uint64", "uint64_t"), "u8"),
        "float": "f4",
        "double": "f8",
    }
)

_FRAMES: Mapping[str, Frame] = MappingProxyType(
    {
        **dict.fromkeys(("right-anterior-superior", "ras"), "RAS"),
        **dict.fromkeys(("left-anterior-superior", "las"), "LAS"),
        **dict.fromkeys(("left-posterior-superior", "lps"), "LPS"),
    }
)

_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001}
MS = {"ms": 1.0, "msec": 1.0, "s": 1000.0, "sec": 1000.0, "us": 0.001, "µs": 0.001}
_TIME_KINDS = ("time", "list")
_SPACE_KINDS = ("domain", "space", "none", "???", "")


@dataclass(frozen=True, slots=True, eq=False)
class NrrdHeader:
    """The header as it is stored.

    Attributes:
        where: base name of the file.
        fields: by name, lower case, alternative spellings made one.
        keys: the pairs `key:=value`.
        data_at: where the header ends.
        sizes: of all axes, fastest first.
        dtype: as stored.
    """

    where: str
    fields: Mapping[str, str]
    keys: Mapping[str, str]
    data_at: int
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each axis counts, "" where the file does not say."""
        said = tuple(self.fields.get("kinds", "").lower().split())
        return said if len(said) == len(self.sizes) else ("",) * len(self.sizes)

    @property
    def frame(self) -> Frame | None:
        """The patient directions of its space; None where it names none that the body has."""
        space = self.fields.get("space", "").lower()
        return _FRAMES.get(space.removesuffix("-time") if len(space) > 4 else space[:3])

    @property
    def units(self) -> tuple[str, ...]:
        """Of each axis, "" where the file does not say."""
        said = tuple(re.findall(r'"([^"]*)"', self.fields.get("units", "")))
        return said if len(said) == len(self.sizes) else ("",) * len(self.sizes)

    @property
    def space_mm(self) -> float:
        """Millimetres in the unit of its space; those who name none mean millimetres."""
        said = re.findall(r'"([^"]*)"', self.fields.get("space units", ""))
        return _MM.get(said[0], 1.0) if said else 1.0

    def axis_mm(self, axis: int) -> float:
        """Millimetres in the unit of an axis."""
        return _MM.get(self.units[axis], 1.0)

    def spacings(self) -> tuple[float, ...] | None:
        """Of each axis, not a number where an axis has none; None where the file is silent."""
        if "spacings" not in self.fields:
            return None
        return tuple(self.numbers("spacings", self.fields["spacings"].split(), len(self.sizes)))

    def directions(self) -> tuple[NDArray[np.float64] | None, ...] | None:
        """From a voxel to the next along each axis, None for an axis that is none of space."""
        if "space directions" not in self.fields:
            return None
        said = re.findall(r"none|\([^()]*\)", self.fields["space directions"].lower())
        if len(said) != len(self.sizes):
            raise self.bad("space directions")
        found = tuple(None if one == "none" else self._vector(one) for one in said)
        lengths = {len(one) for one in found if one is not None}
        if len(lengths) != 1 or not lengths <= {2, 3, 4}:
            raise self.bad("space directions")
        return found

    def origin(self, length: int) -> NDArray[np.float64]:
        """Of the first voxel; zeros where the file is silent."""
        if "space origin" not in self.fields:
            return np.zeros(length)
        origin = self._vector(self.fields["space origin"])
        if len(origin) != length:
            raise self.bad("space origin")
        return origin

    def time_axis(self) -> int | None:
        """The axis of the frames, None for a still.

        Raises:
            FormatError: an axis of colours, vectors or the like, or several that are none of space.
        """
        kinds, directions = self.kinds, self.directions()
        other = [a for a, k in enumerate(kinds) if k not in (*_TIME_KINDS, *_SPACE_KINDS)]
        other = [axis for axis in other if self.sizes[axis] > 1]
        times = [axis for axis, kind in enumerate(kinds) if kind in _TIME_KINDS]
        if directions is not None and not times:
            times = [a for a, one in enumerate(directions) if one is None or _is_time(one)]
        if not times and len(self.sizes) - len(other) > 3:
            times = [len(self.sizes) - 1]
        if other or len(times) > 1 or len(self.sizes) - len(times) not in (2, 3):
            raise FormatError(
                self.where,
                got=f"axes {' x '.join(map(str, self.sizes))} of kinds {' '.join(kinds).strip()}",
                allowed="two or three axes in space, and one of time",
                do="convert it to grey, or save each channel or layer as a file of its own",
            )
        return times[0] if times else None

    def numbers(self, name: str, words: Sequence[str], count: int) -> list[float]:
        """`count` numbers of a field; FormatError else."""
        try:
            values = [float(word) for word in words]
        except ValueError:
            raise self.bad(name) from None
        if len(values) != count:
            raise self.bad(name)
        return values

    def integer(self, name: str) -> int:
        """Of a field that is 0 by default; FormatError where it is no number."""
        text = self.fields.get(name, "0")
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise self.bad(name)
        return int(text)

    def bad(self, name: str) -> FormatError:
        """The error for a field without a sense."""
        return _bad(self.where, name, self.fields)

    def _vector(self, text: str) -> NDArray[np.float64]:
        words = text.strip("() \t").split(",")
        return np.array(self.numbers("space directions and origin", words, len(words)))


def _is_time(direction: NDArray[np.float64]) -> bool:
    """A direction into the fourth dimension, as ITK and spaces with time write it."""
    return len(direction) == 4 and not direction[:3].any() and bool(direction[3])


def read_header(path: Path) -> NrrdHeader:
    """The header of a file, once its claims fit the memory.

    Raises:
        FormatError: no NRRD file, voxels that are no real numbers, or a size that cannot be.
    """
    start = data_file.read_text_header(path)
    lines, data_at = _lines(start)
    if not re.match(r"NRRD000\d", lines[0]):
        raise FormatError(
            path.name,
            got="a file that does not begin like an NRRD file",
            allowed="NRRD0001 to NRRD0005",
            do="check what the file really is, or export it again",
        )
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for line in lines[1:]:
        pair = re.match(r"([^:]*):(=?)(.*)", line)
        if pair and not line.startswith("#"):
            name, is_key, value = pair[1].strip(), pair[2], pair[3].strip()
            (keys if is_key else fields)[name if is_key else _one_name(name)] = value
    return _checked(path.name, fields, keys, data_at)


def _lines(start: bytes) -> tuple[list[str], int]:
    """The lines of the header, and where it ends: after an empty line, or after a list's name."""
    lines, end = [], 0
    while end < len(start):
        stop = start.find(b"\n", end)
        stop = len(start) if stop < 0 else stop
        line = start[end:stop].decode("utf-8", "replace").rstrip("\r")
        end = min(stop + 1, len(start))
        if not line:
            break
        lines.append(line)
        if re.match(r"data ?file:\s*LIST", line, re.I):
            break
    return lines or [""], end


def _one_name(name: str) -> str:
    low = name.lower()
    return {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}.get(low, low)


def _checked(
    where: str, fields: Mapping[str, str], keys: Mapping[str, str], data_at: int
) -> NrrdHeader:
    words = fields.get("sizes", "").split()
    if not words or not all(re.fullmatch(r"-?[0-9]{1,15}", word) for word in words):
        raise _bad(where, "sizes", fields)
    sizes = tuple(map(int, words))
    if fields.get("dimension", "").strip() != str(len(sizes)) or len(sizes) > 5:
        raise _bad(where, "dimension", fields)
    name = fields.get("type", "").lower()
    if name not in _TYPES:
        raise FormatError(where, got=f"type {name[:30]!r}", allowed=", ".join(_TYPES))
    big = fields.get("endian", "little").lower().startswith("big")
    dtype = np.dtype((">" if big else "<") + _TYPES[name])
    require_memory(where, sizes, dtype.itemsize)
    return NrrdHeader(where, fields, keys, data_at, sizes, dtype)


def _bad(where: str, name: str, fields: Mapping[str, str]) -> FormatError:
    return FormatError(
        where,
        got=f"a header whose {name} is {fields.get(name, '')[:60]!r}",
        allowed="a value for each axis",
        do="correct it, or export the image again",
    )
