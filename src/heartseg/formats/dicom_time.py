"""The heart's clock in a stack: which images of two slices show the same phase of the beat."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import StudyError
from heartseg.formats.dicom import Plane

CLOCKS_MS = ("TriggerTime", "NominalCardiacTriggerDelayTime", "FrameTime")
CLOCKS_ORDER = (
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
)
TIMES_OF_DAY = ("AcquisitionTime", "ContentTime")
"""They order the images of one slice; they do not say which images of two slices match."""

INTERVALS = ("NominalInterval", "RRIntervalTimeNominal")
_DATES_AND_TIMES = ("FrameAcquisitionDateTime", "AcquisitionDateTime")

COMPLETE = 0.5
"""A breath-hold with less than this share of the usual frames was broken off."""

FAR_STEPS = 2.0
"""Usual frame distances beyond which an image stands for another phase of the beat."""


class Said(NamedTuple):
    """What is to be said of a slice.

    Attributes:
        place: in the list of slices.
        words: that follow its number.
        doubt: whether somebody should look before numbers are used.
    """

    place: int
    words: str
    doubt: bool = False


_COVERED = 1.1
"""Frames may reach this far beyond the stated interval: it is a mean over several beats."""


def taken(plane: Plane) -> tuple[float, ...]:
    """When a plane was acquired, in seconds of the day: acquisition first, then storage."""
    for name in (*_DATES_AND_TIMES, TIMES_OF_DAY[0]):
        if name in plane.clocks:
            return _seconds(plane.clocks[name]), _seconds(plane.clocks.get(TIMES_OF_DAY[1], 0.0))
    return 0.0, _seconds(plane.clocks.get(TIMES_OF_DAY[1], 0.0))


def _seconds(number: float) -> float:
    """Of a DICOM time or date and time that was read as a number."""
    hours, rest = divmod(number % 1_000_000, 10_000)
    minutes, seconds = divmod(rest, 100)
    return 3600.0 * hours + 60.0 * minutes + seconds


def interval_ms(planes: Sequence[Plane]) -> float | None:
    """Length of the heart's cycle while these planes of one slice were acquired."""
    for name in INTERVALS:
        stated = [plane.clocks[name] for plane in planes if plane.clocks.get(name, 0.0) > 0.0]
        if len(stated) == len(planes):
            return float(np.mean(stated))
    return None


def clock_of(slices: Sequence[Sequence[Plane]], where: str) -> str | None:
    """The first attribute that tells every slice's images apart; None for a single time.

    Raises:
        StudyError: there is none.
    """
    if all(len(planes) == 1 for planes in slices):
        return None
    for clock in (*CLOCKS_MS, *CLOCKS_ORDER):
        if all(_tells_apart(planes, clock) for planes in slices):
            return clock
    if len({len(planes) for planes in slices}) == 1:
        for clock in TIMES_OF_DAY:
            if all(_tells_apart(planes, clock) for planes in slices):
                return clock
    if len({p.name for planes in slices for p in planes}) == 1 and len(slices) == 1:
        return "frame"  # one loop in one file: its frames are in order by definition
    raise StudyError(
        where,
        got="several images of one slice and no trigger time that orders them",
        allowed="one of " + ", ".join((*CLOCKS_MS, *CLOCKS_ORDER)),
        do="export the series with its cardiac timing, or as separate series",
    )


def without_repeats(slices: list[list[Plane]]) -> tuple[list[list[Plane]], list[Said]]:
    """Where a slice was acquired again in the same series, its last complete version stays."""
    for clock in CLOCKS_MS:
        if not all(clock in plane.clocks for planes in slices for plane in planes):
            continue
        usual = float(np.median([len(planes) for planes in slices]))
        single = [_last_run(planes, clock, usual) for planes in slices]
        kept = [_last_of_each_time(planes, clock) for planes in single]
        if min(len(planes) for planes in kept) < 2:
            continue  # a clock that stands still
        notes = [
            Said(z, "was acquired more than once: the last one is used")
            for z, (old, new) in enumerate(zip(slices, kept, strict=True))
            if len(new) < len(old)
        ]
        return kept, notes
    return slices, []


