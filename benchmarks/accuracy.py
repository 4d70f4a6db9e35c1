"""Accuracy of a model through the command line, against the masks that people drew.

    python benchmarks/accuracy.py [--part test] [--limit N] [--turns 1 --turns 8]
                                  [--model cine-mr] [--into-bundle] [--dry-run]

Runs `heartseg segment` on the ACDC patients of one part of the split, and with the test part on
the Sunnybrook study (`--part external`: that alone), compares the masks it wrote with the published
ones, and adds rows to results/accuracy.csv and every case to results/cases/. The test part is
scored once for each choice made: develop on `--part train --limit 2`, which is never kept.
protocol.md has the rest.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rows import RESULTS, Row, append, commit, hardware, heartseg, real_images, today

from heartseg.evaluation import CLINICAL, evaluate, rows_as_csv
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.concordance import clinical_agreement
from heartseg.measure.statistics import bootstrap_mean
from heartseg.measure.study import measure_study
from heartseg.measure.summary import ALL, summarise
from heartseg.read import Candidate, find_studies
from heartseg.read.masks import study_masks
from heartseg.segment import Bundle, load_bundle, write_bundle
from heartseg.segment.appraisal import EXTERNAL, INTERNAL
from heartseg.train.split import part_of

SCHEME = "acdc"
METRICS: Mapping[str, tuple[str, str]] = {
    "dice": ("Dice", "1"),
    "hausdorff95_mm": ("HD95", "mm"),
    "assd_mm": ("ASSD", "mm"),
}
"""Columns of the agreement table, as the rows name them, with their units."""

PARTS = ("train", "validate", INTERNAL, EXTERNAL)
MEAN = "mean (95 % interval)"
Numbers = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What some patients gave: agreement of masks; (measured, reference) findings by case."""

    cases: tuple[AgreementRow, ...]
    findings: Mapping[str, tuple[Numbers, Numbers]]


def main() -> None:
    """Segment, compare, print, keep."""
    options = _options()
    bundle = load_bundle(options.model)
    kept = options.limit is None and not options.dry_run
    if options.part == EXTERNAL:
        for turns in options.turns or [1]:
            _outside(bundle, options.model, turns, kept)
        return
    if options.part == INTERNAL and trained_on_test(bundle):
        sys.exit(f"{bundle.name} trained on the test part: only --part {EXTERNAL} tests it")
    patients = patients_of(options.part, options.limit)
    for turns in options.turns or [1]:
        scores = scored(patients, options.model, turns)
        where = _conditions(bundle, turns)
        rows = list(_rows_of_many(scores, {**where, "data": "ACDC", "split": options.part}))
        _show(rows, scores, f"{bundle.name}-{bundle.version}-acdc-{options.part}-{turns}", kept)
        if options.part == "test":
            _outside(bundle, options.model, turns, kept)
        if options.into_bundle and turns == 1:
            _into_bundle(bundle, scores)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure the accuracy of a model")
    parser.add_argument("--part", choices=PARTS, default="test")
    parser.add_argument("--limit", type=int, help="so many patients only; nothing is kept")
    parser.add_argument("--turns", type=int, action="append", help="1, 4 or 8; may be repeated")
    parser.add_argument("--model", default="cine-mr", help="name or folder of a bundle")
    parser.add_argument("--into-bundle", action="store_true", help="write the scores into it")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    options = parser.parse_args()
    whole = options.part == "test" and options.limit is None and not options.dry_run
    if options.into_bundle and not (whole and 1 in (options.turns or [1])):
        parser.error("--into-bundle takes the whole test part with turns 1, and keeps it")
    return options


def trained_on_test(bundle: Bundle) -> bool:
    """Whether the patients that test other models trained this one."""
    return INTERNAL in bundle.training.get("parts", ())


def patients_of(part: str, limit: int | None) -> list[Path]:
    """Folders of the patients of a part of the split, the first so many."""
    training = real_images() / "acdc" / "training"
    if not training.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    chosen = [one.path for one in find_studies(training) if part_of(one.id) == part]
    return chosen[:limit]


