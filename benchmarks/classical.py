"""The traditional methods beside the networks: ACDC and CAMUS, Dice, distance and time.

    python benchmarks/classical.py [--only otsu ...] [--data acdc camus] [--part test] [--limit N]

Every method of `heartseg.classical.METHODS` on the patients of one part of the split, with the
settings of the table, which were chosen on training patients (number % 5 in 2, 3, 4) and were fixed
before the test part was looked at. The atlas is made of training patients: every sixth of ACDC,
every tenth of CAMUS. It is slow, so on ACDC it sees every fifth patient of the part only.

ACDC: both frames of a patient, all slices, in 3-D and millimetres on the file's own grid. CAMUS:
every picture alone, in its own pixels, which have no millimetres. Where a method finds no ventricle
Dice is 0. Time is that of the process on one core, from the image in memory to its mask, over the
planes of it.

Each image becomes a line of results/classical/cases.csv as it is done; what is there is not done
again, so a run can be stopped and resumed. Rows of what is complete go to
results/classical/methods.csv (`--limit` and other parts than test are printed, not kept).
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from rows import RESULTS, Row, append, commit, hardware, real_images, today

from heartseg.classical import METHODS, Method, looks_of, segment_image
from heartseg.classical.atlas import Atlas
from heartseg.core.errors import StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.measure.metrics import METRICS
from heartseg.measure.pair import Pair
from heartseg.measure.statistics import bootstrap_mean
from heartseg.prepare.localise import Look
from heartseg.read import Candidate, find_studies
from heartseg.train.split import part_of

FOLDER = "classical"
COMMIT = commit()
"""When the run began: what it measures."""

CASES = RESULTS / FOLDER / "cases.csv"
DATA: Mapping[str, str] = {"ACDC": "acdc/training", "CAMUS": "camus"}
ATLAS_EVERY: Mapping[str, int] = {"ACDC": 6, "CAMUS": 10}
SLOW_EVERY: Mapping[str, int] = {"ACDC": 5, "CAMUS": 1}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One structure in one frame of one patient by one method; empty is no value."""

    date: str
    commit: str
    data: str
    part: str
    method: str
    case: str
    view: str
    frame: str
    phase: str
    structure: str
    dice: str
    hausdorff95_mm: str
    planes: str
    seconds: str
    problem: str


def main() -> None:
    """Segment what is not done yet, then sum up."""
    parser = argparse.ArgumentParser(description="compare the traditional methods")
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--part", choices=("train", "validate", "test"), default="test")
    parser.add_argument("--limit", type=int, help="so many patients only; nothing is kept")
    options = parser.parse_args()
    kept = options.limit is None and options.part == "test"
    before = list(_read()) if kept else []
    for data in options.data:
        patients = _patients(data, options.part)
        for name in options.only:
            chosen = patients[:: SLOW_EVERY[data]] if name == "atlas" else patients
            with _ready(name, data) as method:
                done = _done(before, data, name)
                todo = [one for one in chosen[: options.limit] if one.id not in done]
                new = [
                    case for one in todo for case in _kept(_cases(one, method, name, data), kept)
                ]
            mine = [one for one in [*before, *new] if (one.data, one.method) == (data, name)]
            rows = list(_summed(mine, data, options.part, name))
            for row in rows:
                print(f"{data} {name}: {row.measure} {row.structure} {row.phase} {row.value}")
            if kept and new:
                append(f"{FOLDER}/methods", rows)


def _patients(data: str, part: str) -> list[Candidate]:
    found = find_studies(real_images() / DATA[data])
    return [one for one in found if part_of(one.id) == part and one.reference is not None]


@contextmanager
def _ready(name: str, data: str) -> Iterator[Method]:
    """The method with the settings of the table; the atlas gets its training patients."""
    method = METHODS[name]
    if not isinstance(method, Atlas):
        yield method
        return
    with tempfile.TemporaryDirectory(prefix="heartseg-atlas-") as folder:
        drawn = _patients(data, "train")[:: ATLAS_EVERY[data]]
        root = real_images() / DATA[data]
        files = {file for one in drawn for file in one.files if file.is_relative_to(root)}
        for file in files:
            place = Path(folder) / DATA[data] / file.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
        yield replace(method, folder=Path(folder) / DATA[data], studies=len(drawn))


