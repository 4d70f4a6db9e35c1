"""Sentences with holes: how a text that was put together in English is said in another language.

A key is the English sentence, with a placeholder where a number, a name or another sentence stands;
the translation holds the same placeholders, in its own order:

    "no {structure} at frame {frame:n}: nothing to measure" = "{structure}: нет в кадре {frame} ..."

`{x}` is a text that is itself translated, `{x:n}` one or several numbers, `{x:list}` texts between
commas or "and", each translated, `{x:raw}` what stays as it is (a file's name).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from heartseg.core.errors import ConfigError

LONGEST = 500
"""Characters of a text that is compared with the sentences; only hostile ones are longer."""

DEEPEST = 4
"""Sentences within sentences."""

_HOLE = re.compile(r"\{([a-z_]+)(?::(n|list|raw))?\}")
_ONE_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_KINDS = {
    "n": rf"{_ONE_NUMBER}(?:(?:, | and |[-+]){_ONE_NUMBER})*",
    "list": ".+?",
    "raw": ".+?",
    None: ".+?",
}
_LIST = re.compile(r", | and ")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with holes, and its translation."""

    key: str
    said: str
    shape: "re.Pattern[str]"
    kinds: Mapping[str, str | None]
    weight: int

    @classmethod
    def of(cls, key: str, said: str) -> "Pattern":
        """From a line of a translation file.

        Raises:
            ConfigError: the translation lacks a placeholder, or has one too many: a number that a
                sentence loses is worse than no translation.
        """
        kinds: dict[str, str | None] = {}
        shape, literal, end = "", "", 0
        for hole in _HOLE.finditer(key):
            literal += key[end : hole.start()]
            again = hole[1] in kinds
            held = f"(?P={hole[1]})" if again else f"(?P<{hole[1]}>{_KINDS[hole[2]]})"
            shape += re.escape(key[end : hole.start()]) + held
            kinds.setdefault(hole[1], hole[2])
            end = hole.end()
        if {hole[1] for hole in _HOLE.finditer(said)} != set(kinds):
            raise ConfigError(
                f"translation of '{key}'",
                got=f"'{said}'",
                allowed="each placeholder of the English sentence, and no other",
            )
        shape += re.escape(key[end:])
        return cls(key, said, re.compile(shape, re.DOTALL), kinds, len(literal + key[end:]))


class Phrases:
    """The sentences of one language.

    Args:
        table: English to the other language.
        number: writes a number as that language does.
    """

    def __init__(self, table: Mapping[str, str], number: Callable[[str], str]) -> None:
        self._table, self._number = table, number

    @cached_property
    def _patterns(self) -> tuple[Pattern, ...]:
        """Those that say most come first."""
        made = [Pattern.of(key, said) for key, said in self._table.items() if _HOLE.search(key)]
        return tuple(sorted(made, key=lambda pattern: -pattern.weight))

    def check(self) -> None:
        """Raise ConfigError where a translation does not fit its sentence."""
        _ = self._patterns

    def translate(self, text: str, depth: int = 0) -> str | None:
        """The text in the language; None where some part of it has no translation."""
        if text in self._table:
            return self._table[text]
        if not any(character.isalpha() for character in text):
            return text
        if len(text) > LONGEST or depth > DEEPEST:
            return None
        for pattern in self._patterns:
            found = pattern.shape.fullmatch(text)
            said = None if found is None else self._filled(pattern, found, depth)
            if said is not None:
                return said
        return self._by_parts(text.split("; "), "; ", depth) if "; " in text else None

    def _filled(self, pattern: Pattern, found: "re.Match[str]", depth: int) -> str | None:
        parts: dict[str, str] = {}
        for name, kind in pattern.kinds.items():
            part = self._part(found[name], kind, depth)
            if part is None:
                return None
            parts[name] = part
        return _HOLE.sub(lambda hole: parts[hole[1]], pattern.said)

    def _part(self, text: str, kind: str | None, depth: int) -> str | None:
        if kind == "raw":
            return text
        if kind == "n":
            return ", ".join(self._number(one) for one in _LIST.split(text))
        if kind == "list":
            return self._by_parts(_LIST.split(text), ", ", depth)
        return self.translate(text, depth + 1)

    def _by_parts(self, parts: Iterable[str], glue: str, depth: int) -> str | None:
        said = []
        for part in parts:
            translated = self.translate(part, depth + 1)
            if translated is None:
                return None
            said.append(translated)
        return glue.join(said)
