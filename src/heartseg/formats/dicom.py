"""DICOM: which files of a box are images, and what their headers say.

Headers are scanned without pixels and with the tags below only. Archives hold illegal UIDs, dates
and numbers: what is not needed is not validated, what is needed and unusable is left out. A file
that is damaged, or compressed in a way that nothing here decodes, is left out too, and said.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from heartseg.core.errors import FormatError
from heartseg.formats.bounds import require_memory
from heartseg.formats.box import Box
from heartseg.formats.dicom_codec import require_readable
from heartseg.formats.dicom_file import DAMAGED, NATIVE, is_dicom, quiet, read, tags_of
from heartseg.formats.dicom_planes import Plane, planes_of
from heartseg.formats.dicom_stored import Stored, stored_at
from heartseg.formats.dicom_values import number, printable, text

__all__ = ["DAMAGED", "Header", "Plane", "is_dicom", "quiet", "scan"]

_TAGS = tags_of(
    "SOPClassUID", "SOPInstanceUID", "ImageType", "StudyDate", "Modality", "SeriesDescription",
    "ProtocolName", "SequenceOfUltrasoundRegions", "PatientName", "PatientID",
    "PatientBirthDate", "PatientSex", "PatientAge", "PatientSize", "PatientWeight", "HeartRate",
    "NominalInterval", "InversionTime",
    "SliceThickness", "SpacingBetweenSlices", "FrameTime", "FrameTimeVector", "CineRate",
    "RecommendedDisplayFrameRate", "ActualFrameDuration", "TriggerTime",
    "NominalCardiacTriggerDelayTime", "NominalPercentageOfCardiacPhase",
    "TemporalPositionIdentifier", "AcquisitionTime", "ContentTime", "AcquisitionDateTime",
    "SequenceName", "StudyInstanceUID",
    "SeriesInstanceUID", "SeriesNumber", "InstanceNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames",
    "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "RescaleIntercept", "RescaleSlope", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip

_NO_IMAGE = ("SEG", "SR", "PR", "KO", "RTSTRUCT", "RTDOSE", "RTPLAN", "REG", "DOC", "RWV", "ECG")

MAX_FRAMES = 20_000
"""In one file; a 4-D CT of 20 phases and 600 slices has 12 000."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Header:
    """One file, without its pixels.

    Attributes:
        facts: texts about the series and the patient by DICOM keyword.
        size: (rows, columns).
        inverted: whether low values are bright.
        bits: that hold a value, of those of `dtype`.
        dtype: of the stored values.
        frames: in the file.
        planes: of these frames, all or some.
        stored: where the pixels lie, when they can be read as they are.
    """

    name: str
    study: str
    series: str
    instance: str
    modality: str
    facts: Mapping[str, str]
    size: tuple[int, int]
    colour: bool
    inverted: bool
    bits: int
    dtype: np.dtype[Any]
    frames: int
    planes: tuple[Plane, ...]
    stored: Stored | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        return (self.frames, *self.size)


def scan(box: Box) -> tuple[list[Header], list[str]]:
    """The headers of all images in a box, and what was left out and why.

    Raises:
        FormatError: all images are damaged or unreadable; the message is the first one's.
    """
    headers: list[Header] = []
    notes: list[str] = []
    faults: list[FormatError] = []
    with quiet():
        for name in box.names():
            try:
                with box.open(name) as stream:
                    if not is_dicom(stream):
                        continue
                    header, said = _scanned(name, stream)
            except FormatError as fault:
                faults.append(fault)
                continue
            headers += [header] if header is not None else []
            notes += said
    if faults and not headers:
        others = len(faults) - 1
        raise FormatError(f"{faults[0]}; {others} more files like it") if others else faults[0]
    return headers, sorted({*notes, *left_out(faults)})


LEFT_OUT = "left out: "
"""How a note of a damaged file begins."""


def left_out(faults: list[FormatError]) -> list[str]:
    """What to say of files that were left out; of many of them, the first few by name."""
    shown = 5
    said = [f"{LEFT_OUT}{fault}" for fault in faults[:shown]]
    more = len(faults) - shown
    return [*said, f"{LEFT_OUT}{more} more files that cannot be read"] if more > 0 else said