def scored(
    patients: Sequence[Path], model: str, turns: int, *, locate: bool | None = None
) -> Scores:
    """Segment patients by the command line, and compare with their published labels."""
    cases: list[AgreementRow] = []
    findings: dict[str, tuple[Numbers, Numbers]] = {}
    with tempfile.TemporaryDirectory(prefix="heartseg-accuracy-") as name:
        out = Path(name)
        segment(patients, out, model, turns, locate=locate)
        for patient in patients:
            judged = evaluate(out, patient, SCHEME)
            if judged.problems:
                sys.exit(f"not compared: {dict(judged.problems)}")
            cases += judged.rows
            (candidate,) = find_studies(patient)
            findings[candidate.id] = _findings(candidate, out)
    return Scores(cases=tuple(cases), findings=findings)


def segment(
    patients: Sequence[Path], out: Path, model: str, turns: int, *, locate: bool | None = None
) -> None:
    """Run the command line; exits where it fails. `locate` None is the command's own choice."""
    options = ["-o", str(out), "--model", model, "--turns", str(turns), "--formats", "nifti,json"]
    if locate is not None:
        options += ["--locate" if locate else "--no-locate"]
    command = [*heartseg(), "segment", *map(str, patients), *options, "--device", "cpu"]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"heartseg segment failed:\n{done.stderr.decode(errors='replace')}")


def _findings(candidate: Candidate, out: Path) -> tuple[Numbers, Numbers]:
    """From the written masks and from the published ones, through the same measures."""
    study = candidate.load()
    wanted = candidate.reference() if candidate.reference else {}
    measured = [measure_study(study, m).findings for m in (study_masks(study, out, SCHEME), wanted)]
    ours, theirs = ({one.key: one.value for one in findings} for findings in measured)
    return ours, theirs


def _conditions(bundle: Bundle, turns: int) -> dict[str, str]:
    """What every row says of how it was made."""
    return {
        "date": today(),
        "commit": commit(),
        "model": f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}",
        "seed": str(bundle.training.get("seed", "-")),
        "configuration": f"turns {turns}",
        "images_seen": str(bundle.training.get("images", "-")),
        "hardware": hardware(),
    }


def _rows_of_many(scores: Scores, where: Mapping[str, str]) -> Iterator[Row]:
    yield from _mask_rows(scores, where)
    for key in CLINICAL:
        pairs = [(ours.get(key), theirs.get(key)) for ours, theirs in scores.findings.values()]
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        if len(both) > 1:
            yield from _finding_rows(key, both, where)


def _mask_rows(scores: Scores, where: Mapping[str, str]) -> Iterator[Row]:
    """One row a metric, structure and phase."""
    for line in summarise(scores.cases):
        name, unit = METRICS[line.metric]
        structure = "mean" if line.structure == ALL else line.structure
        if line.mean is not None:
            place = {**where, "structure": structure, "phase": line.phase, "runs": str(line.cases)}
            yield _row(name, unit, line.mean, line.interval, place)


def _finding_rows(
    key: str, pairs: Sequence[tuple[float, float]], where: Mapping[str, str]
) -> Iterator[Row]:
    """Mean absolute error, bias with limits of agreement, correlation."""
    ours, theirs = zip(*pairs, strict=True)
    agreed, gaps = clinical_agreement(ours, theirs), np.abs(np.subtract(ours, theirs))
    place, unit = {**where, "runs": str(agreed.cases)}, _unit(key)
    yield _row(f"{key}, MAE", unit, agreed.mean_absolute_error, bootstrap_mean(gaps), place)
    limits = {**place, "statistic": "bias (95 % limits of agreement)"}
    yield _row(f"{key}, bias", unit, agreed.bias, agreed.limits, limits)
    if agreed.pearson_r is not None:
        yield _row(f"{key}, r", "1", agreed.pearson_r, None, {**place, "statistic": "Pearson"})


