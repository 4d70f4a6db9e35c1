"""The planes of a file: each frame's place, time and scale.

Standard: DICOM PS3.3 C.7.6.2 (Image Plane), C.7.6.16 (Multi-frame Functional Groups), C.8.13 (the
groups of enhanced MR). What the frame's own groups say goes before what all frames share, and that
before what the file says as a whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from heartseg.formats.dicom_ultrasound import calibration, frame_times
from heartseg.formats.dicom_values import first, items, numbers, printable


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
    shared = items(ds, "SharedFunctionalGroupsSequence")[:1]
    single = items(ds, "PerFrameFunctionalGroupsSequence")
    if single and len(single) < frames:
        notes.append(f"{frames} frames and {len(single)} descriptions: the last have none")
    planes = []
    for frame in range(frames):
        clock = {} if times is None else {"FrameTime": times[frame]}
        groups = [*single[frame : frame + 1], *shared, ds]
        planes.append(_plane(name, frame, groups, scale=scale, clock=clock))
        if not (single or clock):  # nothing tells the frames apart
            planes += [replace(planes[0], frame=number) for number in range(1, frames)]
            break
    return tuple(planes), notes


def _plane(
    name: str,
    frame: int,
    groups: Sequence[Any],
    *,
    scale: tuple[float, float] | None,
    clock: Mapping[str, float],
) -> Plane:
    measures = ("PixelMeasuresSequence", "PixelSpacing")
    return Plane(
        name=name,
        frame=frame,
        position=_vector(groups, "PlanePositionSequence", "ImagePositionPatient", 3),
        orientation=_vector(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6),
        spacing=scale or _vector(groups, *measures, 2),
        clocks={**dict(_clocks(groups)), **clock},
        slope=_scale(groups, "RescaleSlope", 1.0),
        intercept=_scale(groups, "RescaleIntercept", 0.0),
        stack=_stack(groups),
    )


def _vector(
    groups: Sequence[Any], sequence: str, keyword: str, count: int
) -> tuple[float, ...] | None:
    values = numbers(first(groups, sequence, keyword))
    return values if len(values) == count else None


def _scale(groups: Sequence[Any], keyword: str, default: float) -> float:
    values = numbers(first(groups, "PixelValueTransformationSequence", keyword))
    return values[0] if len(values) == 1 else default


_CLOCKS = (
    ("TriggerTime", "CardiacSynchronizationSequence"),
    ("NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence"),
    ("NominalPercentageOfCardiacPhase", "CardiacSynchronizationSequence"),
    ("TemporalPositionIdentifier", ""),
    ("TemporalPositionIndex", "FrameContentSequence"),
    ("AcquisitionTime", ""),
    ("ContentTime", ""),
    ("FrameAcquisitionDateTime", "FrameContentSequence"),
    ("AcquisitionDateTime", ""),
    ("NominalInterval", ""),
    ("RRIntervalTimeNominal", "CardiacSynchronizationSequence"),
    ("InversionTime", ""),
)


def _clocks(groups: Sequence[Any]) -> Iterator[tuple[str, float]]:
    for keyword, sequence in _CLOCKS:
        values = numbers(first(groups, sequence, keyword))
        if len(values) == 1:
            yield keyword, values[0]


_STACKS = (
    ("StackID", "FrameContentSequence"),
    ("ComplexImageComponent", "MRImageFrameTypeSequence"),
    ("EffectiveEchoTime", "MREchoSequence"),
)


def _stack(groups: Sequence[Any]) -> str:
    """Only what functional groups say: a classic file is told apart by its series."""
    if len(groups) == 1:
        return ""
    found = [first(groups, sequence, keyword) for keyword, sequence in _STACKS]
    return "/".join("" if value is None else printable(str(value)) for value in found).strip("/")
