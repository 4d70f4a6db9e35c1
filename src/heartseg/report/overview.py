"""overview.png: the whole study at a glance, with Pillow only.

End-diastole above end-systole, base to apex, thin contours, and the numbers that matter in a line
above. `heart_picture` is the mosaic alone, which the page shows too.
"""

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.report import words
from heartseg.report.mosaic import Mosaic, Row, column_count, mosaics
from heartseg.report.palette import COLOURS, INK, MUTED, PAPER, VERDICT_COLOURS, Colour
from heartseg.report.words import clean

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

MOST_COLUMNS = 7
LARGEST_TILE, SMALLEST_TILE, WIDTH = 264, 180, 1480
"""Pixels: of a tile, and of the tiles of a line together."""

FLAT_TILE, FLAT_COLUMNS = 480, 2
"""Of views of one plane: pixels of a tile, and tiles side by side."""

GUTTER, GAP, BLOCK_GAP, EDGE = 48, 3, 16, 24
HEADER, FOOTER = 92, 36
LABEL = 19
LEAST_WIDTH = 1000

_FLAT_ORDER = {View.LAX_4CH: 0, View.LAX_2CH: 1, View.LAX_3CH: 2}

JPEG_QUALITY = 92

COMPRESSION = 1
"""Of PNG: a third of the time of Pillow's own choice, and a few percent more bytes."""


def heart_picture(
    report: Report, study: Study, segmentations: Mapping[View, Segmentation]
) -> "tuple[Picture, tuple[Structure, ...]]":
    """The mosaic of all segmented views, and the structures drawn in it."""
    from PIL import Image as Pillow

    if column_count(study, segmentations) == 1:
        return _flat_picture(mosaics(report, study, segmentations, pixels=FLAT_TILE))
    columns, pixels = _layout(column_count(study, segmentations))
    views = mosaics(report, study, segmentations, pixels=pixels)
    lines = [(view, part) for view in views for part in _lines(view, columns)]
    heights = [len(view.rows) * (pixels + GAP) for view, _ in lines]
    width = GUTTER + columns * (pixels + GAP)
    height = sum(heights) + BLOCK_GAP * max(0, len(lines) - 1)
    picture = Pillow.new("RGB", (width, max(1, height)), PAPER)
    top = 0
    for (view, part), tall in zip(lines, heights, strict=True):
        for number, row in enumerate(view.rows):
            _draw_row(picture, view, row, part, (GUTTER, top + number * (pixels + GAP)))
        top += tall + BLOCK_GAP
    drawn = {structure for view in views for structure in view.structures}
    return picture, tuple(sorted(drawn))


def _flat_picture(views: tuple[Mosaic, ...]) -> "tuple[Picture, tuple[Structure, ...]]":
    """Views of one plane each, their phases side by side, in the order of echo laboratories."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    ordered = sorted(views, key=lambda view: _FLAT_ORDER.get(view.view, len(_FLAT_ORDER)))
    tiles = [(view, row) for view in ordered for row in view.rows]
    lines = -(-len(tiles) // FLAT_COLUMNS)
    side = FLAT_TILE + GAP
    picture = Pillow.new("RGB", (min(len(tiles), FLAT_COLUMNS) * side, lines * side), PAPER)
    draw = ImageDraw.Draw(picture)
    for number, (view, row) in enumerate(tiles):
        corner = (number % FLAT_COLUMNS * side, number // FLAT_COLUMNS * side)
        picture.paste(Pillow.fromarray(row.tiles[0]), corner)
        said = (words.view_title(view.view), row.title, f"frame {row.frame + 1}")
        _draw_label(draw, "  ".join(part for part in said if part), corner)
    return picture, tuple(sorted({structure for view in views for structure in view.structures}))


def overview_picture(
    report: Report, heart: "Picture", structures: tuple[Structure, ...]
) -> "Picture":
    """The mosaic under its title, with a legend."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    width = max(heart.width + 2 * EDGE, LEAST_WIDTH)
    picture = Pillow.new("RGB", (width, HEADER + heart.height + FOOTER), PAPER)
    picture.paste(heart, (EDGE, HEADER))
    draw = ImageDraw.Draw(picture)
    _draw_header(draw, report, structures, width)
    foot = (
        f"{words.RESEARCH_ONLY}  ·  model {words.model_line(report)}  ·  "
        f"heartseg {clean(report.provenance.version, longest=30)}"
    )
    draw.text((EDGE, HEADER + heart.height + 11), foot, MUTED, _font(14))
    return picture


