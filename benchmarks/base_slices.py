"""Does a classifier of slices know better than the network where the ventricles end?

    python benchmarks/base_slices.py FOLDS [--limit N] [--dry-run]

The network decides slice by slice, pixel by pixel; at the base and the apex it leaves out whole
slices that people drew, or draws ones that they left out. Tried here: a logistic regression says of
each slice, from what the network saw in it and in the slices beside it, whether a structure is
there. Where it says no, the structure goes from the slice; where it says yes and the network drew
nothing, the pixels above a low probability come back. FOLDS is as `intervals.py` takes it: five
models of a cross-validation. Each judges its own fold, with a classifier from the other folds.

Rows go to results/base/base.csv: Dice and the errors of LV EF and volumes, before and after.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rows import Row, append, commit, hardware, mean_row, real_images, today
from scipy.optimize import minimize
from scipy.special import expit

from heartseg.choice import Models
from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, View
from heartseg.measure.intervals import stack_values
from heartseg.measure.overlap import dice
from heartseg.pipeline import Settings, predict
from heartseg.read import Candidate, find_studies
from heartseg.segment.ensemble import RUN_BUNDLE
from heartseg.train.split import SAME_EXAMINATION

SOUGHT = (Structure.LV_CAVITY, Structure.RV_CAVITY)
LOW = 0.25
"""Pixels above this probability come back in a slice that the classifier gives back."""

STRENGTH = 1e-2
"""Of the ridge on the classifier's weights."""

FINDINGS = ("lv_edv_ml", "lv_esv_ml", "lv_ef", "rv_edv_ml", "rv_esv_ml", "rv_ef")


@dataclass(frozen=True, eq=False, kw_only=True)
class Patient:
    """One patient, by the model that never saw him.

    Attributes:
        id: of the patient.
        found, drawn: of the same frames, ED and ES.
        sure: (structures, t, z, y, x) of the network.
        channels: which structure each is.
        phases: frames.
    """

    id: str
    found: Segmentation
    drawn: Segmentation
    sure: NDArray[np.float32]
    channels: tuple[Structure, ...]
    phases: Phases


def main() -> None:
    """Learn on four folds, mend the fifth, count."""
    options = _options()
    folds = dict(_folds(options))
    before: list[Mapping[str, float]] = []
    after: list[Mapping[str, float]] = []
    for name, people in folds.items():
        others = [one for other, them in folds.items() if other != name for one in them]
        known = {structure: _learnt(others, structure) for structure in SOUGHT}
        for one in people:
            before.append(_judged(one, one.found))
            after.append(_judged(one, _mended(one, known)))
    rows = [row for key in before[0] for row in _rows(key, before, after)]
    for row in rows:
        print(f"{row.measure:24} {row.configuration:20} {row.value} ({row.low} to {row.high})")
    if not options.dry_run:
        append("base/base", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="a classifier of slices, on five folds")
    parser.add_argument("folds", type=Path)
    parser.add_argument("--limit", type=int, help="so many patients of a fold")
    parser.add_argument("--dry-run", action="store_true", help="print, keep nothing")
    return parser.parse_args()


def _folds(options: argparse.Namespace) -> Iterator[tuple[str, list[Patient]]]:
    training = real_images() / "acdc" / "training"
    known = {one.id: one for one in find_studies(training)}
    again = {name for twins in SAME_EXAMINATION["acdc"] for name in sorted(twins)[1:]}
    for run in sorted(options.folds.glob(f"*/{RUN_BUNDLE}/model.toml")):
        folder, models = run.parent.parent, Models("cpu", threads=1)
        listed = json.loads((folder / "split.json").read_text(encoding="utf-8"))["test"]
        people = []
        for name in sorted(set(listed) - again)[: options.limit]:
            people.append(_seen(known[name], models, str(run.parent)))
            print(f"\r{folder.name}: {name}", end="", file=sys.stderr)
        yield folder.name, people


def _seen(candidate: Candidate, models: Models, model: str) -> Patient:
    study, view = candidate.load(), View.SAX
    settings = Settings(model=model, device="cpu", save_probabilities=True, locate=True)
    found = predict(study, models, settings)[view]
    masks = candidate.reference() if candidate.reference else {}
    if found.probabilities is None:
        raise ValueError("no probabilities were kept")
    return Patient(
        id=candidate.id,
        found=found.segmentation,
        drawn=masks[view],
        sure=found.probabilities.values,
        channels=found.probabilities.structures,
        phases=study.phases[view],
    )


