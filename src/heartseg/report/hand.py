"""What writes into pictures: a language and the fonts that have its letters."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.core.errors import OutputError
from heartseg.report.language import ENGLISH, Language
from heartseg.report.lettering import Lettering
from heartseg.report.palette import Colour

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont


@dataclass(frozen=True, slots=True)
class Hand:
    """Writes in one language.

    Attributes:
        language: of the words.
        lettering: its fonts; None for Pillow's own, which has the Latin letters.
    """

    language: Language = ENGLISH
    lettering: Lettering | None = None

    def say(self, text: str) -> str:
        """In the language; in English where no font at hand draws its letters."""
        said = self.language.say(text)
        try:
            self._runs(said)
        except OutputError:
            return text
        return said

    def length(self, text: str, size: int) -> float:
        """Pixels that a text takes."""
        return sum(_font(face, size).getlength(run) for face, run in self._runs(text))

    def write(
        self,
        draw: "ImageDraw",
        at: tuple[float, float],
        text: str,
        look: tuple[int, Colour, float],
        *,
        outline: Colour | None = None,
    ) -> None:
        """Draw a text, its top left corner at a place; `look` is size, colour and weight."""
        size, colour, weight = look
        if self.lettering is not None and outline is None:
            weight = 0.0  # the strokes of small Chinese characters would run together
        x, y = at
        for face, run in self._runs(text):
            font = _font(face, size)
            draw.text((x, y), run, colour, font, stroke_width=weight, stroke_fill=outline)
            x += font.getlength(run)

    def fitting(self, text: str, size: int, room: float) -> int:
        """The size, or the next smaller one in which a text takes no more than the room."""
        while size > 8 and self.length(text, size) > room:
            size -= 1
        return size

    def _runs(self, text: str) -> list[tuple[Path | None, str]]:
        return [(None, text)] if self.lettering is None else list(self.lettering.files(text))


IN_ENGLISH = Hand()


def hand_of(language: Language, site: Path | None) -> Hand:
    """Pillow's own font for English, those of the PDF for any other language."""
    return IN_ENGLISH if language.phrases is None else Hand(language, Lettering(site))


@lru_cache(maxsize=32)
def _font(face: Path | None, size: int) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size) if face is None else ImageFont.truetype(str(face), size)
