"""`heartseg demo` and `heartseg phantom`."""

import json
import shutil
from pathlib import Path
from typing import Any, cast, get_args

from heartseg.batch import Outcome, Plan, run
from heartseg.cli.listing import table, to_json
from heartseg.core.errors import ConfigError, HeartsegError, OutputError
from heartseg.core.finding import Finding, Report
from heartseg.phantom import make_study, write, write_study
from heartseg.phantom.exam import make_exam
from heartseg.phantom.exam_files import LAYOUTS, ExamLayout, write_exam
from heartseg.phantom.study import FileFormat
from heartseg.pipeline import Settings
from heartseg.report.study_folder import require_writable
from heartseg.report.words import clean


def run_demo(out: Path, seed: int, as_json: bool = False) -> None:
    """Make a DICOM study of a synthetic heart, do the main job on it, compare with the truth.

    Raises:
        HeartsegError: the study could not be done.
    """
    require_writable(out)
    study = fresh_phantom(out / "phantom", seed)
    truth = json.loads((study / "truth.json").read_text(encoding="utf-8"))
    if not as_json:
        made = f"a synthetic heart ({truth['kind']}), as a DICOM cine series"
        print(clean(f"{made}: {study / 'dicom'}") + "\n", flush=True)
    plan = Plan(inputs=(study / "dicom",), out=out, settings=Settings(), overwrite=True)
    outcomes: list[Outcome] = []
    run(plan, outcomes.append)
    (outcome,) = outcomes
    if outcome.report is None:
        raise HeartsegError("demo", got=outcome.said)
    page = out / outcome.id / "report.html"
    if as_json:
        print(to_json({"measures": _pairs(outcome.report, truth), "report": str(page)}))
    else:
        print(comparison(outcome.report, truth))
        print(clean(f"\nthe report: {page}"))


def fresh_phantom(folder: Path, seed: int) -> Path:
    """A normal phantom, written anew; nothing is removed but an older one of that seed.

    Raises:
        OutputError: there is something else, or it cannot be written.
    """
    older = folder / _name(seed)
    if (older / "truth.json").is_file():
        shutil.rmtree(older, ignore_errors=True)
    _require_free(older)
    return write_study(folder, make_study(seed, kind="normal"), file_format="dicom")


def comparison(report: Report, truth: dict[str, Any]) -> str:
    """Measured beside true, for every finding that the phantom knows exactly."""
    return table(
        [
            {
                "measure": finding.name,
                "measured": _shown(finding, finding.value),
                "true": _shown(finding, truth[finding.key]),
            }
            for finding in _known(report, truth)
        ]
    )


def _pairs(report: Report, truth: dict[str, Any]) -> list[dict[str, object]]:
    return [
        {"key": one.key, "unit": one.unit, "measured": one.value, "true": truth[one.key]}
        for one in _known(report, truth)
    ]


def _known(report: Report, truth: dict[str, Any]) -> list[Finding]:
    return [one for one in report.findings if isinstance(truth.get(one.key), (int, float))]


def write_phantoms(
    out: Path, kind: str, count: int, seed: int, file_format: str, as_json: bool = False
) -> None:
    """Write synthetic studies with their truth.

    Raises:
        ConfigError: no such kind or format.
        OutputError: the folder cannot be written.
    """
    formats = get_args(FileFormat)
    if file_format not in formats:
        raise ConfigError("--as", got=repr(file_format), allowed=", ".join(formats))
    chosen = cast(FileFormat, file_format)
    for number in range(seed, seed + count):
        _require_free(out / _name(number))
    folders = write(out, count=count, seed=seed, kind=kind, file_format=chosen)
    names = [str(folder) for folder in folders]
    print(to_json(names) if as_json else "\n".join(clean(name) for name in names))


def write_exams(out: Path, layout: str, count: int, seed: int, as_json: bool = False) -> None:
    """Write whole synthetic examinations with the truth of their short-axis cine.

    Raises:
        ConfigError: no such layout.
        OutputError: the folder cannot be written.
    """
    if layout not in LAYOUTS:
        raise ConfigError("--exam", got=repr(layout), allowed=", ".join(LAYOUTS))
    numbers = range(seed, seed + count)
    for number in numbers:
        _require_free(out / _name(number))
    chosen = cast(ExamLayout, layout)
    names = [str(write_exam(out, make_exam(number), chosen)) for number in numbers]
    print(to_json(names) if as_json else "\n".join(clean(name) for name in names))


def _name(seed: int) -> str:
    return f"phantom-{seed:04d}"


def _require_free(folder: Path) -> None:
    """Said before minutes of rendering."""
    if folder.exists():
        do = "choose another folder with -o, or another --seed"
        raise OutputError(folder.name, got="a folder that exists", do=do)


def _shown(finding: Finding, value: float | None) -> str:
    if value is None:
        return finding.problem or "-"
    return f"{100 * value:.1f} %" if finding.unit == "1" else f"{value:.1f} {finding.unit}"