def _last_run(planes: list[Plane], clock: str, usual: float) -> list[Plane]:
    """The last complete breath-hold of a slice that has more images than the others.

    In the order of the day, trigger times rise within a breath-hold and fall back at the next.
    """
    if len(planes) <= usual:
        return planes
    runs: list[list[Plane]] = [[]]
    for plane in sorted(planes, key=lambda plane: (*taken(plane), plane.clocks[clock])):
        if runs[-1] and plane.clocks[clock] <= runs[-1][-1].clocks[clock]:
            runs.append([])
        runs[-1].append(plane)
    complete = [run for run in runs if len(run) >= COMPLETE * usual]
    broken = len(runs) - len(complete)
    return complete[-1] if complete and broken <= len(complete) else planes


def _last_of_each_time(planes: Sequence[Plane], clock: str) -> list[Plane]:
    return list({plane.clocks[clock]: plane for plane in sorted(planes, key=taken)}.values())


def _tells_apart(planes: Sequence[Plane], clock: str) -> bool:
    times = [plane.clocks[clock] for plane in planes if clock in plane.clocks]
    return len(times) == len(planes) == len(set(times))


def ordered(planes: Sequence[Plane], clock: str | None) -> list[Plane]:
    """Images of a slice by that clock."""
    return sorted(planes, key=lambda plane: _time(plane, clock))


def _time(plane: Plane, clock: str | None) -> float:
    if clock is None or clock == "frame":
        return float(plane.frame)
    return plane.clocks[clock]


def aligned(
    slices: list[list[Plane]], clock: str | None
) -> tuple[list[tuple[Plane, ...]], tuple[float, ...], list[Said]]:
    """Rows of one phase each, their times, and what was matched.

    Slices with the usual number of frames go index by index. Where a slice has another number, or
    its frames fall elsewhere in the cycle, the nearest are used: by the share of its own cycle
    where every slice states its interval, else by time.
    """
    counts = Counter(len(planes) for planes in slices)
    frames = max(counts, key=lambda count: (count * counts[count], count))
    times = [np.array([_time(plane, clock) for plane in planes]) for planes in slices]
    whole = [one for one in times if len(one) == frames]
    reference = np.mean(whole, axis=0)
    cycles = _cycles(slices, times) if clock in CLOCKS_MS and frames > 1 else None
    shares = times if cycles is None else [t / c for t, c in zip(times, cycles, strict=True)]
    usual = np.median([one for one in shares if len(one) == frames], axis=0)  # not of outliers
    columns, notes = [], []
    for z, (planes, share) in enumerate(zip(slices, shares, strict=True)):
        fits = len(planes) == frames
        if fits and (cycles is None or not _elsewhere(share, usual)):
            columns.append(planes)
            continue
        apart = np.abs(usual[:, None] - share)
        if cycles is not None:
            apart = np.minimum(apart, np.abs(1.0 - apart))  # the cycle closes
        columns.append([planes[index] for index in apart.argmin(axis=1).tolist()])
        other = "its frames at other times" if fits else f"{len(planes)} phases, not {frames}"
        by = "" if cycles is None else " by the share of its own heart cycle"
        off = float(apart.min(axis=1).max())
        far = _far(off, usual, cycles)
        notes.append(Said(z, f"has {other}: the nearest are used{by}{far}", bool(far)))
    rows = [tuple(row) for row in zip(*columns, strict=True)]
    return rows, tuple(reference.tolist()), notes


def _cycles(
    slices: Sequence[Sequence[Plane]], times: Sequence[NDArray[np.float64]]
) -> list[float] | None:
    """The interval of each slice, where all state one that their frames fit into."""
    cycles = []
    for planes, own in zip(slices, times, strict=True):
        cycle = interval_ms(planes)
        if cycle is None or np.ptp(own) > _COVERED * cycle:
            return None
        cycles.append(cycle)
    return cycles


def _far(off: float, usual: NDArray[np.float64], cycles: Sequence[float] | None) -> str:
    """What to say where the nearest image is none of that phase: diastole may stand for systole."""
    if len(usual) < 2 or off <= FAR_STEPS * float(np.diff(usual).mean()):
        return ""
    shown = f"{off:.0f} ms" if cycles is None else f"{100 * off:.0f} % of the cycle"
    return f", up to {shown} off: do not trust its volumes there"


def _elsewhere(share: NDArray[np.float64], usual: NDArray[np.float64]) -> bool:
    """True when some frame lies more than a frame's distance off, as after another heart rate."""
    step = float(np.diff(usual).mean())
    return bool(np.abs(share - usual).max() > step)
