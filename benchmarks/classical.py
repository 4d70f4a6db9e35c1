"""The traditional methods beside the networks: ACDC and CAMUS, Dice, distance and time.

    python benchmarks/classical.py [--only otsu ...] [--data ACDC CAMUS] [--part test] [--limit N]
    python benchmarks/classical.py --model cine-mr out/camus/small/bundle   # networks beside them
    python benchmarks/classical.py --memory [--model ...]                   # largest memory of each

Every method of `heartseg.classical.METHODS` on the patients of one part of the split, with the
settings of the table, which were chosen on training patients (number % 5 in 2, 3, 4) and were fixed
before the test part was looked at. The atlas is made of training patients: every sixth of ACDC,
every tenth of CAMUS. It is slow, so on ACDC it sees every fifth patient of the part only.

ACDC: both frames of a patient, all slices, in 3-D and millimetres on the file's own grid. CAMUS:
every picture alone, in its own pixels, which have no millimetres. Where a method finds no ventricle
Dice is 0. Time is that of the process on one core, from the image in memory to its mask, over the
planes of it; a network looks once, on one thread, at the heart alone where a shipped model looks
for it first, and only at the view that it was made for.

`--memory` runs every method once more, each in a process of its own that segments three patients
and nothing else; what it held at most is its row, and `none` that of reading them.

Each image becomes a line of results/classical/cases.csv as it is done; what is there is not done
again, so a run can be stopped and resumed. Rows of what is complete go to
results/classical/methods.csv (`--limit` and other parts than test are printed, not kept).
"""

import argparse
import csv
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from statistics import fmean

from classical_cases import COMMIT, DATA, Case, Contestant, cases_of, patients_of, ready
from rows import RESULTS, Row, append, hardware, mean_row, today

from heartseg.classical import METHODS

FOLDER = "classical"
CASES = RESULTS / FOLDER / "cases.csv"
SLOW_EVERY: Mapping[str, int] = {"ACDC": 5, "CAMUS": 1}
MEMORY_PATIENTS = 3
NOTHING = "none"
"""Reads the images and segments nothing: what is left of the memory of each method."""


def main() -> None:
    """Segment what is not done yet, then sum up."""
    options = _options()
    if options.memory:
        append(f"{FOLDER}/memory", list(_memories(options)))
        return
    if options.peak:
        print(_peak(options.data[0], options.only[0]))
        return
    kept = options.limit is None and options.part == "test"
    before = list(_read()) if kept else []
    for data in options.data:
        patients = patients_of(data, options.part)
        for name in options.only:
            chosen = patients[:: SLOW_EVERY[data]] if name == "atlas" else patients
            with ready(name, data) as one:
                done = _done(before, data, one.method)
                todo = [patient for patient in chosen[: options.limit] if patient.id not in done]
                new = [
                    case for patient in todo for case in _kept(cases_of(patient, one, data), kept)
                ]
            mine = [
                case for case in [*before, *new] if (case.data, case.method) == (data, one.method)
            ]
            rows = list(_summed(mine, data, options.part, one))
            for row in rows:
                print(f"{data} {one.method}: {row.measure} {row.structure} {row.phase} {row.value}")
            if kept and new:
                append(f"{FOLDER}/methods", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="compare the traditional methods")
    parser.add_argument("--only", nargs="+", choices=[*METHODS, NOTHING], default=list(METHODS))
    parser.add_argument("--model", nargs="+", help="networks in their place: names or bundles")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--part", choices=("train", "validate", "test"), default="test")
    parser.add_argument("--limit", type=int, help="so many patients only; nothing is kept")
    parser.add_argument("--memory", action="store_true", help="largest memory of each")
    parser.add_argument("--peak", action="store_true", help="print that of the first, in MB")
    options = parser.parse_args()
    if NOTHING in options.only and not options.peak:
        parser.error(f"--only {NOTHING} measures memory: it needs --peak")
    if options.model:
        options.only = options.model
    return options


def _memories(options: argparse.Namespace) -> Iterator[Row]:
    """The largest memory of a process for each method and data set."""
    for data in options.data:
        for name in (NOTHING, *options.only):
            asked = ["--model", name] if options.model and name != NOTHING else ["--only", name]
            command = [sys.executable, __file__, *asked, "--data", data, "--peak"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            model, megabytes = done.stdout.split("\n")[-2].rsplit(" ", 1)
            print(f"{data} {model}: {megabytes} MB", flush=True)
            if megabytes == "-":
                continue
            yield Row(
                date=today(),
                commit=COMMIT,
                measure="largest memory of the process",
                unit="MB",
                data=data,
                split="test",
                model=model,
                configuration=f"{MEMORY_PATIENTS} patients one after the other",
                hardware=hardware(),
                runs="1",
                statistic="largest",
                value=megabytes,
                low="",
                high="",
            )


def _peak(data: str, name: str) -> str:
    """The model, and what this process held at most, in MB; `-` where it has nothing to do."""
    patients = patients_of(data, "test")[:MEMORY_PATIENTS]
    if name == NOTHING:
        for one in patients:
            one.load()
        return f"{NOTHING} {_megabytes():.0f}"
    with ready(name, data) as contestant:
        lines = [case for one in patients for case in cases_of(one, contestant, data)]
    return f"{contestant.model} {f'{_megabytes():.0f}' if lines else '-'}"


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _read() -> Iterator[Case]:
    if CASES.exists():
        with CASES.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                yield Case(**line)


def _done(before: Iterable[Case], data: str, name: str) -> set[str]:
    return {one.case for one in before if (one.data, one.method) == (data, name)}


def _kept(cases: Iterable[Case], kept: bool) -> list[Case]:
    """The lines of one patient, written together: a patient is done or not."""
    lines = list(cases)
    if kept:
        CASES.parent.mkdir(parents=True, exist_ok=True)
        new = not CASES.exists()
        with CASES.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [one.name for one in fields(Case)], lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows(asdict(one) for one in lines)
    return lines


def _summed(cases: Sequence[Case], data: str, part: str, contestant: Contestant) -> Iterator[Row]:
    """Rows of one method: means over patients, each of which counts once."""
    if not cases:
        return
    where = {
        "date": today(),
        "commit": cases[-1].commit,
        "data": data,
        "split": part,
        "model": contestant.model,
        "configuration": contestant.configuration,
        "hardware": hardware().rpartition(",")[0] + ", 1 core",
    }
    for structure in dict.fromkeys(one.structure for one in cases):
        for phase in ("ED", "ES", "all"):
            some = [
                one for one in cases if one.structure == structure and phase in (one.phase, "all")
            ]
            for key, measure, unit in (("dice", "Dice", "1"), ("hausdorff95_mm", "HD95", "mm")):
                values = _by_patient(some, key)
                if values:
                    place = {**where, "structure": structure, "phase": phase}
                    yield mean_row(measure, unit, values, **place)
    times = {(one.case, one.view): float(one.seconds) / int(one.planes) for one in cases}
    yield mean_row("time of a plane", "s", list(times.values()), **where)


def _by_patient(cases: Iterable[Case], key: str) -> list[float]:
    found: dict[str, list[float]] = {}
    for one in cases:
        value = getattr(one, key)
        if value:
            found.setdefault(one.case, []).append(float(value))
    return [fmean(values) for values in found.values()]


if __name__ == "__main__":
    main()
