"""The language of a page: a file of sentences in TOML, shipped or the user's own.

A text without a translation stays in English and is marked as such, so that a page never hides
what it could not say; numbers and masks do not depend on the language, and report.json is English.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from heartseg.core.errors import ConfigError
from heartseg.core.small_text import read_small_text
from heartseg.report.phrases import Phrases

FOLDER = Path(__file__).with_name("languages")

_SETTINGS = {"code", "name", "decimal", "sentences"}


class English(str):
    """A text that has no translation in the language of its page."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Language:
    """How a page speaks.

    Attributes:
        code: for browsers and readers, as in BCP 47: `en`, `ru`, `zh-Hans`.
        name: in the language itself.
        decimal: sign between whole and part of a number.
        phrases: None for English, in which everything is written.
    """

    code: str
    name: str
    decimal: str = "."
    phrases: Phrases | None = field(default=None, repr=False, compare=False)

    def say(self, text: str) -> str:
        """The text in the language; as `English` where there is no translation."""
        if self.phrases is None or not text:
            return text
        said = self.phrases.translate(text)
        return English(text) if said is None else said

    def fill(self, sentence: str, **parts: str) -> str:
        """A sentence of ours, its holes filled with what need not be translated any more."""
        said = self.say(sentence)
        for name, part in parts.items():
            said = said.replace(f"{{{name}}}", part)
        return said

    def term(self, text: str) -> str:
        """The same of a name of a setting or a product, which may stand in any language."""
        return str.__str__(self.say(text))

    def number(self, text: str) -> str:
        """A number as the language writes it, from `54.3`."""
        return text.replace(".", self.decimal)


ENGLISH = Language("en", "English")


def shipped() -> tuple[str, ...]:
    """Names of the languages that come with heartseg."""
    return ("en", *sorted(file.stem for file in FOLDER.glob("*.toml")))


def language(name: str) -> Language:
    """A shipped language by its name, or one's own by the path of its file.

    Raises:
        ConfigError: no such language or file, or one that does not fit.
    """
    if name == "en":
        return ENGLISH
    if name in shipped():
        return _read(FOLDER / f"{name}.toml")
    if not name.endswith(".toml"):
        allowed = ", ".join(shipped())
        raise ConfigError("--language", got=repr(name), allowed=f"{allowed}, or a .toml file")
    return _read(Path(name))


@lru_cache(maxsize=4)
def _read(file: Path) -> Language:
    where = f"--language {file.name}"
    try:
        table = tomllib.loads(read_small_text(file))
    except (OSError, ValueError, RecursionError) as fault:
        got = fault.strerror if isinstance(fault, OSError) else str(fault)[:200]
        raise ConfigError(where, got=f"{got}", allowed="a TOML file of sentences") from fault
    sentences = table.get("sentences")
    plain = all(isinstance(table.get(key, ""), str) for key in _SETTINGS - {"sentences"})
    fits = plain and not set(table) - _SETTINGS and table.get("code")
    if not fits or not isinstance(sentences, dict) or not _texts(sentences):
        raise ConfigError(
            where,
            got=f"keys {', '.join(sorted(table)) or 'none'}",
            allowed="code, name and decimal as text, and [sentences] of texts",
        )
    decimal = table.get("decimal", ".")
    if decimal not in (".", ","):
        raise ConfigError(f"{where}: decimal", got=repr(decimal), allowed="'.' or ','")
    made = Phrases(sentences, lambda text: text.replace(".", decimal))
    made.check()
    return Language(table["code"], table.get("name", table["code"]), decimal, made)


def _texts(table: Mapping[object, object]) -> bool:
    return all(isinstance(key, str) and isinstance(said, str) for key, said in table.items())
