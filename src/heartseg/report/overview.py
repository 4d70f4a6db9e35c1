"""overview.png: the whole study at a glance, with Pillow only.

End-diastole above end-systole, base to apex, thin contours, and the numbers that matter in a line
above. `heart_picture` is the mosaic alone, which the page shows too.
"""

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.report import words
from heartseg.report.finding_tables import figures
from heartseg.report.hand import IN_ENGLISH, Hand
from heartseg.report.mosaic import Mosaic, Row, column_count, mosaics
from heartseg.report.palette import COLOURS, INK, MUTED, PAPER, VERDICT_COLOURS, Colour
from heartseg.report.words import clean

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw

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

JPEG_QUALITY = 88

COMPRESSION = 1
"""Of PNG: a third of the time of Pillow's own choice, and a few percent more bytes."""


def heart_picture(
    report: Report,
    study: Study,
    segmentations: Mapping[View, Segmentation],
    hand: Hand = IN_ENGLISH,
) -> "tuple[Picture, tuple[Structure, ...]]":
    """The mosaic of all segmented views, and the structures drawn in it."""
    from PIL import Image as Pillow

    if column_count(study, segmentations) == 1:
        return _flat_picture(mosaics(report, study, segmentations, pixels=FLAT_TILE), hand)
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
            corner = (GUTTER, top + number * (pixels + GAP))
            _draw_row(picture, view, (row, part), corner, hand)
        top += tall + BLOCK_GAP
    drawn = {structure for view in views for structure in view.structures}
    return picture, tuple(sorted(drawn))


def _flat_picture(views: tuple[Mosaic, ...], hand: Hand) -> "tuple[Picture, tuple[Structure, ...]]":
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
        _draw_label(draw, "  ".join(hand.say(part) for part in said if part), corner, hand)
    return picture, tuple(sorted({structure for view in views for structure in view.structures}))


def overview_picture(
    report: Report,
    heart: "Picture",
    structures: tuple[Structure, ...],
    hand: Hand = IN_ENGLISH,
) -> "Picture":
    """The mosaic under its title, with a legend."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    width = max(heart.width + 2 * EDGE, LEAST_WIDTH)
    picture = Pillow.new("RGB", (width, HEADER + heart.height + FOOTER), PAPER)
    picture.paste(heart, (EDGE, HEADER))
    draw = ImageDraw.Draw(picture)
    _draw_header(draw, report, structures, width, hand)
    model = hand.say(f"model {words.model_line(report)}")
    version = clean(report.provenance.version, longest=30)
    foot = f"{hand.say(words.RESEARCH_ONLY)}  ·  {model}  ·  heartseg {version}"
    hand.write(draw, (EDGE, HEADER + heart.height + 11), foot, (14, MUTED, 0))
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
    picture: "Picture", view: Mosaic, shown: tuple[Row, range], at: tuple[int, int], hand: Hand
) -> None:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    (row, columns), (left, top) = shown, at
    pixels = row.tiles.shape[1]
    draw = ImageDraw.Draw(picture)
    for place, column in enumerate(columns):
        corner = (left + place * (pixels + GAP), top)
        picture.paste(Pillow.fromarray(row.tiles[column]), corner)
        _draw_label(draw, _slice_label(view, column, hand), corner, hand)
    middle = top + pixels // 2
    named, title = hand.say("frame"), hand.say(row.title)
    large, small = hand.fitting(title, 24, GUTTER - 4), hand.fitting(named, 15, GUTTER - 4)
    hand.write(draw, (0, middle - 28), title, (large, INK, 0.4))
    hand.write(draw, (0, middle), named, (small, MUTED, 0))
    hand.write(draw, (0, middle + 18), str(row.frame + 1), (15, MUTED, 0))


def _slice_label(view: Mosaic, column: int, hand: Hand) -> str:
    if view.of == 1:
        return hand.say(words.view_title(view.view))
    number = view.slices[column]
    end = {1: "base", view.of: "apex"}.get(number, "")
    return f"{number}  {hand.say(end)}".rstrip()


def _draw_label(draw: "ImageDraw", text: str, corner: tuple[int, int], hand: Hand) -> None:
    at = (corner[0] + 8, corner[1] + 6)
    hand.write(draw, at, text, (LABEL, (255, 255, 255), 2), outline=(0, 0, 0))


def _draw_header(
    draw: "ImageDraw", report: Report, structures: tuple[Structure, ...], width: int, hand: Hand
) -> None:
    legend = _legend_width(structures, hand)
    room = width - 3 * EDGE - legend
    title = _fitting(clean(report.study, longest=64), room, hand)
    hand.write(draw, (EDGE, 16), title, (25, INK, 0.5))
    _draw_legend(draw, structures, width - EDGE - legend, hand)
    verdict = hand.say(words.VERDICTS[report.quality.verdict])
    right = width - EDGE - hand.length(verdict, 18)
    colour = VERDICT_COLOURS[report.quality.verdict]
    hand.write(draw, (right, 54), verdict, (18, colour, 0.4))
    _draw_figures(draw, report, right - EDGE, hand)


def _draw_figures(draw: "ImageDraw", report: Report, right: float, hand: Hand) -> None:
    left = float(EDGE)
    for figure in figures(report, hand.language):
        said = f"{figure.value} {figure.unit}" if figure.value else "–"
        if left + hand.length(f"{figure.name}  {said}", 20) > right:
            break
        hand.write(draw, (left, 55), figure.name, (16, MUTED, 0))
        left += hand.length(figure.name, 16) + 8
        hand.write(draw, (left, 52), said, (20, INK, 0.4))
        left += hand.length(said, 20) + 30


def _legend_width(structures: tuple[Structure, ...], hand: Hand) -> int:
    names = [hand.say(structure.title) for structure in structures]
    return int(sum(hand.length(name, 16) + 50 for name in names))


def _draw_legend(
    draw: "ImageDraw", structures: tuple[Structure, ...], left: float, hand: Hand
) -> None:
    for structure in structures:
        colour: Colour = COLOURS[structure]
        title = hand.say(structure.title)
        draw.rounded_rectangle((left + 14, 30, left + 36, 35), 2, colour)
        hand.write(draw, (left + 43, 22), title, (16, INK, 0))
        left += hand.length(title, 16) + 50


def _fitting(text: str, room: float, hand: Hand) -> str:
    while len(text) > 8 and hand.length(text, 25) > room:
        text = text[:-2] + "…"
    return text
