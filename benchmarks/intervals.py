"""Do the intervals hold what people drew? Coverage over folds, and the constants that ship.

    python benchmarks/intervals.py FOLDS [--check cine-mr] [--into cine-mr] [--constants folds|own]
                                   [--looks 4] [--dry-run]

FOLDS holds what `heartseg train runs/acdc/fold.toml --set split.fold=K -o FOLDS/fold-K` wrote for
each K: a bundle, and a split.json that says whom it was not trained on. Each of these patients is
segmented and looked at again, and kept in FOLDS/looked; started again, the script goes on there.

The patients of a fold get intervals with constants from the other folds only. results/intervals/
then holds every case, the share of cases within with its exact binomial interval (Clopper and
Pearson 1934), the calibration of probabilities before and after a temperature from the other folds
(Guo 2017), and the constants.

`--check` adds a model of the usual split (protocol.md) on its test patients, in two ways: with
constants of the folds' models without these patients, and with its own, each patient's from all
the others (leave one out). `--constants` says which of the two `--into` writes into a bundle. The
folds' come from more patients, but from models that may be worse than the one they are for.

Patients that are one examination (train/split.py) count once. The images are those that the folds
were trained on; for a model and data of your own see docs/explanation/intervals.md.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from intervals_looked import BINS, TEMPERATURES, Looked, looked
from pages import markdown_table, write_table
from rows import RESULTS, ROOT, Row, append, commit, hardware, real_images, today
from scipy.stats import binomtest

from heartseg.core.finding import Interval
from heartseg.measure.calibration import KEYS, Calibration, Width
from heartseg.measure.intervals import LV_EF_LIMITS, borderline, fitted, interval_of
from heartseg.measure.statistics import bootstrap_mean
from heartseg.read import Candidate, find_studies
from heartseg.segment import Bundle, load_bundle, write_bundle
from heartseg.segment.ensemble import RUN_BUNDLE
from heartseg.train.split import SAME_EXAMINATION, part_of

OUT = RESULTS / "intervals"
PAGE = ROOT / "docs" / "explanation" / "intervals.md"
LEVEL = 0.9
LOOKS = 4
EXACT = "share (95 % Clopper-Pearson interval)"
MEAN = "mean (95 % interval)"
DATA = "ACDC (Bernard 2018)"
TEST, OWN = "test", "test, leave one out"
"""Another model on its test patients: with the folds' constants, and with its own."""

Widths = Mapping[str, Width]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A finding of a patient, with the interval that others' constants gave it."""

    fold: str
    patient: str
    group: str
    key: str
    measured: float
    drawn: float
    spread: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        """What was drawn lies in the interval."""
        return self.low <= self.drawn <= self.high


