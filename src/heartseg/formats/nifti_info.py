"""What a NIfTI file says before any voxel is read: its grid, its times, and if it can be true."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError, GeometryError, HeartsegError
from heartseg.core.geometry import Affine, Geometry, Orientation
from heartseg.formats.bounds import (
    DEFLATE_RATIO,
    MAX_FRAME_MS,
    MIN_FRAME_MS,
    require_memory,
    require_spacing,
)
from heartseg.formats.nifti_header import NiftiHeader

Stream = gzip.GzipFile | BinaryIO


@dataclass(frozen=True, slots=True, eq=False)
class NiftiInfo:
    """What a header says, before any voxel is read.

    Attributes:
        header: as stored.
        sizes: of the file's axes (i, j, k, frames).
        geometry: of a frame.
        orientation: turns the file's (i, j, k) into (z, y, x).
        times_ms: of the frames, None where the file does not say.
        notes: what a reader should know about odd headers.
    """

    header: NiftiHeader
    sizes: tuple[int, int, int, int]
    geometry: Geometry
    orientation: Orientation
    times_ms: tuple[float, ...] | None
    notes: tuple[str, ...]


def read_info(path: Path, spacing_mm: Sequence[float] | None = None) -> NiftiInfo:
    """Understand a file by its header.

    Args:
        path: .nii or .nii.gz.
        spacing_mm: (z, y, x) to use instead of what the header says.

    Raises:
        FormatError: no NIfTI image, colour, more than four axes, or a size that cannot be.
        GeometryError: a spacing that cannot be.
    """
    with opened(path) as stream:
        return understand(path, checked_header(path, stream), spacing_mm)


def opened(path: Path) -> Stream:
    """The file, unpacked where it is gzipped, whatever its name says; FormatError if absent."""
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
        if not start:
            raise FormatError(path.name, got="an empty file", do="copy or export it again")
        return gzip.open(path, "rb") if start == b"\x1f\x8b" else path.open("rb")
    except OSError as fault:
        raise FormatError(path.name, got=f"{fault.strerror}", do="check the path") from fault


def read_bytes(path: Path, stream: Stream, count: int) -> bytes:
    """Up to `count` bytes; FormatError where the gzip stream is damaged or ends early."""
    try:
        return stream.read(count)
    except (EOFError, zlib.error, OSError) as fault:
        raise FormatError(
            path.name,
            got=f"a damaged or truncated file ({fault})",
            do="copy or export it again",
        ) from fault


def checked_header(path: Path, stream: Stream) -> NiftiHeader:
    """The header, once its claims fit the file's size and the memory; else FormatError."""
    header = NiftiHeader.parse(read_bytes(path, stream, 540), path.name)
    dtype = header.dtype
    if dtype is None:
        code = header.get("datatype")[0]
        raise FormatError(
            path.name,
            got=f"voxels of NIfTI type {code} (colour or complex)",
            allowed="real numbers",
            do="convert the image to grey values",
        )
    claimed = require_memory(path.name, header.dim, dtype.itemsize)
    there = path.stat().st_size * (DEFLATE_RATIO if isinstance(stream, gzip.GzipFile) else 1)
    if header.vox_offset + claimed > there:
        raise too_short(path, claimed)
    return header


def too_short(path: Path, claimed: int) -> FormatError:
    """The error for a file with fewer voxels than its header claims."""
    return FormatError(
        path.name,
        got=f"fewer bytes than the {claimed} of voxels that its header claims",
        do="the file is truncated: copy or export it again",
    )


def understand(path: Path, header: NiftiHeader, spacing_mm: Sequence[float] | None) -> NiftiInfo:
    """Grid, times and notes of a checked header; `spacing_mm` (z, y, x) where somebody knows it."""
    sizes = _four(path, header.dim)
    affine, unit_known, notes = _affine(header)
    geometry, orientation = _placed(path, sizes[:3], affine, "mm" if unit_known else "px")
    if spacing_mm is not None:
        geometry = geometry.respaced(tuple(spacing_mm))
    if geometry.unit == "mm":
        require_spacing(path.name, geometry.spacing)
    times, said = _times(header, sizes[3])
    return NiftiInfo(header, sizes, geometry, orientation, times, (*notes, *said))


def _four(path: Path, dim: tuple[int, ...]) -> tuple[int, int, int, int]:
    if len(dim) < 2 or max((1, *dim[4:])) > 1:
        raise FormatError(
            path.name,
            got=f"{len(dim)} axes: " + " x ".join(map(str, dim)),
            allowed="2 to 4 (x, y, z, time)",
            do="save each channel or component as a file of its own",
        )
    i, j, k, t = (*dim, 1, 1)[:4]
    return i, j, k, t


def _placed(path: Path, sizes: tuple[int, ...], affine: Affine, unit: Any) -> Any:
    try:
        i, j, k = sizes
        return Geometry.from_ras((i, j, k), affine, unit)
    except HeartsegError as fault:
        raise GeometryError(
            path.name,
            got=f"a header that places no grid ({fault})",
            do="correct its spacing and sform, or export it again",
        ) from fault


def _affine(header: NiftiHeader) -> tuple[Affine, bool, tuple[str, ...]]:
    """4x4 in mm, whether mm are meant, and notes."""
    affine, pixdim, notes = header.affine, header.pixdim, []
    norms = np.linalg.norm(affine[:3, :3], axis=0)
    if len(header.dim) == 2:
        pixdim = np.array([*pixdim[:2], norms[2]])
        if norms[2] < 1e-6:
            affine[:3, 2] = _third(affine)
    known = header.mm_per_unit is not None
    if not known and _says_nothing(header, affine, pixdim):
        return affine, False, ("no spacing in the header: lengths are in pixels",)
    usable = (pixdim > 0).all() and np.isfinite(pixdim).all()
    if usable and np.allclose(norms, 1.0, atol=1e-6) and not np.allclose(pixdim, 1.0, rtol=1e-4):
        affine[:3, :3] *= pixdim
        notes.append("the affine has no spacing; pixdim's is used")
    elif usable and not np.allclose(norms, pixdim, rtol=0.01):
        ours, theirs = rounded(norms.tolist()), rounded(pixdim.tolist())
        notes.append(f"affine spacing {ours} and pixdim {theirs} differ; the affine is used")
    affine[:3] *= header.mm_per_unit or 1.0
    return affine, True, tuple(notes)


def _says_nothing(header: NiftiHeader, affine: Affine, pixdim: NDArray[np.float64]) -> bool:
    """True for the header that converters write when they know no spacing and no place."""
    unplaced = header.get("sform_code")[0] <= 0 or not affine[:3, 3].any()
    turned = np.abs(affine[:3, :3])
    return unplaced and bool((pixdim == 1.0).all()) and bool((turned == np.eye(3)).all())


def _third(affine: Affine) -> NDArray[np.float64]:
    """A unit step at right angles to the only plane."""
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0 else normal


def _times(header: NiftiHeader, frames: int) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    if frames < 2:
        return None, ()
    step, start = header.get("pixdim")[4], header.get("toffset")[0]
    step_ms = step * (header.ms_per_unit or float("nan"))
    if not MIN_FRAME_MS <= step_ms <= MAX_FRAME_MS:
        return None, (f"no usable frame time in the header (pixdim[4] {step:g}): order only",)
    start_ms = start * (header.ms_per_unit or 0.0) if np.isfinite(start) else 0.0
    return tuple(start_ms + step_ms * frame for frame in range(frames)), ()


def rounded(values: Sequence[float]) -> tuple[float, ...]:
    """To micrometres, for messages."""
    return tuple(round(v, 3) for v in values)
