"""The header of a NIfTI-1 or NIfTI-2 file, as bytes and as the fields that place an image.

Standard: https://nifti.nimh.nih.gov (nifti1.h, nifti2.h). A reader of our own because it starts
in a millisecond, checks sizes before memory is taken, and hands the source's geometry on to the
mask byte by byte. Axes here are the file's (i, j, k), affines take them to RAS+ millimetres.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError

_FIELDS_1: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "dim": (40, "8h"),
        "intent_code": (68, "h"),
        "datatype": (70, "h"),
        "bitpix": (72, "h"),
        "pixdim": (76, "8f"),
        "vox_offset": (108, "f"),
        "scaling": (112, "2f"),
        "xyzt_units": (123, "b"),
        "display_range": (124, "2f"),
        "toffset": (136, "f"),
        "qform_code": (252, "h"),
        "sform_code": (254, "h"),
        "quaternion": (256, "6f"),
        "srow": (280, "12f"),
    }
)
_FIELDS_2: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "datatype": (12, "h"),
        "bitpix": (14, "h"),
        "dim": (16, "8q"),
        "pixdim": (104, "8d"),
        "vox_offset": (168, "q"),
        "scaling": (176, "2d"),
        "display_range": (192, "2d"),
        "toffset": (216, "d"),
        "qform_code": (344, "i"),
        "sform_code": (348, "i"),
        "quaternion": (352, "6d"),
        "srow": (400, "12d"),
        "xyzt_units": (500, "i"),
        "intent_code": (504, "i"),
    }
)
_TEXTS = {348: ((14, 18), (148, 80), (228, 24), (328, 16)), 540: ((240, 80), (320, 24), (508, 16))}
"""Free text (db_name, descrip, aux_file, intent_name): may name the patient, is never copied."""

_MAGIC = {348: (344, b"n+1\0"), 540: (4, b"n+2\0\r\n\x1a\n")}

_DTYPES: Mapping[int, str] = MappingProxyType(
    {
        2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
        256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
    }
)  # fmt: skip
"""NIfTI data type codes of the real numbers; colour and complex ones are not images to us."""

_SPACE_MM = {1: 1000.0, 2: 1.0, 3: 0.001}
_TIME_MS = {8: 1000.0, 16: 1.0, 24: 0.001}
MILLIMETRES, MILLISECONDS = 2, 16

VECTOR = 1007
"""NIFTI_INTENT_VECTOR: a vector in each voxel, along the fifth axis."""


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """The fields that say where the voxels lie; `block` is the header as it was stored.

    Attributes:
        block: 348 or 540 bytes.
        endian: "<" or ">".
    """

    block: bytes
    endian: str

    @classmethod
    def parse(cls, block: bytes, where: str) -> Self:
        """From the first 540 bytes of a file (348 do for NIfTI-1).

        Raises:
            FormatError: this is not the start of a single-file NIfTI image.
        """
        for endian, size in ((e, s) for s in (348, 540) for e in "<>"):
            if len(block) >= size and struct.unpack(endian + "i", block[:4])[0] == size:
                offset, magic = _MAGIC[size]
                if block[offset : offset + 3] == magic[:3]:
                    return cls(block[:size], endian)
                if block[offset : offset + 2] in (b"ni",):
                    raise FormatError(where, got="half of a .hdr/.img pair", do="save it as .nii")
        raise FormatError(
            where,
            got="something that does not begin like a NIfTI file",
            allowed="NIfTI-1 or NIfTI-2 in one file (.nii, .nii.gz)",
            do="check what the file really is, or export it again",
        )

    @classmethod
    def blank(cls) -> Self:
        """An empty little-endian NIfTI-1 header."""
        block = bytearray(348)
        struct.pack_into("<i", block, 0, 348)
        block[38] = ord("r")
        block[344:348] = _MAGIC[348][1]
        return cls(bytes(block), "<")

    def get(self, field: str) -> tuple[Any, ...]:
        """The numbers of a field."""
        offset, form = self._layout[field]
        return struct.unpack_from(self.endian + form, self.block, offset)

    def with_fields(self, **fields: tuple[float, ...]) -> Self:
        """A header with other numbers in these fields."""
        block = bytearray(self.block)
        for field, values in fields.items():
            offset, form = self._layout[field]
            struct.pack_into(self.endian + form, block, offset, *values)
        return replace(self, block=bytes(block))

    def without_texts(self) -> Self:
        """A header without free text, which may name a person."""
        block = bytearray(self.block)
        for offset, length in _TEXTS[len(block)]:
            block[offset : offset + length] = bytes(length)
        return replace(self, block=bytes(block))

    @property
    def _layout(self) -> Mapping[str, tuple[int, str]]:
        return _FIELDS_1 if len(self.block) == 348 else _FIELDS_2

    @property
    def dim(self) -> tuple[int, ...]:
        """Voxels along each of the file's axes; 1 to 7 of them."""
        count, *sizes = self.get("dim")
        return tuple(int(n) for n in sizes[: max(0, min(count, 7))])

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """As stored; None for colour, complex and unknown types."""
        code = _DTYPES.get(self.get("datatype")[0])
        return np.dtype(self.endian + code) if code else None

    @property
    def vox_offset(self) -> int:
        """Where the voxels begin; never inside the header."""
        offset = self.get("vox_offset")[0]
        return max(int(offset) if np.isfinite(offset) else 0, len(self.block) + 4)

    @property
    def scaling(self) -> tuple[float, float] | None:
        """(slope, intercept); None when the stored numbers are the values."""
        slope, intercept = (float(v) for v in self.get("scaling"))
        if not np.isfinite(slope) or slope == 0.0:
            return None
        intercept = intercept if np.isfinite(intercept) else 0.0
        return None if (slope, intercept) == (1.0, 0.0) else (slope, intercept)

    @property
    def mm_per_unit(self) -> float | None:
        """Millimetres in a unit of length; None where the file does not say."""
        return _SPACE_MM.get(self.get("xyzt_units")[0] & 7)

    @property
    def ms_per_unit(self) -> float | None:
        """Milliseconds in a unit of time; None where the file does not say."""
        return _TIME_MS.get(self.get("xyzt_units")[0] & 56)

    @property
    def pixdim(self) -> NDArray[np.float64]:
        """(3,) grid spacings in the file's unit, as stored (ITK and others write them so)."""
        return np.abs(np.array(self.get("pixdim")[1:4], np.float64))

    @property
    def affine(self) -> NDArray[np.float64]:
        """4x4 in the file's unit: the sform, else the qform, else spacings about the centre."""
        affine = np.eye(4)
        if self.get("sform_code")[0] > 0:
            affine[:3] = np.reshape(self.get("srow"), (3, 4))
        elif self.get("qform_code")[0] > 0:
            affine[:3, :3] = rotation(self.get("quaternion")[:3]) * self.pixdim
            affine[:3, 2] *= -1.0 if self.get("pixdim")[0] < 0 else 1.0
            affine[:3, 3] = self.get("quaternion")[3:]
        else:
            sizes = (*self.dim, 1, 1, 1)[:3]
            affine[:3, :3] = np.diag(self.pixdim * (-1.0, 1.0, 1.0))
            affine[:3, 3] = affine[:3, :3] @ ((np.array(sizes) - 1) / -2.0)
        return affine