def _cases(candidate: Candidate, method: Method, name: str, data: str) -> Iterator[Case]:
    """A patient's images and structures."""
    study = candidate.load()
    masks = candidate.reference() if candidate.reference else {}
    for view, look in looks_of(study).items():
        image, truth, problem = study.images[view], masks[view], ""
        begun = time.process_time()
        try:
            found = segment_image(image, method, look)
        except StudyError as fault:  # not found is a result, the worst one
            problem = str(fault)
            found = _nothing(image, method, look)
        seconds = time.process_time() - begun
        about = {
            "date": today(),
            "commit": COMMIT,
            "data": data,
            "part": part_of(candidate.id),
            "method": name,
            "case": candidate.id,
            "view": str(view),
            "planes": str(image.frames * image.geometry.shape[0]),
            "seconds": f"{seconds:.3f}",
            "problem": problem,
        }
        yield from _judged(found, truth, about)


def _judged(found: Segmentation, truth: Segmentation, about: Mapping[str, str]) -> Iterator[Case]:
    """A case a frame and structure that both looked for."""
    grid = truth.geometry
    spacing = grid.spacing if grid.unit == "mm" else None
    for frame in range(truth.frames):
        for structure in found.structures:
            if structure not in truth.structures:
                continue
            pair = Pair(found.mask(structure, frame), truth.mask(structure, frame), spacing)
            values = {key: METRICS[key].value(pair)[0] for key in ("dice", "hausdorff95_mm")}
            yield Case(
                frame=str(frame),
                phase=_phase(truth, frame),
                structure=structure.key,
                **{key: "" if one is None else f"{one:.5g}" for key, one in values.items()},
                **about,
            )


def _nothing(image: Image, method: Method, look: Look) -> Segmentation:
    """What a method that found nothing is judged by."""
    labels = np.zeros(image.voxels.shape, np.uint8)
    return Segmentation(labels, image.geometry, method.finds(look), image.times_ms)


def _phase(truth: Segmentation, frame: int) -> str:
    """ED has the larger cavity; the only frame of a study has no name."""
    if truth.frames != 2:
        return "-"
    sizes = [int(np.count_nonzero(one == 1)) for one in truth.labels]
    return "ED" if frame == int(np.argmax(sizes)) else "ES"


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


def _summed(cases: Sequence[Case], data: str, part: str, name: str) -> Iterator[Row]:
    """Rows of one method: means over patients, each of which counts once."""
    if not cases:
        return
    where = {
        "date": today(),
        "commit": cases[-1].commit,
        "data": data,
        "split": part,
        "model": f"classical:{name}",
        "configuration": "settings of the table",
        "hardware": hardware().rpartition(",")[0] + ", 1 core",
    }
    for structure in dict.fromkeys(one.structure for one in cases):
        for phase in ("ED", "ES", "all"):
            some = [
                one for one in cases if one.structure == structure and phase in (one.phase, "all")
            ]
            for key, measure, unit in (("dice", "Dice", "1"), ("hausdorff95_mm", "HD95", "mm")):
                values = _by_patient(some, key)
                if len(values):
                    place = {**where, "structure": structure, "phase": phase}
                    yield _row(measure, unit, values, place)
    times = {(one.case, one.view): float(one.seconds) / int(one.planes) for one in cases}
    yield _row("time of a plane", "s", np.array(list(times.values())), where)


def _by_patient(cases: Iterable[Case], key: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    found: dict[str, list[float]] = {}
    for one in cases:
        value = getattr(one, key)
        if value:
            found.setdefault(one.case, []).append(float(value))
    return np.array([np.mean(values) for values in found.values()])


def _row(
    measure: str,
    unit: str,
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    where: Mapping[str, str],
) -> Row:
    low, high = bootstrap_mean(values)
    return Row(
        measure=measure,
        unit=unit,
        runs=str(len(values)),
        statistic="mean (95 % interval)",
        value=f"{values.mean():.4g}",
        low=f"{low:.4g}",
        high=f"{high:.4g}",
        **where,
    )


if __name__ == "__main__":
    main()
