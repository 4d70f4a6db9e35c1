"""DICOM: what the headers say of each plane, and the planes' pixels.

Standard: DICOM PS3.3 (C.7.6.2 Image Plane, C.7.6.16 Multi-frame Functional Groups, C.8.3 MR).
Headers are scanned without pixels and with the tags below only. Archives hold illegal UIDs, dates
and numbers: what is not needed is not validated, what is needed and unusable is left out.
"""

import logging
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from heartseg.core.errors import FormatError
from heartseg.formats.bounds import require_memory
from heartseg.formats.box import Box

DAMAGED = (
    InvalidDicomError, EOFError, OSError, ValueError, KeyError, AttributeError, TypeError,
    IndexError, NotImplementedError, RuntimeError, OverflowError, struct.error, RecursionError,
)  # fmt: skip
"""What pydicom and its decoders raise on files that are not what they promise."""

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "ImageType", "StudyDate", "Modality", "SeriesDescription",
    "ProtocolName", "SequenceOfUltrasoundRegions", "PatientBirthDate", "PatientSex", "PatientAge",
    "PatientSize", "PatientWeight", "HeartRate", "NominalInterval", "InversionTime",
    "SliceThickness", "SpacingBetweenSlices", "FrameTime", "FrameTimeVector", "TriggerTime",
    "NominalCardiacTriggerDelayTime", "TemporalPositionIdentifier", "AcquisitionTime",
    "ContentTime", "AcquisitionDateTime", "SequenceName", "StudyInstanceUID",
    "ComplexImageComponent",
    "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "SamplesPerPixel",
    "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
    "BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleIntercept", "RescaleSlope",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip

_ENHANCED = {
    "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.3", "1.2.840.10008.5.1.4.1.1.4.4", "1.2.840.10008.5.1.4.1.1.6.2",
}  # fmt: skip
"""Enhanced and legacy converted CT and MR, enhanced ultrasound volume."""

_NO_IMAGE = ("SEG", "SR", "PR", "KO", "RTSTRUCT", "RTDOSE", "RTPLAN", "REG", "DOC", "RWV", "ECG")

_CENTIMETRES = 3
"""PhysicalUnitsXDirection of an ultrasound region (C.8.5.5.1.15)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """One frame of one file.

    Attributes:
        name: of the file, in its box.
        frame: number in the file, from 0.
        position: (3,) LPS mm of the first pixel's centre, None where there is none.
        orientation: six cosines (along a row, down a column).
        spacing: (between rows, between columns) in mm.
        clocks: the times that the header gives, in ms or as a plain order, by tag.
        slope, intercept: stored value to value.
    """

    name: str
    frame: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    clocks: Mapping[str, float]
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Header:
    """One file, without its pixels.

    Attributes:
        facts: texts about the series and the patient by DICOM keyword.
        size: (rows, columns).
        dtype: of the stored values.
        frames: in the file.
        planes: of these frames, all or some.
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


