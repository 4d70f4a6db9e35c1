"""One cell of adaptation.py: a translator, its set, a segmenter, its score; each goes on if killed.

In OUT/SEED: translators/NAME and translated/NAME are shared by all arms that use them; seen is what
the full method finds in the target; segmenters/ARM is a run's folder, with the masks of whom it was
scored on.
"""

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from adaptation_arms import ARMS, Arm
from adaptation_cases import Case, Made, judged
from cells import add_lines, clock, held, minutes_of, number, read_lines, trained
from edges_judged import MASKS, segmented
from rows import ROOT, commit, today

from heartseg.benchmark.score import patients_of
from heartseg.config import load, to_table
from heartseg.core.errors import ModelError
from heartseg.core.study import View
from heartseg.read import Candidate, find_studies
from heartseg.report.atomic import write_atomically
from heartseg.train.device import choose_device
from heartseg.train.record import read_record
from heartseg.train.selection import select
from heartseg.train.self_training import write_seen
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, Trained
from heartseg.train.translate.apply import Order, translate_set
from heartseg.train.translate.labelled_set import IMAGES
from heartseg.train.translate.report_files import JSON
from heartseg.train.translate.run import FOLDER, train_translator
from heartseg.train.translate.settings import TranslateSettings

RUNS = ROOT / "runs" / "translate"
SOURCE_MODEL = "cine-mr"
"""Who judges the way back: the shipped model of cine, which knows nothing of late enhancement."""

COPIED = "target"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What all cells share.

    Attributes:
        out: folder of everything.
        part: of the target's split that is scored.
        device: "cpu" or "cuda".
        segmenter, translator: settings that differ from the files', `a.b=v`.
        limit: patients of either kind that train and of the target that are scored; None for all.
        hardware: in words.
        cases, made: files of the lines.
    """

    out: Path
    part: str
    device: str
    segmenter: tuple[str, ...]
    translator: tuple[str, ...]
    limit: int | None
    hardware: str
    cases: Path
    made: Path

    @property
    def budget(self) -> str:
        """How it differs from the run files, in words."""
        few = () if self.limit is None else (f"{self.limit} patients",)
        changes = (*self.segmenter, *(f"translator {one}" for one in self.translator), *few)
        return ", ".join(changes) or "as the run files say"

    def about(self, seed: str) -> dict[str, str]:
        """What every line says."""
        where = {"date": today(), "commit": commit(), "hardware": self.hardware}
        return {**where, "budget": self.budget, "seed": seed}

    def lock(self, seed: str, arm: Arm) -> Path:
        """Locked by the process that does a cell."""
        return self.out / "locks" / f"{seed}-{arm.folder}"

    def is_done(self, seed: str, arm: Arm) -> bool:
        """Whether a cell has its lines."""
        wanted = (self.part, self.budget, seed, arm.name)
        lines = read_lines(self.cases, Case)
        return any((one.split, one.budget, one.seed, one.arm) == wanted for one in lines)

    @cached_property
    def target(self) -> RunSettings:
        """How the target's images and labels are read."""
        return load(RunSettings, RUNS / "late-supervised.toml", self.segmenter)

    @cached_property
    def scored(self) -> list[Candidate]:
        """The patients that are scored."""
        return patients_of(self.target, RUNS, (self.part,))[: self.limit]


def do(experiment: Experiment, seed: str, arm: Arm) -> None:
    """Do what is left of a cell and write down its lines."""
    folder = experiment.out / seed / "segmenters" / arm.folder
    about = {**experiment.about(seed), "split": experiment.part, "arm": arm.name, "run": arm.run}
    if arm.translator and not accepted(experiment, seed, arm.translator):
        add_lines(experiment.cases, [Case(**about, problem="every translated image was rejected")])
        return
    if arm.taught_by and not taught(experiment, seed, arm.taught_by):
        add_lines(experiment.cases, [Case(**about, problem="no mask was sure enough to teach")])
        return
    settings = settings_of(experiment, seed, arm)
    minutes = trained(settings, RUNS, folder, experiment.device)
    scores = score(experiment, settings, folder)
    seen = str(settings.schedule.steps * settings.learning.images)
    add_lines(
        experiment.cases,
        [
            Case(
                **{**about, "images_seen": seen, "minutes": f"{minutes:.1f}"},
                case=case,
                structure=structure,
                **values,
            )
            for case, structures in scores.items()
            for structure, values in structures.items()
        ],
    )


