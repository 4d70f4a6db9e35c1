"""Cross-validated accuracy: each fold's patients by the model that none of them trained.

    python benchmarks/folds.py FOLDS [--name cine-mr-fold] [--dry-run]

FOLDS holds a folder a fold as `heartseg train -o` leaves it (`bundle/`, `split.json`, `run.json`).
The test part of each finished fold is segmented by the command line, with turns 1, and compared
with its published labels. Every case goes to results/folds/NAME-cases.csv and -findings.csv as its
fold is done, so that a call goes on where an earlier one stopped, and a fold is scored once. When
all folds are there, results/folds/NAME.csv gets the scores over all patients: by structure, phase,
group and level, and of the ejection fractions.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appraise import KEPT, Tested, appraised, case_cells, conditions, part_rows, show
from rows import RESULTS, append, commit, csv_lines, real_images

from heartseg.core.anatomy import STRUCTURES_BY_KEY
from heartseg.evaluation import CLINICAL
from heartseg.measure.agreement import AgreementRow
from heartseg.measure.breakdown import breakdown
from heartseg.read import Candidate, find_studies
from heartseg.segment import Bundle, load_bundle
from heartseg.train.split import SAME_EXAMINATION

FOLDER = "folds"
LAYOUT = "acdc"


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One run that is done.

    Attributes:
        number: of the fold, from its own settings.
        count: of folds that there are to be.
        bundle: its model.
        test: patients that it is judged by.
    """

    number: int
    count: int
    bundle: Bundle
    test: tuple[str, ...]


def main() -> None:
    """Score what is new, keep it, and say what all folds together give."""
    options = _options()
    folds = finished(options.folds)
    known = _patients()
    require_apart(folds, known)
    done = _scored_folds(options.name)
    for fold in folds:
        weights = done.get(fold.number)
        if weights is None:
            print(f"fold {fold.number}: {len(fold.test)} patients", flush=True)
            _keep(fold, _appraised(fold, known), options.name, options.dry_run)
            if options.dry_run:
                return
        elif weights != fold.bundle.sha256:
            sys.exit(f"fold {fold.number} was scored with other weights: choose another --name")
    whole = read_scored(options.name)
    rows = part_rows(breakdown(whole.rows, whole.pairs, whole.groups, CLINICAL), _where(folds))
    show(rows)
    if len(folds) == folds[0].count and len(whole.pairs) == len(known):
        _once(options.name, rows)
    else:
        print(f"{len(folds)} of {folds[0].count} folds: nothing is written of them together")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="score the folds of a cross-validation")
    parser.add_argument("folds", type=Path, help="folder with a folder a fold")
    parser.add_argument("--name", default="cine-mr-fold", help="of the files in results/folds")
    parser.add_argument("--dry-run", action="store_true", help="score one new fold, keep nothing")
    return parser.parse_args()


def finished(folder: Path) -> list[Fold]:
    """The folds whose bundle is written, in order; exits where there is none or one is twice."""
    folds = [_fold(one.parents[1]) for one in sorted(folder.glob("*/bundle/model.toml"))]
    if not folds:
        sys.exit(f"{folder.name}: no fold with a bundle; wait, or see that it is the right folder")
    numbers = Counter(fold.number for fold in folds)
    if max(numbers.values()) > 1 or len({fold.count for fold in folds}) > 1:
        sys.exit(f"{folder.name}: folds {sorted(numbers.elements())} are not of one division")
    return sorted(folds, key=lambda fold: fold.number)


def _fold(folder: Path) -> Fold:
    split: dict[str, list[str]] = json.loads((folder / "split.json").read_text(encoding="utf-8"))
    record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    settings = record["settings"]["split"]
    both = set(split["test"]) & {*split["trained_on"], *split["validated_on"]}
    if both or settings["by"] != "fold":
        sys.exit(f"{folder.name}: not a fold, or {sorted(both)} both trained it and test it")
    return Fold(
        number=settings["fold"],
        count=settings["folds"],
        bundle=load_bundle(folder / "bundle"),
        test=tuple(split["test"]),
    )


def _patients() -> dict[str, Candidate]:
    training = real_images() / "acdc" / "training"
    if not training.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    return {one.id: one for one in find_studies(training)}