@contextmanager
def quiet() -> Iterator[None]:
    """Without pydicom's remarks on values that are not legal: they are looked at here."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def is_dicom(stream: BinaryIO) -> bool:
    """True when the content begins like a DICOM file, with or without its preamble."""
    start = stream.read(132)
    stream.seek(0)
    return start[128:132] == b"DICM" or start[:4] in (
        b"\x08\0\x00\0",
        b"\x08\0\x05\0",
        b"\x08\0\x08\0",
    )


def scan(box: Box) -> tuple[list[Header], list[str]]:
    """The headers of all images in a box, and what was left out and why.

    Raises:
        FormatError: a file that is DICOM but damaged.
    """
    headers, notes = [], []
    with quiet():
        for name in box.names():
            with box.open(name) as stream:
                if not is_dicom(stream):
                    continue
                header, note = _scanned(name, stream)
            if header is not None:
                headers.append(header)
            if note:
                notes.append(note)
    return headers, sorted(set(notes))


def _scanned(name: str, stream: BinaryIO) -> tuple[Header | None, str]:
    base = name.rpartition("/")[2]
    try:
        ds = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_TAGS, force=True)
        modality = str(ds.get("Modality", "") or "OT")
        if modality in _NO_IMAGE:
            return None, f"{modality} objects are not images and are left out"
        if "Rows" not in ds:
            return None, f"{base}: DICOM without an image, left out"
        return _header(name, ds, modality), ""
    except DAMAGED as fault:
        raise FormatError(
            base,
            got=f"a damaged DICOM header ({type(fault).__name__})",
            do="remove the file or export the study again",
        ) from fault


def _header(name: str, ds: Any, modality: str) -> Header:
    frames = max(1, int(ds.get("NumberOfFrames", 1) or 1))
    samples = int(ds.get("SamplesPerPixel", 1) or 1)
    size = int(ds.Rows), int(ds.Columns)
    bits = int(ds.get("BitsAllocated", 16))
    require_memory(name.rpartition("/")[2], (frames, *size), samples * max(1, bits // 8))
    signed = bool(ds.get("PixelRepresentation", 0))
    photometric = str(ds.get("PhotometricInterpretation", "MONOCHROME2"))
    return Header(
        name=name,
        study=str(ds.get("StudyInstanceUID", "")),
        series=str(ds.get("SeriesInstanceUID", "")),
        instance=str(ds.get("SOPInstanceUID", "")),
        modality=modality,
        facts=_facts(ds),
        size=size,
        colour=samples > 1 or photometric.startswith("PALETTE"),
        inverted=photometric == "MONOCHROME1",
        bits=int(ds.get("BitsStored", bits)),
        dtype=np.dtype(f"{'i' if signed else 'u'}{max(1, bits // 8)}"),
        frames=frames,
        planes=tuple(_planes(name, ds, frames)),
    )


_FACTS = (
    "ImageType", "SeriesDescription", "ProtocolName", "SeriesNumber", "PatientSex", "PatientAge",
    "PatientSize", "PatientWeight", "HeartRate", "NominalInterval", "InversionTime",
    "SliceThickness", "SpacingBetweenSlices", "PatientBirthDate", "StudyDate", "SOPClassUID",
    "SequenceName", "ComplexImageComponent",
)  # fmt: skip


def _facts(ds: Any) -> dict[str, str]:
    found = {}
    for keyword in _FACTS:
        try:
            value = ds.get(keyword)
        except DAMAGED:
            continue
        if value is not None and str(value) != "":
            many = isinstance(value, pydicom.multival.MultiValue)
            found[keyword] = "\\".join(map(str, value)) if many else str(value)
    return found


def _planes(name: str, ds: Any, frames: int) -> Iterator[Plane]:
    enhanced = str(ds.get("SOPClassUID", "")) in _ENHANCED
    shared = _items(ds, "SharedFunctionalGroupsSequence") if enhanced else []
    single = _items(ds, "PerFrameFunctionalGroupsSequence") if enhanced else []
    frame_times = _frame_times(ds, frames)
    for frame in range(frames):
        groups = [*single[frame : frame + 1], *shared[:1], ds]
        clocks = _clocks(groups)
        if frame_times is not None:
            clocks["FrameTime"] = frame_times[frame]
        yield Plane(
            name=name,
            frame=frame,
            position=_vector(groups, "PlanePositionSequence", "ImagePositionPatient", 3),
            orientation=_vector(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6),
            spacing=_vector(groups, "PixelMeasuresSequence", "PixelSpacing", 2) or _region(ds),
            clocks=clocks,
            slope=_scale(groups, "RescaleSlope", 1.0),
            intercept=_scale(groups, "RescaleIntercept", 0.0),
        )


def _items(ds: Any, keyword: str) -> list[Any]:
    return list(ds.get(keyword, None) or [])


def _vector(
    groups: Sequence[Any], sequence: str, keyword: str, count: int
) -> tuple[float, ...] | None:
    values = _numbers(_first(groups, sequence, keyword))
    usable = len(values) == count and all(np.isfinite(values))
    return values if usable else None


def _first(groups: Sequence[Any], sequence: str, keyword: str) -> Any:
    """An attribute from its functional group of the frame, of all frames, or of the file."""
    for group in groups:
        for item in (*_items(group, sequence)[:1], group):
            try:
                value = item.get(keyword)
            except DAMAGED:
                value = None
            if value is not None and value != "":
                return value
    return None


def _numbers(value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, pydicom.multival.MultiValue | list | tuple) else [value]
    try:
        return tuple(float(v) for v in values if v is not None)
    except (TypeError, ValueError):
        return ()


def _scale(groups: Sequence[Any], keyword: str, default: float) -> float:
    values = _numbers(_first(groups, "PixelValueTransformationSequence", keyword))
    return values[0] if len(values) == 1 and np.isfinite(values[0]) else default


_CLOCKS = (
    ("TriggerTime", "CardiacSynchronizationSequence"),
    ("NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence"),
    ("TemporalPositionIdentifier", ""),
    ("TemporalPositionIndex", "FrameContentSequence"),
    ("AcquisitionTime", ""),
    ("ContentTime", ""),
    ("FrameAcquisitionDateTime", "FrameContentSequence"),
    ("AcquisitionDateTime", ""),
    ("NominalInterval", ""),
    ("RRIntervalTimeNominal", "CardiacSynchronizationSequence"),
    ("InversionTime", ""),
    ("InversionTimes", "MRModifierSequence"),
)


def _clocks(groups: Sequence[Any]) -> dict[str, float]:
    clocks = {}
    for keyword, sequence in _CLOCKS:
        values = _numbers(_first(groups, sequence, keyword))
        if len(values) == 1 and np.isfinite(values[0]):
            clocks[keyword] = values[0]
    return clocks


def _frame_times(ds: Any, frames: int) -> list[float] | None:
    """ms of each frame of an ultrasound loop, from FrameTime or FrameTimeVector."""
    steps = _numbers(ds.get("FrameTimeVector"))
    if frames > 1 and len(steps) == frames:
        return np.cumsum(steps).tolist()  # type: ignore[no-any-return]
    step = _numbers(ds.get("FrameTime"))
    if frames > 1 and len(step) == 1 and step[0] > 0:
        return [step[0] * frame for frame in range(frames)]
    return None


def _region(ds: Any) -> tuple[float, float] | None:
    """(rows, columns) mm of the largest region of an ultrasound image that is in centimetres."""
    best, area = None, 0
    for region in _items(ds, "SequenceOfUltrasoundRegions"):
        units = (region.get("PhysicalUnitsXDirection"), region.get("PhysicalUnitsYDirection"))
        size = _region_area(region)
        if units == (_CENTIMETRES, _CENTIMETRES) and size > area:
            deltas = _numbers([region.get("PhysicalDeltaY"), region.get("PhysicalDeltaX")])
            if len(deltas) == 2 and all(deltas):
                best, area = (abs(deltas[0]) * 10, abs(deltas[1]) * 10), size
    return best


def _region_area(region: Any) -> int:
    names = ("RegionLocationMaxX1", "RegionLocationMinX0")
    others = ("RegionLocationMaxY1", "RegionLocationMinY0")
    x, y = (int(region.get(a, 0)) - int(region.get(b, 0)) for a, b in (names, others))
    return max(1, x * y)
