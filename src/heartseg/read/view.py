"""Which view an image shows, and how that was known: words first, then directions, then shape."""

import re

import numpy as np

from heartseg.core.geometry import BASE_LPS, THICK_RATIO, Geometry
from heartseg.core.study import Modality, View

_WORDS: tuple[tuple[View, str], ...] = (
    (View.LATE_ENHANCEMENT, r"\blge\b|late.?(gad|enh)|psir|delayed.?enh|viab"),
    (View.LAX_4CH, r"(?<!\d)4.?ch|four.?ch|\bhla\b"),
    (View.LAX_2CH, r"(?<!\d)2.?ch|two.?ch|\bvla\b"),
    (View.LAX_3CH, r"(?<!\d)3.?ch|three.?ch|\blvot\b"),
    (View.SAX, r"\bsax?\b|\bshax\b|short.?ax"),
)

ALONG_HEART = 0.75
"""|cosine| of the slice normal and the usual long axis of hearts above which slices cut across
it (41 degrees); the patient's own axes stay below (0.58), so axial stacks are not mistaken."""

CINE_FRAMES = 8
"""A loop of at least this many frames shows a beat; two are ED and ES."""


def view_of(
    *,
    modality: Modality | None,
    geometry: Geometry,
    frames: int,
    words: str = "",
    placed: bool,
) -> tuple[View, str]:
    """The view, and the reason in words.

    Args:
        modality: None where the format does not say.
        geometry: of a frame.
        frames: of the image.
        words: series description, protocol or file name.
        placed: whether the directions are the patient's.
    """
    text = re.sub(r"[^a-z0-9]+", " ", words.lower())
    for view, pattern in _WORDS:
        match = re.search(pattern, text)
        if match:
            return view, f"the name says '{match[0]}'"
    if modality == Modality.CT:
        return View.VOLUME, "CT"
    if modality == Modality.US:
        return View.UNKNOWN, "echo without a view in its name"
    if placed:
        return _by_direction(geometry, frames)
    return _by_shape(geometry, frames)


def _by_direction(geometry: Geometry, frames: int) -> tuple[View, str]:
    cosine = abs(float(np.dot(geometry.directions[:, 0], BASE_LPS)))
    angle = float(np.degrees(np.arccos(min(1.0, cosine))))
    shown = f"{geometry.shape[0]} slices x {frames} phases, normal {angle:.0f} degrees off the long"
    if cosine >= ALONG_HEART:
        kind = "cine" if frames >= CINE_FRAMES else "few phases"
        return View.SAX, f"{shown} axis of most hearts ({kind})"
    return View.UNKNOWN, f"{shown} axis of most hearts"


def _by_shape(geometry: Geometry, frames: int) -> tuple[View, str]:
    z, y, x = geometry.spacing
    if geometry.unit == "px" or geometry.shape[0] == 1:
        return View.UNKNOWN, "one plane without a view in its name"
    if z >= THICK_RATIO * max(y, x):
        return View.SAX, f"a stack of {geometry.shape[0]} thick slices ({z:.1f} mm)"
    return View.VOLUME, f"near-isotropic voxels ({z:.1f} x {y:.1f} x {x:.1f} mm)"
