"""Does one study after another, whichever process or machine it stands in."""

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from heartseg.batch.found import Finder
from heartseg.batch.late import load_late
from heartseg.batch.plan import Outcome, Plan, Task
from heartseg.choice import Models
from heartseg.core.errors import StudyError
from heartseg.core.fault import said_of
from heartseg.core.study import Body
from heartseg.pipeline import Analysis, examine, likely_models, save
from heartseg.report.study_folder import FINISHED, is_finished, put_in_place


@dataclass(frozen=True, slots=True)
class Computed:
    """A study that is done but for writing it down."""

    task: Task
    analysis: Analysis
    said: str


class Worker:
    """Does tasks, in two halves that may overlap; models are loaded once."""

    def __init__(self, plan: Plan, finder: Finder, threads: int | None = None) -> None:
        self._plan, self._find = plan, finder
        self._models = Models(plan.settings.device, threads, self._load_later)
        if likely := likely_models(plan.settings):
            self._models.begin(likely)
            _let_the_engine_load()

    def computed(self, task: Task) -> Outcome | Computed:
        """All but writing; an outcome already where there is nothing to write."""
        if task.found is None:
            return failed(task.id, task.fault or "")
        folder = self._plan.out / task.id
        try:
            if is_finished(folder) and not self._plan.overwrite:
                return _skipped(task.id, folder)
            return self._examined(task, task.found)
        # A batch of a night must survive a fault in one study that nobody foresaw.
        except Exception as fault:  # noqa: BLE001
            return failed(task.id, said_of(fault))

    def written(self, computed: Outcome | Computed) -> Outcome:
        """The other half."""
        if isinstance(computed, Outcome):
            return computed
        try:
            return self._saved(computed)
        except Exception as fault:  # noqa: BLE001 (as above)
            return failed(computed.task.id, said_of(fault))

    def _load_later(self) -> None:
        """Load what a study wants when the network has answered."""
        load_late()
        if "html" in self._plan.settings.formats:
            from heartseg.report.html import template

            template()

    def _examined(self, task: Task, found: str) -> Computed:
        settings, said = self._plan.settings, ""
        if self._plan.bodies is not None:
            body = self._plan.bodies.get(task.id)
            settings = replace(settings, body=(body or Body()).under(settings.body))
            said = "" if body else "no row for it in the table of bodies"
        # By id: files may come and go between looking and doing.
        candidate = self._find(task.path).get(found)
        if candidate is None:
            raise StudyError(found, got="no such study any more", do="run it again")
        return Computed(task, examine(candidate, self._models, settings, name=task.id), said)

    def _saved(self, computed: Computed) -> Outcome:
        from heartseg.report.summary import summary_row

        name, report = computed.task.id, computed.analysis.report
        folder = self._plan.out / name
        unfinished = folder.with_name(f".{name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            save(computed.analysis, self._plan.settings, unfinished)
            put_in_place(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return Outcome(name, "done", computed.said, summary_row(report), report)


def _let_the_engine_load() -> None:
    """Wait for its import: two at once take turns at every file, and all wait for its compiling."""
    from heartseg.segment.openvino_runtime import import_openvino

    with suppress(ImportError):  # a study that needs it says so
        import_openvino()


def failed(name: str, said: str) -> Outcome:
    """A study that could not be done, and why."""
    from heartseg.report.summary import failed_row

    return Outcome(name, "failed", said, failed_row(name, said))


def _skipped(name: str, folder: Path) -> Outcome:
    """With its row: the summary may have been lost, or its run ended before writing it."""
    from heartseg.report.json_file import load_report
    from heartseg.report.summary import summary_row

    report = load_report(folder / FINISHED)
    said = "already done; --overwrite does it again"
    return Outcome(name, "skipped", said, summary_row(report), report)
