"""Which view an image shows, and how that was known: from words, directions and shape."""

import re
import unicodedata
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import BASE_LPS, DOWN_LPS, THICK_RATIO, Geometry
from heartseg.core.study import Modality, View

_WORDS: tuple[tuple[View, str], ...] = (
    (View.LATE_ENHANCEMENT, r"\blge\b|late.?(gad|enh)|psir|delayed.?enh|viab|tardif|tardi[oav]"),
    (View.LAX_4CH, r"(?<!\d)4.?(ch|k|cav|cam)|four.?ch|vier.?kammer|\bhla\b"),
    (View.LAX_2CH, r"(?<!\d)2.?(ch|k|cav|cam)|two.?ch|zwei.?kammer|\bvla\b"),
    (View.LAX_3CH, r"(?<!\d)3.?(ch|k|cav|cam)|three.?ch|drei.?kammer|\blvot\b"),
    (
        View.SAX,
        r"\bsax?\b|\bshax\b|short.?ax|kurz.?achs|kurze.?achse|petit.?axe|\beje corto|\basse corto"
        r"|\bkorte.?as\b|\bkort.?ax",
    ),
)
"""English, German, French, Spanish, Italian, Dutch and Swedish; a chamber view needs its number."""

ALONG_HEART = 0.75
"""|cosine| of the slice normal and the usual long axis of hearts above which slices cut across
it (41 degrees); the patient's own axes stay below (0.58), so axial stacks are not mistaken."""

ALONG_PLANE = 0.5
"""|cosine| below which a plane runs along the long axis rather than across it (60 degrees)."""

ALONG_PATIENT = 0.98
"""|cosine| of the slice normal and an axis of the patient: an axial, coronal or sagittal plane."""

CINE_FRAMES = 8
"""A loop of at least this many frames shows a beat; two are ED and ES."""

FEW_SLICES, WHOLE_STACK = 3, 5
"""Long-axis cines have at most the first number of parallel slices; stacks at least the second."""

LONG_AXIS_DEGREES = MappingProxyType({View.LAX_2CH: 92, View.LAX_3CH: 38, View.LAX_4CH: -12})
"""Where the plane cuts a short axis, from the lateral to the inferior wall."""

_LONG_AXES = tuple(LONG_AXIS_DEGREES)
_PLANES = ("sagittal", "coronal", "axial")


def view_of(
    *,
    modality: Modality | None,
    geometry: Geometry,
    frames: int,
    words: str = "",
    placed: bool,
    axis: NDArray[np.float64] | None = None,
) -> tuple[View, str]:
    """The view, and the reason in words. Words are hints: where directions contradict, these win.

    Args:
        modality: None where the format does not say.
        geometry: of a frame.
        frames: of the image.
        words: series description, protocol or file name.
        placed: whether the directions are the patient's.
        axis: long axis of this heart in LPS+, where other images of the study show it.
    """
    named, word = _by_words(words)
    if modality in (Modality.CT, Modality.US) or not placed:
        if named is not None:
            return named, f"the name says '{word}'"
        return _unplaced(modality, geometry)
    cosine, whose = _across(geometry, axis)
    if named is None:
        return _by_direction(geometry, frames, cosine, whose)
    against = _contradiction(named, geometry, frames, cosine)
    view, why = _by_direction(geometry, frames, cosine, whose)
    if not against and view is named:
        return named, f"{why}; the name says '{word}' too"
    if not against:
        return named, f"the name says '{word}'"
    return view, f"{why}; the name says '{word}', but {against}"


def _by_words(words: str) -> tuple[View | None, str]:
    text = plain_words(words)
    for view, pattern in _WORDS:
        match = re.search(pattern, text)
        if match:
            return view, match[0]
    return None, ""


def plain_words(text: str) -> str:
    """Small letters without accents and numbers, a blank between words."""
    letters = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", letters)


def _unplaced(modality: Modality | None, geometry: Geometry) -> tuple[View, str]:
    if modality == Modality.CT:
        return View.VOLUME, "CT"
    if modality == Modality.US:
        return View.UNKNOWN, "echo without a view in its name"
    return _by_shape(geometry)


