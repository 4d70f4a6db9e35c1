"""Eight bits: the ranges of a model's activations, and what they cost of its Dice and save of time.

    python benchmarks/eight_bits.py BUNDLE [--patients SPLIT.json PART | --validation]
                                    [--calibrate N] [--write FOLDER] [--dry-run]

Ranges come from training patients of the split, one plane in three of their first frames; Dice,
after refinement, of the patients of PART: the mean over a patient's structures and two frames, in
f32 and in int8. Speed is by the processor's own clock, on one thread, in turns on the same planes.
Adds rows to benchmarks/results/speed/int8.csv; with --write a bundle that holds ranges and loss.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rows import Row, append, commit, hardware, real_images, today

from heartseg.core.anatomy import Structure
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import View
from heartseg.read import find_studies
from heartseg.refine import refine_regions
from heartseg.segment import Bundle, load_bundle, write_bundle
from heartseg.segment.description import INT8_SCORE, Description
from heartseg.segment.frames import regions
from heartseg.segment.int8 import mean_ranges
from heartseg.segment.openvino_runtime import OpenVinoRuntime, activations

EVERY = 3
STRUCTURES = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
Study = tuple[str, Image, Segmentation]


def main() -> None:
    """Measure, print, keep."""
    options = _options()
    bundle = load_bundle(options.bundle)
    known, asked, said = _patients(options)
    ranges = mean_ranges(activations(bundle, planes) for planes in _planes(bundle, known))
    rounded = replace(bundle, int8_ranges=ranges)
    full, eight = (OpenVinoRuntime(rounded, precision=p, threads=1) for p in ("f32", "int8"))
    pairs, seconds = [], []
    for name, image, truth in _studies(asked):
        found = []
        for runtime in (full, eight):
            start = time.process_time()
            near = regions(image, bundle, runtime)
            labels = refine_regions(near, bundle.structures, image.geometry)
            found.append((labels, time.process_time() - start))
        pairs.append([_dice(labels, truth.labels) for labels, _ in found])
        seconds.append([spent for _, spent in found])
        changed = float(np.mean(found[0][0] != found[1][0]))
        print(f"{name}: Dice {pairs[-1][0]:.4f} {pairs[-1][1]:.4f}, labels {changed:.2e}, "
              f"seconds {seconds[-1][0]:.2f} {seconds[-1][1]:.2f}", flush=True)  # fmt: skip
    losses = [a - b for a, b in pairs]
    rows = [*_rows(bundle, said, pairs, seconds), _loss_row(bundle, said, losses)]
    for row in rows:
        print(row.measure, row.configuration, row.value, row.low, row.high)
    if not options.dry_run:
        append("speed/int8", rows)
    if options.write is not None:
        _write(options.write, bundle, ranges, float(np.mean(losses)), said)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="what eight bits cost and save")
    parser.add_argument("bundle", help="name or folder of a model")
    parser.add_argument("--patients", nargs=2, metavar=("SPLIT", "PART"), help="of a training run")
    parser.add_argument("--calibrate", type=int, default=12, help="training patients for ranges")
    parser.add_argument("--most", type=int, default=100, help="patients that are scored")
    parser.add_argument("--write", type=Path, help="folder for the bundle with its ranges")
    parser.add_argument("--dry-run", action="store_true", help="keep no row")
    return parser.parse_args()


def _patients(options: argparse.Namespace) -> tuple[list[str], list[str], str]:
    """Those for the ranges, those that are scored, and what the latter are."""
    if options.patients is None:
        names = [f"patient{number:03d}" for number in range(1, 101)]
        known = [one for one in names if int(one[-3:]) % 5 > 1]
        asked = [one for one in names if int(one[-3:]) % 5 == 1]
        said = "validate (number % 5 == 1), which trained this model too"
    else:
        file, part = options.patients
        split = json.loads(Path(file).read_text(encoding="utf-8"))
        known, asked = split["train"], split[part]
        said = f"{part} of its fold, unseen" if part == "test" else part
    step = max(1, len(known) // options.calibrate)
    return known[::step][: options.calibrate], asked[: options.most], said


def _studies(names: Sequence[str]) -> Iterator[Study]:
    for name in names:
        candidate = find_studies(real_images() / "acdc" / "training" / name)[0]
        if candidate.reference is None:
            continue
        image = candidate.load().images[View.SAX]
        yield name, image, candidate.reference()[View.SAX]


def _planes(
    bundle: Bundle, names: Sequence[str]
) -> Iterator["np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    for _, image, _ in _studies(names):
        yield bundle.preparation.sample(image).frame(0)[::EVERY, None]


def _dice(found: object, truth: object) -> float:
    """Mean over structures and frames; two empty masks agree."""
    values = []
    for mine, theirs in zip(np.asarray(found), np.asarray(truth), strict=True):
        for structure in STRUCTURES:
            a, b = mine == structure, theirs == structure
            both, either = np.count_nonzero(a & b), np.count_nonzero(a) + np.count_nonzero(b)
            values.append(2 * both / either if either else 1.0)
    return float(np.mean(values))


def _rows(
    bundle: Bundle, said: str, pairs: Sequence[Sequence[float]], seconds: Sequence[Sequence[float]]
) -> Iterator[Row]:
    for place, precision in enumerate(("f32", "int8")):
        dice = np.array([pair[place] for pair in pairs])
        spent = np.array([one[place] for one in seconds])
        where = {"configuration": f"{precision}, refined, one thread", "structure": "mean"}
        yield _row(bundle, said, "Dice", "1", dice, **where)
        yield _row(bundle, said, "two frames, prepared, segmented, refined", "s by the processor",
                   spent, **where)  # fmt: skip
    ratios = np.array([a / b for a, b in seconds])
    yield _row(bundle, said, "time in f32 over time in int8", "1", ratios,
               configuration="one thread")  # fmt: skip


def _loss_row(bundle: Bundle, said: str, losses: Sequence[float]) -> Row:
    return _row(bundle, said, "Dice in f32 less Dice in int8", "1", np.array(losses),
                configuration="int8, refined", structure="mean")  # fmt: skip


def _row(
    bundle: Bundle,
    said: str,
    measure: str,
    unit: str,
    values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    **where: str,
) -> Row:
    return Row(
        date=today(),
        commit=commit(),
        measure=measure,
        phase="all",
        unit=unit,
        data=f"ACDC, {len(values)} patients",
        split=said,
        model=f"{bundle.name} {bundle.version}, sha256 {bundle.sha256}",
        hardware=hardware(),
        runs=str(len(values)),
        statistic="mean (min, max)",
        value=f"{values.mean():.4g}",
        low=f"{values.min():.4g}",
        high=f"{values.max():.4g}",
        **where,
    )


def _write(
    folder: Path, bundle: Bundle, ranges: dict[str, tuple[float, float]], loss: float, said: str
) -> None:
    known = {name: getattr(bundle, name) for name in Description.__dataclass_fields__}
    known["int8_ranges"] = {name: (round(a, 5), round(b, 5)) for name, (a, b) in ranges.items()}
    known["scores"] = {**bundle.scores, INT8_SCORE: loss, "int8_data": f"ACDC, {said}"}
    write_bundle(folder, bundle.onnx, Description(**known))


if __name__ == "__main__":
    main()
