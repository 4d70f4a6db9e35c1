"""The sample gallery: up to twelve tiles across a stack's slices and a cine's frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image
from heartseg.core.study import Phases
from heartseg.preview.canvas import INK, Tile, font, tile

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

COLUMNS = 6
MOST = 12
WINDOW_PERCENT = (1.0, 99.5)
"""Intensities between these percentiles of what is shown span black to white, apart from the
darkest value: that is the padding of a picture, the outside of a sector."""

BAR_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BAR_SHARE = 0.35
"""A scale bar is the longest of these lengths that takes no more of a tile's width."""

_OUTLINE: Mapping[str, Any] = {"stroke_width": 2, "stroke_fill": (0, 0, 0)}


@dataclass(frozen=True, slots=True)
class Place:
    """A tile's frame and slice, both counted from 0 in the study's own image."""

    frame: int
    slice: int
    word: str = ""


def places(image: Image, phases: Phases | None) -> list[list[Place]]:
    """Which planes are shown, in lines of up to `COLUMNS` tiles.

    A stack with end-diastole and end-systole: a line of slices of each. A cine stack without: a
    line of slices, and one of the middle slice through the beat. Else slices or frames.
    """
    slices, frames = image.geometry.shape[0], image.frames
    words = {} if phases is None else {phases.ed: "ED", phases.es: "ES"}
    if slices == 1:
        return _lines([Place(t, 0, words.get(t, "")) for t in _spread(frames, MOST)])
    across = _spread(slices, COLUMNS)
    if phases is not None and phases.es is not None and frames > 1:
        both = (("ED", phases.ed), ("ES", phases.es))
        return [[Place(t, z, word) for z in across] for word, t in both if 0 <= t < frames]
    if frames > 1:
        through = [Place(t, slices // 2) for t in _spread(frames, COLUMNS)]
        return [[Place(0, z) for z in across], through]
    return _lines([Place(0, z) for z in _spread(slices, MOST)])


def _spread(count: int, most: int) -> list[int]:
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, most))})


def _lines(found: Sequence[Place]) -> list[list[Place]]:
    columns = COLUMNS if len(found) > COLUMNS else len(found)
    return [list(found[start : start + columns]) for start in range(0, len(found), columns)]


def tiles(image: Image, shown: Sequence[Place], side: int, numbers: tuple[int, ...]) -> list[Tile]:
    """The planes in canonical orientation, all with the same window."""
    orientation = image.geometry.canonical()
    _, dy, dx = image.geometry.oriented(orientation).spacing
    flipped, last = orientation.flip[0], image.geometry.shape[0] - 1
    planes: list[NDArray[Any]] = []
    for place in shown:
        turned = orientation.apply(image.voxels[place.frame])
        planes.append(turned[last - place.slice if flipped else place.slice])
    window = _window(np.stack([p[::2, ::2] for p in planes]))
    return [tile(plane, (dy, dx), side, window=window, numbers=numbers) for plane in planes]


def _window(values: NDArray[Any]) -> tuple[float, float]:
    """Black and white of what was imaged; a rim of one value around it is no part of that."""
    imaged = values[values > values.min()]
    low, high = np.percentile(imaged if imaged.size else values, WINDOW_PERCENT)
    return float(low), float(high)


def caption(place: Place, image: Image) -> str:
    """`ED · frame 1 · slice 3`, what there is only one of left out."""
    parts = [place.word] if place.word else []
    if image.frames > 1:
        parts.append(f"frame {place.frame + 1}")
    if image.geometry.shape[0] > 1:
        parts.append(f"slice {place.slice + 1}")
    return " · ".join(parts)


def draw_tile(
    picture: "Picture",
    draw: "ImageDraw",
    corner: tuple[int, int],
    drawn: Tile,
    *,
    words: str,
    edges: str,
    unit: str,
) -> None:
    """Paste a tile with its caption, scale bar and the letters at its edges.

    Args:
        picture: with `draw` on it.
        draw: of `picture`.
        corner: left and top of the tile.
        drawn: the tile.
        words: caption.
        edges: letters at the top, right, bottom and left; "" where the patient is not known.
        unit: of lengths, "mm" or "px".
    """
    left, top = corner
    side = drawn.picture.width
    picture.paste(drawn.picture, corner)
    draw.text((left + 7, top + 5), words, INK, font(15), **_OUTLINE)
    middle = side // 2
    anchors = (
        (middle, 24, "ma"),
        (side - 6, middle, "rm"),
        (middle, side - 6, "md"),
        (6, middle, "lm"),
    )
    for letter, (x, y, anchor) in zip(edges, anchors, strict=False):
        draw.text((left + x, top + y), letter, INK, font(15), anchor=anchor, **_OUTLINE)
    _draw_bar(draw, (left + 8, top + side - 9), drawn.per_unit, side, unit)


def _draw_bar(
    draw: "ImageDraw", start: tuple[int, int], per_unit: float, side: int, unit: str
) -> None:
    fitting = [one for one in BAR_LENGTHS if one * per_unit <= BAR_SHARE * side]
    length = fitting[-1] if fitting else BAR_LENGTHS[0]
    x, y = start
    end = x + length * per_unit
    draw.line((x, y, end, y), (0, 0, 0), 5)
    draw.line((x, y, end, y), INK, 2)
    draw.text((x, y - 6), f"{length} {unit}", INK, font(13), anchor="ld", **_OUTLINE)
