"""What a run over many studies is asked for, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heartseg.core.study import Body
from heartseg.pipeline import Settings

if TYPE_CHECKING:
    from heartseg.core.finding import Report
    from heartseg.core.study import View


@dataclass(frozen=True, slots=True)
class Task:
    """A study to do: where it is, and what is known of it.

    Attributes:
        path: what the user named.
        id: of the study, its folder and its row; unique in the run.
        found: its id among the studies at `path`; None when nothing could be found there.
        fault: why nothing could be found.
    """

    path: Path
    id: str
    found: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a study; `row` goes into summary.csv."""

    id: str
    status: Literal["done", "skipped", "failed"]
    said: str
    row: Mapping[str, str]
    report: "Report | None" = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of all of them, without their numbers: those of a large cohort fill a memory.

    Attributes:
        studies: ids, in the order in which they ended.
        failed: how many of them did.
    """

    studies: tuple[str, ...]
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run over many studies.

    Attributes:
        inputs: files, folders and archives.
        out: a folder is made in it for each study, and summary.csv.
        settings: as for one study.
        view, spacing_mm: what the user knows better than the files.
        bodies: by study id, from a table; what `settings.body` holds goes before them.
        jobs: studies done at the same time, each in a process of its own.
        workers: address of a Ray cluster whose machines do them instead, see `heartseg.cluster`.
        overwrite: do finished studies again.
    """

    inputs: tuple[Path, ...]
    out: Path
    settings: Settings
    view: "View | None" = None
    spacing_mm: tuple[float, float, float] | None = None
    bodies: Mapping[str, Body] | None = None
    jobs: int = 1
    workers: str | None = None
    overwrite: bool = False
