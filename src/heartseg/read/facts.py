"""Facts of a patient or a recording from a small text file of lines `Key: value`."""

from collections.abc import Mapping
from pathlib import Path

_LIMIT_BYTES = 65536


def facts_of(file: Path) -> dict[str, str]:
    """Values by key, both stripped; nothing where there is no such file.

    Lines without a colon are skipped, and what follows the first 64 KB is not read.
    """
    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        text = stream.read(_LIMIT_BYTES).decode("utf-8", "replace")
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def number_of(facts: Mapping[str, str], key: str) -> float | None:
    """A finite value of a key as a number; None where there is none."""
    try:
        number = float(facts.get(key, ""))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