def require_apart(folds: Sequence[Fold], known: Iterable[str]) -> None:
    """Exit where a patient is tested twice or is not there, or one examination is torn apart."""
    tested = Counter(name for fold in folds for name in fold.test)
    twice = sorted(name for name, count in tested.items() if count > 1)
    missing = sorted(tested.keys() - set(known))
    if twice or missing:
        sys.exit(f"tested twice: {twice}; not among the images: {missing}")
    for twins in SAME_EXAMINATION[LAYOUT]:
        if any(0 < len(twins & set(fold.test)) < len(twins) for fold in folds):
            sys.exit(f"{sorted(twins)} are one examination, and lie in different folds")


def _appraised(fold: Fold, known: Mapping[str, Candidate]) -> Tested:
    return appraised([known[name] for name in fold.test], str(fold.bundle.folder))


def _path(name: str, kind: str) -> Path:
    return RESULTS / FOLDER / f"{name}-{kind}.csv"


def _keep(fold: Fold, found: Tested, name: str, dry: bool) -> None:
    """Add the cases of a fold; the findings last, by which it counts as scored."""
    mark = {"fold": fold.number, "weights": fold.bundle.sha256}
    cases = [{**mark, **cells} for cells in case_cells(found.rows, found.groups)]
    findings = [
        {**mark, "case": case, "group": found.groups.get(case, ""), **_sides(ours, theirs)}
        for case, (ours, theirs) in found.pairs.items()
    ]
    if dry:
        show(part_rows(breakdown(found.rows, found.pairs, found.groups), _where([fold])))
        return
    kept = [line for line in csv_lines(_path(name, "cases")) if line["fold"] != str(fold.number)]
    _write(_path(name, "cases"), [*kept, *cases])
    _write(_path(name, "findings"), [*csv_lines(_path(name, "findings")), *findings])


def _sides(
    ours: Mapping[str, float | None], theirs: Mapping[str, float | None]
) -> dict[str, object]:
    sides = {"measured": ours, "reference": theirs}
    return {
        f"{key}_{side}": "" if (value := numbers.get(key)) is None else f"{value:.5g}"
        for key in CLINICAL
        for side, numbers in sides.items()
    }


def _write(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    unfinished.replace(path)


def _scored_folds(name: str) -> dict[int, str]:
    """Weights by fold."""
    return {int(line["fold"]): line["weights"] for line in csv_lines(_path(name, "findings"))}


def read_scored(name: str) -> Tested:
    """What all folds that were scored gave, from the files."""
    findings = csv_lines(_path(name, "findings"))
    pairs = {
        line["case"]: (
            {key: _number(line[f"{key}_measured"]) for key in CLINICAL},
            {key: _number(line[f"{key}_reference"]) for key in CLINICAL},
        )
        for line in findings
    }
    return Tested(
        rows=tuple(_row(line) for line in csv_lines(_path(name, "cases")) if line["case"] in pairs),
        pairs=pairs,
        groups={line["case"]: line["group"] for line in findings if line["group"]},
    )


def _row(line: Mapping[str, str]) -> AgreementRow:
    return AgreementRow(
        case=line["case"],
        frame=int(line["frame"]),
        phase=line["phase"],  # type: ignore[arg-type] # as it was written
        structure=STRUCTURES_BY_KEY[line["structure"]],
        level=line["level"],  # type: ignore[arg-type] # as it was written
        values={key: _number(line[key]) for key in KEPT},
        volume_pred_ml=_number(line["volume_pred_ml"]),
        volume_truth_ml=_number(line["volume_truth_ml"]),
        note=line["note"] or None,
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _where(folds: Sequence[Fold]) -> dict[str, str]:
    """Conditions of the rows; the weights are many, and stand beside the cases."""
    first = folds[0].bundle
    numbers = ", ".join(str(fold.number) for fold in folds)
    where = conditions(first, commit(), "ACDC", f"{folds[0].count}-fold")
    return {
        **where,
        "model": f"{first.name} {first.version}, one a fold",
        "configuration": f"turns 1, folds {numbers}",
    }


def _once(name: str, rows: Sequence[Any]) -> None:
    path = RESULTS / FOLDER / f"{name}.csv"
    if path.exists():
        print(f"results/{FOLDER}/{name}.csv is written already")
        return
    append(f"{FOLDER}/{name}", rows)
    print(f"wrote results/{FOLDER}/{name}.csv")


if __name__ == "__main__":
    main()
