"""MetaImage: a text header and raw or zlib data, `.mha` in one file, `.mhd` beside it. 2-D to 4-D.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation. Positions are LPS+ mm as in ITK, whatever
`AnatomicalOrientation` says: ITK does not follow it either. A 4th axis is time.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import FormatError, GeometryError, OutputError
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.formats import data_file
from heartseg.formats.bounds import require_memory
from heartseg.formats.stored import STORED_XYZ, Axes, Grid, frame_times, placed

SUFFIXES = (".mhd", ".mha")

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2",
        "MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4",
        "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
    }
)  # fmt: skip
"""MET_LONG has four bytes on every machine."""


@dataclass(frozen=True, slots=True, eq=False)
class MetaInfo:
    """What a header says, before any voxel is read.

    Attributes:
        fields: as stored, by lower-case name.
        data_at: where the header ends.
        sizes: of all axes, fastest first.
        grid: of a frame.
        times_ms: of the frames, None where the file does not say.
        notes: what a reader should know.
    """

    fields: Mapping[str, str]
    data_at: int
    sizes: tuple[int, ...]
    grid: Grid
    times_ms: tuple[float, ...] | None
    notes: tuple[str, ...]


def read_info(path: Path, spacing_mm: Sequence[float] | None = None) -> MetaInfo:
    """Understand a file by its header; `spacing_mm` (z, y, x) instead of what it says.

    Raises:
        FormatError: no MetaImage, several channels, more than four axes, or a size that cannot be.
        GeometryError: a spacing or directions that cannot be.
    """
    fields, data_at = _header(path)
    sizes = _sizes(path, fields)
    count = len(sizes)
    spacing = _floats(path, fields, ("elementspacing", "elementsize"), count)
    origin = _floats(path, fields, ("offset", "position", "origin"), count)
    turned = _floats(path, fields, ("transformmatrix", "rotation", "orientation"), count * count)
    stated = spacing is not None
    steps = _steps(path, count, spacing, turned)
    space, first = min(count, 3), np.zeros(count) if origin is None else origin
    axes = Axes(
        sizes=sizes[:space], steps=steps[:space, :space], origin=first[:space], stated=stated
    )
    grid = placed(path.name, axes, spacing_mm)
    frames = sizes[3] if count == 4 else 1
    times, notes = frame_times(frames, float(steps[-1, -1]), float(first[-1]))
    return MetaInfo(fields, data_at, sizes, grid, times, (*grid.notes, *notes))


def stored_order(path: Path) -> Orientation:
    """How (z, y, x) lies in the file, for masks in the file's own axis order."""
    return read_info(path).grid.orientation