def _outside(bundle: Bundle, model: str, turns: int, kept: bool) -> None:
    """One patient of another hospital: agreement, and measured beside its contours."""
    folder = real_images() / "sunnybrook" / "SC-HF-I-1"
    if not folder.is_dir():
        print("no Sunnybrook study: it is left out")
        return
    scores = scored([folder], model, turns)
    one = {"data": f"Sunnybrook {folder.name}", "split": "external", "statistic": "one patient"}
    where = {**_conditions(bundle, turns), **one, "runs": "1"}
    rows = [row for row in _mask_rows(scores, where) if row.structure != "mean"]
    ((ours, theirs),) = scores.findings.values()
    detected = _with_detected_phases(folder / "dicom", model, turns)
    sides = {"measured": ours, "reference": theirs, "measured, phases detected": detected}
    for key in (key for key in CLINICAL if theirs.get(key) is not None):
        for side, numbers in sides.items():
            if (value := numbers.get(key)) is not None:
                rows.append(_row(f"{key}, {side}", _unit(key), value, None, where))
    _show(rows, scores, f"{bundle.name}-{bundle.version}-sunnybrook-external-{turns}", kept)


def _with_detected_phases(dicom: Path, model: str, turns: int) -> Numbers:
    """Findings of the bare DICOM folder, where no contour says which frame is which."""
    with tempfile.TemporaryDirectory(prefix="heartseg-accuracy-") as name:
        segment([dicom], Path(name), model, turns)
        (file,) = Path(name).rglob("report.json")
        report = json.loads(file.read_text(encoding="utf-8"))
    return {one["key"]: one["value"] for one in report["findings"]}


def _row(
    measure: str,
    unit: str,
    value: float,
    spread: tuple[float, float] | None,
    where: Mapping[str, str],
) -> Row:
    low, high = ("-", "-") if spread is None else (f"{edge:.4g}" for edge in spread)
    said: dict[str, Any] = {"statistic": MEAN, **where}
    return Row(measure=measure, unit=unit, value=f"{value:.4g}", low=low, high=high, **said)


def _unit(key: str) -> str:
    return "1" if key.endswith("_ef") else {"ml": "mL"}.get(key[-2:], key.rpartition("_")[2])


def _show(rows: Sequence[Row], scores: Scores, name: str, kept: bool) -> None:
    """Print the rows; keep them and all cases, where this is not a trial."""
    for row in rows:
        what = " ".join(part for part in (row.measure, row.structure, row.phase) if part != "-")
        print(f"{row.data} {row.split}, {row.configuration}: {what}", end=" ")
        print(f"{row.value} {row.unit} ({row.low} to {row.high}), n = {row.runs}")
    if kept:
        append("accuracy", rows)
        folder = RESULTS / "cases"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-masks.csv").write_text(rows_as_csv(scores.cases), encoding="utf-8")
        _write_findings(folder / f"{name}-findings.csv", scores)


def _write_findings(path: Path, scores: Scores) -> None:
    sides = ("measured", "reference")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", *(f"{key}_{side}" for key in CLINICAL for side in sides)])
        for case, numbers in scores.findings.items():
            values = [side.get(key) for key in CLINICAL for side in numbers]
            writer.writerow([case, *("" if v is None else f"{v:.5g}" for v in values)])


def _into_bundle(bundle: Bundle, scores: Scores) -> None:
    """Write the test scores into model.toml and the card; the weights stay as they are."""
    means = {
        (line.metric, line.structure): line.mean
        for line in summarise(scores.cases)
        if line.phase == ALL
    }
    tested: dict[str, Any] = {}
    for structure in ("lv", "myo", "rv", "mean"):
        mean = means["dice", ALL if structure == "mean" else structure]
        tested[f"test_dice_{structure}"] = round(mean or 0.0, 4)
    pairs = [(ours["lv_ef"], theirs["lv_ef"]) for ours, theirs in scores.findings.values()]
    error = clinical_agreement(*zip(*pairs, strict=True)).mean_absolute_error
    tested["test_hd95_mean_mm"] = round(means["hausdorff95_mm", ALL] or 0.0, 2)
    tested["test_lv_ef_mean_absolute_error"] = round(error, 4)
    tested["test_data"] = f"ACDC, {len(pairs)} patients (number % 5 == 0), 3-D, ED and ES"
    write_bundle(bundle.folder, bundle.onnx, replace(bundle, scores={**bundle.scores, **tested}))
    print(f"wrote the test scores into {bundle.folder}")


if __name__ == "__main__":
    main()
