"""What files say of the patient's body, within the bounds of people; the rest is said, not used."""

import math
import re
from typing import Literal

from heartseg.core.study import Body

HEIGHT_CM = (30.0, 250.0)
WEIGHT_KG = (1.0, 400.0)
AGE_YEARS = (0.0, 120.0)
HEART_RATE_BPM = (20.0, 250.0)


def body_of(
    *,
    sex: str | None = None,
    age_years: float | str | None = None,
    height_cm: float | str | None = None,
    weight_kg: float | str | None = None,
    heart_rate_bpm: float | str | None = None,
) -> tuple[Body, tuple[str, ...]]:
    """A body of what is plausible, and a note for each value that is not."""
    notes: list[str] = []
    body = Body(
        sex=_sex(sex),
        age_years=_within("age", age_years, AGE_YEARS, "years", notes),
        height_cm=_within("height", height_cm, HEIGHT_CM, "cm", notes),
        weight_kg=_within("weight", weight_kg, WEIGHT_KG, "kg", notes),
        heart_rate_bpm=_within("heart rate", heart_rate_bpm, HEART_RATE_BPM, "bpm", notes),
    )
    return body, tuple(notes)


def age_from_dicom(text: str) -> float | None:
    """Years of a DICOM age string (`057Y`, `018M`, `006W`, `010D`); None for anything else."""
    match = re.fullmatch(r"(\d{1,3})([YMWD])", text.strip())
    if not match:
        return None
    return int(match[1]) / {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}[match[2]]


def _sex(text: str | None) -> Literal["F", "M"] | None:
    first = (text or "").strip().upper()[:1]
    return "F" if first == "F" else "M" if first == "M" else None


def _within(
    name: str, value: float | str | None, bounds: tuple[float, float], unit: str, notes: list[str]
) -> float | None:
    number = _number(value)
    if number is None or number == 0:  # archives write 0 for "not asked"
        return None
    if bounds[0] <= number <= bounds[1]:
        return number
    low, high = bounds
    notes.append(f"{name} {number:g} {unit} is outside {low:g} to {high:g} {unit} and is not used")
    return None


def _number(value: float | str | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
