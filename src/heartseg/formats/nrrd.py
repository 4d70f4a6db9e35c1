"""NRRD: a text header and raw or packed data, `.nrrd` in one file, `.nhdr` beside it. 2-D to 4-D.

Also `.seg.nrrd` of 3D Slicer, whose segments have names: where heartseg knows all of them, they say
what the numbers mean. Spaces RAS and LAS are turned to LPS+ here, by `Geometry.from_stored`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme, Structure
from heartseg.core.errors import FormatError
from heartseg.core.geometry import Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.formats import data_file
from heartseg.formats.nrrd_header import MS, NrrdHeader, read_header
from heartseg.formats.stored import Axes, Grid, frame_times, placed

SUFFIXES = (".nrrd", ".nhdr")

_PACKINGS: Mapping[str, data_file.Packing] = MappingProxyType(
    {
        "raw": "raw",
        "gzip": "gzip", "gz": "gzip",
        "bzip2": "bzip2", "bz2": "bzip2",
        "text": "text", "txt": "text", "ascii": "text",
        "hex": "hex",
    }
)  # fmt: skip

NO_SPACE = "the file does not say how its axes lie in the patient: left and right are not known"


@dataclass(frozen=True, slots=True, eq=False)
class NrrdInfo:
    """What a header says, before any voxel is read.

    Attributes:
        header: as stored.
        time_axis: of the file's axes, None for a still.
        grid: of a frame.
        times_ms: of the frames, None where the file does not say.
        notes: what a reader should know.
    """

    header: NrrdHeader
    time_axis: int | None
    grid: Grid
    times_ms: tuple[float, ...] | None
    notes: tuple[str, ...]


def read_info(path: Path, spacing_mm: Sequence[float] | None = None) -> NrrdInfo:
    """Understand a file by its header; `spacing_mm` (z, y, x) instead of what it says.

    Raises:
        FormatError: no NRRD, colours or vectors, too many axes, or a size that cannot be.
        GeometryError: a spacing or directions that cannot be.
    """
    header = read_header(path)
    time_axis = header.time_axis()
    space = [axis for axis in range(len(header.sizes)) if axis != time_axis]
    grid = placed(path.name, _axes(header, space), spacing_mm)
    notes = list(grid.notes)
    if header.frame is None and grid.geometry.unit == "mm" and len(space) == 3:
        notes.append(NO_SPACE)
    times: tuple[float, ...] | None = None
    if time_axis is not None:
        step, unit_ms = _frame_step(header, time_axis)
        times, said = frame_times(header.sizes[time_axis], step, 0.0, unit_ms)
        notes += said
    return NrrdInfo(header, time_axis, grid, times, tuple(notes))


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
    return _image(path, info), info.notes


def _image(path: Path, info: NrrdInfo) -> Image:
    voxels = _voxels(path, info.header)
    frames = voxels[None] if info.time_axis is None else np.moveaxis(voxels, info.time_axis, 0)
    frames = frames.reshape((len(frames), *info.grid.sizes))  # a single plane has a third axis
    return Image(info.grid.orientation.apply(frames), info.grid.geometry, info.times_ms)


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read an image; as `read_noted`."""
    return read_noted(path, spacing_mm)[0]


def read_labels(
    path: Path, scheme: Scheme, spacing_mm: Sequence[float] | None = None
) -> Segmentation:
    """Read a label image; the segments' own names say what the numbers mean, else `scheme` does.

    Raises:
        FormatError, GeometryError: as `read_noted`.
        LabelError: a number that neither knows.
    """
    info = read_info(path, spacing_mm)
    own = named_scheme(info.header.keys)
    return _image(path, info).labelled(own or scheme, path.name)


_NAMES: Mapping[str, Structure] = MappingProxyType(
    {
        **{one.key.replace("_", " "): one for one in Structure},
        **{one.title.lower(): one for one in Structure},
        "left ventricle": Structure.LV_CAVITY,
        "left ventricular cavity": Structure.LV_CAVITY,
        "right ventricle": Structure.RV_CAVITY,
        "right ventricular cavity": Structure.RV_CAVITY,
        "myocardium": Structure.LV_MYOCARDIUM,
        "left ventricular myocardium": Structure.LV_MYOCARDIUM,
        "myocardium of left ventricle": Structure.LV_MYOCARDIUM,
    }
)


