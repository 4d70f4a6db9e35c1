"""What borders are judged by, of every scored patient of a run; and its masks, to be drawn.

A trained run is looked at once more, as the engine looked at it. `borders.csv` has a line for each
patient, phase and structure, `masks.npz` the labels in canonical planes; both lie beside the
engine's own files. Distances are in millimetres, or in pixels where an image has none.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from heartseg.benchmark.cell import Job
from heartseg.core.errors import ModelError
from heartseg.core.image import Segmentation
from heartseg.measure.metrics import METRICS
from heartseg.measure.pair import TOLERANCE_MM, Pair
from heartseg.measure.phases import detect_phases
from heartseg.read import Candidate
from heartseg.refine import refine_cine
from heartseg.report.atomic import write_atomically
from heartseg.segment.frames import average_of_turns
from heartseg.train.device import choose_device
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, Trained

BORDERS, MASKS = "borders.csv", "masks.npz"

SAME_DICE = 1e-4
"""A card may round a voxel another way the second time."""

BAND_PX = 6.0
"""Width of the boundary IoU's bands where there are no millimetres."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One structure in one phase of one patient; empty where there is no value."""

    case: str
    phase: str
    structure: str
    dice: str
    boundary_iou: str
    hausdorff95: str
    assd: str


@dataclass(frozen=True, kw_only=True)
class Masks:
    """By case, labels (t, z, y, x) in canonical planes, and (y, x) of their spacing."""

    found: Mapping[str, Any]
    truth: Mapping[str, Any]
    spacing: Mapping[str, tuple[float, float]]


def judge_again(job: Job, settings: RunSettings, patients: Sequence[Candidate]) -> None:
    """Write both files into the folder of a run's scores, the lines last.

    Raises:
        ModelError: another Dice than the engine's.
    """
    scored = job.scored
    network = Trained(settings, Path(job.folder) / TRAINED, choose_device(job.device))
    lines: list[Line] = []
    arrays: dict[str, Any] = {}
    for candidate in patients:
        found, truth, names = segmented(network, settings, candidate)
        lines += lines_of(candidate.id, found, truth, names)
        turn = truth.geometry.canonical()
        for name, masks in (("found", found), ("truth", truth)):
            turned = [turn.apply(labels) for labels in masks.labels]
            arrays[f"{candidate.id}/{name}"] = np.stack(turned).astype(np.uint8)
        arrays[f"{candidate.id}/spacing"] = np.array(truth.geometry.oriented(turn).spacing[1:])
    _require_same_dice(lines, scored / "cases.csv")
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    write_atomically(scored / MASKS, out.getvalue())
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(Line)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in lines)
    write_atomically(scored / BORDERS, text.getvalue().encode())


def segmented(
    network: Trained, settings: RunSettings, candidate: Candidate
) -> tuple[Segmentation, Segmentation, list[str]]:
    """The masks of the scored frames, the reference's, and the names of the frames."""
    study = candidate.load()
    reference = (candidate.reference() if candidate.reference else {})[settings.view]
    reference = reference.taken_for(settings.others)
    phases = study.phases.get(settings.view)
    if phases is None and candidate.covered is None and reference.frames > 1:
        phases = detect_phases(reference)  # of a data set that names none, as the engine does
    if phases is not None and phases.es is not None:
        frames, names = [phases.ed, phases.es], ["ED", "ES"]
    else:
        frames = list(range(reference.frames))
        names = [str(frame) for frame in frames]
    image, truth = study.images[settings.view].part(frames), reference.part(frames)
    sample, classes = settings.preparation.sample(image), settings.classes()
    soft = (
        sample.restore(average_of_turns(sample.channels(index), network.look, 1))
        for index in range(image.frames)
    )
    labels = refine_cine(soft, classes, image.geometry)
    return Segmentation(labels, image.geometry, classes[1:], image.times_ms), truth, names


def lines_of(
    case: str, found: Segmentation, truth: Segmentation, names: Sequence[str]
) -> list[Line]:
    """A line for each frame and structure that both looked for."""
    grid = truth.geometry
    in_mm = grid.unit == "mm"
    spacing = grid.spacing if in_mm else (1.0, 1.0, 1.0)
    band = spacing if in_mm else (TOLERANCE_MM / BAND_PX,) * 3  # so that 2 are 6 pixels
    lines = []
    for frame, phase in enumerate(names):
        for structure in (one for one in found.structures if one in truth.structures):
            masks = found.mask(structure, frame), truth.mask(structure, frame)
            pair = Pair(*masks, spacing)
            lines.append(
                Line(
                    case=case,
                    phase=phase,
                    structure=structure.key,
                    dice=_value("dice", pair),
                    boundary_iou=_value("boundary_iou_2mm", Pair(*masks, band)),
                    hausdorff95=_value("hausdorff95_mm", pair),
                    assd=_value("assd_mm", pair),
                )
            )
    return lines


def _value(key: str, pair: Pair) -> str:
    value, _ = METRICS[key].value(pair)
    return "" if value is None else repr(float(value))


def _require_same_dice(lines: Sequence[Line], engine: Path) -> None:
    with engine.open(encoding="utf-8", newline="") as file:
        theirs = {(r["case"], r["phase"], r["structure"]): r["dice"] for r in csv.DictReader(file)}
    for one in lines:
        dice = theirs.get((one.case, one.phase, one.structure), "none")
        if dice == "none" or abs(float(dice) - float(one.dice)) > SAME_DICE:
            got = f"Dice {one.dice} of {one.case} {one.phase} {one.structure}"
            raise ModelError("borders", got=got, allowed=f"the engine's {dice}")


def read_masks(scored: Path) -> Masks:
    """What `judge_again` kept."""
    with np.load(scored / MASKS, allow_pickle=False) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    by: dict[str, dict[str, Any]] = {"found": {}, "truth": {}, "spacing": {}}
    for name, array in parts.items():
        case, _, kind = name.rpartition("/")
        by[kind][case] = tuple(array.tolist()) if kind == "spacing" else array
    return Masks(found=by["found"], truth=by["truth"], spacing=by["spacing"])
