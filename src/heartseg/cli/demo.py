"""`heartseg demo` and `heartseg phantom`."""

import json
import shutil
from pathlib import Path
from typing import cast, get_args

from heartseg.batch import Plan, run
from heartseg.cli.listing import table
from heartseg.core.errors import ConfigError, HeartsegError
from heartseg.core.finding import Finding, Report
from heartseg.phantom import write
from heartseg.phantom.study import FileFormat
from heartseg.pipeline import Settings


def run_demo(out: Path, seed: int) -> None:
    """Make a DICOM study of a synthetic heart, do the main job on it, compare with the truth.

    Raises:
        HeartsegError: the study could not be done.
    """
    phantoms = out / "phantom"
    shutil.rmtree(phantoms, ignore_errors=True)
    (study,) = write(phantoms, seed=seed, file_format="dicom")
    truth = json.loads((study / "truth.json").read_text(encoding="utf-8"))
    print(f"a synthetic heart ({truth['kind']}), as a DICOM cine series: {study / 'dicom'}\n")
    plan = Plan(inputs=(study / "dicom",), out=out, settings=Settings(), overwrite=True)
    (outcome,) = run(plan, lambda _: None)
    if outcome.report is None:
        raise HeartsegError("demo", got=outcome.said)
    print(comparison(outcome.report, truth))
    print(f"\nthe report: {out / outcome.id / 'report.html'}")


def comparison(report: Report, truth: dict[str, float]) -> str:
    """Measured beside true, for every finding that the phantom knows exactly."""
    known = [one for one in report.findings if isinstance(truth.get(one.key), (int, float))]
    return table(
        [
            {
                "measure": finding.name,
                "measured": _shown(finding, finding.value),
                "true": _shown(finding, truth[finding.key]),
            }
            for finding in known
        ]
    )


def write_phantoms(out: Path, kind: str, count: int, seed: int, file_format: str) -> None:
    """Write synthetic studies with their truth.

    Raises:
        ConfigError: no such kind or format.
        OutputError: the folder cannot be written.
    """
    formats = get_args(FileFormat)
    if file_format not in formats:
        raise ConfigError("--as", got=repr(file_format), allowed=", ".join(formats))
    chosen = cast(FileFormat, file_format)
    for path in write(out, count=count, seed=seed, kind=kind, file_format=chosen):
        print(path)


def _shown(finding: Finding, value: float | None) -> str:
    if value is None:
        return finding.problem or "-"
    return f"{100 * value:.1f} %" if finding.unit == "1" else f"{value:.1f} {finding.unit}"
