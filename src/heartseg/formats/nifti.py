"""NIfTI: one image a file, 2-D to 4-D, plain or gzipped.

The file's (i, j, k) RAS+ grid is turned into (z, y, x) LPS+ here, by `Geometry.from_ras`, and back.
"""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Scheme, Structure
from heartseg.core.errors import FormatError, GeometryError, HeartsegError, OutputError
from heartseg.core.geometry import Affine, Geometry, Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.formats.bounds import (
    DEFLATE_RATIO,
    MAX_FRAME_MS,
    MIN_FRAME_MS,
    require_memory,
    require_spacing,
)
from heartseg.formats.nifti_header import MILLIMETRES, MILLISECONDS, NiftiHeader, quaternion

SUFFIXES = (".nii", ".nii.gz")

Stream = gzip.GzipFile | BinaryIO

_STORED_XYZ = Orientation((2, 1, 0))


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

    @property
    def oblique(self) -> bool:
        """True when the directions are not the scanner's own axes: they are the patient's."""
        return bool((np.abs(self.geometry.directions).max(axis=0) < 0.999).any())


def read_info(path: Path, spacing_mm: Sequence[float] | None = None) -> NiftiInfo:
    """Understand a file by its header.

    Args:
        path: .nii or .nii.gz.
        spacing_mm: (z, y, x) to use instead of what the header says.

    Raises:
        FormatError: no NIfTI image, colour, more than four axes, or a size that cannot be.
        GeometryError: a spacing that cannot be.
    """
    with _opened(path) as stream:
        return _understand(path, _header(path, stream), spacing_mm)


def read_image(path: Path, spacing_mm: Sequence[float] | None = None) -> Image:
    """Read an image; voxels keep the file's type unless the header scales them (then float32).

    Raises:
        FormatError: as `read_info`; or the file is shorter than its header promises.
        GeometryError: as `read_info`.
    """
    info, voxels = _read(path, spacing_mm)
    return Image(voxels, info.geometry, info.times_ms)


def read_labels(path: Path, scheme: Scheme) -> Segmentation:
    """Read a label image whose numbers mean what `scheme` says.

    Raises:
        FormatError, GeometryError: as `read_image`.
        LabelError: a number that the scheme does not know.
    """
    info, values = _read(path, None)
    labels = scheme.read(values, where=path.name)
    found = tuple(s for s in scheme.numbers.values() if s != Structure.BACKGROUND)
    return Segmentation(labels, info.geometry, found, info.times_ms)


def write_image(path: Path, image: Image) -> None:
    """Write an image; the geometry goes into sform and, at right angles, the qform too.

    Raises:
        OutputError: the file cannot be written, or the voxels are of no NIfTI type.
    """
    header = _header_of(image.geometry, image.times_ms, path.name)
    _write(path, header, _STORED_XYZ.undo(image.voxels), image.frames > 1)


def write_labels(path: Path, seg: Segmentation, scheme: Scheme, like: Path | None = None) -> None:
    """Write labels as `scheme`'s numbers, uint8.

    Args:
        path: .nii or .nii.gz.
        seg: the labels.
        scheme: which number each structure gets.
        like: the source image. Its geometry header is copied as it is and its axis order kept, so
            that every viewer lays the mask over it; free text is not copied.

    Raises:
        GeometryError: `like` has another grid.
        LabelError: a structure that the scheme has no number for.
        OutputError: the file cannot be written.
    """
    values = scheme.write(seg.labels, where=path.name)
    if like is None:
        header = _header_of(seg.geometry, seg.times_ms, path.name)
        _write(path, header, _STORED_XYZ.undo(values), seg.frames > 1)
        return
    info = read_info(like)
    unplaced = replace(seg.geometry, unit=info.geometry.unit)
    if not info.geometry.same_grid(unplaced):
        info = _with_spacing_of(like, seg.geometry)
    header = info.header.without_texts().with_fields(scaling=(1.0, 0.0), display_range=(0.0, 0.0))
    _write(path, header, info.orientation.undo(values), info.sizes[3] > 1 or seg.frames > 1)


