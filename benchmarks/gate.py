"""The plausibility gate: how it was set, and what it catches on patients that did not set it.

    python benchmarks/gate.py --collect [--part validate test] [--also FOLDER ...]
    python benchmarks/gate.py --set [--also FOLDER ...] [--into-bundle]
    python benchmarks/gate.py [--also FOLDER ...]

A segmentation is *bad* when a structure (LV, myocardium, RV) that was sought has a Dice below 0.8
in 3-D at ED or ES, or when its stack has a fault that makes its numbers wrong whatever the Dice
(`gate_faults.WRONG_ANYHOW`). The gate *catches* it when it does not say "pass".

`--set`: [familiar] of the shipped model comes from the images and the reference contours of ACDC's
training patients (number % 5 in 2, 3, 4); its limits from the same patients, each compared with the
others; those of confidence from the validation patients. No segmentation of a test patient was
looked at before; the shares of test patients' reference contours that are flagged had been
(LOG.md). `--collect` makes the segmentations (`gate_cases`) and looks at them, which takes an hour
of a core; stopped, it goes on where it was, and the others judge what is there. `--also`
names bundles of further models, which are used on patients that they were not trained on.

Every test case goes to results/gate/cases.csv, what is summed up to results/gate/gate.csv, what
`--set` saw to results/gate/set.csv. Traditional methods are judged without their standing caution.
"""

import argparse
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from gate_cases import CLASSICAL, CLEAN, REFERENCE, SHIPPED, TRADITIONAL, collect
from gate_seen import BAD, Seen, look_at, seen_of
from rows import RESULTS, Row, append, commit, hardware, today
from scipy import stats

from heartseg.choice import Models
from heartseg.measure.confidence import LEAST_EXPECTED, unsureness
from heartseg.measure.likeness import Familiar, familiar_of, unlikeness
from heartseg.segment import load_bundle, write_bundle

FOLDER = "gate"
SHIFTS = (-0.06, -0.04, -0.02, 0.0, 0.02, 0.04, 0.06)
"""Added to every least expected Dice: the trade-off of catching more and flagging more."""

COLUMNS = ("part", "source", "patient", "fault", "lowest_dice", "lowest_lv_dice", "expected_dice",
           "bad", "verdict", "reasons")  # fmt: skip


def main() -> None:
    """Collect, set, or judge."""
    parser = argparse.ArgumentParser(description="set and measure the plausibility gate")
    parser.add_argument("--collect", action="store_true", help="make the segmentations")
    parser.add_argument("--set", action="store_true", help="show what the limits are set by")
    parser.add_argument("--into-bundle", action="store_true", help="write [familiar] too")
    parser.add_argument("--part", nargs="+", default=["validate", "test"])
    parser.add_argument("--also", nargs="+", default=[], help="folders of further models")
    options = parser.parse_args()
    sources = [SHIPPED, *(CLASSICAL + name for name in TRADITIONAL), *options.also]
    if options.collect:
        models = Models("cpu", threads=1)
        for part in options.part:
            for source in sources:
                collect(part, source, models)
                look_at(part, source)
        for part in ("train", "validate", "test"):
            look_at(part, REFERENCE)
    elif options.set:
        _set(sources, into_bundle=options.into_bundle)
    else:
        _judge(sources)


def _set(sources: Sequence[str], *, into_bundle: bool) -> None:
    """The statistics of training patients, and what the limits do to them and to validation."""
    drawn = [one for one in seen_of("train", REFERENCE) if one.looks]
    familiar = familiar_of([one.looks for one in drawn if one.looks])
    others = [
        bool(one.judged(familiar_of([o.looks for o in drawn if o is not one and o.looks])))
        for one in drawn
    ]
    said = {"split": "train", "configuration": "reference contours, each against the others"}
    rows = [_share("reference contours flagged", others, said)]
    said = {"split": "validate", "configuration": "reference contours"}
    flagged = [bool(one.judged(familiar)) for one in seen_of("validate", REFERENCE)]
    rows.append(_share("reference contours flagged", flagged, said))
    cases = [one for source in sources for one in seen_of("validate", source)]
    rows += _trade_off(cases, familiar, "validate")
    _show(rows)
    append(f"{FOLDER}/set", rows)
    if into_bundle:
        bundle = load_bundle(SHIPPED)
        write_bundle(bundle.folder, bundle.onnx, replace(bundle, familiar=familiar))


def _judge(sources: Sequence[str]) -> None:
    """The test patients, with the limits and statistics as they are shipped."""
    familiar = load_bundle(SHIPPED).familiar
    rows = []
    for parts in (("test",), ("validate",), ("train", "validate", "test")):
        drawn = [bool(one.judged(familiar)) for part in parts for one in seen_of(part, REFERENCE)]
        said = {"split": ", ".join(parts), "configuration": "reference contours"}
        rows.append(_share("reference contours flagged", drawn, said))
    cases = [one for source in sources for one in seen_of("test", source)]
    rows += list(_summed(cases, familiar))
    rows += _trade_off(cases, familiar, "test")
    _show(rows)
    append(f"{FOLDER}/gate", rows)
    _keep(cases, familiar)


