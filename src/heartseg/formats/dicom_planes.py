"""The planes of a file: each frame's place, time and scale.

Standard: DICOM PS3.3 C.7.6.2 (Image Plane), C.7.6.16 (Multi-frame Functional Groups), C.8.13 (the
groups of enhanced MR). What the frame's own groups say goes before what all frames share, and that
before what the file says as a whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from heartseg.formats.dicom_file import DAMAGED, tags_of
from heartseg.formats.dicom_ultrasound import calibration, frame_times
from heartseg.formats.dicom_values import items, numbers, printable


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
        stack: what parts it from other frames at its place: StackID, component of a complex
            image, echo; empty where the file says nothing.
    """

    name: str
    frame: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    clocks: Mapping[str, float]
    slope: float
    intercept: float
    stack: str = ""


def planes_of(
    name: str, ds: Any, *, frames: int, size: tuple[int, int], echo: bool
) -> tuple[tuple[Plane, ...], list[str]]:
    """All planes of a file in their stored order, and what to say of them."""
    times, notes = frame_times(ds, frames)
    scale = None
    if echo or "SequenceOfUltrasoundRegions" in ds:
        scale, said = calibration(ds, size)
        notes += said
    single = items(ds, "PerFrameFunctionalGroupsSequence")
    if single and len(single) < frames:
        notes.append(f"{frames} frames and {len(single)} descriptions: the last have none")
    known = dict(_values(ds, _FILE_TAGS))
    for group in items(ds, "SharedFunctionalGroupsSequence")[:1]:
        known.update(_of_group(group))
    common = _plane(name, 0, known, scale)
    planes = []
    for frame in range(frames):
        plane = replace(common, frame=frame)
        if frame < len(single):
            plane = _plane(name, frame, {**known, **_of_group(single[frame])}, scale)
        if times is not None:
            plane = replace(plane, clocks={**plane.clocks, "FrameTime": times[frame]})
        planes.append(plane)
    return tuple(planes), notes


_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PlanePositionSequence": ("ImagePositionPatient",),
        "PlaneOrientationSequence": ("ImageOrientationPatient",),
        "PixelMeasuresSequence": ("PixelSpacing",),
        "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
        "CardiacSynchronizationSequence": (
            "TriggerTime",
            "NominalCardiacTriggerDelayTime",
            "NominalPercentageOfCardiacPhase",
            "RRIntervalTimeNominal",
        ),
        "FrameContentSequence": ("TemporalPositionIndex", "StackID", "FrameAcquisitionDateTime"),
        "MRImageFrameTypeSequence": ("ComplexImageComponent",),
        "MREchoSequence": ("EffectiveEchoTime",),
        "MRModifierSequence": ("InversionTimes",),
    }
)
"""The functional groups that are read, and what of them."""


def _by_tag(*keywords: str) -> Mapping[int, str]:
    return MappingProxyType(dict(zip(tags_of(*keywords), keywords, strict=True)))


_GROUP_TAGS = _by_tag(*_GROUPS)
_GROUP_VALUES = {sequence: _by_tag(*keywords) for sequence, keywords in _GROUPS.items()}

_CLOCKS = (
    "TriggerTime",
    "NominalCardiacTriggerDelayTime",
    "NominalPercentageOfCardiacPhase",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionTime",
    "ContentTime",
    "FrameAcquisitionDateTime",
    "AcquisitionDateTime",
    "NominalInterval",
    "RRIntervalTimeNominal",
    "InversionTime",
    "InversionTimes",
)

_STACK = ("StackID", "ComplexImageComponent", "EffectiveEchoTime")
"""Of functional groups only: classic files are told apart by their series."""


_FILE_TAGS = _by_tag(
    *({keyword for group in _GROUPS.values() for keyword in group} | set(_CLOCKS)) - set(_STACK)
)


def _of_group(group: Any) -> dict[str, Any]:
    """What the functional groups of a frame, or of all frames, say: present ones only."""
    found: dict[str, Any] = {}
    for tag in _GROUP_TAGS.keys() & group.keys():
        sequence = _GROUP_TAGS[tag]
        for item in items(group, sequence)[:1]:
            found.update(_values(item, _GROUP_VALUES[sequence]))
    return found


def _values(ds: Any, wanted: Mapping[int, str]) -> Iterator[tuple[str, Any]]:
    """Present ones only: pydicom is slow to say that an attribute is absent."""
    for tag in wanted.keys() & ds.keys():
        try:
            value = ds[tag].value
        except DAMAGED:
            continue
        if value is not None and value != "":
            yield wanted[tag], value


def _plane(
    name: str, frame: int, said: Mapping[str, Any], scale: tuple[float, float] | None
) -> Plane:
    clocks = {keyword: numbers(said[keyword]) for keyword in _CLOCKS if keyword in said}
    stack = "/".join(printable(str(said.get(keyword, ""))) for keyword in _STACK)
    return Plane(
        name=name,
        frame=frame,
        position=_vector(said, "ImagePositionPatient", 3),
        orientation=_vector(said, "ImageOrientationPatient", 6),
        spacing=scale or _vector(said, "PixelSpacing", 2),
        clocks={keyword: value[0] for keyword, value in clocks.items() if len(value) == 1},
        slope=(_vector(said, "RescaleSlope", 1) or (1.0,))[0],
        intercept=(_vector(said, "RescaleIntercept", 1) or (0.0,))[0],
        stack=stack.strip("/"),
    )


def _vector(said: Mapping[str, Any], keyword: str, count: int) -> tuple[float, ...] | None:
    values = numbers(said.get(keyword))
    return values if len(values) == count else None
