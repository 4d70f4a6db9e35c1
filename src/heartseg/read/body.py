"""What files say of the patient's body: used within the bounds of people, else said and asked.

A value is never corrected: metres that stand for centimetres, pounds or a decimal comma are told
with the option that answers them, and what needs the value then says why there is none.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from heartseg.core.study import Body

HEIGHT_CM = (30.0, 250.0)
WEIGHT_KG = (1.0, 400.0)
AGE_YEARS = (0.0, 120.0)
HEART_RATE_BPM = (20.0, 250.0)

_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

LONGEST_SHOWN = 20
"""Characters of a value that is no number, as messages show it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a body has.

    Attributes:
        name: in messages.
        unit: of `bounds` and of the value.
        bounds: lowest and highest that a person has.
        option: of the commands, that gives it.
    """

    name: str
    unit: str
    bounds: tuple[float, float]
    option: str


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "age_years": Quantity("age", "years", AGE_YEARS, "--age"),
        "height_cm": Quantity("height", "cm", HEIGHT_CM, "--height-cm"),
        "weight_kg": Quantity("weight", "kg", WEIGHT_KG, "--weight-kg"),
        "heart_rate_bpm": Quantity("heart rate", "bpm", HEART_RATE_BPM, "--heart-rate"),
    }
)
"""By name in `Body`."""


def body_of(
    *,
    sex: str | None = None,
    age_years: float | str | None = None,
    height_cm: float | str | None = None,
    weight_kg: float | str | None = None,
    heart_rate_bpm: float | str | None = None,
    height_m: float | str | None = None,
    source: str = "the file",
) -> tuple[Body, tuple[str, ...]]:
    """A body of what is plausible, and a note for each value that is not.

    Args:
        sex: a word that begins with F or M.
        age_years, height_cm, weight_kg, heart_rate_bpm: numbers or text; None or "" is unknown.
        height_m: instead of `height_cm`, where the source counts in metres (DICOM).
        source: where all of them stand, in words.
    """
    stated: dict[str, float | str | None] = {
        "age_years": age_years,
        "height_cm": height_cm if height_m is None else height_m,
        "weight_kg": weight_kg,
        "heart_rate_bpm": heart_rate_bpm,
    }
    known: dict[str, Any] = {}
    not_used: dict[str, str] = {}
    letter, why = _sex(sex)
    if letter:
        known["sex"] = letter
    if why:
        not_used["sex"] = why
    for key, value in stated.items():
        in_metres = key == "height_cm" and height_m is not None
        number, why = _within(QUANTITIES[key], value, "m" if in_metres else None)
        if number is not None:
            known[key] = number
        if why:
            not_used[key] = why
    body = Body(**known, sources=dict.fromkeys(known, source), not_used=not_used)
    return body, tuple(not_used.values())


def age_from_dicom(text: str) -> float | None:
    """Years of a DICOM age string (`057Y`, `018M`, `006W`, `010D`); None for anything else."""
    match = re.fullmatch(r"(\d{1,3})([YMWD])", text.strip())
    if not match:
        return None
    return int(match[1]) / {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}[match[2]]


def _sex(text: str | None) -> tuple[Literal["F", "M"] | None, str | None]:
    word = (text or "").strip().upper()
    if word in ("F", "FEMALE", "M", "MALE"):
        return ("F" if word[0] == "F" else "M"), None
    if not word:
        return None, None
    shown = f" {word!r}" if len(word) == 1 else ""  # a longer word may be anything, a name too
    return None, f"sex{shown} is neither F nor M: not used; give it with --sex"


def _within(
    quantity: Quantity, value: float | str | None, stated_in: str | None
) -> tuple[float | None, str | None]:
    """The number, or why there is none; neither where nothing is stated."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, None
    do = f"not used; give it with {quantity.option}"
    number = _number(value)
    if number is None:
        return None, f"{quantity.name} {_shown(value)}: {do}"
    low, high = quantity.bounds
    unit = stated_in or quantity.unit
    scaled = round(number * 100, 6) if stated_in == "m" else number
    if low <= scaled <= high and scaled != 0:
        return scaled, None
    said = f"{number:g} {unit}" + (f" ({scaled:g} cm)" if stated_in == "m" else "")
    return None, (
        f"{quantity.name} {said} is outside {low:g} to {high:g} {quantity.unit}: {do}"
        if scaled != 0  # many archives write 0 for "not asked"; nobody is 0 years old to the day
        else f"{quantity.name} 0 {unit} means that it was not asked: {do}"
    )


def _number(value: float | str) -> float | None:
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value.strip()):
        return None  # float() also takes 1_7, digits of other scripts and words
    return float(value) if math.isfinite(float(value)) else None


def _shown(value: float | str) -> str:
    """What was found, where it looks like a mistyped number; other text may name a person."""
    text = str(value).strip()
    if isinstance(value, float) or text.lower() in ("nan", "inf", "-inf"):
        return f"{text} is not a number"
    harmless = len(text) <= LONGEST_SHOWN and text.isascii() and text.isprintable()
    if harmless and text[0] in "0123456789.,+-=":
        return f"{text!r} is not a number"
    return "is text, not a number"
