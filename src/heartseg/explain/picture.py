"""A map over its image: tiles of the slices, a legend with the unit, contours for orientation.

Planes are upright and never mirrored, and in the order of the file's slices turned so that z points
to the base (`Geometry.canonical`). Tiles show the heart and some of what is around it; how much of
the map lies outside of them is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases
from heartseg.explain.colours import colours, cover
from heartseg.explain.target import Target
from heartseg.explain.view import Map
from heartseg.preview.canvas import font
from heartseg.report import words
from heartseg.report.drawing import Floats, Stretch, draw_contour, enlarge
from heartseg.report.palette import COLOURS, INK, MUTED, PAPER

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

TILE, GAP, EDGE, GUTTER = 232, 4, 22, 62
"""Pixels: of a tile, between two, around all, and left of the rows for their names."""

ONE_TILE = 420
MOST_COLUMNS = 6
HEADER, FOOTER, LEGEND = 74, 56, 150
MARGIN = 0.9
"""Of the heart's extent, added to it all around."""

FULL_PERCENT = 99.5
"""Of the map's values that are not 0: this percentile has the strongest colour."""

GREY_PERCENT = (1.0, 99.5)
CONTOUR_STRENGTH = np.float32(0.55)

DIMMED = 0.8
"""Brightness of the image under the map, so that light colours stand out."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a map is drawn over."""

    image: Image
    segmentation: Segmentation
    phases: Phases | None
    target: Target
    study: str
    model: str


