"""How the pages are printed: in which language, with which font, with or without the patient."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from heartseg.report.hand import Hand, hand_of
from heartseg.report.language import Language, language


@dataclass(frozen=True)
class Printing:
    """Choices of the person who asks for the pages.

    Attributes:
        language: name of a shipped one, or path of a file of one's own.
        font: a TrueType file for characters that the shipped fonts lack.
        identified: name the patient, where the files do.
    """

    language: str = "en"
    font: Path | None = None
    identified: bool = False

    @cached_property
    def spoken(self) -> Language:
        """The language itself.

        Raises:
            ConfigError: no such language, or a file that does not fit.
        """
        return language(self.language)

    @cached_property
    def hand(self) -> Hand:
        """What writes into the pictures."""
        return hand_of(self.spoken, self.font)
