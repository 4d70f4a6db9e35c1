"""Which font prints which letter: a character that none holds is an error, never an empty box.

DejaVu Sans Condensed prints Latin, Cyrillic and Greek, Droid Sans Fallback the characters of
Chinese and Japanese; both are shipped as subsets (`fonts/LICENCES.md`). A font of the user's goes
before the latter, and prints what neither holds. Scripts that run from right to left or join their
letters need more than a font, and are refused.
"""

import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from heartseg.core.errors import ConfigError, OutputError

FOLDER = Path(__file__).with_name("fonts")
REGULAR = FOLDER / "DejaVuSansCondensed.ttf"
BOLD = FOLDER / "DejaVuSansCondensed-Bold.ttf"
HAN = FOLDER / "DroidSansFallback.ttf"

LARGEST_FONT = 64 * 2**20
"""Bytes; the largest fonts of all Chinese characters have half of it."""

_FROM_RIGHT = frozenset({"R", "AL", "AN"})
_LATIN_MARKS = range(0x0300, 0x0370)


@lru_cache(maxsize=8)
def _loaded(file: Path) -> Any:
    """A font, ready to be embedded, under the name of its file."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    ours = file.parent == FOLDER
    name = file.stem if ours else f"site-{file.stem}-{len(pdfmetrics.getRegisteredFontNames())}"
    font = TTFont(name, str(file))
    if not ours:
        # reportlab takes fonts of one inner name for one font: two releases of DejaVu, say.
        font.face.name = f"Site-{font.face.name.decode('latin-1')}".encode("latin-1")
    pdfmetrics.registerFont(font)
    return font


def site_font(file: Path) -> Path:
    """The file, when it is a font that can be embedded.

    Raises:
        ConfigError: no such file, or no TrueType font.
    """
    from reportlab.pdfbase.ttfonts import TTFError

    where = f"--font {file.name}"
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_FONT:
            raise ConfigError(where, got="no such file, or one of more than 64 MB")
        _loaded(file.absolute())
    except (TTFError, OSError, ValueError, KeyError, IndexError, AttributeError) as fault:
        raise ConfigError(
            where,
            got=f"a file that is no TrueType font ({type(fault).__name__})",
            allowed="a .ttf or .ttc with TrueType outlines (no .otf of PostScript outlines)",
        ) from fault
    return file.absolute()


class Lettering:
    """The fonts of one document.

    Args:
        site: a font of the user's, or None.
    """

    def __init__(self, site: Path | None = None) -> None:
        self._site = None if site is None else site_font(site)

    @cached_property
    def _plain(self) -> tuple[Path, ...]:
        return (REGULAR, *((self._site,) if self._site else ()), HAN)

    @cached_property
    def _bold(self) -> tuple[Path, ...]:
        return (BOLD, *self._plain[1:])

    def is_bold(self, name: str) -> bool:
        """True for the name of a font that is bold by itself."""
        return name == BOLD.stem

    def runs(self, text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
        """Pieces of a text, each with the name of the font that prints it.

        Raises:
            OutputError: a character that no font holds, or of a script that needs more than one.
        """
        for file, run in self.files(text, bold=bold):
            yield str(_loaded(file).fontName), run

    def files(self, text: str, *, bold: bool = False) -> Iterator[tuple[Path, str]]:
        """The same with the fonts' files."""
        fonts = self._bold if bold else self._plain
        placed = ((_printed(character, fonts)[0], character) for character in text)
        for file, run in groupby(placed, key=lambda one: one[0]):
            yield file, "".join(character for _, character in run)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Of a text in points."""
        fonts = self._bold if bold else self._plain
        return size * sum(_printed(character, fonts)[1] for character in text)


@lru_cache(maxsize=8192)
def _printed(character: str, fonts: tuple[Path, ...]) -> tuple[Path, float]:
    """The font that prints a character, and how wide it is at a size of 1."""
    code = ord(character)
    _require_simple(character, code)
    for file in fonts:
        font = _loaded(file)
        if code in font.face.charToGlyph:
            return file, float(font.stringWidth(character, 1))
    raise OutputError(
        "report.pdf",
        got=f"{_said(character, code)}, which no font at hand can print",
        do="name a TrueType font that holds it with --font FILE.ttf, or leave pdf out of --formats",
    )


def _require_simple(character: str, code: int) -> None:
    joins = unicodedata.category(character) in ("Mn", "Mc", "Me") and code not in _LATIN_MARKS
    if joins or unicodedata.bidirectional(character) in _FROM_RIGHT:
        why = "joins its letters" if joins else "runs from right to left"
        raise OutputError(
            "report.pdf",
            got=f"{_said(character, code)} of a script that {why}",
            allowed="letters that stand side by side from left to right",
            do="leave pdf out of --formats: report.html shows it",
        )


def _said(character: str, code: int) -> str:
    name = unicodedata.name(character, "")
    return f"'{character}' (U+{code:04X}{' ' if name else ''}{name})"
