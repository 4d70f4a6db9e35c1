"""Attribute values as archives hold them: what is illegal is left out, never guessed, never raised.

Text comes from strangers: it is cut, and what could steer a terminal is taken out of it.
"""

import math
import re
from typing import Any

import pydicom

from heartseg.formats.dicom_file import DAMAGED, bounded

MAX_TEXT = 256

_SWITCH = re.compile(r"\x1b[$()][()]?[0-9A-Z]")
"""From one character set to another (ISO 2022); pydicom 3.0 leaves that to GB 2312 in the text."""


def items(ds: Any, keyword: str) -> list[Any]:
    """The items of a sequence; none where there is no such sequence."""
    if keyword not in ds:
        return []
    try:
        value = ds.get(keyword)
        return [bounded(item) for item in value or []]
    except DAMAGED:
        return []


def numbers(value: Any) -> tuple[float, ...]:
    """All numbers of a value; none where one of them is not a finite number."""
    many = value if isinstance(value, pydicom.multival.MultiValue | list | tuple) else [value]
    try:
        found = tuple(float(one) for one in many if one is not None)
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def number(ds: Any, keyword: str) -> float | None:
    """The one number of an attribute; None where there is none, or several."""
    if keyword not in ds:
        return None
    try:
        found = numbers(ds.get(keyword))
    except DAMAGED:
        return None
    return found[0] if len(found) == 1 else None


def text(ds: Any, keyword: str) -> str:
    """An attribute in printable letters, several values parted by backslashes."""
    if keyword not in ds:  # pydicom is slow to say so
        return ""
    plain = _plain(ds, keyword)
    if plain is not None:
        return printable(plain)
    try:
        value = ds.get(keyword)
    except DAMAGED:
        return ""
    if value is None:
        return ""
    many = isinstance(value, pydicom.multival.MultiValue | list)
    return printable(_SWITCH.sub("", "\\".join(map(str, value)) if many else str(value)))


def _plain(ds: Any, keyword: str) -> str | None:
    """Letters as they are stored, where no character set can change them: thrice as fast."""
    raw = ds.get_item(pydicom.datadict.tag_for_keyword(keyword)).value
    if not isinstance(raw, bytes) or not raw.isascii() or b"\x1b" in raw:
        return None
    return "\\".join(part.strip(" \0") for part in raw.decode("ascii").split("\\"))


def printable(words: str) -> str:
    """`words` without control characters, cut where it is longer than any name."""
    if len(words) <= MAX_TEXT and words.isprintable():
        return words
    return "".join(letter for letter in words[:MAX_TEXT] if letter.isprintable())