def map_picture(map_: Map, scene: Scene) -> "Picture":
    """A row a frame, a tile a slice that was asked about."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    turned = scene.image.geometry.canonical()
    pixels = ONE_TILE if len(map_.slices) == 1 else TILE
    columns = min(len(map_.slices), MOST_COLUMNS)
    lines = -(-len(map_.slices) // columns)
    rows = len(map_.frames) * lines
    width = max(GUTTER + columns * (pixels + GAP) + LEGEND + 2 * EDGE, 760)
    picture = Pillow.new("RGB", (width, HEADER + rows * (pixels + GAP) + FOOTER), PAPER)
    draw = ImageDraw.Draw(picture)
    place, full = crop(scene, pixels), largest(map_)
    order = sorted(map_.slices, key=lambda one: turned.place((one, 0, 0), _shape(scene))[0])
    for row, frame in enumerate(map_.frames):
        tiles = _tiles(map_, scene, row, order, place, full)
        for number, (stored, tile) in enumerate(zip(order, tiles, strict=True)):
            line, column = divmod(number, columns)
            top = HEADER + (row * lines + line) * (pixels + GAP)
            corner = (EDGE + GUTTER + column * (pixels + GAP), top)
            picture.paste(Pillow.fromarray(tile), corner)
            silent = not np.isfinite(map_.values[row, stored]).any()
            said = f"slice {stored}" + (f": no {scene.target.structure.title}" if silent else "")
            _on_image(draw, (corner[0] + 8, corner[1] + 6), said)
        _row_name(draw, (EDGE, HEADER + row * lines * (pixels + GAP)), frame, scene.phases)
    _header(draw, map_, scene, width)
    bottom = HEADER + rows * (pixels + GAP)
    _legend(picture, map_, full, (width - LEGEND - EDGE + 18, HEADER, bottom))
    _footer(draw, outside_share(map_, scene.image, place), scene, bottom)
    return picture


def largest(map_: Map) -> float:
    """The value that has the strongest colour; 1 of a map of zeros."""
    size = np.abs(map_.values[np.isfinite(map_.values)])
    size = size[size > 0]
    return float(np.percentile(size, FULL_PERCENT)) if size.size else 1.0


def _shape(scene: Scene) -> tuple[int, int, int]:
    return scene.image.geometry.shape


def _tiles(
    map_: Map,
    scene: Scene,
    row: int,
    order: Sequence[int],
    place: tuple[Stretch, Stretch],
    full: float,
) -> NDArray[np.uint8]:
    """(slices, pixels, pixels, 3) of a frame."""
    turned, frame = scene.image.geometry.canonical(), map_.frames[row]
    at = [int(turned.place((one, 0, 0), _shape(scene))[0]) for one in order]
    grey = np.nan_to_num(turned.apply(scene.image.voxels[frame]).astype(np.float32))
    low, high = np.percentile(grey, GREY_PERCENT)
    wide = np.clip((enlarge(grey[at], *place, smooth=False) - low) / max(high - low, 1e-6), 0, 1)
    known = np.nan_to_num(turned.apply(map_.values[row]))[at]
    shares = enlarge(known, *place, smooth=False) / np.float32(full)
    shares = shares if map_.signed else shares.clip(0.0, None)
    hidden = cover(shares)[..., None]
    under = (255.0 * DIMMED) * wide[..., None]
    pictures = (under * (1 - hidden) + colours(shares, signed=map_.signed) * hidden).astype("f4")
    _draw_contours(pictures, turned.apply(scene.segmentation.labels[frame])[at], place)
    tiles: NDArray[np.uint8] = (pictures.clip(0, 255) + 0.5).astype(np.uint8)
    return tiles


def _draw_contours(
    pictures: Floats, labels: NDArray[np.uint8], place: tuple[Stretch, Stretch]
) -> None:
    """Through which the map still shows: many maps are largest at a border."""
    drawn = pictures.copy()
    # Where borders meet, the line of the LV cavity lies on top.
    for structure in sorted(COLOURS, key=lambda one: one is Structure.LV_CAVITY):
        masks = labels == structure
        if masks.any():
            for tile, mask in zip(drawn, enlarge(masks, *place, smooth=True), strict=True):
                draw_contour(tile, mask, COLOURS[structure])
    pictures += CONTOUR_STRENGTH * (drawn - pictures)


def crop(scene: Scene, pixels: int) -> tuple[Stretch, Stretch]:
    """A square around the heart, in the same millimetres a pixel both ways."""
    orientation = scene.image.geometry.canonical()
    _, *spacing = scene.image.geometry.oriented(orientation).spacing
    labels = orientation.apply(scene.segmentation.labels)
    spans = []
    for axis in (2, 3):
        others = tuple(one for one in range(4) if one != axis)
        held = np.flatnonzero(labels.any(axis=others))
        spans.append((held[0], held[-1]) if len(held) else (0, labels.shape[axis] - 1))
    extents = [
        (last - first + 1) * step for (first, last), step in zip(spans, spacing, strict=True)
    ]
    whole = max(n * s for n, s in zip(labels.shape[2:], spacing, strict=True))
    side = min(max(extents) * (1 + MARGIN), whole)
    rows, columns = (
        Stretch(labels.shape[axis], (first + last) / 2, side / pixels / step, pixels)
        for axis, (first, last), step in zip((2, 3), spans, spacing, strict=True)
    )
    return rows, columns


def outside_share(map_: Map, image: Image, place: tuple[Stretch, Stretch]) -> float:
    """How much of the map, by size, lies outside of the tiles: 0 to 1."""
    orientation = image.geometry.canonical()
    size = orientation.apply(np.abs(np.nan_to_num(map_.values)))
    inside = []
    for one in place:
        at = np.array([one.pixel(index) for index in range(one.voxels)])
        inside.append((at >= -0.5) & (at <= one.pixels - 0.5))
    total = float(size.sum())
    return 1 - float(size[..., inside[0], :][..., inside[1]].sum()) / total if total else 0.0


def _row_name(draw: "ImageDraw", at: tuple[int, int], frame: int, phases: Phases | None) -> None:
    names = {} if phases is None else {phases.ed: "ED", phases.es: "ES"}
    if phases is not None and phases.rv_es is not None and phases.rv_es not in names:
        names[phases.rv_es] = "RV ES"
    draw.text((at[0], at[1] + 8), names.get(frame, ""), INK, font(20), stroke_width=0.4)
    draw.text((at[0], at[1] + 34), f"frame {frame}", MUTED, font(13))


def _header(draw: "ImageDraw", map_: Map, scene: Scene, width: int) -> None:
    title = f"{map_.method}: {scene.target.title}" if map_.asks else map_.method
    draw.text((EDGE, 14), title, INK, font(23), stroke_width=0.5)
    view = words.view_title(map_.view)
    said = f"{words.clean(scene.study, longest=64)}  ·  {view}  ·  model {scene.model}"
    draw.text((EDGE, 45), words.clean(said, longest=110), MUTED, font(14))
    left = float(width - EDGE)
    drawn = [one for one in scene.segmentation.structures if one in COLOURS]
    for structure in reversed(drawn):
        left -= draw.textlength(structure.title, font(13)) + 4
        draw.text((left, 46), structure.title, MUTED, font(13))
        draw.rounded_rectangle((left - 24, 52, left - 5, 55), 1, COLOURS[structure])
        left -= 36


def _legend(picture: "Picture", map_: Map, full: float, place: tuple[int, int, int]) -> None:
    """The scale, over mid-grey as it looks over an image, and its unit."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    left, top, bottom = place
    high = min(bottom - top - 64, 320)
    shares = np.linspace(1.0, -1.0 if map_.signed else 0.0, high)[:, None].repeat(20, 1)
    hidden = cover(shares)[..., None]
    bar = 90.0 * (1 - hidden) + colours(shares, signed=map_.signed) * hidden
    picture.paste(Pillow.fromarray(bar.astype(np.uint8)), (left, top + 6))
    draw = ImageDraw.Draw(picture)
    ends = (full, 0.0, -full) if map_.signed else (full, full / 2, 0.0)
    for number, value in enumerate(ends):
        y = top + 6 + number * (high - 1) / 2
        sign = "+" if map_.signed and value > 0 else ""
        draw.text((left + 27, y), f"{sign}{value:.2g}", INK, font(14), anchor="lm")
    for number, line in enumerate(_wrapped(draw, map_.unit, LEGEND - 6)):
        draw.text((left, top + high + 14 + 17 * number), line, MUTED, font(13))


def _wrapped(draw: "ImageDraw", text: str, room: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font(13)) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _footer(draw: "ImageDraw", outside: float, scene: Scene, bottom: int) -> None:
    said = f"{100 * outside:.0f} % of the map lies outside of what is shown"
    draw.text((EDGE, bottom + 8), said, MUTED, font(13))
    draw.text((EDGE, bottom + 27), words.RESEARCH_ONLY, MUTED, font(13))


def _on_image(draw: "ImageDraw", at: tuple[int, int], said: str) -> None:
    draw.text(at, said, (255, 255, 255), font(15), stroke_width=2, stroke_fill=(0, 0, 0))