def _scanned(name: str, stream: BinaryIO) -> tuple[Header | None, list[str]]:
    base = base_name(name)
    try:
        ds, size = read(stream, _TAGS, pixels=False)
        modality = text(ds, "Modality") or "OT"
        if modality in _NO_IMAGE:
            return None, [f"{modality} objects are not images and are left out"]
        if "Rows" not in ds:
            return None, [f"{base}: DICOM without an image, left out"]
        require_readable(base, str(ds.file_meta.TransferSyntaxUID))
        header, notes = _header(name, ds, modality, size)
        return replace(header, stored=stored_at(stream, size, ds, header.shape)), notes
    except DAMAGED as fault:
        raise FormatError(
            base,
            got=f"a damaged DICOM header ({type(fault).__name__})",
            do="remove the file or export the study again",
        ) from fault


def base_name(name: str) -> str:
    """The last part of a name in a box, fit for a message."""
    return printable(name.replace("\\", "/").rpartition("/")[2])


def _header(name: str, ds: Any, modality: str, rest: int) -> tuple[Header, list[str]]:
    base = base_name(name)
    frames = max(1, int(ds.get("NumberOfFrames", 1) or 1))
    samples = int(ds.get("SamplesPerPixel", 1) or 1)
    size = int(ds.Rows), int(ds.Columns)
    bits = int(ds.get("BitsAllocated", 16))
    dtype = _dtype(base, ds, bits)
    require_memory(base, (frames, *size), samples * dtype.itemsize)
    if frames > MAX_FRAMES:
        raise FormatError(base, got=f"{frames} frames", allowed=f"at most {MAX_FRAMES}")
    photometric = text(ds, "PhotometricInterpretation") or "MONOCHROME2"
    if str(ds.file_meta.TransferSyntaxUID) in NATIVE:
        per_pixel = 2 if photometric == "YBR_FULL_422" else samples
        _require_whole(base, rest, math.prod((frames, *size, per_pixel, bits)))
    planes, notes = planes_of(name, ds, frames=frames, size=size, echo=modality == "US")
    header = Header(
        name=name,
        study=text(ds, "StudyInstanceUID"),
        series=text(ds, "SeriesInstanceUID"),
        instance=text(ds, "SOPInstanceUID"),
        modality=modality,
        facts=_facts(ds),
        size=size,
        colour=samples > 1 or photometric.startswith("PALETTE"),
        # CT values are densities: how a screen should show them does not change them.
        inverted=photometric == "MONOCHROME1" and modality != "CT",
        bits=int(ds.get("BitsStored", bits)),
        dtype=dtype,
        frames=frames,
        planes=planes,
        stored=None,
    )
    return header, [f"{base}: {note}" for note in notes]


def _dtype(where: str, ds: Any, bits: int) -> np.dtype[Any]:
    """Of the stored values; floating point images have no BitsStored (C.7.6.24)."""
    whole = "BitsStored" in ds or "PixelRepresentation" in ds
    if bits in (32, 64) and not whole:
        return np.dtype(f"f{bits // 8}")
    if bits not in (1, 8, 16, 32):
        raise FormatError(
            where, got=f"{bits} bits a value", allowed="1, 8, 16, 32", do="export it again"
        )
    return np.dtype(f"{'i' if number(ds, 'PixelRepresentation') else 'u'}{max(1, bits // 8)}")


def _require_whole(where: str, rest: int, bits: int) -> None:
    """What follows the header must hold the pixels, after 8 bytes of their element's own."""
    rest = max(0, rest - 8)
    if rest < (bits + 7) // 8:
        raise FormatError(
            where,
            got=f"a truncated file: {rest} bytes where its pixels need {(bits + 7) // 8}",
            do="copy or export it again",
        )


_FACTS = (
    "ImageType", "SeriesDescription", "ProtocolName", "SeriesNumber", "PatientSex", "PatientAge",
    "PatientSize", "PatientWeight", "HeartRate", "NominalInterval", "InversionTime",
    "SliceThickness", "SpacingBetweenSlices", "PatientBirthDate", "StudyDate", "SOPClassUID",
    "SequenceName", "PatientName", "PatientID",
)  # fmt: skip


def _facts(ds: Any) -> dict[str, str]:
    return {keyword: said for keyword in _FACTS if (said := text(ds, keyword))}
