"""Ultrasound: what a pixel measures, and when a frame was taken.

Standard: DICOM PS3.3 C.8.5.5 (US Region Calibration), C.7.6.5 (Cine), C.7.6.6 (Multi-frame). A
picture is divided into regions; only those of the two-dimensional tissue image in centimetres have
a scale that a heart can be measured with. Doppler, M-mode and ECG regions have others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from heartseg.formats.bounds import MAX_FRAME_MS, MIN_FRAME_MS
from heartseg.formats.dicom_file import DAMAGED
from heartseg.formats.dicom_values import items, number, numbers

_TWO_DIMENSIONAL = 1
_TISSUE, _COLOUR_FLOW = 1, 2
_CENTIMETRES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A calibrated part of the picture that shows tissue.

    Attributes:
        box: (first row, first column, last row, last column) in pixels.
        spacing_mm: (rows, columns).
        tissue: False for colour flow, which lies over tissue.
    """

    box: tuple[int, int, int, int]
    spacing_mm: tuple[float, float]
    tissue: bool

    @property
    def area(self) -> int:
        """In pixels."""
        top, left, bottom, right = self.box
        return max(1, (bottom - top) * (right - left))


def calibration(ds: Any, size: tuple[int, int]) -> tuple[tuple[float, float] | None, list[str]]:
    """(rows, columns) mm of the largest tissue region, None where there is none; what to say.

    Args:
        ds: the data set.
        size: (rows, columns) of the picture.
    """
    stored = items(ds, "SequenceOfUltrasoundRegions")
    found = [region for item in stored if (region := _region(item)) is not None]
    if not found:
        said = f"none of the {len(stored)} ultrasound regions is a two-dimensional one in cm"
        return None, [said] if stored else []
    best = max(found, key=lambda region: (region.tissue, region.area))
    return best.spacing_mm, [*_others(best, found), *_outside(best, size)]


def _region(item: Any) -> Region | None:
    format_, kind = number(item, "RegionSpatialFormat"), number(item, "RegionDataType")
    if format_ not in (None, _TWO_DIMENSIONAL) or kind not in (None, _TISSUE, _COLOUR_FLOW):
        return None
    units = {number(item, f"PhysicalUnits{axis}Direction") for axis in "XY"}
    steps = [number(item, f"PhysicalDelta{axis}") for axis in "YX"]
    if units != {_CENTIMETRES} or not all(steps):
        return None
    y, x = (abs(step or 0.0) * 10 for step in steps)
    sides = ("MinY0", "MinX0", "MaxY1", "MaxX1")
    top, left, bottom, right = (int(number(item, f"RegionLocation{s}") or 0) for s in sides)
    return Region(box=(top, left, bottom, right), spacing_mm=(y, x), tissue=kind != _COLOUR_FLOW)


def _others(best: Region, found: Sequence[Region]) -> list[str]:
    if len(found) == 1:
        return []
    scales = {tuple(round(value, 4) for value in region.spacing_mm) for region in found}
    differ = "of different scales, " if len(scales) > 1 else ""
    top, left, bottom, right = best.box
    where = f"columns {left}-{right}, rows {top}-{bottom}"
    return [f"{len(found)} tissue regions, {differ}the largest gives the spacing ({where})"]


def _outside(region: Region, size: tuple[int, int]) -> list[str]:
    """A region larger than the picture: someone cut or shrank the picture and left the scale."""
    bottom, right = region.box[2:]
    if bottom <= size[0] and right <= size[1]:
        return []
    return [
        f"the calibrated region reaches to column {right}, row {bottom} of a picture of "
        f"{size[1]} x {size[0]}: it was cropped or reduced after its calibration; if it was "
        "reduced, its millimetres are wrong: pass the true pixel size with --spacing-mm"
    ]


_RATES = (
    ("CineRate", "its cine rate"),
    ("RecommendedDisplayFrameRate", "the frame rate recommended for display"),
)


def frame_times(ds: Any, frames: int) -> tuple[list[float] | None, list[str]]:
    """ms of each frame of a loop from its first, None where nothing usable says; what to say.

    The time between frames as acquired comes first, rates of play only where there is none.
    """
    if frames < 2:
        return None, []
    steps = _steps(ds, frames)
    if steps is not None:
        return [time - steps[0] for time in accumulate(steps)], []
    notes = []
    step = number(ds, "FrameTime") or number(ds, "ActualFrameDuration")
    if step is not None:
        if MIN_FRAME_MS <= step <= MAX_FRAME_MS:
            return [step * frame for frame in range(frames)], []
        notes.append(f"a frame time of {step:g} ms cannot be and is not used")
    for keyword, words in _RATES:
        rate = number(ds, keyword)
        if rate and MIN_FRAME_MS <= 1000 / rate <= MAX_FRAME_MS:
            said = f"frame times follow from {words}, {rate:g} a second"
            return [1000 / rate * frame for frame in range(frames)], [*notes, said]
    return None, notes


def _steps(ds: Any, frames: int) -> tuple[float, ...] | None:
    """Increments of FrameTimeVector, the first frame's (0) included."""
    try:
        steps = numbers(ds.get("FrameTimeVector"))
    except DAMAGED:
        return None
    if len(steps) == frames - 1:  # some leave out the first frame's, which is 0
        steps = (0.0, *steps)
    usable = len(steps) == frames and all(0 < step <= 10 * MAX_FRAME_MS for step in steps[1:])
    return steps if usable else None