def _with_spacing_of(like: Path, geometry: Geometry) -> NiftiInfo:
    """`like` as it was read with the user's own spacing; refused when the grid still differs."""
    info = read_info(like, geometry.spacing)
    if info.geometry.same_grid(replace(geometry, unit="mm")):
        return info
    raise GeometryError(
        f"mask for {like.name}",
        got=f"a grid of {geometry.shape} at {_rounded(geometry.spacing)} mm",
        allowed=f"{info.geometry.shape}, at the image's own place",
        do="write the mask on the image's grid",
    )


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(v, 3) for v in values)


# Reading


def _opened(path: Path) -> Stream:
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
        if not start:
            raise FormatError(path.name, got="an empty file", do="copy or export it again")
        return gzip.open(path, "rb") if start == b"\x1f\x8b" else path.open("rb")
    except OSError as fault:
        raise FormatError(path.name, got=f"{fault.strerror}", do="check the path") from fault


def _bytes(path: Path, stream: Stream, count: int) -> bytes:
    try:
        return stream.read(count)
    except (EOFError, zlib.error, OSError) as fault:
        raise FormatError(
            path.name,
            got=f"a damaged or truncated file ({fault})",
            do="copy or export it again",
        ) from fault


def _header(path: Path, stream: Stream) -> NiftiHeader:
    header = NiftiHeader.parse(_bytes(path, stream, 540), path.name)
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
        raise _too_short(path, claimed)
    return header


def _too_short(path: Path, claimed: int) -> FormatError:
    return FormatError(
        path.name,
        got=f"fewer bytes than the {claimed} of voxels that its header claims",
        do="the file is truncated: copy or export it again",
    )


def _read(path: Path, spacing_mm: Sequence[float] | None) -> tuple[NiftiInfo, NDArray[Any]]:
    with _opened(path) as stream:
        info = _understand(path, _header(path, stream), spacing_mm)
        stream.seek(info.header.vox_offset)
        dtype = info.header.dtype or np.dtype("u1")
        claimed = int(np.prod(info.sizes, dtype=np.int64)) * dtype.itemsize
        data = _bytes(path, stream, claimed)
    if len(data) < claimed:
        raise _too_short(path, claimed)
    stored = np.frombuffer(data, dtype).reshape(info.sizes, order="F")
    values = _scaled(stored.astype(dtype.newbyteorder("="), copy=False), info.header.scaling)
    frames = np.moveaxis(values, 3, 0)
    return info, info.orientation.apply(frames)


def _scaled(stored: NDArray[Any], scaling: tuple[float, float] | None) -> NDArray[Any]:
    if scaling is None:
        return stored
    slope, intercept = scaling
    return (stored * np.float64(slope) + intercept).astype(np.float32)


def _understand(path: Path, header: NiftiHeader, spacing_mm: Sequence[float] | None) -> NiftiInfo:
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
        ours, theirs = _rounded(norms.tolist()), _rounded(pixdim.tolist())
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


# Writing


def _header_of(geometry: Geometry, times_ms: tuple[float, ...] | None, where: str) -> NiftiHeader:
    affine = geometry.to_ras(_STORED_XYZ)
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
    code = _CODES.get(values.dtype.str[1:])
    if code is None:
        raise OutputError(path.name, got=f"voxels of type {values.dtype}", allowed=" ".join(_CODES))
    sizes = values.shape[1:] + (values.shape[:1] if cine else ())
    dim = (len(sizes), *sizes, *(1,) * (7 - len(sizes)))
    start = len(header.block) + 4
    header = header.with_fields(
        dim=dim, datatype=(code,), bitpix=(values.dtype.itemsize * 8,), vox_offset=(start,)
    )
    dtype = np.dtype(header.endian + values.dtype.str[1:])
    data = np.moveaxis(values, 0, 3).astype(dtype, copy=False)
    whole = header.block + bytes(4) + data.tobytes(order="F")
    packed = path.name.endswith(".gz")
    try:
        path.write_bytes(gzip.compress(whole, 6, mtime=0) if packed else whole)
    except OSError as fault:
        raise OutputError(
            path.name, got=f"{fault.strerror}", do="choose a folder that can be written"
        ) from fault
