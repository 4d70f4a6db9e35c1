"""How much a model loses when images are not as it would like them, and whether that is flagged.

    python benchmarks/robustness.py [--only rotation noise ...] [--limit N] [--model cine-mr]
                                    [--verdicts | --sum]

Every disturbance of disturbances.py on the ACDC patients of the test part, ED and ES, through the
pipeline as `heartseg segment` runs it. Where a disturbance moves the image, the truth moves too. So
does the mask that was found in the undisturbed image of the same patient: the loss is its Dice
minus that of the mask found in the disturbed image, both on the same grid and by the same truth.

Each study becomes a line of results/robustness/cases.csv as it is done; what is there is not done
again. The strongest disturbances come first. What is complete is summed up in table.csv, which is
written anew from the cases (`--sum` does only that). What the network answered stays in
out/robustness (ignored by git), and `--verdicts` judges all studies again from there, after the
quality checks have changed: masks, scores and measures keep their lines, verdicts get new ones.
Nothing is kept with `--limit`.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from disturbances import DISTURBANCES, FAMILIES, NONE, SEED, Disturbance, in_turn
from disturbed_places import Scene
from kept_planes import KeptModels, load, save
from robustness_cases import Case, add_case, read_cases, said_of, write_cases
from robustness_table import rows_of
from rows import RESULTS, ROOT, append, commit, hardware, real_images, today

from heartseg.core.anatomy import Structure
from heartseg.core.errors import HeartsegError
from heartseg.core.finding import Quality, Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.measure.metrics import METRICS
from heartseg.measure.pair import Pair
from heartseg.pipeline import Settings, examine
from heartseg.read import Candidate, find_studies
from heartseg.segment import load_bundle
from heartseg.train.split import part_of

PART = "test"
COMMIT = commit()
"""When the run began: what it measures."""

CASES = RESULTS / "robustness" / "cases.csv"
TABLE = "robustness/table"
CACHE = ROOT / "out" / "robustness"
STRUCTURES = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
LABELS = "labels"


@dataclass(frozen=True)
class Patient:
    """A study of the test part with its truth."""

    study: Study
    truth: Segmentation

    @property
    def phases(self) -> Phases:
        """As the data set gives them."""
        return self.study.phases[View.SAX]


def main() -> None:
    """Do what is not done yet, then sum up."""
    options = _options()
    bench = Bench(options.model, kept=options.limit is None)
    cases = list(read_cases(CASES))
    if options.verdicts:
        cases = [bench.judged_again(case) for case in cases]
        write_cases(CASES, cases)
    elif not options.sum:
        done = {(one.patient, one.family, one.level) for one in cases}
        for disturbance, patient in in_turn(options.only, patients()[: options.limit]):
            if bench.kept and (patient, disturbance.family, disturbance.level) in done:
                continue
            case = bench.case(patient, disturbance)
            print(said_of(case), flush=True)
            if bench.kept:
                add_case(CASES, case)
    if bench.kept:
        sum_up()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure the robustness of a model")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--limit", type=int, help="so many patients only; nothing is kept")
    parser.add_argument("--model", default="cine-mr", help="name or folder of a bundle")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--verdicts", action="store_true", help="judge again what was segmented")
    what.add_argument("--sum", action="store_true", help="write the table only")
    return parser.parse_args()


@cache
def _candidates() -> Mapping[str, Candidate]:
    training = real_images() / "acdc" / "training"
    if not training.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    return {one.id: one for one in find_studies(training) if part_of(one.id) == PART}


def patients() -> list[str]:
    """The ids of the test part."""
    return list(_candidates())


@cache
def patient_of(name: str) -> Patient:
    """Read a patient once."""
    candidate = _candidates()[name]
    if candidate.reference is None:
        sys.exit(f"{name} has no published labels")
    return Patient(candidate.load(), candidate.reference()[View.SAX])


class Bench:
    """Studies through the pipeline, one after another.

    Args:
        model: name or folder of a bundle.
        kept: whether masks and answers stay on disk.
    """

    def __init__(self, model: str, *, kept: bool) -> None:
        self.kept, self._models, self._model = kept, KeptModels("cpu"), model
        bundle = load_bundle(model)
        self._about = {
            "date": today(),
            "commit": COMMIT,
            "hardware": hardware(),
            "data": "ACDC",
            "part": PART,
            "model": f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}",
            "seed": str(SEED),
            "judged": COMMIT,
        }
        self._found_before: dict[str, Segmentation] = {}

    def case(self, name: str, disturbance: Disturbance) -> Case:
        """Disturb, segment, measure, compare."""
        patient = patient_of(name)
        scene = disturbance.of(self._scene(name, disturbance), name)
        begun, problem = time.process_time(), ""
        self._models.remember({})
        try:
            found, report = self._examined(patient, scene)
            verdict: Quality | None = report.quality
        except HeartsegError as fault:  # it says so to the user, who gets no numbers
            found, report, verdict, problem = _nothing(scene), None, None, str(fault)
        seconds = time.process_time() - begun
        if self.kept:
            path = _cache(name, disturbance)
            save(path, {LABELS: found.labels, **self._models.planes})
        if disturbance is NONE:
            self._found_before[name] = found
        before = found if disturbance is NONE else scene.masks[1]
        return Case(
            **self._about,
            patient=name,
            family=disturbance.family,
            level=disturbance.level,
            **scores(found, before, scene.truth, patient.phases),
            **numbers(report, scene.truth, patient.phases),
            changed_voxels=str(int(np.count_nonzero(found.labels != before.labels))),
            seconds=f"{seconds:.2f}",
            verdict="error" if verdict is None else verdict.verdict,
            reasons="" if verdict is None else "; ".join(verdict.reasons),
            problem=problem,
        )

    def judged_again(self, case: Case) -> Case:
        """The same line with the verdict that the pipeline gives now."""
        (disturbance,) = (
            d for d in DISTURBANCES if (d.family, d.level) == (case.family, case.level)
        )
        scene = disturbance.of(self._scene(case.patient, disturbance), case.patient)
        kept = load(_cache(case.patient, disturbance))
        self._models.remember({key: one for key, one in kept.items() if key != LABELS})
        try:
            _, report = self._examined(patient_of(case.patient), scene)
        except HeartsegError as fault:
            return replace(case, verdict="error", reasons="", judged=COMMIT, problem=str(fault))
        quality = report.quality
        said = "; ".join(quality.reasons)
        return replace(case, verdict=quality.verdict, reasons=said, judged=COMMIT, problem="")

    def _scene(self, name: str, disturbance: Disturbance) -> Scene:
        """The undisturbed study, with what was found in it where that is needed."""
        patient = patient_of(name)
        image = patient.study.images[View.SAX]
        if disturbance is NONE:
            return Scene(image, (patient.truth,))
        return Scene(image, (patient.truth, self._before(name)))

    def _before(self, name: str) -> Segmentation:
        """What the model finds in the undisturbed study."""
        if name not in self._found_before:
            kept = load(_cache(name, NONE)).get(LABELS)
            truth = patient_of(name).truth
            if kept is None:
                self.case(name, NONE)
            else:
                self._found_before[name] = replace(truth, labels=kept)
        return self._found_before[name]

    def _examined(self, patient: Patient, scene: Scene) -> tuple[Segmentation, Report]:
        """The pipeline's own first five verbs on a study that is in memory."""
        study = replace(patient.study, images={View.SAX: scene.image})
        candidate = Candidate(id=study.id, layout="disturbed", path=Path(), load=lambda: study)
        settings = Settings(model=self._model, device="cpu", intervals=False)
        analysis = examine(candidate, self._models, settings)
        return analysis.segmentations[View.SAX], analysis.report