def main() -> None:
    """Look, cross-check, print, keep."""
    options = _options()
    folds = {name: _once(people) for name, people in _folds(options.folds, options.looks).items()}
    everybody = [one for people in folds.values() for one in people]
    how = f"patients that {len(folds)} models of a cross-validation had not seen, {DATA}"
    shipping = {"folds": calibrated(everybody, how)}
    where = _conditions(folds, options.looks)
    cases = list(crossed(folds))
    rows = [*coverage_rows(cases, where), *sureness_rows(folds, where)]
    if options.check:
        bundle, people = _of_usual_split(options.folds, options.check, options.looks)
        place = {**where, "model": f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}"}
        for split, some in checked(people, everybody):
            cases += some
            rows += coverage_rows(some, {**place, "split": split})
        how = f"its {len(people)} test patients, {DATA}"
        shipping["own"] = calibrated(people, how)
    for row in rows:
        print(f"{row.measure:42} {row.data:17} {row.split:20} {row.value:>8} {row.low} {row.high}")
    if not options.dry_run:
        append("intervals/coverage", rows)
        _write(OUT / "cases.csv", map(_as_line, cases))
        _write(OUT / "constants.csv", constants(shipping))
        _write(OUT / "reliability.csv", reliability(folds))
        write_table(PAGE, "intervals.py", table(rows))
    if options.into and not options.dry_run:
        bundle = load_bundle(options.into)
        chosen = shipping[options.constants]
        write_bundle(bundle.folder, bundle.onnx, replace(bundle, intervals=chosen))
        print(f"wrote the constants of {options.constants} into {bundle.folder}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="calibrate intervals, and count what they hold")
    parser.add_argument("folds", type=Path, help="folder of the runs of all folds")
    parser.add_argument("--looks", type=int, default=LOOKS, help="1 to 8")
    parser.add_argument("--into", help="name or folder of the bundle that gets the constants")
    parser.add_argument("--check", help="name or folder of a model of the usual split")
    parser.add_argument("--constants", choices=("folds", "own"), default="folds")
    parser.add_argument("--dry-run", action="store_true", help="print, keep nothing")
    options = parser.parse_args()
    if options.constants == "own" and not options.check:
        parser.error("--constants own takes --check MODEL")
    return options


def _folds(folder: Path, looks: int) -> dict[str, list[Looked]]:
    """By name of the run, the patients that it tests."""
    found = {}
    for run in sorted(
        one for one in folder.iterdir() if (one / RUN_BUNDLE / "model.toml").is_file()
    ):
        listed = json.loads((run / "split.json").read_text(encoding="utf-8"))
        tested = [one for one in _patients() if one.id in listed["test"]]
        found[run.name] = _seen(folder, str(run / RUN_BUNDLE), tested, looks)
    if len(found) < 2:
        sys.exit(
            f"{folder}: {len(found)} finished runs; it takes two folds to check one by the other"
        )
    return found


def _of_usual_split(folder: Path, model: str, looks: int) -> tuple[Bundle, list[Looked]]:
    tested = [one for one in _patients() if part_of(one.id) == "test"]
    return load_bundle(model), _seen(folder, model, tested, looks)


def _seen(folder: Path, model: str, patients: Sequence[Candidate], looks: int) -> list[Looked]:
    found = []
    for one in looked(patients, model, folder / "looked", looks):
        print(f"\r{Path(model).parent.name or model}: {one.patient}", end="", file=sys.stderr)
        found.append(one)
    print(file=sys.stderr)
    return found


@cache
def _patients() -> tuple[Candidate, ...]:
    training = real_images() / "acdc" / "training"
    if not training.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    return tuple(find_studies(training))


def _once(people: Sequence[Looked]) -> list[Looked]:
    """Without the second record of one examination."""
    again = {name for twins in SAME_EXAMINATION["acdc"] for name in sorted(twins)[1:]}
    return [one for one in people if one.patient not in again]


def crossed(folds: Mapping[str, Sequence[Looked]]) -> Iterator[Case]:
    """Every finding of every patient, with constants from the other folds."""
    for name, people in folds.items():
        others = [one for other, them in folds.items() if other != name for one in them]
        yield from with_widths(name, people, widths(others))


def checked(people: Sequence[Looked], folds: Sequence[Looked]) -> Iterator[tuple[str, list[Case]]]:
    """Cases of another model, by how it got its constants."""
    names = {one.patient for one in people}
    others = [one for one in folds if one.patient not in names]
    yield TEST, list(with_widths(TEST, people, widths(others)))
    alone = {one.patient: [one] for one in people}
    yield OWN, [replace(case, fold=OWN) for case in crossed(alone)]


def with_widths(fold: str, people: Sequence[Looked], constants: Widths) -> Iterator[Case]:
    """Every finding of some patients with intervals of these constants."""
    for one in people:
        for key, spread in one.spread().items():
            measured, drawn = one.measured[key], one.drawn[key]
            if measured is None or drawn is None:
                continue
            low, high = interval_of(measured, constants[key].half(spread), share=_is_share(key))
            numbers = {"measured": measured, "drawn": drawn, "spread": spread}
            place = {"fold": fold, "patient": one.patient, "group": one.group, "key": key}
            yield Case(**place, **numbers, low=low, high=high)


def widths(people: Sequence[Looked]) -> dict[str, Width]:
    """Constants of every finding."""
    found = {}
    for key in KEYS:
        pairs = [(one.error(key), one.spread().get(key)) for one in people]
        both = [(error, s) for error, s in pairs if error is not None and s is not None]
        errors, spread = np.array(both).T
        found[key] = fitted(errors, spread, LEVEL)
    return found


def calibrated(people: Sequence[Looked], how: str) -> Calibration:
    """What may ship: constants from all patients there are."""
    rounded = {
        key: Width(times=float(f"{one.times:.4g}"), floor=float(f"{one.floor:.4g}"))
        for key, one in widths(people).items()
    }
    return Calibration(
        level=LEVEL,
        looks=len(people[0].looks),
        patients=len(people),
        calibrated=how,
        findings=rounded,
        temperature=TEMPERATURES[likeliest_temperature(people)],
    )


def coverage_rows(cases: Sequence[Case], where: Mapping[str, str]) -> list[Row]:
    """By finding: cases within, mean width, mean error; of all and of each group."""
    rows = []
    for key in KEYS:
        mine = [one for one in cases if one.key == key]
        for group in ("-", *sorted({one.group for one in mine})):
            some = [one for one in mine if group in ("-", one.group)]
            data = "ACDC" if group == "-" else f"ACDC, group {group}"
            rows += _of_finding(key, some, {**where, "data": data})
    return [*rows, *_of_limits([one for one in cases if one.key == "lv_ef"], where)]


def _of_finding(key: str, cases: Sequence[Case], where: Mapping[str, str]) -> Iterator[Row]:
    place = {**where, "runs": str(len(cases))}
    yield _share_row(f"{key}, coverage", [one.within for one in cases], place)
    unit = "1" if _is_share(key) else {"ml": "mL"}.get(key[-2:], key.rpartition("_")[2])
    for measure, values in (
        (f"{key}, interval width", [one.high - one.low for one in cases]),
        (f"{key}, MAE", [abs(one.measured - one.drawn) for one in cases]),
    ):
        mean, spread = float(np.mean(values)), bootstrap_mean(np.array(values))
        yield _row(measure, unit, mean, spread, {**place, "statistic": MEAN})


def _of_limits(cases: Sequence[Case], where: Mapping[str, str]) -> Iterator[Row]:
    """How often 'borderline' is said, and where EF lies on the wrong side of a limit."""
    place = {**where, "data": "ACDC", "runs": str(len(cases))}
    said = [borderline((one.low, one.high)) is not None for one in cases]
    wrong = [
        any((one.measured < limit) != (one.drawn < limit) for limit in LV_EF_LIMITS)
        for one in cases
    ]
    yield _share_row("lv_ef, borderline", said, place)
    yield _share_row("lv_ef, wrong side of a limit", wrong, place)
    told = [s for s, w in zip(said, wrong, strict=True) if w]
    if told:
        where_wrong = {**place, "runs": str(len(told))}
        yield _share_row("lv_ef, borderline where on the wrong side", told, where_wrong)


def sureness_rows(folds: Mapping[str, Sequence[Looked]], where: Mapping[str, str]) -> list[Row]:
    """Expected calibration error before and after a temperature from the other folds."""
    before, after, chosen = sure_bins(folds)
    place = {**where, "data": "ACDC", "statistic": "pooled voxels around the heart"}
    return [
        _row("expected calibration error", "1", calibration_error(before), None, place),
        _row("expected calibration error, tempered", "1", calibration_error(after), None, place),
        _row(
            "temperature",
            "1",
            float(np.mean(chosen)),
            (min(chosen), max(chosen)),
            {**place, "statistic": "mean (min, max) of folds"},
        ),
    ]


def sure_bins(folds: Mapping[str, Sequence[Looked]]) -> tuple[Any, Any, list[float]]:
    """(bins, 3) sums before and after, and the temperature of each fold."""
    before, after, chosen = np.zeros((BINS, 3)), np.zeros((BINS, 3)), list[float]()
    for name, people in folds.items():
        others = [one for other, them in folds.items() if other != name for one in them]
        best = likeliest_temperature(others)
        chosen.append(TEMPERATURES[best])
        before += np.sum([one.bins[_UNCHANGED] for one in people], axis=0)
        after += np.sum([one.bins[best] for one in people], axis=0)
    return before, after, chosen


def likeliest_temperature(people: Sequence[Looked]) -> int:
    """Place in `TEMPERATURES` of the one that makes what was drawn likeliest."""
    return int(np.argmin(np.sum([one.log_loss for one in people], axis=0)))


def calibration_error(bins: Any) -> float:
    """Mean over voxels of |how sure - how right| of their bin."""
    return float(np.abs(bins[:, 1] - bins[:, 2]).sum() / bins[:, 0].sum())


def reliability(folds: Mapping[str, Sequence[Looked]]) -> Iterator[dict[str, object]]:
    """A line a bin."""
    before, after, _ = sure_bins(folds)
    for name, bins in (("before", before), ("after", after)):
        for place, (voxels, sure, right) in enumerate(bins.tolist()):
            if voxels:
                mean, share = f"{sure / voxels:.4f}", f"{right / voxels:.4f}"
                line = {"temperature": name, "bin": place, "voxels": int(voxels)}
                yield {**line, "probability": mean, "right": share}


def constants(shipping: Mapping[str, Calibration]) -> Iterator[dict[str, object]]:
    """A line a finding, as a bundle holds it."""
    for name, one in shipping.items():
        for key, width in one.findings.items():
            line = {"constants": name, "key": key, "times": width.times, "floor": width.floor}
            yield {**line, "level": one.level, "looks": one.looks, "patients": one.patients}


_UNCHANGED = int(np.argmin(np.abs(np.array(TEMPERATURES) - 1.0)))


def _is_share(key: str) -> bool:
    return key.endswith("_ef")


def _as_line(case: Case) -> dict[str, object]:
    line = {name: getattr(case, name) for name in Case.__dataclass_fields__}
    numbers = {name: f"{value:.5g}" for name, value in line.items() if isinstance(value, float)}
    return {**line, **numbers, "within": int(case.within)}


def _conditions(folds: Mapping[str, Sequence[Looked]], looks: int) -> dict[str, str]:
    weights = ", ".join(people[0].sha256[:12] for people in folds.values())
    return {
        "date": today(),
        "commit": commit(),
        "split": f"{len(folds)} folds",
        "model": f"a model a fold, sha256 {weights}",
        "seed": "-",
        "configuration": f"{looks} looks, level {LEVEL}",
        "hardware": hardware(),
    }


def _share_row(measure: str, held: Sequence[bool], where: Mapping[str, str]) -> Row:
    low, high = binomtest(sum(held), len(held)).proportion_ci(0.95, "exact")
    share = sum(held) / len(held)
    return _row(measure, "1", share, (low, high), {**where, "statistic": EXACT})


def _row(
    measure: str, unit: str, value: float, spread: Interval | None, where: Mapping[str, str]
) -> Row:
    low, high = ("-", "-") if spread is None else (f"{edge:.4g}" for edge in spread)
    said: dict[str, Any] = {"runs": "-", **where}
    return Row(measure=measure, unit=unit, value=f"{value:.4g}", low=low, high=high, **said)


def _write(path: Path, lines: Any) -> None:
    rows = list(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def table(rows: Sequence[Row]) -> str:
    """Coverage and width of each finding over all patients, as Markdown."""
    heads = ("finding", "patients", "split", "within", "95 % interval", "mean width", "mean error")
    lines = []
    whole = [row for row in rows if row.data == "ACDC"]
    found = {(row.split, row.measure): row for row in whole}
    for split, key in dict.fromkeys((row.split, row.measure.partition(",")[0]) for row in whole):
        within = found.get((split, f"{key}, coverage"))
        if within is None:
            continue
        wide, error = found[split, f"{key}, interval width"], found[split, f"{key}, MAE"]
        spread = f"{_percent(within.low)} to {_percent(within.high)}"
        shown = (f"`{key}`", within.runs, split, _percent(within.value), spread)
        lines.append((*shown, _amount(wide), _amount(error)))
    return markdown_table(heads, lines)


def _percent(text: str) -> str:
    return f"{100 * float(text):.0f} %"


def _amount(row: Row) -> str:
    return f"{100 * float(row.value):.1f} points" if row.unit == "1" else f"{row.value} {row.unit}"


if __name__ == "__main__":
    main()