def png_bytes(picture: "Picture") -> bytes:
    """The picture as a PNG file."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=COMPRESSION)
    return out.getvalue()


def jpeg_bytes(picture: "Picture") -> bytes:
    """The picture as a JPEG file for the page: a third of a PNG's time and size, no colour lost."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return out.getvalue()


def _layout(slices: int) -> tuple[int, int]:
    """Columns, and pixels of a tile: long stacks go on in further lines."""
    lines = max(1, -(-slices // MOST_COLUMNS))
    columns = max(1, -(-slices // lines))
    return columns, min(LARGEST_TILE, max(SMALLEST_TILE, WIDTH // columns))


def _lines(view: Mosaic, columns: int) -> Iterator[range]:
    """The columns of the mosaic that stand in each line of the picture."""
    for start in range(0, len(view.slices), columns):
        yield range(start, min(start + columns, len(view.slices)))


def _draw_row(
    picture: "Picture", view: Mosaic, row: Row, columns: range, at: tuple[int, int]
) -> None:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    left, top = at
    pixels = row.tiles.shape[1]
    draw = ImageDraw.Draw(picture)
    for place, column in enumerate(columns):
        corner = (left + place * (pixels + GAP), top)
        picture.paste(Pillow.fromarray(row.tiles[column]), corner)
        _draw_label(draw, _slice_label(view, column), corner)
    middle = top + pixels // 2
    draw.text((0, middle - 14), row.title, INK, _font(24), anchor="lm", stroke_width=0.4)
    draw.text((0, middle + 9), "frame", MUTED, _font(15), anchor="lm")
    draw.text((0, middle + 27), str(row.frame + 1), MUTED, _font(15), anchor="lm")


def _slice_label(view: Mosaic, column: int) -> str:
    if view.of == 1:
        return words.view_title(view.view)
    number = view.slices[column]
    end = {1: "  base", view.of: "  apex"}.get(number, "")
    return f"{number}{end}"


def _draw_label(draw: "ImageDraw", text: str, corner: tuple[int, int]) -> None:
    at = (corner[0] + 8, corner[1] + 6)
    draw.text(at, text, (255, 255, 255), _font(LABEL), stroke_width=2, stroke_fill=(0, 0, 0))


def _draw_header(
    draw: "ImageDraw", report: Report, structures: tuple[Structure, ...], width: int
) -> None:
    legend = _legend_width(draw, structures)
    title = _fitting(draw, clean(report.study, longest=64), width - 3 * EDGE - legend)
    draw.text((EDGE, 16), title, INK, _font(25), stroke_width=0.5)
    _draw_legend(draw, structures, width - EDGE - legend)
    verdict = words.VERDICTS[report.quality.verdict]
    right = width - EDGE - draw.textlength(verdict, _font(18))
    colour = VERDICT_COLOURS[report.quality.verdict]
    draw.text((right, 54), verdict, colour, _font(18), stroke_width=0.4)
    _draw_figures(draw, report, right - EDGE)


def _draw_figures(draw: "ImageDraw", report: Report, right: float) -> None:
    left = float(EDGE)
    for name, finding in words.key_figures(report):
        said = words.amount(finding) if words.measured(finding) else "–"
        if left + draw.textlength(f"{name}  {said}", _font(20)) > right:
            break
        draw.text((left, 55), name, MUTED, _font(16))
        left += draw.textlength(name, _font(16)) + 8
        draw.text((left, 52), said, INK, _font(20), stroke_width=0.4)
        left += draw.textlength(said, _font(20)) + 30


def _legend_width(draw: "ImageDraw", structures: tuple[Structure, ...]) -> int:
    return int(sum(draw.textlength(s.title, _font(16)) + 50 for s in structures))


def _draw_legend(draw: "ImageDraw", structures: tuple[Structure, ...], left: float) -> None:
    for structure in structures:
        colour: Colour = COLOURS[structure]
        draw.rounded_rectangle((left + 14, 30, left + 36, 35), 2, colour)
        draw.text((left + 43, 22), structure.title, INK, _font(16))
        left += draw.textlength(structure.title, _font(16)) + 50


def _fitting(draw: "ImageDraw", text: str, room: float) -> str:
    while len(text) > 8 and draw.textlength(text, _font(25)) > room:
        text = text[:-2] + "…"
    return text


@lru_cache(maxsize=16)
def _font(size: int) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size)
