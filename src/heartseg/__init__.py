"""heartseg: from a cardiac study to the clinical answer.

    import heartseg as hs

    study = hs.read_study("patient005")
    masks = hs.segment_study(study)
    report = hs.measure_study(study, masks)
    hs.save_report(report, "out", study=study, segmentations=masks)

Names load when they are first used, so importing heartseg costs nothing.
"""

import importlib as _importlib
import typing as _typing

from heartseg.core.version import __version__ as __version__

_HOMES = {
    "Example": "heartseg.train.examples",
    "HeartsegError": "heartseg.core.errors",
    "build_network": "heartseg.models",
    "explain_study": "heartseg.explain",
    "measure_study": "heartseg.api",
    "read_study": "heartseg.read",
    "run_benchmark": "heartseg.benchmark.engine",
    "save_report": "heartseg.report.outputs",
    "segment_study": "heartseg.api",
    "train_model": "heartseg.train.artefact",
}

__all__ = [
    "Example",
    "HeartsegError",
    "build_network",
    "explain_study",
    "measure_study",
    "read_study",
    "run_benchmark",
    "save_report",
    "segment_study",
    "train_model",
]

if _typing.TYPE_CHECKING:
    from heartseg.api import measure_study as measure_study
    from heartseg.api import segment_study as segment_study
    from heartseg.benchmark.engine import run_benchmark as run_benchmark
    from heartseg.core.errors import HeartsegError as HeartsegError
    from heartseg.explain import explain_study as explain_study
    from heartseg.models import build_network as build_network
    from heartseg.read import read_study as read_study
    from heartseg.report.outputs import save_report as save_report
    from heartseg.train.artefact import train_model as train_model
    from heartseg.train.examples import Example as Example


def __getattr__(name: str) -> _typing.Any:
    if name in _HOMES:
        return getattr(_importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'heartseg' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
