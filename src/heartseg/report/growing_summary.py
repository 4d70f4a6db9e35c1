"""summary.csv of a run that may be long: it grows with the studies and costs next to nothing.

The file is always whole, so every change writes all of it anew. After each of ten thousand studies
that would take longer than the studies. Here it is written after each of the first ones, and later
as seldom as keeps the share of time spent on it below `SHARE`; what waits is written at the end,
however the run ends. A run that is killed loses at most the rows that wait, and gets them back when
it is started again: a finished study is skipped with its row.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from heartseg.report.summary import Row, write_summary

SHARE = 0.02
"""Of the run's time."""


class GrowingSummary:
    """A summary that rows are added to, one study after another.

    Args:
        path: of the file.
        clock: seconds that rise.

    Raises:
        OutputError: as `write_summary`; at once where the file cannot be written or is foreign.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._waiting: dict[str, Row] = {}
        self._next = 0.0
        self._write()

    def __enter__(self) -> "GrowingSummary":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._waiting:
            self._write()

    def add(self, row: Row) -> None:
        """A study's row; it takes the place of an older one of the same study.

        Raises:
            OutputError: as `write_summary`.
        """
        self._waiting[row["study"]] = row
        if self._clock() >= self._next:
            self._write()

    def _write(self) -> None:
        start = self._clock()
        write_summary(self._path, self._waiting.values())
        self._waiting.clear()
        end = self._clock()
        self._next = end + (end - start) / SHARE