def settings_of(experiment: Experiment, seed: str, arm: Arm) -> RunSettings:
    """The run file with this seed, this cell's folders and so many annotated patients."""
    settings = load(RunSettings, RUNS / f"late-{arm.run}.toml", experiment.segmenter)
    few, also, here = experiment.limit, settings.also, experiment.out.resolve() / seed
    own, beside = few, arm.annotated or few
    if arm.translator:
        settings = replace(settings, folder=str(here / "translated" / arm.translator))
        own = None  # of those that were accepted, all
    elif arm.annotated:
        own = min(arm.annotated, few or arm.annotated)
    if arm.taught_by and also:
        also, beside = replace(also, folder=str(here / "seen")), None
    if also and beside:
        also = replace(also, split=replace(also.split, patients=min(beside, few or beside)))
    how = settings.matched
    if how and few:
        how = replace(how, split=replace(how.split, patients=few))
    split = replace(settings.split, patients=own)
    return replace(settings, seed=int(seed), split=split, also=also, matched=how)


def score(
    experiment: Experiment, settings: RunSettings, folder: Path
) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """By patient and structure what was reached on the target; keeps the masks to be drawn.

    Raises:
        ModelError: a patient that the weights have seen.
    """
    _require_unseen(experiment, folder)
    looking = replace(
        experiment.target,
        model=settings.model,
        preparation=settings.preparation,
        loss=settings.loss,
    )
    network = Trained(looking, folder / TRAINED, choose_device(experiment.device))
    scores, arrays = {}, {}
    for candidate in experiment.scored:
        found, truth, _ = segmented(network, looking, candidate)
        scores[candidate.id] = judged(found, truth)
        arrays[f"{candidate.id}/found"], arrays[f"{candidate.id}/truth"] = (
            found.labels.astype(np.uint8),
            truth.labels.astype(np.uint8),
        )
        arrays[f"{candidate.id}/spacing"] = np.array(truth.geometry.spacing[1:])
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    write_atomically(folder / experiment.part / MASKS, out.getvalue())
    return scores


def _require_unseen(experiment: Experiment, folder: Path) -> None:
    """Nobody who is scored may have trained the segmenter, or a translator of this seed."""
    scored = {one.id for one in experiment.scored}
    seed = folder.parents[1]
    for run in (folder, *sorted((seed / "translators").glob("*"))):
        data = read_record(run).get("data", {}).get("training", {})
        both = sorted(scored & set(data.get("patients", ())))
        if both:
            got = f"{len(both)} patients that {run.name} learnt from, {both[0]} the first"
            raise ModelError("score", got=got, allowed="patients that it has not seen")


# What is translated


def accepted(experiment: Experiment, seed: str, name: str) -> int:
    """Images of a translated set that may train; the set is made where it is not there yet."""
    folder = experiment.out / seed / "translated" / name
    with held(experiment.out / "locks" / f"{seed}-translated-{name}"):
        if not (folder / JSON).exists():
            _translated(experiment, seed, name, folder)
    return len(list((folder / IMAGES).glob("*.nii.gz")))


def _translated(experiment: Experiment, seed: str, name: str, folder: Path) -> None:
    translator, steps = _translator(experiment, seed, name)
    shutil.rmtree(folder, ignore_errors=True)  # half of a set
    order = Order(
        inputs=tuple(one.path for one in source_of(experiment)),
        out=folder,
        source_model=SOURCE_MODEL,
        target=(_copied_target(experiment),),
        device=experiment.device,
    )
    report = translate_set(translator / FOLDER, order).to_table()
    minutes = minutes_of(translator)
    made = Made(**experiment.about(seed), **_told(report, name, steps, minutes))
    add_lines(experiment.made, [made])


