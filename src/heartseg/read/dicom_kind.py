"""What a series was acquired for, as far as headers tell: cine, scout, flow, perfusion, ...

The order of the day and the heart's clock decide where they can; names are hints.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from heartseg.core.study import Modality
from heartseg.formats.dicom import Header, Plane
from heartseg.formats.dicom_time import CLOCKS_MS, taken
from heartseg.read.view import CINE_FRAMES, plain_words


class Purpose(StrEnum):
    """What a series was acquired for."""

    CINE = "cine"
    FEW = "few phases"
    STILL = "stills"
    LATE_ENHANCEMENT = "late enhancement"
    SCOUT = "localiser"
    VELOCITY = "velocity map"
    FLOW = "magnitude of a flow measurement"
    PERFUSION = "perfusion or another series over many heart beats"
    TAGGED = "tagged cine"
    MAP = "parameter map"
    INVERSION = "images at several inversion times"
    SCREENSHOT = "screenshot"


HEART = (Purpose.CINE, Purpose.FEW, Purpose.STILL)
"""Purposes whose view is looked for; the others are named and left alone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A purpose, and how it was known."""

    purpose: Purpose
    why: str


BEAT_STEP_S = 0.3
"""Images of one place that were taken this far apart show different heart beats."""

SCREENSHOT_CLASSES = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary capture and its multi-frame relatives begin with this."""

_NAMES = (
    (Purpose.MAP, r"\bt[12](star)? ?map|\becv\b|\bmap(ping)?\b"),
    (Purpose.FLOW, r"flow|\bvenc|\bfluss|\bq (asc|ao|pa)|phase.?contrast"),
    (Purpose.PERFUSION, r"perf|first.?pass"),
    (Purpose.TAGGED, r"\btag(g|s|\b)|csi?pamm"),
    (Purpose.SCOUT, r"locali[sz]er|\bscout|\bsurvey|ubersicht|\breperage|3 ?plane"),
)


def words_of(header: Header) -> str:
    """The series' names."""
    facts = header.facts
    return facts.get("SeriesDescription", "") + " " + facts.get("ProtocolName", "")


def component_of(header: Header) -> str:
    """`phase` for velocity or phase images, else empty: two images that one series may hold."""
    types = header.facts.get("ImageType", "").upper().split("\\")[2:]
    phase = {"P", "PHASE", "PHASE MAP", "VELOCITY", "VELOCITY MAP"}
    types += header.planes[0].stack.split("/")  # of enhanced files: their component
    return "phase" if phase & set(types) else ""


def purpose_of(headers: Sequence[Header], *, directions: int, twin: bool = False) -> Verdict:
    """What parallel planes of one series were acquired for.

    Args:
        headers: their files.
        directions: in how many directions the whole series looks.
        twin: a velocity series has the same places and times.
    """
    first = headers[0]
    if first.facts.get("SOPClassUID", "").startswith(SCREENSHOT_CLASSES):
        return Verdict(Purpose.SCREENSHOT, "a secondary capture")
    if first.modality != Modality.MR:
        return Verdict(Purpose.CINE, first.modality)
    return _by_picture(first, twin) or _by_clock(headers, directions)


def _by_picture(first: Header, twin: bool) -> Verdict | None:
    """By what the header says the grey values mean."""
    types = first.facts.get("ImageType", "").upper()
    if first.colour:
        return Verdict(Purpose.SCREENSHOT, "a colour picture")
    if component_of(first):
        return Verdict(Purpose.VELOCITY, "its header says that grey means phase or speed")
    if twin or re.search(r"_v\d+", first.facts.get("SequenceName", "").lower()):
        return Verdict(Purpose.FLOW, "velocity images belong to it")
    if re.search(r"\bMAP\b|\\T[12](\\|$)|T2_STAR|\\ECV", types):
        return Verdict(Purpose.MAP, f"its image type is {types}")
    return None


def _by_clock(headers: Sequence[Header], directions: int) -> Verdict:
    """By how many images each place has, and when they were taken; names where that is open."""
    places = _places([plane for header in headers for plane in header.planes])
    frames = max(len(planes) for planes in places)
    inversions = {
        round(plane.clocks[name])
        for plane in places[0]
        for name in ("InversionTime", "InversionTimes")
        if name in plane.clocks
    }
    if len(inversions) > 2:
        return Verdict(Purpose.INVERSION, f"{len(inversions)} inversion times at one place")
    if frames >= CINE_FRAMES and _a_beat_apart(places):
        return Verdict(Purpose.PERFUSION, f"{frames} images a place, a heart beat or more apart")
    named = _named(headers[0])
    if named is not None and not (named.purpose is Purpose.SCOUT and frames >= CINE_FRAMES):
        return named
    if frames >= CINE_FRAMES:
        return Verdict(Purpose.CINE, f"{frames} images a place within one heart cycle")
    if frames == 1 and directions > 1:
        return Verdict(Purpose.SCOUT, f"stills in {directions} directions")
    if frames == 1 and any(time > 0 for time in inversions):
        return Verdict(Purpose.LATE_ENHANCEMENT, f"stills {max(inversions)} ms after inversion")
    return Verdict(Purpose.STILL if frames == 1 else Purpose.FEW, f"{frames} images a place")


def _named(header: Header) -> Verdict | None:
    text = plain_words(words_of(header))
    for purpose, pattern in _NAMES:
        match = re.search(pattern, text)
        if match:
            return Verdict(purpose, f"the name says '{match[0]}'")
    return None


def _places(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Planes by where they lie, to a millimetre."""
    places: dict[tuple[float, ...], list[Plane]] = {}
    for plane in planes:
        key = tuple(round(value) for value in plane.position or ())
        places.setdefault(key, []).append(plane)
    return list(places.values())


def _a_beat_apart(places: Sequence[Sequence[Plane]]) -> bool:
    """True when no clock of the heart tells images of a place apart, and the day's does."""
    for planes in places:
        for clock in CLOCKS_MS:
            if len({plane.clocks.get(clock) for plane in planes}) > len(planes) / 2:
                return False
        times = sorted(taken(plane)[0] for plane in planes)
        if float(np.median(np.diff(times))) < BEAT_STEP_S:
            return False
    return True
