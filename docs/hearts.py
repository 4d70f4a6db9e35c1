"""Hearts of boxes that lack something, by which the reference tells when a measure has no value.

Nothing is written by hand there: each of these is measured, and what comes out empty is listed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Finding
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, View
from heartseg.measure.echo import measure_long_axis
from heartseg.measure.function import measure_function
from heartseg.measure.short_axis_strain import short_axis_strain

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
ATRIUM, SCAR = Structure.LEFT_ATRIUM, Structure.SCAR
BODY = Body(height_cm=180, weight_kg=80, heart_rate_bpm=60)
UNTIMED_BODY = replace(BODY, heart_rate_bpm=None)
FRAMES = 33
SHRINKS = np.rint(4 - 4 * np.cos(np.arange(FRAMES) * np.pi / 8)).astype(int)
"""By how many rows in each frame, over two beats."""

Findings = tuple[Finding, ...]


def of_stacks() -> Mapping[str, Findings]:
    """Findings of a stack that has everything, under "", and of what lacks something."""
    whole = _stack()
    plane = Geometry.from_pixels((1, 40, 40), (None, 1.5, 1.25))
    one_plane = replace(whole, labels=whole.labels[:, 2:3], geometry=plane)
    lacking = {
        "": (whole, BODY),
        "no pixel size": (_uncalibrated(whole), BODY),
        "one slice of unknown thickness": (one_plane, BODY),
        "a single phase": (_frames(whole, 1), BODY),
        "fewer than 20 frames": (_frames(whole, 9), BODY),
        "no heart rate and no frame times": (_untimed(whole), UNTIMED_BODY),
        "no height or weight": (whole, Body(heart_rate_bpm=60)),
        **{f"no {one.title}": (_without(whole, one), BODY) for one in (LV, MYO, RV, ATRIUM, SCAR)},
    }
    return {name: _of_stack(one, body) for name, (one, body) in lacking.items()}


def _of_stack(one: Segmentation, body: Body) -> Findings:
    whole = measure_function(one, None, body)
    return (*whole.findings, *short_axis_strain(one, whole.phases).findings)


def of_long_axes() -> Mapping[str, Findings]:
    """The same of long-axis views."""
    both = {View.LAX_4CH: _apical(9), View.LAX_2CH: _apical(7)}
    lacking = {
        "": (both, BODY),
        "two views without pixel size": (_each(both, _uncalibrated), BODY),
        "one view without pixel size": (_each({View.LAX_4CH: _apical(9)}, _uncalibrated), BODY),
        "a single phase": (_each(both, lambda one: _frames(one, 1)), BODY),
        "fewer than 20 frames": (_each(both, lambda one: _frames(one, 9)), BODY),
        "no heart rate and no frame times": (_each(both, _untimed), UNTIMED_BODY),
        "no height or weight": (both, Body(heart_rate_bpm=60)),
        "no left atrium": (_each(both, lambda one: _without(one, ATRIUM)), BODY),
        "no LV cavity": (_each(both, lambda one: _without(one, LV)), BODY),
    }
    return {name: _of_views(views, body) for name, (views, body) in lacking.items()}


def _of_views(views: Mapping[View, Segmentation], body: Body) -> Findings:
    both = measure_long_axis(views, {}, body)
    return (*both.findings, *both.strain.findings)


def null_when(found: Mapping[str, Findings], key: str) -> list[str]:
    """In which of these hearts the findings of that key, and so of that line, have no value.

    Raises:
        ValueError: not even the whole heart has one.
    """
    empty = [
        name for name, findings in found.items() if all(f.value is None for f in _of(findings, key))
    ]
    if "" in empty:
        raise ValueError(
            f"{key}: the whole heart of docs/hearts.py has no value; add what it needs"
        )
    return empty


def _of(findings: Findings, line: str) -> Iterator[Finding]:
    """Those of a line, of which there may be one for each view or beat."""
    pattern = line.replace("{view}", "[24]ch").replace("{beat}", "[0-9]+")
    return (finding for finding in findings if re.fullmatch(pattern, finding.key))


def _stack() -> Segmentation:
    labels = np.zeros((FRAMES, 6, 40, 40), np.uint8)
    labels[:, 1:5, 8:26, 6:22] = MYO
    labels[:, 1:5, 8:10, 8:12] = SCAR
    labels[:, 0:3, 30:36, 4:10] = ATRIUM
    for one, less in zip(labels, SHRINKS, strict=True):
        one[1:5, 10 : 24 - less, 8:20] = LV
        one[1:4, 9 : 22 - less, 22:29] = RV
    structures = (LV, MYO, RV, ATRIUM, SCAR)
    geometry = Geometry(labels.shape[1:], np.diag([8.0, 1.5, 1.25, 1.0]))
    return Segmentation(labels, geometry, structures, _times())


def _apical(half: int) -> Segmentation:
    labels = np.zeros((FRAMES, 1, 60, 40), np.uint8)
    labels[:, 0, 40:55, 20 - half : 20 + half] = ATRIUM
    for one, less in zip(labels, SHRINKS, strict=True):
        one[0, 8 + less : 40, 20 - half : 20 + half] = LV
    geometry = Geometry(labels.shape[1:], np.diag([3.0, 1.0, 1.0, 1.0]))
    return Segmentation(labels, geometry, (LV, ATRIUM), _times())


def _times() -> tuple[float, ...]:
    return tuple(50.0 * frame for frame in range(FRAMES))


def _uncalibrated(one: Segmentation) -> Segmentation:
    return replace(one, geometry=Geometry.from_pixels(one.geometry.shape))


def _frames(one: Segmentation, count: int) -> Segmentation:
    return one.part(range(count))


def _untimed(one: Segmentation) -> Segmentation:
    return replace(one, times_ms=None)


def _without(one: Segmentation, structure: Structure) -> Segmentation:
    """Without it, as where nobody drew it or could have; a scar is then wall."""
    left = one.labels.copy()
    left[left == structure] = MYO if structure is SCAR else Structure.BACKGROUND
    structures = tuple(other for other in one.structures if other is not structure)
    return replace(one, labels=left, structures=structures)


def _each(
    views: Mapping[View, Segmentation], changed: Callable[[Segmentation], Segmentation]
) -> Mapping[View, Segmentation]:
    return {view: changed(one) for view, one in views.items()}