def _features(one: Patient, structure: Structure, frame: int) -> NDArray[np.float64]:
    """(z, features) of the slices of a frame: what was seen there and in the slices beside."""
    area = one.found.geometry.spacing[1] * one.found.geometry.spacing[2] / 100  # cm2
    sure = one.sure[one.channels.index(structure), frame]
    wall = one.sure[one.channels.index(Structure.LV_MYOCARDIUM), frame]
    most = sure.max(axis=(1, 2))
    expected = sure.sum(axis=(1, 2)) * area
    seen = (one.found.labels[frame] == structure).sum(axis=(1, 2)) * area
    others = (one.found.labels[1 - frame] == structure).sum(axis=(1, 2)) * area
    beside = [np.pad(seen, 1)[at : at + len(seen)] for at in (0, 2)]
    largest = max(1.0, float(seen.max()))
    columns = [
        most,
        np.sqrt(expected),
        np.sqrt(seen),
        seen > 0,
        np.minimum(*beside) / largest,
        np.maximum(*beside) / largest,
        others / largest,
        others > 0,
        np.sqrt(wall.sum(axis=(1, 2)) * area),
        np.full(len(seen), float(frame == one.phases.es)),
        np.ones(len(seen)),
    ]
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def _learnt(people: Sequence[Patient], structure: Structure) -> NDArray[np.float64]:
    """Weights of a ridged logistic regression: is the structure drawn in the slice?"""
    known, answers = [], []
    for one in people:
        for frame in range(one.found.frames):
            known.append(_features(one, structure, frame))
            answers.append((one.drawn.labels[frame] == structure).any(axis=(1, 2)))
    x, y = np.concatenate(known), np.concatenate(answers).astype(np.float64)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        score = x @ weights
        value = np.logaddexp(0, score).mean() - (y * score).mean()
        slope = x.T @ (expit(score) - y) / len(y)
        return value + STRENGTH * weights @ weights, slope + 2 * STRENGTH * weights

    weights: NDArray[np.float64] = minimize(loss, np.zeros(x.shape[1]), jac=True).x
    return weights


def _mended(one: Patient, known: Mapping[Structure, NDArray[np.float64]]) -> Segmentation:
    labels = one.found.labels.copy()
    for structure, weights in known.items():
        sure = one.sure[one.channels.index(structure)]
        for frame in range(one.found.frames):
            there = _features(one, structure, frame) @ weights > 0
            for z, is_there in enumerate(there):
                shown = labels[frame, z]
                if not is_there:
                    shown[shown == structure] = Structure.BACKGROUND
                elif not (shown == structure).any():
                    shown[(sure[frame, z] > LOW) & (shown == 0)] = structure
    return replace(one.found, labels=labels)


def _judged(one: Patient, masks: Segmentation) -> dict[str, float]:
    """Dice of each structure, the mean over both frames, and errors of findings."""
    said = {}
    for structure in (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY):
        each = [
            dice(masks.mask(structure, frame), one.drawn.mask(structure, frame))
            for frame in range(masks.frames)
        ]
        said[f"Dice {structure.key}"] = statistics.fmean(each)
    ours, theirs = stack_values(masks, one.phases), stack_values(one.drawn, one.phases)
    for key in FINDINGS:
        a, b = ours[key], theirs[key]
        said[f"{key}, error"] = abs(a - b) if a is not None and b is not None else float("nan")
    return said


def _rows(
    key: str, before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]
) -> Iterator[Row]:
    pairs = [(a[key], b[key]) for a, b in zip(before, after, strict=True)]
    both = np.array([pair for pair in pairs if not np.isnan(pair).any()])
    for how, values in (
        ("as the network says", both[:, 0]),
        ("with the classifier", both[:, 1]),
        ("difference", both[:, 1] - both[:, 0]),
    ):
        yield mean_row(
            key,
            "mL" if "_ml" in key else "1",
            values,
            date=today(),
            commit=commit(),
            phase="all",
            data="ACDC",
            split="5 folds",
            configuration=how,
            hardware=hardware(),
        )


if __name__ == "__main__":
    main()