def _cache(name: str, disturbance: Disturbance) -> Path:
    safe = disturbance.name.replace(": ", "-").replace(" ", "-").replace("/", "-")
    return CACHE / safe / f"{name}.planes"


def _nothing(scene: Scene) -> Segmentation:
    return scene.truth.like(np.zeros_like(scene.truth.labels))


def scores(
    found: Segmentation, before: Segmentation, truth: Segmentation, phases: Phases
) -> dict[str, str]:
    """Columns of agreement: of the mask that was found, and of the one before."""
    grid, columns = truth.geometry, {}
    for structure in STRUCTURES:
        for phase, frame in (("ed", phases.ed), ("es", phases.es)):
            if frame is None:
                continue
            drawn, where = truth.mask(structure, frame), f"{structure.key}_{phase}"
            pair = Pair(found.mask(structure, frame), drawn, grid.spacing, grid.depth_known)
            old = Pair(before.mask(structure, frame), drawn, grid.spacing, grid.depth_known)
            columns[f"dice_{where}"] = _number(METRICS["dice"].value(pair)[0])
            columns[f"before_{where}"] = _number(METRICS["dice"].value(old)[0])
            columns[f"hd95_{where}"] = _number(METRICS["hausdorff95_mm"].value(pair)[0])
    return columns


def numbers(report: Report | None, truth: Segmentation, phases: Phases) -> dict[str, str]:
    """Columns of measures; none of a report that was not made."""
    values = {} if report is None else {one.key: one.value for one in report.findings}
    kept = {key: _number(values.get(key)) for key in ("lv_ef", "lv_edv_ml", "rv_edv_ml")}
    full, empty = (
        0 if frame is None else int(truth.mask(Structure.LV_CAVITY, frame).sum())
        for frame in (phases.ed, phases.es)
    )
    return {**kept, "lv_ef_true": _number(1 - empty / full if full else None)}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


def sum_up() -> None:
    """Write the table of all disturbances that enough patients have been through."""
    place = {(one.family, one.level): place for place, one in enumerate(DISTURBANCES)}
    in_order = sorted(read_cases(CASES), key=lambda one: place[one.family, one.level])
    cases = [asdict(case) for case in in_order]
    (RESULTS / f"{TABLE}.csv").unlink(missing_ok=True)
    append(TABLE, list(rows_of(cases)))


if __name__ == "__main__":
    main()
