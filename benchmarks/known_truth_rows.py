"""Rows of known_truth.py: means over the test patients, with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from known_truth_cells import Cell, Lab
from known_truth_data import numbers
from rows import Row, commit, mean_row, today

from heartseg.benchmark.cell import case_means
from heartseg.benchmark.hardware import processor

Done = Mapping[Cell, Mapping[str, Any]]

LIKENESS: Mapping[str, tuple[str, str]] = {
    "psnr": ("PSNR of the translation", "dB"),
    "ssim": ("SSIM of the translation", "1"),
    "psnr_heart": ("PSNR of the translation, near the ventricles", "dB"),
    "ssim_heart": ("SSIM of the translation, near the ventricles", "1"),
}
BORDERS: Mapping[str, tuple[str, str]] = {
    "dice": ("Dice", "1"),
    "boundary_iou": ("boundary IoU, 2 mm", "1"),
    "hausdorff95": ("HD95", "mm"),
    "assd": ("ASSD", "mm"),
}
ENDS = ("none", "supervised")
"""Arms that nothing was translated for; the likeness of `none` is that of the source as it is."""

RECOVERED = "recovered share of the gap in Dice"


def cell_rows(lab: Lab, cell: Cell, found: Mapping[str, Any], done: Done) -> Iterator[Row]:
    """What one cell of a direction gave; nothing of the ablation."""
    if cell.source == cell.target:
        return
    where = _conditions(lab, cell, found)
    for key, (measure, unit) in LIKENESS.items():
        values = [line[key] for line in found.get("translation", ())]
        if values:
            yield _row(where, measure, "-", unit, values)
    yield from _dice_rows(where, found["cases"])
    ends = [_dice_of(done, cell, arm) for arm in ENDS]
    if cell.arm not in ENDS and all(ends):
        yield _recovered(where, case_means(found["cases"], "dice"), *ends)


def ablation_rows(lab: Lab, done: Done) -> Iterator[Row]:
    """What the arms of the ablation gave."""
    for cell, found in done.items():
        if cell.source != cell.target:
            continue
        where = _conditions(lab, cell, found)
        for key, (measure, unit) in BORDERS.items():
            values = list(case_means(found["cases"], key).values())
            if values:
                yield _row(where, measure, "mean", unit, values)


def _conditions(lab: Lab, cell: Cell, found: Mapping[str, Any]) -> dict[str, str]:
    both = cell.source != cell.target
    kinds = dict.fromkeys((cell.source.upper(), cell.target.upper()))
    steps = [f"{found['segment_steps']} steps of a segmenter"]
    if "steps" in found:
        steps.insert(0, f"{found['steps']} steps of a translator")
    run = "runs/translate/phantom-*.toml" if both else "runs/grids/edges-phantom.toml"
    return {
        "date": today(),
        "commit": commit(),
        "data": f"phantom {' -> '.join(kinds)}, {lab.train} patients of each kind train",
        "split": f"test, {len(numbers(0, lab.test))} patients of both kinds",
        "model": cell.arm,
        "seed": str(cell.seed),
        "configuration": f"{run}, {', '.join(steps)}",
        "images_seen": str(found["segment_images"]),
        "hardware": f"{processor()}, 1 thread",
    }


def _dice_rows(where: Mapping[str, str], cases: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    structures = dict.fromkeys(line["structure"] for line in cases)
    for structure in ("mean", *structures):
        mine = [one for one in cases if structure in ("mean", one["structure"])]
        values = list(case_means(mine, "dice").values())
        yield _row(where, "Dice on true images of the target", structure, "1", values)


def _dice_of(done: Done, cell: Cell, arm: str) -> dict[str, float]:
    """By patient, of another arm of the same seed and direction; empty where it is not done."""
    for other, found in done.items():
        if (other.seed, other.source, other.target, other.arm) == (
            cell.seed,
            cell.source,
            cell.target,
            arm,
        ):
            return case_means(found["cases"], "dice")
    return {}


def _recovered(
    where: Mapping[str, str],
    mine: Mapping[str, float],
    none: Mapping[str, float],
    supervised: Mapping[str, float],
) -> Row:
    """(Dice - none) / (supervised - none) of the means; patients are drawn again together."""
    cases = sorted(mine.keys() & none.keys() & supervised.keys())
    table = np.array([[some[case] for case in cases] for some in (mine, none, supervised)])

    def share(part: Any) -> float:
        ours, low, high = part.mean(axis=1)
        return float((ours - low) / (high - low)) if high != low else float("nan")

    rng = np.random.default_rng(0)
    drawn = [share(table[:, rng.integers(len(cases), size=len(cases))]) for _ in range(2000)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    row = mean_row(RECOVERED, "1", [share(table)], structure="mean", phase="all", **where)
    return replace(row, runs=str(len(cases)), low=f"{low:.4g}", high=f"{high:.4g}")


def _row(
    where: Mapping[str, str], measure: str, structure: str, unit: str, values: Sequence[float]
) -> Row:
    phase = "-" if structure == "-" else "all"
    return mean_row(measure, unit, values, structure=structure, phase=phase, **where)
