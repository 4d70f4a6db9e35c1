"""NIfTI: one image a file, 2-D to 4-D, plain or gzipped.

The file's (i, j, k) RAS+ grid is turned into (z, y, x) LPS+ here, by `Geometry.from_ras`, and back.
"""

import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme
from heartseg.core.errors import GeometryError, OutputError
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.core.probability import Probabilities
from heartseg.formats.nifti_header import (
    MILLIMETRES,
    MILLISECONDS,
    VECTOR,
    NiftiHeader,
    quaternion,
)
from heartseg.formats.nifti_info import (
    NiftiInfo,
    checked_header,
    opened,
    read_bytes,
    rounded,
    too_short,
    understand,
)
from heartseg.formats.nifti_info import read_info as read_info
from heartseg.formats.stored import STORED_XYZ

SUFFIXES = (".nii", ".nii.gz")


def read_noted(
    path: Path, spacing_mm: Sequence[float] | None = None
) -> tuple[Image, tuple[str, ...]]:
    """Read an image, and what a reader should know about it.

    Voxels keep the file's type unless the header scales them (then float32).

    Raises:
        FormatError: as `read_info`; or the file is shorter than its header promises.
        GeometryError: as `read_info`.
    """
    info, voxels = _read(path, spacing_mm)
    return Image(voxels, info.geometry, info.times_ms), info.notes


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read an image; as `read_noted`."""
    return read_noted(path, spacing_mm)[0]


def stored_order(path: Path) -> Orientation:
    """How (z, y, x) lies in the file."""
    return read_info(path).orientation


def read_labels(
    path: Path, scheme: Scheme, spacing_mm: Sequence[float] | None = None
) -> Segmentation:
    """Read a label image whose numbers mean what `scheme` says.

    Raises:
        FormatError, GeometryError: as `read_image`.
        LabelError: a number that the scheme does not know.
    """
    return read_image(path, spacing_mm).labelled(scheme, path.name)


def write_image(path: Path, image: Image) -> None:
    """Write an image; the geometry goes into sform and, at right angles, the qform too.

    Raises:
        OutputError: the file cannot be written, or the voxels are of no NIfTI type.
    """
    header = _header_of(image.geometry, image.times_ms, STORED_XYZ)
    _write(path, header, STORED_XYZ.undo(image.voxels), image.frames > 1)


def write_labels(
    path: Path,
    seg: Segmentation,
    scheme: Scheme,
    like: Path | None = None,
    order: Orientation = STORED_XYZ,
) -> None:
    """Write labels as `scheme`'s numbers, uint8.

    Args:
        path: .nii or .nii.gz.
        seg: the labels.
        scheme: which number each structure gets.
        like: the source image, where it is a NIfTI file. Its geometry header is copied as it is
            and its axis order kept, so that every viewer lays the mask over it; free text is not
            copied.
        order: how to store (z, y, x) where there is no `like`, as `Geometry.from_stored` gave it.

    Raises:
        GeometryError: `like` has another grid.
        LabelError: a structure that the scheme has no number for.
        OutputError: the file cannot be written.
    """
    values = scheme.write(seg.labels, where=path.name)
    if like is None:
        header = _header_of(seg.geometry, seg.times_ms, order)
        _write(path, header, order.undo(values), seg.frames > 1)
        return
    info = _info_of(like, seg.geometry)
    _write(
        path,
        _header_like(info),
        info.orientation.undo(values),
        info.sizes[3] > 1 or seg.frames > 1,
    )


def probabilities_as_bytes(
    probabilities: Probabilities, like: Path | None = None, order: Orientation = STORED_XYZ
) -> bytes:
    """A gzipped image of five axes: the file's three, frames, structures.

    The header says that each voxel holds a vector. The numbers are float32 without a scale: ITK 5
    overwrites foreign memory when a vector of whole numbers has one.

    Args:
        probabilities: to store.
        like: the source image, where it is a NIfTI file; see `write_labels`.
        order: how to store (z, y, x) where there is no `like`.

    Raises:
        GeometryError: `like` has another grid.
    """
    if like is None:
        header = _header_of(probabilities.geometry, probabilities.times_ms, order)
    else:
        info = _info_of(like, probabilities.geometry)
        header, order = _header_like(info), info.orientation
    stored = order.undo(probabilities.values)  # (structures, t, i, j, k)
    header = header.with_fields(intent_code=(VECTOR,))
    whole = _whole(header, stored, (*stored.shape[2:], stored.shape[1], stored.shape[0]))
    return gzip.compress(whole, FASTEST, mtime=0)


def map_as_bytes(image: Image, like: Path | None = None, order: Orientation = STORED_XYZ) -> bytes:
    """A gzipped float32 image; NaN stays NaN.

    Args:
        image: numbers of each voxel, of one frame or several.
        like, order: as of `write_labels`.

    Raises:
        GeometryError: `like` has another grid.
    """
    info = None if like is None else _info_of(like, image.geometry)
    header = _header_of(image.geometry, image.times_ms, order) if info is None else None
    stored = (order if info is None else info.orientation).undo(image.voxels.astype(np.float32))
    cine = image.frames > 1 or (info is not None and info.sizes[3] > 1)
    sizes = stored.shape[1:] + (stored.shape[:1] if cine else ())
    whole = _whole(header or _header_like(info), stored, sizes)  # type: ignore[arg-type]
    return gzip.compress(whole, FASTEST, mtime=0)


FASTEST = 1
"""Of gzip's levels: of probabilities, slower ones save little and take many times as long."""


