"""Test a model by disease group and slice level, and write what it did into its card.

    python benchmarks/appraise.py [--model cine-mr] [--run runs/acdc/cine-mr-80.toml]
                                  [--limit N] [--into-bundle] [--dry-run] [--masks DIR]

Segments the ACDC patients of the test part as accuracy.py does, with turns 1, and the Sunnybrook
study; scores them by structure, phase, group and level, and finds the worst slices. The rows go to
results/parts/NAME.csv, the cases to results/parts/NAME-cases.csv; `--into-bundle` writes
appraisal.json and the card. `--run` names the file that trained a bundle older than the record of
its patients' groups: they are counted again from it, and written into model.toml. `--masks` keeps
the masks, for failures.py; studies that are done there are not segmented again.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accuracy import SCHEME, segment, trained_on_test
from rows import RESULTS, PartRow, append, commit, hardware, real_images, today

from heartseg.config import load
from heartseg.evaluation import CLINICAL, cells_as_csv, evaluate, failures_in, row_cells
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.breakdown import BIAS, CORRELATION, ERROR, Pairs, Score, breakdown, unit_of
from heartseg.measure.metrics import METRICS
from heartseg.measure.worst import Failure, worst
from heartseg.read import Candidate, find_studies
from heartseg.segment import Bundle, load_bundle, write_bundle
from heartseg.segment.appraisal import EXTERNAL, INTERNAL, TOLD, Appraisal, write_appraisals
from heartseg.train.cohort import cohort_of
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.split import part_of

KEPT = ("dice", "hausdorff95_mm", "assd_mm")
"""Metrics of the cases that are kept."""

STATISTICS = {
    BIAS: ("bias", "bias (95 % limits of agreement)"),
    ERROR: ("MAE", "mean (95 % interval)"),
    CORRELATION: ("r", "Pearson (95 % interval)"),
}


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What some patients gave.

    Attributes:
        rows: agreement over whole stacks and by level.
        pairs: findings by case, measured and reference.
        groups: by case.
        failures: the worst slice of every case, worst first.
    """

    rows: tuple[AgreementRow, ...] = ()
    pairs: Pairs
    groups: Mapping[str, str]
    failures: tuple[Failure, ...] = ()


def main() -> None:
    """Segment, score, print, keep."""
    options = _options()
    bundle = load_bundle(options.model)
    named = f"{bundle.name}-{bundle.version}"
    kept = options.limit is None and not options.dry_run
    source = commit()  # now: the tree may change while it works
    appraisals = []
    for data, data_set, split, patients in _sets(bundle, options.limit):
        done = appraised(patients, options.model, options.masks)
        appraisals.append(_appraisal(done, source, data, data_set, split))
        rows = part_rows(appraisals[-1].scores, conditions(bundle, source, data, split))
        show(rows)
        if kept:
            append(f"parts/{named}", rows)
            write_cases(RESULTS / "parts" / f"{named}-{data_set}-cases.csv", done.rows, done.groups)
    if options.into_bundle:
        write_appraisals(bundle.folder, bundle.sha256, appraisals)
        write_bundle(bundle.folder, bundle.onnx, _with_cohort(bundle, options.run))
        print(f"wrote the appraisal and the card into {bundle.folder}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="test a model by group and level")
    parser.add_argument("--model", default="cine-mr", help="name or folder of a bundle")
    parser.add_argument("--run", type=Path, help="RUN.toml that trained it")
    parser.add_argument("--masks", type=Path, help="folder to keep the masks in")
    parser.add_argument("--limit", type=int, help="so many patients only; nothing is kept")
    parser.add_argument("--into-bundle", action="store_true", help="write them into its card")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    options = parser.parse_args()
    if options.into_bundle and (options.limit is not None or options.dry_run):
        parser.error("--into-bundle takes the whole test part, and keeps it")
    return options


def _sets(bundle: Bundle, limit: int | None) -> Iterable[tuple[str, str, str, list[Candidate]]]:
    """Those whom the model has not seen: of one that trained on everybody, the other hospital's."""
    training = real_images() / "acdc" / "training"
    if not training.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    if not trained_on_test(bundle):
        chosen = [one for one in find_studies(training) if part_of(one.id) == "test"]
        yield "ACDC", "acdc", INTERNAL, chosen[:limit]
    folder = real_images() / "sunnybrook" / "SC-HF-I-1"
    if folder.is_dir():
        yield f"Sunnybrook {folder.name}", "sunnybrook", EXTERNAL, find_studies(folder)


def appraised(patients: Sequence[Candidate], model: str, masks: Path | None = None) -> Tested:
    """Segment patients by the command line, and compare with their published labels.

    Args:
        patients: of a data set.
        model: name or folder of a bundle.
        masks: folder to keep what was written in.
    """
    rows: list[AgreementRow] = []
    pairs: dict[str, tuple[Mapping[str, float | None], Mapping[str, float | None]]] = {}
    failures: list[Failure] = []
    with tempfile.TemporaryDirectory(prefix="heartseg-appraise-") as name:
        out = masks or Path(name)
        segment([one.path for one in patients], out, model, 1)
        for one in patients:
            judged = evaluate(out, one.path, SCHEME)
            if judged.problems:
                sys.exit(f"not compared: {dict(judged.problems)}")
            rows += [*judged.rows, *judged.levels]
            pairs |= judged.numbers
            failures += failures_in(one, out, SCHEME)
    groups = {one.id: one.group for one in patients if one.group}
    return Tested(
        rows=tuple(rows), pairs=pairs, groups=groups, failures=worst(failures, len(patients))
    )


def _appraisal(done: Tested, source: str, data: str, data_set: str, split: str) -> Appraisal:
    return Appraisal(
        data=data,
        data_set=data_set,
        split=split,
        cases=len(done.pairs),
        groups=dict(sorted(Counter(done.groups.values()).items())),
        date=today(),
        commit=source,
        configuration="turns 1",
        hardware=hardware(),
        scores=breakdown(done.rows, done.pairs, done.groups, CLINICAL),
        failures=done.failures[:TOLD],
    )


def conditions(bundle: Bundle, source: str, data: str, split: str) -> dict[str, str]:
    """What every row says of how it was made."""
    return {
        "date": today(),
        "commit": source,
        "data": data,
        "split": split,
        "model": f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}",
        "seed": str(bundle.training.get("seed", "-")),
        "configuration": "turns 1",
        "images_seen": str(bundle.training.get("images", "-")),
        "hardware": hardware(),
    }