_HALF_TURN = 1e-7
"""Below this, a quaternion of float32 numbers means half a turn (nifti1_io.c)."""


def rotation(bcd: tuple[float, ...]) -> NDArray[np.float64]:
    """3x3 rotation of the unit quaternion (a, b, c, d) with a >= 0 left out."""
    b, c, d = bcd
    rest = 1.0 - (b * b + c * c + d * d)
    a = np.sqrt(rest) if rest > _HALF_TURN else 0.0
    norm = np.sqrt(a * a + b * b + c * c + d * d)
    a, b, c, d = a / norm, b / norm, c / norm, d / norm
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def quaternion(directions: NDArray[np.float64]) -> tuple[float, tuple[float, float, float]] | None:
    """(qfac, (b, c, d)) of three unit directions; None when they are not at right angles."""
    if not np.allclose(directions.T @ directions, np.eye(3), atol=1e-5):
        return None
    qfac = 1.0 if np.linalg.det(directions) > 0 else -1.0
    m = directions * (1.0, 1.0, qfac)
    # Its eigenvector for the largest eigenvalue is the quaternion (Bar-Itzhack 2000).
    k = np.zeros((4, 4))
    k[0, 0] = np.trace(m)
    k[0, 1:] = k[1:, 0] = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    k[1:, 1:] = m + m.T - np.trace(m) * np.eye(3)
    a, b, c, d = np.linalg.eigh(k)[1][:, -1]
    sign = -1.0 if a < 0 else 1.0
    return qfac, (sign * float(b), sign * float(c), sign * float(d))
