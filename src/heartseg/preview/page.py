"""The whole picture: for each view of a study a gallery and, below it, its preparation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, Study, View
from heartseg.prepare import Preparation, Step
from heartseg.preview import gallery
from heartseg.preview.canvas import (
    INK,
    LABEL_COLOURS,
    LINE,
    MUTED,
    PAPER,
    fitted,
    font,
    number,
    tile,
)
from heartseg.preview.histogram import HEIGHT as HISTOGRAM
from heartseg.preview.histogram import draw_histogram
from heartseg.read.inspect import orientation_known, orientation_letters
from heartseg.read.numbers import few_numbers
from heartseg.report.words import RESEARCH_ONLY, clean, view_title

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

WIDTH, EDGE, GAP = 1400, 24, 6
INNER = WIDTH - 2 * EDGE
SMALLEST_SIDE, LARGEST_SIDE = 220, 420
HEADING, FOOT = 46, 40
STEP_GAP, STEP_WORDS = 22, 64
MOST_STEPS = 5
"""Panels side by side; more go on in further lines."""

_OPPOSITE = dict(zip("RLAPHF", "LRPAFH", strict=True))


@dataclass(frozen=True, slots=True)
class Use:
    """What a view is prepared with.

    Attributes:
        preparation: the settings.
        words: whose they are.
    """

    preparation: Preparation
    words: str


def preview_picture(study: Study, uses: Mapping[View, Use]) -> "Picture":
    """The picture of a study, about 1400 pixels wide.

    Args:
        study: as read.
        uses: how each view is prepared; a label image is not prepared.
    """
    from PIL import Image as Pictures

    parts = [_view_picture(study, view, uses[view]) for view in study.images]
    height = EDGE + HEADING + sum(part.height for part in parts) + FOOT
    picture = Pictures.new("RGB", (WIDTH, height), PAPER)
    draw = _draw(picture)
    draw.text((EDGE, EDGE - 4), clean(study.id, longest=64), INK, font(26), stroke_width=0.4)
    top = EDGE + HEADING
    for part in parts:
        picture.paste(part, (0, top))
        top += part.height
    draw.text((EDGE, top + 8), RESEARCH_ONLY, MUTED, font(14))
    return picture


def _view_picture(study: Study, view: View, use: Use) -> "Picture":
    from PIL import Image as Pictures

    image = study.images[view]
    numbers = few_numbers(image.voxels)
    lines = gallery.places(image, study.phases.get(view))
    columns = max(len(line) for line in lines)
    side = (INNER - (columns - 1) * GAP) // columns
    side = min(LARGEST_SIDE, max(SMALLEST_SIDE, side))
    place = lines[0][len(lines[0]) // 2]
    panels = [] if numbers else list(_panels(image, place, use))
    across = min(MOST_STEPS, max(1, len(panels)))
    panel = min(LARGEST_SIDE, (INNER - (across - 1) * STEP_GAP) // across)
    rows = -(-len(panels) // MOST_STEPS)
    tall = panel + STEP_WORDS + HISTOGRAM + STEP_GAP
    height = HEADING + len(lines) * (side + GAP) + STEP_GAP + HEADING + rows * tall
    picture = Pictures.new("RGB", (WIDTH, height), PAPER)
    _draw_heading(_draw(picture), 0, _title(study, view), _facts(image))
    _draw_gallery(picture, image, view, lines, (side, HEADING))
    top = HEADING + len(lines) * (side + GAP) + STEP_GAP
    if numbers:
        _draw_heading(_draw(picture), top, "Label numbers", "nothing to prepare")
        _draw_numbers(_draw(picture), top, numbers)
    else:
        shown = (gallery.caption(place, image), use.words, "the yellow lines become 0 and 1")
        said = "; ".join(part for part in shown if part)
        _draw_heading(_draw(picture), top, "Preparation, step by step", said)
    for number_of_step, step in enumerate(panels):
        left = EDGE + number_of_step % MOST_STEPS * (panel + STEP_GAP)
        corner = (left, top + HEADING + number_of_step // MOST_STEPS * tall)
        _draw_panel(picture, corner, panel, step)
    return picture


def _title(study: Study, view: View) -> str:
    modality = "" if study.modality is Modality.OTHER else f"{study.modality} "
    return modality + ("view not known" if view is View.UNKNOWN else view_title(view))


def _draw(picture: "Picture") -> "ImageDraw":
    from PIL import ImageDraw

    return ImageDraw.Draw(picture)


def _draw_heading(draw: "ImageDraw", top: int, title: str, words: str) -> None:
    draw.line((EDGE, top + 4, WIDTH - EDGE, top + 4), LINE)
    draw.text((EDGE, top + 14), title, INK, font(20), stroke_width=0.3)
    left = EDGE + draw.textlength(title, font(20)) + 18
    shown = fitted(draw, clean(words), 16, WIDTH - EDGE - left)
    draw.text((left, top + 18), shown, MUTED, font(16))


def _draw_numbers(draw: "ImageDraw", top: int, numbers: tuple[int, ...]) -> None:
    left = float(EDGE + 320)
    for place, value in enumerate(one for one in numbers if one):
        colour = LABEL_COLOURS[place % len(LABEL_COLOURS)]
        draw.rectangle((left, top + 20, left + 14, top + 34), colour)
        draw.text((left + 20, top + 18), str(value), INK, font(16))
        left += 44 + draw.textlength(str(value), font(16))


def _facts(image: Image) -> str:
    (slices, rows, columns), (z, y, x) = image.geometry.shape, image.geometry.spacing
    unit = image.geometry.unit
    size = f"{rows} x {columns} pixels of {number(y)} x {number(x)} {unit}"
    if unit == "px":
        size = f"{rows} x {columns} pixels, without millimetres"
    apart = f" {number(z)} mm apart" if unit == "mm" else ""
    stack = f"{slices} slices{apart}  ·  " if slices > 1 else ""
    frames = f"{image.frames} frames  ·  " if image.frames > 1 else ""
    return f"{frames}{stack}{size}"


def _draw_gallery(
    picture: "Picture",
    image: Image,
    view: View,
    lines: list[list[gallery.Place]],
    at: tuple[int, int],
) -> None:
    side, top = at
    places = [place for line in lines for place in line]
    drawn = iter(gallery.tiles(image, places, side, few_numbers(image.voxels)))
    edges = _edges(image.geometry, view)
    for number_of_line, line in enumerate(lines):
        for column, place in enumerate(line):
            gallery.draw_tile(
                picture,
                _draw(picture),
                (EDGE + column * (side + GAP), top + number_of_line * (side + GAP)),
                next(drawn),
                words=gallery.caption(place, image),
                edges=edges,
                unit=image.geometry.unit,
            )


def _edges(geometry: Geometry, view: View) -> str:
    """Letters at the top, right, bottom and left of an upright plane; "" where not known."""
    if not orientation_known(geometry, view):
        return ""
    letters = orientation_letters(geometry.oriented(geometry.canonical()))
    down, right = letters[1], letters[2]
    return _OPPOSITE[down] + right + down + _OPPOSITE[right]


@dataclass(frozen=True, slots=True)
class Panel:
    """A step as it is shown: one plane of it, with the lines in its histogram."""

    name: str
    plane: NDArray[Any]
    spacing: tuple[float, float]
    unit: str
    marks: tuple[float, ...]


def _panels(image: Image, place: gallery.Place, use: Use) -> Iterator[Panel]:
    sample = use.preparation.sample(image)
    middle = [place.slice, *((n - 1) / 2 for n in image.geometry.shape[1:])]
    position = image.geometry.point(middle)
    for step in sample.steps(place.frame):
        plane = step.planes[_slice_at(step, position)]
        as_in_file = np.shares_memory(step.planes, image.voxels)
        _, dy, dx = step.geometry.spacing
        marks = sample.intensities if as_in_file else ()
        yield Panel(step.name, plane, (dy, dx), step.geometry.unit, marks)


def _slice_at(step: Step, position: NDArray[np.float64]) -> int:
    """The slice of a step's grid that holds a place in the patient."""
    affine = step.geometry.affine
    z = float(np.linalg.solve(affine[:3, :3], position - affine[:3, 3])[0])
    return int(np.clip(round(z), 0, step.geometry.shape[0] - 1))


def _draw_panel(picture: "Picture", corner: tuple[int, int], side: int, panel: Panel) -> None:
    left, top = corner
    draw = _draw(picture)
    low, high = float(panel.plane.min()), float(panel.plane.max())
    shown = tile(panel.plane, panel.spacing, side, window=(low, high))
    draw.text((left, top), fitted(draw, panel.name, 17, side), INK, font(17), stroke_width=0.2)
    (rows, columns), (y, x) = panel.plane.shape, panel.spacing
    pixel = f" of {number(y)} x {number(x)} {panel.unit}" if panel.unit == "mm" else " px"
    words = f"{rows} x {columns}{pixel}"
    draw.text((left, top + 23), fitted(draw, words, 14, side), MUTED, font(14))
    said = f"{number(low)} to {number(high)}, black to white"
    draw.text((left, top + 42), fitted(draw, said, 14, side), MUTED, font(14))
    picture.paste(shown.picture, (left, top + STEP_WORDS))
    below = (left, top + STEP_WORDS + side + 4)
    draw_histogram(draw, below, side, panel.plane, panel.marks)