def _translator(experiment: Experiment, seed: str, name: str) -> tuple[Path, int]:
    """Its folder, trained, and its steps."""
    folder = experiment.out / seed / "translators" / name
    changes = [*experiment.translator, f"seed={seed}"]
    if experiment.limit:
        sides = ("source", "target")
        changes += [f"{side}.split.patients={experiment.limit}" for side in sides]
    source = RUNS / f"to-late-{name}.toml"
    if not (folder / FOLDER / "translator.toml").exists():
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        with clock(folder):
            device = experiment.device
            train_translator(source, folder, changes=changes, resume=True, device=device)
    return folder, load(TranslateSettings, source, changes).schedule.steps


def source_of(experiment: Experiment) -> Sequence[Candidate]:
    """The annotated patients that are translated."""
    settings = load(RunSettings, RUNS / "late-none.toml", experiment.segmenter)
    few = replace(settings, split=replace(settings.split, patients=experiment.limit))
    return select(few, RUNS).training


def _copied_target(experiment: Experiment) -> Path:
    """Images of the target's patients that train, alone: distances must not look at others."""
    folder = experiment.out / COPIED / IMAGES
    few = replace(experiment.target.split, patients=experiment.limit)
    for candidate in select(replace(experiment.target, split=few), RUNS).training:
        folder.mkdir(parents=True, exist_ok=True)
        for file in (one for one in candidate.files if one.parent.name == IMAGES):
            if not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)
    return folder.parent


def _told(report: Mapping[str, Any], name: str, steps: int, minutes: float) -> dict[str, str]:
    means, numbers = report["means"], {}
    for key in ("dice_back", "moved_px", "edges"):
        numbers[key] = number(means[key])
    for key in ("histogram", "frechet"):
        distance = report[f"{key}_distance"]
        for when, ending in (("after", ""), ("before", "_before"), ("floor", "_floor")):
            numbers[f"{key}{ending}"] = number(distance[when])
    counts = {"images": str(report["images"]), "accepted": str(report["accepted"])}
    about = {"translator": name, "steps": str(steps), "minutes": f"{minutes:.1f}"}
    return {**about, **counts, **numbers}


def taught(experiment: Experiment, seed: str, teacher: str) -> int:
    """Images of the target with masks that are sure enough; the set is made if it is not there."""
    here = experiment.out / seed
    done = here / "seen.json"
    if not done.exists():
        shutil.rmtree(here / "seen", ignore_errors=True)
        (arm,) = (one for one in ARMS if one.name == teacher)
        with held(experiment.lock(seed, arm)):
            if not experiment.is_done(seed, arm):
                do(experiment, seed, arm)
        settings = replace(settings_of(experiment, seed, arm), view=View.LATE_ENHANCEMENT)
        weights = here / "segmenters" / arm.folder / TRAINED
        network = Trained(settings, weights, choose_device(experiment.device))
        images = find_studies(_copied_target(experiment))
        seen = write_seen(network, settings, images, here / "seen")
        write_atomically(done, json.dumps({"kept": seen.kept, "left": seen.left}).encode())
    return len(json.loads(done.read_text(encoding="utf-8"))["kept"])


def require_same_budget(experiment: Experiment) -> None:
    """Refuse a folder of runs with other settings.

    Raises:
        ModelError: they differ.
    """
    file = experiment.out / "budget.json"
    ours = {"budget": experiment.budget, "target": to_table(experiment.target)["folder"]}
    if file.exists() and json.loads(file.read_text(encoding="utf-8")) != ours:
        raise ModelError(
            f"folder {experiment.out.name}",
            got=experiment.budget,
            allowed=str(json.loads(file.read_text(encoding="utf-8"))["budget"]),
            do="name another folder",
        )
    write_atomically(file, json.dumps(ours).encode())