def part_rows(scores: Sequence[Score], where: Mapping[str, str]) -> list[PartRow]:
    """A row a score, in the columns of protocol.md with group and level behind them."""
    rows = []
    for one in scores:
        named, statistic = STATISTICS.get(one.statistic, ("", "mean (95 % interval)"))
        title = f"{one.measure}, {named}" if named else METRICS[one.measure].title
        edges = ("-" if edge is None else f"{edge:.4g}" for edge in (one.low, one.high))
        low, high = edges
        rows.append(
            PartRow(
                measure=title,
                structure={"": "-", "all": "mean"}.get(one.structure, one.structure),
                phase=one.phase or "-",
                unit="1" if one.statistic == CORRELATION else unit_of(one.measure),
                runs=str(one.cases),
                statistic=statistic,
                value=f"{one.value:.4g}",
                low=low,
                high=high,
                group=one.group or "-",
                level=one.level or "-",
                **where,
            )
        )
    return rows


def show(rows: Sequence[PartRow]) -> None:
    """Print them."""
    for row in rows:
        place = (row.measure, row.structure, row.phase, row.group, row.level)
        what = " ".join(part for part in place if part != "-")
        said = f"{row.value} {row.unit} ({row.low} to {row.high}), n = {row.runs}"
        print(f"{row.data} {row.split}: {what} {said}")


def write_cases(path: Path, rows: Sequence[AgreementRow], groups: Mapping[str, str]) -> None:
    """The agreement of every case, over its stack and by level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(cells_as_csv(case_cells(rows, groups)), encoding="utf-8")


def case_cells(rows: Sequence[AgreementRow], groups: Mapping[str, str]) -> list[dict[str, object]]:
    """Rows as cells, with as many digits as mean something."""
    lines = []
    for row in rows:
        cells = {**row_cells(row), "group": groups.get(row.case, "")}
        dropped = row.values.keys() - set(KEPT)
        lines.append({key: _short(cell) for key, cell in cells.items() if key not in dropped})
    return lines


def _short(cell: object) -> object:
    return f"{cell:.5g}" if isinstance(cell, float) else cell


def _with_cohort(bundle: Bundle, run: Path | None) -> Bundle:
    """With the groups of those who trained it, where its record lacks them."""
    if run is None or "groups" in bundle.training:
        return bundle
    settings = load(RunSettings, run)
    counted = cohort_of(select(settings, run.parent))
    recorded = bundle.training.get("patients")
    if counted["patients"] != recorded:
        sys.exit(f"{run.name} trains on {counted['patients']} patients, the record says {recorded}")
    return replace(bundle, training={**bundle.training, **counted})


if __name__ == "__main__":
    main()
