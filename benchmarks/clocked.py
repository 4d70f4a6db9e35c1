"""The command line with a clock on each of its stages: where the processor's time goes.

    python benchmarks/clocked.py OUT.json segment STUDY -o OUT

Writes seconds of the processor by stage, each without the stages inside it, so that they add up to
the whole process. Nothing is profiled: a stage costs two readings of the clock. Studies are written
and models made ready where that is asked for, not beside other work, so that one clock tells all.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

STAGES: Mapping[str, tuple[str, ...]] = {
    "look for studies": ("heartseg.batch.found:studies_at",),
    "pixels": (
        "heartseg.read.folder:_load",
        "heartseg.read.dicom_study:load",
        "heartseg.read.datasets.acdc:read_patient",
    ),
    "check the model": ("heartseg.segment.bundle_folder:load_bundle",),
    "compile the model": ("heartseg.segment.openvino_runtime:OpenVinoRuntime.__init__",),
    "look for the heart": ("heartseg.segment.locate:locate",),
    "intensities": ("heartseg.prepare.preparation:Preparation.sample",),
    "planes for the network": ("heartseg.prepare.sample:Sample.frame",),
    "the network": ("heartseg.segment.openvino_runtime:OpenVinoRuntime._logits",),
    "logits to probabilities": ("heartseg.segment.openvino_runtime:softmax",),
    "back to the study's grid": (
        "heartseg.prepare.sample:Sample.restore",
        "heartseg.prepare.sample:Sample.restore_region",
    ),
    "likeliest structure": ("heartseg.refine.frame:_likeliest",),
    "rules of anatomy": ("heartseg.refine.frame:refine_region",),
    "over time": ("heartseg.refine.time:no_flicker",),
    "how sure the model was": ("heartseg.measure.confidence:_summed",),
    "likeness to the training patients": ("heartseg.measure.likeness:looks_of",),
    "look again": ("heartseg.segment.looks:look_again",),
    "all measures": ("heartseg.measure.study:measure_study",),
    "function": ("heartseg.measure.function:measure_function",),
    "AHA segments": ("heartseg.measure.aha:segments",),
    "strain of the wall": ("heartseg.measure.short_axis_strain:short_axis_strain",),
    "plausibility": ("heartseg.measure.plausibility:quality",),
    "masks": ("heartseg.report.masks:save_masks",),
    "mosaic": ("heartseg.report.overview:heart_picture",),
    "overview": ("heartseg.report.outputs:_png",),
    "web page": ("heartseg.report.outputs:_html",),
    "report.json": ("heartseg.report.outputs:_json",),
    "files in place": (
        "heartseg.report.atomic:write_atomically",
        "heartseg.report.study_folder:put_in_place",
    ),
    "summary.csv": ("heartseg.report.summary:write_summary", "heartseg.report.summary:summary_row"),
    "what is printed": ("heartseg.report.text:report_text",),
}
"""What, and the functions whose own time it is."""

IMPORT = "import of "
START, REST = "Python's start", "everything else"


class Clock:
    """Charges the processor's time to whatever runs, the innermost stage first."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {START: time.process_time()}
        self._stages, self._since = [REST], time.process_time()
        self._thread = threading.get_ident()

    def mine(self) -> bool:
        """Other threads are charged to the stage that waits for them."""
        return threading.get_ident() == self._thread

    def begin(self, stage: str) -> None:
        """From now on it is this one's time."""
        self._charge()
        self._stages.append(stage)

    def end(self) -> None:
        """Back to the stage around it."""
        self._charge()
        self._stages.pop()

    def inside(self, start: str) -> bool:
        """True when the innermost stage begins so."""
        return self._stages[-1].startswith(start)

    def _charge(self) -> None:
        now = time.process_time()
        stage = self._stages[-1]
        self.spent[stage] = self.spent.get(stage, 0.0) + now - self._since
        self._since = now

    def clocked(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, on this clock."""

        def timed(*arguments: Any, **named: Any) -> Any:
            if not self.mine():
                return function(*arguments, **named)
            self.begin(stage)
            try:
                return function(*arguments, **named)
            finally:
                self.end()

        return timed


class AtOnce:
    """Stands for a pool of one thread: does the work where it is handed in."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> "AtOnce":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """A future that is done already."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as fault:  # noqa: BLE001 (whoever wants the result hears of it)
            future.set_exception(fault)
        return future

    def shutdown(self, **_: object) -> None:
        """Nothing is left to do."""

    def map(self, work: Callable[..., Any], *rows: Any) -> Any:
        """As of the built-in."""
        return map(work, *rows)


def watch_imports(clock: Clock) -> None:
    """Charge imports to their package, and put clocks on heartseg's stages as they are loaded."""
    machinery: Any = sys.modules["_frozen_importlib"]
    find_and_load = machinery._find_and_load

    def load(name: str, importer: Any) -> ModuleType:
        if not clock.mine():
            module: ModuleType = find_and_load(name, importer)
            return module
        package = name.partition(".")[0]
        foreign = package != "heartseg" and clock.inside(IMPORT) and not clock.inside(_OWN)
        if not foreign:  # what a foreign package imports is its own cost
            clock.begin(f"{IMPORT}{package}")
        try:
            module = find_and_load(name, importer)
        finally:
            if not foreign:
                clock.end()
        _put_clocks(clock, name, module)
        return module

    machinery._find_and_load = load


_OWN = f"{IMPORT}heartseg"


def _put_clocks(clock: Clock, name: str, module: ModuleType) -> None:
    for stage, places in STAGES.items():
        for place in places:
            where, _, path = place.partition(":")
            if where == name:
                _put_clock(clock, stage, module, path)


def _put_clock(clock: Clock, stage: str, module: ModuleType, path: str) -> None:
    *outer, name = path.split(".")
    owner: Any = module
    for one in outer:
        owner = getattr(owner, one)
    function = vars(owner)[name]
    if not getattr(function, "on_a_clock", False):
        timed: Any = clock.clocked(stage, function)
        timed.on_a_clock = True
        setattr(owner, name, timed)


def main() -> None:
    """Run the command and write what was spent."""
    clock, target = Clock(), Path(sys.argv[1])
    watch_imports(clock)
    sys.argv = ["heartseg", *sys.argv[2:]]
    import concurrent.futures

    import heartseg.batch.one_process
    from heartseg.cli import main as command

    concurrent.futures.ThreadPoolExecutor = AtOnce  # type: ignore[attr-defined, misc]
    heartseg.batch.one_process.ThreadPoolExecutor = AtOnce  # type: ignore[attr-defined]
    try:
        command()
    except SystemExit as end:
        if end.code:
            raise
    finally:
        clock.begin(REST)
        target.write_text(json.dumps(clock.spent), encoding="utf-8")


if __name__ == "__main__":
    main()
