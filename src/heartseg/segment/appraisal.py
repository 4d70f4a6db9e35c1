"""What a model was tested on and how it did: `appraisal.json` in its bundle.

The card and the checklists are written from it; segmenting never reads it. It belongs to the
weights whose hash it names: beside others it is left unread, and dropped when a bundle is written
anew.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heartseg.config import from_table
from heartseg.core.errors import ConfigError, ModelError, OutputError
from heartseg.core.small_text import read_small_text
from heartseg.measure.breakdown import Score
from heartseg.measure.worst import Failure

APPRAISALS = "appraisal.json"
DIGITS = 5
"""Significant ones, of numbers in the file."""

TOLD = 8
"""Cases whose worst slice a card tells."""

INTERNAL, EXTERNAL = "test", "external"
"""`Appraisal.split`: kept patients of the data set that trained it; patients from elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """One data set that a model was tested on.

    Attributes:
        data: its name, in words.
        data_set: layout that read it, as `heartseg datasets` names it; "" for other files.
        split: which of its patients: `test`, `external`, or a part of the training data.
        cases: patients.
        groups: patients by the data set's groups.
        date: ISO 8601.
        commit: of the source that tested.
        configuration: what was asked for.
        hardware: in words.
        scores: of `measure.breakdown`.
        failures: of `measure.worst`, worst first.
    """

    data: str
    data_set: str = ""
    split: str
    cases: int
    groups: Mapping[str, int]
    date: str
    commit: str
    configuration: str
    hardware: str
    scores: tuple[Score, ...]
    failures: tuple[Failure, ...] = ()

    def score(self, measure: str, statistic: str, **where: str) -> Score | None:
        """The score of a place; what is not said of the place is "", the whole."""
        wanted = {"structure": "", "phase": "", "group": "", "level": "", **where}
        for one in self.scores:
            if (one.measure, one.statistic) == (measure, statistic) and all(
                getattr(one, key) == value for key, value in wanted.items()
            ):
                return one
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    sha256: str
    appraisals: tuple[Appraisal, ...]


def read_appraisals(folder: Path, sha256: str) -> tuple[Appraisal, ...]:
    """What a bundle's folder says of these weights; nothing where it says nothing of them.

    Raises:
        ModelError: not such a file.
    """
    if not (folder / APPRAISALS).is_file():
        return ()
    try:
        table = json.loads(read_small_text(folder / APPRAISALS))
        file = from_table(_File, table, where=APPRAISALS)
    except (OSError, ValueError, RecursionError, ConfigError) as fault:
        raise ModelError(
            APPRAISALS, got=str(fault), allowed="what heartseg writes", do="delete it, test again"
        ) from fault
    return file.appraisals if file.sha256 == sha256 else ()


def write_appraisals(folder: Path, sha256: str, appraisals: Sequence[Appraisal]) -> None:
    """Write what these weights did; the card is written anew by `write_bundle`.

    Raises:
        OutputError: it cannot be written.
    """
    table = {"sha256": sha256, "appraisals": [_rounded(asdict(one)) for one in appraisals]}
    unfinished = folder / f"{APPRAISALS}.tmp"
    try:
        unfinished.write_text(_lines(table) + "\n", encoding="utf-8")
        unfinished.replace(folder / APPRAISALS)
    except OSError as fault:
        raise OutputError(APPRAISALS, got=fault.strerror or str(fault)) from fault


def drop_strange_appraisals(folder: Path, sha256: str) -> None:
    """Delete a file that tells of other weights.

    Raises:
        ModelError: not such a file.
        OSError: it cannot be deleted.
    """
    if (folder / APPRAISALS).is_file() and not read_appraisals(folder, sha256):
        (folder / APPRAISALS).unlink()


def _rounded(value: Any) -> Any:
    """Numbers as far as they mean something; without what is None or "", which are defaults."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items() if item not in (None, "")}
    if isinstance(value, (tuple, list)):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def _lines(table: Mapping[str, Any]) -> str:
    """JSON with a score or failure a line, so that changes can be read."""

    def listed(rows: Sequence[Any]) -> str:
        return "[" + ",".join(f"\n  {json.dumps(row)}" for row in rows) + "]"

    parts = [
        ",\n ".join(
            f"{json.dumps(key)}: {listed(value) if isinstance(value, list) else json.dumps(value)}"
            for key, value in one.items()
        )
        for one in table["appraisals"]
    ]
    told = ", ".join(f"{{{part}}}" for part in parts)
    return f'{{"sha256": {json.dumps(table["sha256"])},\n "appraisals": [{told}]}}'
