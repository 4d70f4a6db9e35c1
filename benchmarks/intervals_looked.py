"""What a model sees of a patient that it did not train on, in all its looks, beside what was drawn.

`looked` does one patient and keeps it in a file; what is in the file is not done again.
`intervals.py` makes coverage and constants of these files.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heartseg.choice import Models
from heartseg.core.image import Segmentation
from heartseg.core.probability import Probabilities
from heartseg.core.study import View
from heartseg.measure.intervals import VALUES, Values, spreads
from heartseg.pipeline import Settings, predict
from heartseg.read import Candidate
from heartseg.segment.looks import Closer, settle

TEMPERATURES = tuple(round(float(t), 3) for t in np.geomspace(0.5, 3.0, 19))
BINS = 15
"""Of the probability of the likeliest structure, as Guo 2017 (arXiv 1706.04599)."""

AROUND_MM = 10.0
"""Voxels are judged in the box of the heart, drawn or found, and so far around it: far away all is
background, and everybody is sure of it."""

LEAST = 2e-5
"""Smaller probabilities are kept as 0."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One patient.

    Attributes:
        patient: id.
        group: diagnosis.
        sha256: of the weights.
        drawn, measured: findings by key; measured in the mean of the looks.
        looks: the findings of each look.
        log_loss: by temperature, the sum over judged voxels.
        voxels: that were judged.
        bins: by temperature and bin: voxels, sum of probabilities, voxels that were right.
    """

    patient: str
    group: str
    sha256: str
    drawn: Values
    measured: Values
    looks: list[Values]
    log_loss: list[float]
    voxels: int
    bins: list[list[list[float]]]

    def spread(self) -> dict[str, float]:
        """Of the looks, by key."""
        return spreads(self.measured, self.looks)

    def error(self, key: str) -> float | None:
        """Measured less drawn."""
        ours, theirs = self.measured[key], self.drawn[key]
        return None if ours is None or theirs is None else ours - theirs


def looked(candidates: Iterable[Candidate], model: str, kept: Path, looks: int) -> Iterator[Looked]:
    """Each patient in so many looks, from its file in `kept` where it has one there."""
    models = Models("cpu", threads=1)
    bundle, _ = models.ready(model)
    folder = kept / f"{bundle.sha256[:12]}-mean-of-{looks}"
    folder.mkdir(parents=True, exist_ok=True)
    for candidate in candidates:
        file = folder / f"{candidate.id}.json"
        if not file.is_file():
            unfinished = file.with_suffix(".unfinished")
            found = _look(candidate, models, model, looks)
            unfinished.write_text(json.dumps(asdict(found)), encoding="utf-8")
            unfinished.replace(file)
        yield Looked(**json.loads(file.read_text(encoding="utf-8")))


def _look(candidate: Candidate, models: Models, model: str, looks: int) -> Looked:
    study, view = candidate.load(), View.SAX
    drawn = _reference(candidate, view)
    once = Settings(model=model, device="cpu", save_probabilities=True, intervals=False)
    found = predict(study, models, once)[view]
    phases, ready = study.phases[view], models.ready(model)
    if found.probabilities is None:
        raise ValueError("no probabilities were kept")
    closer = Closer(study.images[view], found.segmentation, ready, looks)
    settled = settle(found.segmentation, closer, lambda _: phases)
    sure = found.probabilities.with_regions(settled.regions)
    log_loss, voxels, bins = _sureness(sure, settled.segmentation, drawn)
    return Looked(
        patient=candidate.id,
        group=candidate.group or "-",
        sha256=ready[0].sha256,
        drawn=VALUES[view](drawn, phases),
        measured=VALUES[view](settled.segmentation, phases),
        looks=[VALUES[view](one, settled.looks.phases) for one in settled.looks.seen],
        log_loss=log_loss,
        voxels=voxels,
        bins=bins,
    )


def _reference(candidate: Candidate, view: View) -> Segmentation:
    masks = candidate.reference() if candidate.reference else {}
    return masks[view]


def _sureness(
    probabilities: Probabilities, found: Segmentation, drawn: Segmentation
) -> tuple[list[float], int, list[list[list[float]]]]:
    """Log loss by temperature, judged voxels, and bins by temperature."""
    box = _box(found, drawn)
    sure = probabilities.values[(..., *box)].reshape(len(probabilities.structures), -1)
    truth = drawn.labels[(..., *box)].ravel()
    channel = np.zeros(256, np.intp)
    channel[list(probabilities.structures)] = range(len(probabilities.structures))
    log = np.log(np.maximum(sure, LEAST))
    losses, bins = [], []
    for temperature in TEMPERATURES:
        warm = np.exp(log / temperature)
        warm /= warm.sum(axis=0)
        losses.append(float(-np.log(warm[channel[truth], np.arange(truth.size)]).sum()))
        bins.append(_binned(warm.max(axis=0), warm.argmax(axis=0) == channel[truth]))
    return losses, int(truth.size), bins


def _binned(top: NDArray[np.float32], right: NDArray[np.bool_]) -> list[list[float]]:
    place = np.minimum((top * BINS).astype(np.intp), BINS - 1)
    sums = [np.bincount(place, weights, BINS) for weights in (None, top, right)]
    return np.stack(sums, axis=1).round(3).tolist()  # type: ignore[no-any-return]


def _box(found: Segmentation, drawn: Segmentation) -> tuple[slice, slice]:
    there = (found.labels.astype(bool) | drawn.labels.astype(bool)).any(axis=(0, 1))
    box = []
    for axis, spacing in enumerate(found.geometry.spacing[1:]):
        held = np.flatnonzero(there.any(axis=1 - axis))
        margin = round(AROUND_MM / spacing)
        box.append(slice(max(0, int(held[0]) - margin), int(held[-1]) + 1 + margin))
    return box[0], box[1]