def read_noted(
    path: Path, spacing_mm: Sequence[float] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """Read an image in the file's own type, and what a reader should know about it.

    Raises:
        FormatError: as `read_info`; or data outside of the folder, damaged, too short or packed
            to a size that cannot be.
        GeometryError: as `read_info`.
    """
    info = read_info(path, spacing_mm)
    voxels = _voxels(path, info).reshape((*info.grid.sizes, -1), order="F")
    frames = info.grid.orientation.apply(np.moveaxis(voxels, 3, 0))
    return Image(frames, info.grid.geometry, info.times_ms), info.notes


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read an image; as `read_noted`."""
    return read_noted(path, spacing_mm)[0]


def read_labels(
    path: Path, scheme: Scheme, spacing_mm: Sequence[float] | None = None
) -> Segmentation:
    """Read a label image whose numbers mean what `scheme` says.

    Raises:
        FormatError, GeometryError: as `read_noted`.
        LabelError: a number that the scheme does not know.
    """
    return read_image(path, spacing_mm).labelled(scheme, path.name)


def write_image(path: Path, image: Image) -> None:
    """Write an image, zlib-packed: `.mha` into one file, `.mhd` with a `.zraw` beside it.

    Raises:
        OutputError: the files cannot be written, or the voxels are of no MetaImage type.
    """
    _write(path, image.voxels, image.geometry, image.times_ms)


def write_labels(path: Path, seg: Segmentation, scheme: Scheme) -> None:
    """Write labels as `scheme`'s numbers, uint8; files as `write_image`.

    Raises:
        LabelError: a structure that the scheme has no number for.
        OutputError: the files cannot be written.
    """
    _write(path, scheme.write(seg.labels, where=path.name), seg.geometry, seg.times_ms)


# Reading


def _header(path: Path) -> tuple[dict[str, str], int]:
    """The fields by lower-case name, and where the line of ElementDataFile ends."""
    start = data_file.read_text_header(path)
    fields: dict[str, str] = {}
    end = 0
    while end < len(start):
        line_end = start.find(b"\n", end)
        stop = len(start) if line_end < 0 else line_end
        key, equals, value = start[end:stop].decode("utf-8", "replace").partition("=")
        if not equals or "\0" in key or len(key) > 80:
            break
        end = stop + 1
        fields[key.strip().lower()] = value.strip()
        if "elementdatafile" in fields:
            return fields, min(end, len(start))
    raise FormatError(
        path.name,
        got="a file that does not read like a MetaImage header with an ElementDataFile",
        allowed="lines such as 'NDims = 3', the last of them ElementDataFile",
        do="check what the file really is, or export it again",
    )


def _sizes(path: Path, fields: Mapping[str, str]) -> tuple[int, ...]:
    sizes = _integers(path, fields, "dimsize")
    if len(sizes) != _integer(path, fields, "ndims", len(sizes)) or not 2 <= len(sizes) <= 4:
        raise FormatError(
            path.name,
            got=f"NDims {fields.get('ndims', '')[:10]} with DimSize {fields['dimsize'][:60]}",
            allowed="2 to 4 axes (x, y, z, time) and a size for each",
            do="save each channel or component as a file of its own",
        )
    channels = _integer(path, fields, "elementnumberofchannels", 1)
    if channels != 1:
        raise FormatError(
            path.name,
            got=f"{channels} channels",
            allowed="one: grey values or label numbers",
            do="convert it to grey, or save each channel as a file of its own",
        )
    require_memory(path.name, sizes, _dtype(path, fields).itemsize)
    return sizes


def _dtype(path: Path, fields: Mapping[str, str]) -> np.dtype[Any]:
    name = fields.get("elementtype", "").upper()
    if name not in _TYPES:
        raise FormatError(path.name, got=f"ElementType {name[:30]!r}", allowed=", ".join(_TYPES))
    big = fields.get("elementbyteordermsb", fields.get("binarydatabyteordermsb", "False"))
    return np.dtype((">" if _true(big) else "<") + _TYPES[name])


def _true(text: str) -> bool:
    return text[:1] in ("T", "t", "1")


def _integers(path: Path, fields: Mapping[str, str], key: str) -> tuple[int, ...]:
    words = fields.get(key, "").split()
    if not words or not all(re.fullmatch(r"[+-]?[0-9]{1,15}", word) for word in words):
        raise _bad(path, key, fields.get(key, ""))
    return tuple(map(int, words))


def _integer(path: Path, fields: Mapping[str, str], key: str, default: int) -> int:
    return _integers(path, fields, key)[0] if key in fields else default


def _floats(
    path: Path, fields: Mapping[str, str], names: Sequence[str], count: int
) -> NDArray[np.float64] | None:
    """The first of the names that is there; None where none is."""
    for name in names:
        if name in fields:
            try:
                values = np.array(fields[name].split(), np.float64)
            except ValueError:
                raise _bad(path, name, fields[name]) from None
            if len(values) != count:
                raise _bad(path, name, fields[name])
            return values
    return None


def _bad(path: Path, key: str, value: str) -> FormatError:
    return FormatError(
        path.name,
        got=f"a header whose {key} is {value[:60]!r}",
        allowed="a number for each axis",
        do="correct it, or export the image again",
    )


def _steps(
    path: Path,
    count: int,
    spacing: NDArray[np.float64] | None,
    turned: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """(count, count) a row an axis: TransformMatrix holds the direction of one after the other."""
    lengths = np.ones(count) if spacing is None else spacing
    rows = np.eye(count) if turned is None else turned.reshape(count, count)
    mixed = count == 4 and (rows[3, :3].any() or rows[:3, 3].any())
    if mixed or not (lengths > 0).all():
        raise GeometryError(
            path.name,
            got="directions that mix space and time" if mixed else f"spacing {lengths.tolist()}",
            allowed="positive spacings along x, y, z, and time for itself",
            do="correct the header, or export the image again",
        )
    steps: NDArray[np.float64] = rows * lengths[:, None]
    return steps


def _voxels(path: Path, info: MetaInfo) -> NDArray[Any]:
    fields = info.fields
    files, skip = _data_files(path, info)
    packing: data_file.Packing = "raw"
    if not _true(fields.get("binarydata", "True")):
        packing = "text"
    elif _true(fields.get("compresseddata", "False")):
        packing = "zlib"
    return data_file.read_voxels(files, skip, info.sizes, _dtype(path, fields), packing)


def _data_files(path: Path, info: MetaInfo) -> tuple[list[Path], int]:
    """Where the voxels are, and the bytes to skip there."""
    words = info.fields["elementdatafile"].split()
    if words[:1] and words[0].lower() == "local":
        return [path], info.data_at
    skip = _integer(path, info.fields, "headersize", 0)
    if skip < -1:
        raise _bad(path, "headersize", str(skip))
    if words[:1] and words[0].lower() == "list":
        names = _listed(path, info)
    elif len(words) > 1 and "%" in words[0]:
        first, last, step = (*_range(path, words[1:]), 1)[:3]
        names = data_file.numbered(path.name, words[0], first, last, step)
    else:
        names = [info.fields["elementdatafile"]]
    return [data_file.beside(path, name) for name in names], skip


def _range(path: Path, words: Sequence[str]) -> tuple[int, ...]:
    return _integers(path, {"elementdatafile": " ".join(words[:3])}, "elementdatafile")


def _listed(path: Path, info: MetaInfo) -> list[str]:
    rest = data_file.read_text_header(path)[info.data_at :]
    names = [line.strip() for line in rest.decode("utf-8", "replace").splitlines()]
    names = [name for name in names if name]
    if not names:
        raise FormatError(path.name, got="an empty list of data files", do="export it again")
    return names


# Writing


def _write(
    path: Path, voxels: NDArray[Any], geometry: Geometry, times_ms: tuple[float, ...] | None
) -> None:
    names = {code: name for name, code in reversed(list(_TYPES.items()))}
    name = names.get(voxels.dtype.str[1:])
    if name is None:
        raise OutputError(path.name, got=f"voxels of type {voxels.dtype}", allowed=str(list(names)))
    stored = np.moveaxis(STORED_XYZ.undo(voxels), 0, 3)
    stored = stored if stored.shape[3] > 1 else stored[..., 0]
    little = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    data = zlib.compress(little.tobytes(order="F"), 6)
    beside = path.with_suffix(".zraw") if path.suffix.lower() == ".mhd" else None
    header = [
        *_lines(stored.shape, geometry, times_ms),
        f"CompressedDataSize = {len(data)}",
        f"ElementType = {name}",
        f"ElementDataFile = {beside.name if beside else 'LOCAL'}\n",
    ]
    try:
        if beside is not None:
            beside.write_bytes(data)
        path.write_bytes("\n".join(header).encode() + (b"" if beside else data))
    except OSError as fault:
        raise OutputError(
            path.name, got=f"{fault.strerror}", do="choose a folder that can be written"
        ) from fault


def _lines(
    sizes: Sequence[int], geometry: Geometry, times_ms: tuple[float, ...] | None
) -> list[str]:
    """All of the header that places the voxels; a frame time is in milliseconds."""
    count = len(sizes)
    spacing, origin, direction = geometry.to_itk()
    step, start = 1.0, 0.0
    if times_ms is not None and len(times_ms) > 1:
        step, start = float(np.diff(times_ms).mean()), times_ms[0]
    turned = np.eye(count)
    turned[:3, :3] = np.reshape(direction, (3, 3)).T
    return [
        "ObjectType = Image",
        f"NDims = {count}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"TransformMatrix = {_words(turned.ravel())}",
        f"Offset = {_words((*origin, start)[:count])}",
        f"ElementSpacing = {_words((*spacing, step)[:count])}",
        f"DimSize = {_words(sizes)}",
    ]


def _words(values: Any) -> str:
    return " ".join(f"{value:.17g}" for value in values)
