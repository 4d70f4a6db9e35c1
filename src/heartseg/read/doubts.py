"""What may be wrong with an image that can be read, and what to do about each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from heartseg.core.image import Image
from heartseg.core.study import Body, View

FEWEST_SLICES = 5
"""Of a short-axis stack: fewer hardly reach from the base to the apex."""

WIDEST_GAP_MM = 15.0
UNEVEN_STEPS = 0.2
"""Frames are irregular where a step differs from the usual one by more than this share."""

MOST_CLIPPED = 0.05
"""Of all voxels, at the highest value."""

LEAST_COVERED = 0.9
"""Of the heart's cycle: below it the largest volume may be missed."""

RIM = 0.06
"""Of each side: what is there is air or lung in most images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When the frames were taken.

    Attributes:
        step_ms: the usual time between frames.
        regular: whether all steps are about that.
        covered: share of the heart's cycle, where the heart rate is known; at most 1.
    """

    step_ms: float | None = None
    regular: bool | None = None
    covered: float | None = None


def timing(image: Image, body: Body) -> Timing:
    """What the frames' times say; all None for a still, or without times."""
    if image.frames < 2 or image.times_ms is None:
        return Timing()
    steps = np.diff(np.asarray(image.times_ms, np.float64))
    usual = float(np.median(steps))
    if not usual > 0:
        return Timing(regular=False)
    regular = bool((np.abs(steps - usual) <= UNEVEN_STEPS * usual).all())
    covered = None
    if body.heart_rate_bpm is not None:
        lasted = image.times_ms[-1] - image.times_ms[0] + usual
        covered = min(1.0, lasted * body.heart_rate_bpm / 60_000)
    return Timing(step_ms=usual, regular=regular, covered=covered)


def doubts(image: Image, view: View, times: Timing) -> tuple[str, ...]:
    """A sentence a doubt, each with what to do."""
    return (*_about_time(image, times), *_about_grid(image, view), *_about_values(image))


def _about_time(image: Image, times: Timing) -> Iterator[str]:
    if image.frames < 2:
        return
    if times.regular is False:
        yield "frames at uneven times: check the trigger times before a rate of change is used"
    if image.times_ms is None and image.frames > 2:
        yield "no frame times: pass --heart-rate for the cardiac output"
    if times.covered is not None and times.covered < LEAST_COVERED:
        yield (
            f"the frames cover {100 * times.covered:.0f} % of the heart's cycle: the end-diastolic "
            "volume may be low"
        )


def _about_grid(image: Image, view: View) -> Iterator[str]:
    slices = image.geometry.shape[0]
    z = image.geometry.spacing[0]
    if image.geometry.unit == "px":
        yield "no millimetres: no volumes; pass --spacing-mm z,y,x if you know them"
    if view is View.UNKNOWN:
        yield "the view is not known: pass --view"
    if view is not View.SAX:
        return
    if slices < FEWEST_SLICES:
        yield f"{slices} slices of a short axis: check that none is missing between base and apex"
    if image.geometry.unit == "mm" and slices > 1 and z > WIDEST_GAP_MM:
        yield f"slices {z:.1f} mm apart: check that none is missing, or pass --spacing-mm"


def _about_values(image: Image) -> Iterator[str]:
    blank = [t + 1 for t, frame in enumerate(image.voxels) if frame.min() == frame.max()]
    if blank:
        shown = ", ".join(map(str, blank[:8]))
        yield f"nothing is shown in {len(blank)} frames ({shown}): export the study again"
    top = image.voxels.max()
    clipped = float(np.mean(image.voxels[..., ::2, ::2] == top))
    if clipped > MOST_CLIPPED:
        yield (
            f"{100 * clipped:.0f} % of the voxels have the highest value, {top:g}: they were "
            "clipped; export without windowing"
        )
    if _looks_inverted(image):
        yield "bright around a dark middle: the grey values may be inverted; export again"


def _looks_inverted(image: Image) -> bool:
    """Whether the rim is brighter than most of the middle, in up to 31 of the slices."""
    frame = image.voxels[0][:: max(1, image.voxels.shape[1] // 16)]
    rows, columns = frame.shape[1:]
    r, c = max(1, round(rows * RIM)), max(1, round(columns * RIM))
    if rows < 4 * r or columns < 4 * c:
        return False
    rim = [frame[:, :r], frame[:, -r:], frame[:, :, :c], frame[:, :, -c:]]
    outside = float(np.median(np.concatenate([part.ravel() for part in rim])))
    inside = frame[:, rows // 4 : -rows // 4, columns // 4 : -columns // 4]
    return outside > float(np.percentile(inside, 80))