def _across(geometry: Geometry, axis: NDArray[np.float64] | None) -> tuple[float, str]:
    """|cosine| of the slice normal and the long axis: this heart's or that of most."""
    normal = geometry.directions[:, 0]
    usual = abs(float(np.dot(normal, BASE_LPS))), "of most hearts"
    if axis is None:
        return usual
    return max(usual, (abs(float(np.dot(normal, axis))), "that the long-axis cines show"))


def _contradiction(named: View, geometry: Geometry, frames: int, cosine: float) -> str:
    """What in the directions or the frames a name cannot be right with; empty where nothing."""
    slices = geometry.shape[0]
    if named is View.LATE_ENHANCEMENT and frames >= CINE_FRAMES:
        return f"it has {frames} phases"
    if named is View.SAX and cosine < ALONG_PLANE and slices < WHOLE_STACK:
        return "its plane runs along the heart"
    if named in _LONG_AXES and cosine >= ALONG_HEART and slices >= FEW_SLICES:
        return f"its {slices} slices cut across the heart"
    return ""


def _by_direction(geometry: Geometry, frames: int, cosine: float, whose: str) -> tuple[View, str]:
    angle = float(np.degrees(np.arccos(min(1.0, cosine))))
    slices, normal = geometry.shape[0], np.abs(geometry.directions[:, 0])
    shown = (
        f"{slices} slices x {frames} phases, normal {angle:.0f} degrees off the long axis {whose}"
    )
    if cosine >= ALONG_HEART:
        kind = "cine" if frames >= CINE_FRAMES else "few phases"
        return View.SAX, f"{shown} ({kind})"
    if float(normal.max()) >= ALONG_PATIENT:
        return View.OTHER, f"{_PLANES[int(normal.argmax())]}, {slices} slices x {frames} phases"
    if cosine >= ALONG_PLANE:
        return View.UNKNOWN, shown
    if slices <= FEW_SLICES and frames >= CINE_FRAMES:
        return _long_axis_view(geometry)
    return View.OTHER, f"{shown}: along the heart, not across it"


def _long_axis_view(geometry: Geometry) -> tuple[View, str]:
    """Which of the three long-axis planes is nearest, by where it cuts a usual short axis."""
    inferior = DOWN_LPS - np.dot(DOWN_LPS, BASE_LPS) * BASE_LPS
    inferior /= np.linalg.norm(inferior)
    lateral = np.cross(inferior, BASE_LPS)
    cut = np.cross(BASE_LPS, geometry.directions[:, 0])
    degrees = float(np.degrees(np.arctan2(np.dot(cut, inferior), np.dot(cut, lateral))))

    def away(view: View) -> float:
        apart = abs(degrees - LONG_AXIS_DEGREES[view]) % 180.0
        return min(apart, 180.0 - apart)

    view = min(_LONG_AXES, key=away)
    return view, f"a cine along the heart, {away(view):.0f} degrees from the usual {view} plane"


def long_axis_of(normals: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """The line that planes along a heart share; None where they do not share one.

    Args:
        normals: of at least two planes.
    """
    if len(normals) < 2:
        return None
    _, strengths, directions = np.linalg.svd(np.array(normals))
    strengths = strengths / np.sqrt(len(normals))
    if strengths[1] < 0.3 or (len(strengths) > 2 and strengths[2] > 0.15):
        return None
    found: NDArray[np.float64] = directions[2]
    return found


def _by_shape(geometry: Geometry) -> tuple[View, str]:
    z, y, x = geometry.spacing
    if geometry.unit == "px" or geometry.shape[0] == 1:
        return View.UNKNOWN, "one plane without a view in its name"
    if z >= THICK_RATIO * max(y, x):
        return View.SAX, f"a stack of {geometry.shape[0]} thick slices ({z:.1f} mm)"
    return View.VOLUME, f"near-isotropic voxels ({z:.1f} x {y:.1f} x {x:.1f} mm)"
