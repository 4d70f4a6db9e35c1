"""Text set in lines for the PDF: no markup, so nothing in a text can command anything.

Lines break at blanks, after hyphens and slashes, and between Chinese characters, though not before
a closing sign or after an opening one; what is wider than a line by itself is cut.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable

from heartseg.report.lettering import REGULAR, Lettering

OUTLINE = 0.028
"""Of a font that has no bold letters: these are drawn with an outline, as a share of their size."""

BARE = (
    *((f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("FONTNAME", (0, 0), (-1, -1), REGULAR.stem),
)
"""Style of a table without paddings; reportlab would name Helvetica in it, unembedded."""

_NOT_FIRST = frozenset("。，、；：？！）》」』】%％…·°²,.;:?!)]’”")
_NOT_LAST = frozenset("（《「『【([‘“")
_WORDS = re.compile(r"\s+|--\w[\w-]*|[^\s/–—-]+[/–—-]*|[/–—-]+")  # an option stays whole


@dataclass(frozen=True, slots=True)
class Style:
    """How a text looks.

    Attributes:
        size: of the letters, in points.
        colour: `#171c24`.
        bold: heavier.
        right: against the right border.
        hang: indent of all lines, in points; a bullet stands in it.
    """

    size: float
    colour: str
    bold: bool = False
    right: bool = False
    hang: float = 0.0

    @property
    def leading(self) -> float:
        """From line to line."""
        return 1.3 * self.size


def lines_of(text: str, width: float, style: Style, lettering: Lettering) -> list[str]:
    """The text in lines of at most so many points."""
    made, line, used = list[str](), "", 0.0
    for piece in _pieces(unicodedata.normalize("NFC", text)):
        wide = lettering.width(piece, style.size, bold=style.bold)
        if used + wide > width and line.strip():
            made.append(line.rstrip())
            line, used = "", 0.0
        if not line and piece.isspace():
            continue
        for part in _cut(piece, wide, width, style, lettering):
            if line and used + wide > width:
                made.append(line)
                line, used = "", 0.0
            line += part
            used += lettering.width(part, style.size, bold=style.bold)
    return [*made, line.rstrip()] if line.strip() or not made else made


def _cut(
    piece: str, wide: float, width: float, style: Style, lettering: Lettering
) -> Iterator[str]:
    """A piece that fits a line, or the parts of it that do."""
    if wide <= width:
        yield piece
        return
    part, used = "", 0.0
    for character in piece:
        one = lettering.width(character, style.size, bold=style.bold)
        if part and used + one > width:
            yield part
            part, used = "", 0.0
        part += character
        used += one
    yield part


def _pieces(text: str) -> Iterator[str]:
    """Parts between which a line may end."""
    for word in _WORDS.findall(text):
        piece = ""
        for character in word:
            apart = piece and (_wide(character) or _wide(piece[-1]))
            if apart and character not in _NOT_FIRST and piece[-1] not in _NOT_LAST:
                yield piece
                piece = ""
            piece += character
        yield piece


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def put(
    canvas: Any, place: tuple[float, float], text: str, style: Style, lettering: Lettering
) -> None:
    """One line on the canvas, from a place on its base line (to it, where the style is right)."""
    text = unicodedata.normalize("NFC", text)
    x, y = place
    if style.right:
        x -= lettering.width(text, style.size, bold=style.bold)
    canvas.saveState()
    canvas.setLineWidth(OUTLINE * style.size)
    said = canvas.beginText(x, y)
    said.setFillColor(HexColor(style.colour))
    said.setStrokeColor(HexColor(style.colour))
    for name, run in lettering.runs(text, bold=style.bold):
        said.setFont(name, style.size)
        said.setTextRenderMode(2 if style.bold and not lettering.is_bold(name) else 0)
        said.textOut(run)
    canvas.drawText(said)
    canvas.restoreState()


class Text(Flowable):  # type: ignore[misc] # reportlab brings no types
    """A paragraph."""

    def __init__(
        self, text: str, style: Style, lettering: Lettering, *, bullet: str = "", below: float = 0.0
    ) -> None:
        super().__init__()
        self.text, self.style, self.lettering = text, style, lettering
        self.bullet, self.below = bullet, below
        self.width = -1.0
        self._lines: list[str] = []

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Called by reportlab, several times: the size that it takes."""
        if width != self.width:
            self._lines = lines_of(self.text, width - self.style.hang, self.style, self.lettering)
        self.width = width
        self.height = len(self._lines) * self.style.leading + self.below
        return width, self.height

    def draw(self) -> None:
        """Called by reportlab."""
        x = self.width if self.style.right else self.style.hang
        y = self.height - 0.98 * self.style.size
        if self.bullet:
            put(self.canv, (0, y), self.bullet, self.style, self.lettering)
        for line in self._lines:
            put(self.canv, (x, y), line, self.style, self.lettering)
            y -= self.style.leading

    def split(self, width: float, height: float) -> list[Flowable]:
        """Called by reportlab: what fits the height, and the rest."""
        self.wrap(width, height)
        fitting = int(height // self.style.leading)
        if fitting < 2 or fitting >= len(self._lines):
            return []
        first, rest = " ".join(self._lines[:fitting]), " ".join(self._lines[fitting:])
        return [
            Text(first, self.style, self.lettering, bullet=self.bullet),
            Text(rest, self.style, self.lettering, below=self.below),
        ]


class Pair(Flowable):  # type: ignore[misc] # reportlab brings no types
    """Two paragraphs side by side, the second at a share of the width; with a rule of that colour
    below, where there is one."""

    def __init__(self, first: Text, second: Text, share: float, *, rule: str = "") -> None:
        super().__init__()
        self.first, self.second, self.share, self.rule = first, second, share, rule

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Called by reportlab: the size that it takes."""
        self.width = width
        wide = self.share * width
        _, left = self.first.wrap(wide - 6, height)
        _, right = self.second.wrap(width - wide, height)
        self.height = max(left, right) + (2.6 if self.rule else 0.0)
        return width, self.height

    def draw(self) -> None:
        """Called by reportlab."""
        top = self.height - (0.8 if self.rule else 0.0)
        for text, x in ((self.first, 0.0), (self.second, self.share * self.width)):
            text.drawOn(self.canv, x, top - text.height)
        if self.rule:
            self.canv.setStrokeColor(HexColor(self.rule))
            self.canv.setLineWidth(0.4)
            self.canv.line(0, 0, self.width, 0)