def _summed(cases: Sequence[Seen], familiar: Familiar | None) -> Iterator[Row]:
    """Of all cases, of groups of them, and of each source and fault."""
    groups: dict[str, list[Seen]] = {
        "all": list(cases),
        "all, Dice below 0.8 only": [one for one in cases if not one.wrong_anyhow],
        "models and methods on clean images": [one for one in cases if one.fault == CLEAN],
    }
    for one in cases:
        fault = "" if one.fault == CLEAN else f", {one.fault}"
        groups.setdefault(f"{_named(one.source)}{fault}", []).append(one)
    for name, some in groups.items():
        yield from _two_shares(some, familiar, {"split": "test", "configuration": name})
        yield from _auroc(some, {"split": "test", "configuration": name})
    lv = [one for one in cases if not one.wrong_anyhow]
    said = {"split": "test", "configuration": "all, Dice of the LV below 0.8 only"}
    bad = [bool(one.judged(familiar)) for one in lv if one.lowest_lv < BAD]
    good = [bool(one.judged(familiar)) for one in lv if one.lowest_lv >= BAD]
    yield from (_share("bad caught", bad, said), _share("good flagged", good, said))


def _two_shares(
    cases: Iterable[Seen], familiar: Familiar | None, said: Mapping[str, str]
) -> Iterator[Row]:
    some = list(cases)
    for measure, bad in (("bad caught", True), ("good flagged", False)):
        flagged = [bool(one.judged(familiar)) for one in some if one.bad is bad]
        if flagged:
            yield _share(measure, flagged, said)


def _trade_off(cases: Sequence[Seen], familiar: Familiar | None, part: str) -> list[Row]:
    """The same with every least expected Dice raised or lowered."""
    rows = []
    for shift in SHIFTS:
        least = {structure: value + shift for structure, value in LEAST_EXPECTED.items()}
        said = {"split": part, "configuration": f"all, least expected Dice {shift:+.2f}"}
        for measure, bad in (("bad caught", True), ("good flagged", False)):
            some = [one for one in cases if one.bad is bad]
            rows.append(_share(measure, [_flags(one, familiar, least) for one in some], said))
    return rows


def _flags(one: Seen, familiar: Familiar | None, least: Mapping[object, float]) -> bool:
    unlike = unlikeness(one.looks, familiar) if one.looks and familiar else ()
    return bool(one.reasons or unlike or unsureness(one.stood, least))


def _auroc(cases: Iterable[Seen], said: Mapping[str, str]) -> Iterator[Row]:
    """Chance that a case of low Dice expects less of itself than one of high Dice."""
    some = [one for one in cases if one.expected is not None]
    low = [one.expected for one in some if one.lowest < BAD]
    high = [one.expected for one in some if one.lowest >= BAD]
    if min(len(low), len(high)) < 5:
        return
    value = _above(np.array(high), np.array(low))
    rng = np.random.default_rng(0)
    drawn = [_above(rng.choice(high, len(high)), rng.choice(low, len(low))) for _ in range(1000)]
    ends = np.percentile(drawn, (2.5, 97.5))
    yield _row(
        "AUROC of the lowest expected Dice",
        (value, float(ends[0]), float(ends[1])),
        len(some),
        "AUROC (95 % bootstrap interval over cases)",
        said,
    )


def _above(high: "np.ndarray[tuple[int], np.dtype[np.float64]]", low: object) -> float:
    u = stats.mannwhitneyu(high, low).statistic
    return float(u) / (len(high) * len(low))  # type: ignore[arg-type]


def _share(measure: str, flagged: Sequence[bool], said: Mapping[str, str]) -> Row:
    if not flagged:
        return _row(measure, (float("nan"),) * 3, 0, "share (95 % Wilson interval)", said)
    inside = stats.binomtest(sum(flagged), len(flagged)).proportion_ci(method="wilson")
    value = sum(flagged) / len(flagged)
    numbers = (value, float(inside.low), float(inside.high))
    return _row(measure, numbers, len(flagged), "share (95 % Wilson interval)", said)


def _row(
    measure: str,
    numbers: tuple[float, float, float],
    runs: int,
    statistic: str,
    said: Mapping[str, str],
) -> Row:
    value, low, high = (f"{one:.3f}" for one in numbers)
    return Row(
        **_conditions(),
        measure=measure,
        unit="1",
        data="ACDC",
        runs=str(runs),
        statistic=statistic,
        value=value,
        low=low,
        high=high,
        **said,
    )


@lru_cache(maxsize=1)
def _conditions() -> Mapping[str, str]:
    """What every row says of how it was made."""
    bundle = load_bundle(SHIPPED)
    return {
        "date": today(),
        "commit": commit(),
        "model": f"gate of {bundle.name} {bundle.version}, sha256 {bundle.sha256}",
        "hardware": hardware(),
    }


def _named(source: str) -> str:
    """A folder of a model by its last telling part."""
    parts = [part for part in source.split("/") if part not in ("", "bundle")]
    return parts[-1]


def _keep(cases: Sequence[Seen], familiar: Familiar | None) -> None:
    path = RESULTS / FOLDER / "cases.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("date", "commit", *COLUMNS))
        day, tree = _conditions()["date"], _conditions()["commit"]
        for one in cases:
            reasons = one.judged(familiar)
            verdict = one.verdict if one.verdict == "reject" else "review" if reasons else "pass"
            expected = "" if one.expected is None else f"{one.expected:.4f}"
            worst = (f"{one.lowest:.4f}", f"{one.lowest_lv:.4f}", expected)
            about = (one.part, _named(one.source), one.patient, one.fault)
            writer.writerow((day, tree, *about, *worst, one.bad, verdict, "; ".join(reasons)))


def _show(rows: Iterable[Row]) -> None:
    for row in rows:
        shown = f"{row.value} ({row.low} to {row.high}), {row.runs}"
        print(f"{row.split:10} {row.configuration:60} {row.measure}: {shown}")


if __name__ == "__main__":
    main()
