"""Several studies are explained one after another; one that fails stops none of the others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from heartseg.batch import studies_at, unique_id
from heartseg.core.errors import OutputError
from heartseg.core.fault import said_of
from heartseg.core.study import View
from heartseg.explain.files import save_explanation
from heartseg.explain.study import Explanation, explained
from heartseg.explain.view import Watch
from heartseg.explain.wanted import Wanted
from heartseg.read import Candidate
from heartseg.read.candidate import safe_id, stem_of
from heartseg.report.study_folder import EXPLAINED, MAPS, is_finished, require_writable


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run over studies.

    Attributes:
        inputs: files, folders and archives.
        out: a folder is made in it for each study.
        wanted: of each of them.
        view, spacing_mm: what the user knows better than the files.
        overwrite: explain again what is explained already.
    """

    inputs: tuple[Path, ...]
    out: Path
    wanted: Wanted
    view: View | None = None
    spacing_mm: tuple[float, float, float] | None = None
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a study.

    Attributes:
        id: of the study and its folder.
        status: what happened.
        said: why, where it was not done.
        files: names of what was written.
        explanation: where it was done.
    """

    id: str
    status: Literal["done", "skipped", "failed"]
    said: str = ""
    files: tuple[str, ...] = ()
    explanation: Explanation | None = None

    @property
    def row(self) -> dict[str, Any]:
        """For machines."""
        return {"study": self.id, "status": self.status, "said": self.said, "files": self.files}


def run(plan: Plan, watch: Watch, hear: Callable[[Outcome], None]) -> list[Outcome]:
    """Explain all studies; `hear` hears of each as it ends.

    Raises:
        OutputError: nothing can be written to `plan.out`.
    """
    require_writable(plan.out)
    outcomes: list[Outcome] = []
    for outcome in _outcomes(plan, watch):
        hear(outcome)
        outcomes.append(replace(outcome, explanation=None))  # arrays are large
    return outcomes


def _outcomes(plan: Plan, watch: Watch) -> Iterator[Outcome]:
    taken: set[str] = set()
    for path in plan.inputs:
        try:
            found = studies_at(path, plan.view, plan.spacing_mm)
        # What nobody foresaw in one input must not stop the others.
        except Exception as fault:  # noqa: BLE001
            yield Outcome(safe_id(stem_of(path.absolute())), "failed", said_of(fault))
            continue
        for candidate in found:
            yield _outcome(plan, candidate, unique_id(candidate.id, taken), watch)


def _outcome(plan: Plan, candidate: Candidate, name: str, watch: Watch) -> Outcome:
    folder = plan.out / name
    try:
        done = (folder / EXPLAINED).is_file()
        if done and not plan.overwrite:
            return Outcome(name, "skipped", "already explained; --overwrite does it again")
        _require_ours(folder)
        found = explained(candidate.load(), plan.wanted, lambda said: watch(f"{name}: {said}"))
        _clear(folder)
        files = save_explanation(found, folder, name)
        return Outcome(name, "done", "", tuple(file.name for file in files), found)
    except Exception as fault:  # noqa: BLE001 (as above)
        return Outcome(name, "failed", said_of(fault))


def _require_ours(folder: Path) -> None:
    """Refuse a folder that heartseg did not make: it may be the very study."""
    ours = is_finished(folder) or (folder / EXPLAINED).is_file()
    if folder.exists() and not ours and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            folder.name,
            got="a folder of that name that is not heartseg's",
            do="choose another folder with -o",
        )


def _clear(folder: Path) -> None:
    """Take out an older explanation: none of its maps may stay beside the new ones."""
    if (folder / EXPLAINED).is_file():
        (folder / EXPLAINED).unlink()
        for old in [file for pattern in MAPS for file in folder.glob(pattern)]:
            old.unlink()