def _info_of(like: Path, geometry: Geometry) -> NiftiInfo:
    """Of a source image, which must have the grid that was segmented."""
    info = read_info(like)
    same = info.geometry.same_grid(replace(geometry, unit=info.geometry.unit))
    return info if same else _with_spacing_of(like, geometry)


def _header_like(info: NiftiInfo) -> NiftiHeader:
    """The source's, without what it says of the source's values and words."""
    header = info.header.without_texts()
    return header.with_fields(scaling=(1.0, 0.0), display_range=(0.0, 0.0))


def _with_spacing_of(like: Path, geometry: Geometry) -> NiftiInfo:
    """`like` as it was read with the user's own spacing; refused when the grid still differs."""
    info = read_info(like, geometry.spacing)
    if info.geometry.same_grid(replace(geometry, unit="mm")):
        return info
    raise GeometryError(
        f"mask for {like.name}",
        got=f"a grid of {geometry.shape} at {rounded(geometry.spacing)} mm",
        allowed=f"{info.geometry.shape}, at the image's own place",
        do="write the mask on the image's grid",
    )


# Reading


def _read(path: Path, spacing_mm: Sequence[float] | None) -> tuple[NiftiInfo, NDArray[Any]]:
    with opened(path) as stream:
        info = understand(path, checked_header(path, stream), spacing_mm)
        stream.seek(info.header.vox_offset)
        dtype = info.header.dtype or np.dtype("u1")
        claimed = int(np.prod(info.sizes, dtype=np.int64)) * dtype.itemsize
        data = read_bytes(path, stream, claimed)
        read_bytes(path, stream, 1)  # the end of a gzip stream holds its checksum
    if len(data) < claimed:
        raise too_short(path, claimed)
    stored = np.frombuffer(data, dtype).reshape(info.sizes, order="F")
    values = _scaled(stored.astype(dtype.newbyteorder("="), copy=False), info.header.scaling)
    frames = np.moveaxis(values, 3, 0)
    return info, info.orientation.apply(frames)


def _scaled(stored: NDArray[Any], scaling: tuple[float, float] | None) -> NDArray[Any]:
    if scaling is None:
        return stored
    slope, intercept = scaling
    return (stored * np.float64(slope) + intercept).astype(np.float32)


# Writing


def _header_of(
    geometry: Geometry, times_ms: tuple[float, ...] | None, order: Orientation
) -> NiftiHeader:
    affine = geometry.to_ras(order)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    turned = quaternion(affine[:3, :3] / spacing)
    step, start, units = 0.0, 0.0, 0
    if times_ms is not None and len(times_ms) > 1:
        step, start = float(np.diff(times_ms).mean()), times_ms[0]
        units = MILLISECONDS
    if geometry.unit == "mm":
        units += MILLIMETRES
    placed = geometry.unit == "mm"
    qfac, bcd = turned or (1.0, (0.0, 0.0, 0.0))
    return NiftiHeader.blank().with_fields(
        pixdim=(qfac, *spacing, step, 0.0, 0.0, 0.0),
        toffset=(start,),
        xyzt_units=(units,),
        scaling=(1.0, 0.0),
        sform_code=(1 if placed else 0,),
        qform_code=(1 if placed and turned else 0,),
        quaternion=(*bcd, *affine[:3, 3]),
        srow=tuple(affine[:3].ravel()),
    )


_CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768,
          "i8": 1024, "u8": 1280}  # fmt: skip


def _write(path: Path, header: NiftiHeader, stored: NDArray[Any], cine: bool) -> None:
    """`stored` is (t, i, j, k)."""
    values = stored.astype(np.float32) if stored.dtype == np.float16 else stored
    if values.dtype.str[1:] not in _CODES:
        raise OutputError(path.name, got=f"voxels of type {values.dtype}", allowed=" ".join(_CODES))
    sizes = values.shape[1:] + (values.shape[:1] if cine else ())
    whole = _whole(header, values, sizes)
    packed = path.name.endswith(".gz")
    try:
        path.write_bytes(gzip.compress(whole, 6, mtime=0) if packed else whole)
    except OSError as fault:
        raise OutputError(
            path.name, got=f"{fault.strerror}", do="choose a folder that can be written"
        ) from fault


def _whole(header: NiftiHeader, values: NDArray[Any], sizes: tuple[int, ...]) -> bytes:
    """The unpacked file of `values` (..., t, i, j, k), whose axes the header says as `sizes`."""
    dim = (len(sizes), *sizes, *(1,) * (7 - len(sizes)))
    start, code = len(header.block) + 4, _CODES[values.dtype.str[1:]]
    header = header.with_fields(
        dim=dim, datatype=(code,), bitpix=(values.dtype.itemsize * 8,), vox_offset=(start,)
    )
    dtype = np.dtype(header.endian + values.dtype.str[1:])
    last = np.swapaxes(values, -1, -3).astype(dtype, copy=False)  # k, j, i: i fastest
    return header.block + bytes(4) + last.tobytes()
