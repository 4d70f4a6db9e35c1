"""Which studies a run has to do, each with an id that is its own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.batch.plan import Plan, Task
from heartseg.core.errors import StudyError
from heartseg.core.fault import said_of
from heartseg.report.study_folder import is_foreign, is_result
from heartseg.report.summary import NAME

if TYPE_CHECKING:
    from heartseg.core.study import View
    from heartseg.read import Candidate

LONGEST_ID = 64


def tasks(plan: Plan, finder: "Finder | None" = None) -> Iterator[Task]:
    """The studies at the inputs, with ids that are unique in this run; faults are tasks too.

    An input is looked through when its turn comes.
    """
    from heartseg.read.candidate import safe_id, stem_of

    find = finder or Finder(plan)
    taken = {NAME}
    for path in plan.inputs:
        try:
            candidates = find(path)
        # What nobody foresaw in one input must not stop the others.
        except Exception as fault:  # noqa: BLE001
            name = unique_id(safe_id(stem_of(path.absolute())), taken)
            yield Task(path, name, fault=said_of(fault))
            continue
        for found in list(candidates):
            yield Task(path, unique_id(found, taken, plan.out), found)


def unique_id(name: str, taken: set[str], out: Path | None = None) -> str:
    """`name`, or with a suffix where it is taken in this run or by something that is not ours."""
    unique, number = name, 1
    while unique.lower() in taken or (out is not None and is_foreign(out / unique)):
        number += 1
        suffix = f"-{number}"
        unique = name[: LONGEST_ID - len(suffix)] + suffix
    taken.add(unique.lower())  # some file systems do not tell A from a
    return unique


class Finder:
    """The studies at a path by their ids; the last path is remembered, not looked through twice."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._last: tuple[Path, dict[str, Candidate]] | None = None

    def __call__(self, path: Path) -> "Mapping[str, Candidate]":
        """What lies there.

        Raises:
            InputError: nothing that heartseg can read.
        """
        if self._last is None or self._last[0] != path:
            found = studies_at(path, self._plan.view, self._plan.spacing_mm)
            self._last = path, {one.id: one for one in found}
        return self._last[1]


def studies_at(
    path: Path, view: "View | None", spacing_mm: tuple[float, float, float] | None
) -> "list[Candidate]":
    """The studies at a path, without heartseg's own results.

    Raises:
        InputError: nothing that heartseg can read.
        StudyError: nothing but results.
    """
    from heartseg.read import find_studies

    found = find_studies(path, spacing_mm=spacing_mm, view=view)
    kept = [one for one in found if one.path == path or not is_result(one.path)]
    if not kept:
        raise StudyError(path.name, got="results of heartseg, no images", do="name the images")
    return kept