def named_scheme(keys: Mapping[str, str]) -> Scheme | None:
    """The scheme of a `.seg.nrrd` of 3D Slicer by its segments' names.

    None where it has no segments, one has a name that heartseg does not know, or two share a
    number, as segments that overlap do on layers of their own.
    """
    numbers: dict[int, Structure] = {0: Structure.BACKGROUND}
    for key, value in keys.items():
        match = re.fullmatch(r"(Segment\d+)_LabelValue", key)
        if match is None:
            continue
        name = re.sub(r"[\s_-]+", " ", keys.get(f"{match[1]}_Name", "")).strip().lower()
        if name not in _NAMES or not re.fullmatch(r"[0-9]{1,6}", value) or int(value) in numbers:
            return None
        numbers[int(value)] = _NAMES[name]
    return Scheme("segment names", MappingProxyType(numbers)) if len(numbers) > 1 else None


def _axes(header: NrrdHeader, space: Sequence[int]) -> Axes:
    """The axes in space of a file, by its directions, else by its spacings."""
    sizes = tuple(header.sizes[axis] for axis in space)
    directions = header.directions()
    if directions is None:
        spacings = header.spacings()
        lengths = [1.0] * len(header.sizes) if spacings is None else spacings
        steps = np.diag([lengths[axis] * header.axis_mm(axis) for axis in space])
        origin = np.zeros(len(space))
        return Axes(sizes=sizes, steps=steps, origin=origin, stated=spacings is not None)
    vectors = [directions[axis] for axis in space]
    if any(one is None or (len(one) == 4 and one[3]) for one in vectors):
        raise header.bad("space directions")
    steps = np.array(vectors)
    origin = header.origin(steps.shape[1])
    scale = header.space_mm
    return Axes(
        sizes=sizes,
        steps=steps[:, :3] * scale,
        origin=origin[:3] * scale,
        frame=header.frame or "LPS",  # ITK takes every other space for its own
    )


def _frame_step(header: NrrdHeader, axis: int) -> tuple[float, float | None]:
    """Time from frame to frame, and the milliseconds in its unit where the file names one."""
    unit = MS.get(header.units[axis])
    directions, spacings = header.directions(), header.spacings()
    direction = None if directions is None else directions[axis]
    if direction is not None:
        return (float(direction[3]) if len(direction) == 4 else float("nan")), unit
    return (float("nan") if spacings is None else spacings[axis]), unit


def _voxels(path: Path, header: NrrdHeader) -> NDArray[Any]:
    encoding = header.fields.get("encoding", "").lower()
    if encoding not in _PACKINGS:
        raise FormatError(
            path.name, got=f"encoding {encoding[:20]!r}", allowed=", ".join(_PACKINGS)
        )
    packing = _PACKINGS[encoding]
    files, start = _data_files(path, header)
    lines, skip = header.integer("line skip"), header.integer("byte skip")
    if lines < 0 or skip < -1 or ((skip == -1 or lines or skip) and packing != "raw"):
        raise header.bad("byte skip")
    if lines:
        start = _after_lines(files[0], start, lines)
        files = _require_one(header, files)
    start = -1 if skip == -1 else start + skip
    return data_file.read_voxels(files, start, header.sizes, header.dtype, packing)


def _require_one(header: NrrdHeader, files: list[Path]) -> list[Path]:
    if len(files) != 1:
        raise header.bad("line skip")
    return files


def _after_lines(file: Path, start: int, lines: int) -> int:
    """Where the data begin behind so many lines; at the end where there are fewer."""
    with file.open("rb") as stream:
        stream.seek(start)
        text = stream.read(data_file.MAX_HEADER_BYTES)
    end = 0
    for _ in range(lines):
        end = text.find(b"\n", end) + 1
        if not end:
            return start + len(text)
    return start + end


def _data_files(path: Path, header: NrrdHeader) -> tuple[list[Path], int]:
    """Where the voxels are, and where they begin there."""
    said = header.fields.get("data file")
    if said is None:
        return [path], header.data_at
    words = said.split()
    if words[:1] and words[0].upper() == "LIST":
        rest = data_file.read_text_header(path)[header.data_at :]
        names = [line.strip() for line in rest.decode("utf-8", "replace").splitlines()]
        names = [name for name in names if name]
    elif len(words) > 3 and "%" in words[0]:
        first, last, step = header.numbers("data file", words[1:4], 3)
        names = data_file.numbered(path.name, words[0], *_whole(header, first, last, step))
    else:
        names = [said]
    if not names:
        raise header.bad("data file")
    return [data_file.beside(path, name) for name in names], 0


def _whole(header: NrrdHeader, *values: float) -> tuple[int, int, int]:
    if not all(value.is_integer() and abs(value) < 1e9 for value in values):
        raise header.bad("data file")
    first, last, step = map(int, values)
    return first, last, step
