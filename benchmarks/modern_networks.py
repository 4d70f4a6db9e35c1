"""Do the modern networks earn their line in the table? Equal images, equal data, one seed.

    python benchmarks/modern_networks.py [--only PATTERN] [--planes N] [--threads N] [--dry-run]

Every candidate, `unet` as the yardstick, is trained on the ACDC patients of the training part and
scored on those of the validating part (protocol.md), at 2 mm, the middle 96 x 96 pixels. Each
sees N labelled planes (2000 unless told): planes in batches of 4, volumes one at a time, counted by
their slices. Adam at 1e-3 with half a cosine, cross-entropy and soft Dice, turned and mirrored
planes; the same for all. Two rows a network go to results/modern/networks.csv when it is done:
mean Dice of the patients with its interval, and the minutes of one thread. A network that has rows
of this configuration, planes and seed is not trained again, so the script goes on where it stopped.

A volume is padded with empty slices to the smallest size that its network can take.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np
from rows import RESULTS, Row, append, commit, hardware, mean_row, read, real_images, today

CANDIDATES = (
    "unet",
    "unet-resnet34",
    "residual-unet-2d",
    "attention-unet",
    "unetplusplus-supervised",
)
SIDE = 96
SPACING_MM = 2.0
BATCH = 4
SEED = 0
CLASSES = 4


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A labelled frame: pixels (z, y, x) in [0, 1] and class indices, both SIDE wide."""

    patient: str
    pixels: Any
    truth: Any


def main() -> None:
    """Train, score, keep; one network after the other."""
    options = _options()
    import torch

    torch.set_num_threads(options.threads)
    done = _done(options)
    todo = [n for n in CANDIDATES if fnmatch(n, options.only) and n not in done]
    if not todo:
        return
    training, validation = _frames("train"), _frames("validate")
    for name in todo:
        began = time.process_time()
        network = _trained(name, training, options.planes)
        minutes = (time.process_time() - began) / 60
        rows = list(_rows(name, _dice(name, network, validation), minutes, options))
        for row in rows:
            print(f"{name}: {row.measure} {row.value} ({row.low}, {row.high})", flush=True)
        if not options.dry_run:
            append("modern/networks", rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="train the modern networks on equal terms")
    parser.add_argument("--only", default="*", help="names, with * and ?")
    parser.add_argument("--planes", type=int, default=2000, help="labelled planes seen")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    return parser.parse_args()


def _configuration(options: argparse.Namespace) -> str:
    pixels = f"{SIDE} px of {SPACING_MM:g} mm"
    return f"modern_networks.py, {pixels}, batch {BATCH}, Adam 1e-3, no refinement"


def _done(options: argparse.Namespace) -> set[str]:
    path = RESULTS / "modern" / "networks.csv"
    if options.dry_run or not path.exists():
        return set()
    wanted = (_configuration(options), str(options.planes), str(SEED))
    rows = [row for row in read(path) if (row.configuration, row.images_seen, row.seed) == wanted]
    return {row.model for row in rows}


def _frames(part: str) -> list[Frame]:
    import torch

    from heartseg.core.anatomy import Structure
    from heartseg.core.study import View
    from heartseg.prepare import Preparation
    from heartseg.read import find_studies
    from heartseg.train.data import prepared_frames
    from heartseg.train.split import part_of

    folder = real_images() / "acdc" / "training"
    if not folder.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    structures = (
        Structure.BACKGROUND,
        Structure.LV_CAVITY,
        Structure.LV_MYOCARDIUM,
        Structure.RV_CAVITY,
    )
    preparation = Preparation(field_px=SIDE, spacing_mm=SPACING_MM)
    return [
        Frame(
            patient=one.patient,
            pixels=torch.from_numpy(_wide(one.pixels.astype(np.float32))),
            truth=torch.from_numpy(_wide(one.classes.astype(np.int64))),
        )
        for candidate in find_studies(folder)
        if part_of(candidate.id) == part
        for one in prepared_frames(candidate, preparation, structures, View.SAX)
    ]


def _wide(planes: Any) -> Any:
    missing = [SIDE - length for length in planes.shape[1:]]
    return np.pad(planes, [(0, 0), *((gap // 2, gap - gap // 2) for gap in missing)])


def _trained(name: str, frames: Sequence[Frame], planes: int) -> Any:
    import torch

    from heartseg.losses import deeply_supervised, dice_and_cross_entropy
    from heartseg.models import ARCHITECTURES
    from heartseg.models.answer import regions_of

    described = ARCHITECTURES[name]
    torch.manual_seed(SEED)
    network = described.build(1, CLASSES).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    seen = 0
    for pixels, truth, real in _batches(described, frames, np.random.default_rng(SEED)):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * min(1, seen / planes)))
        answer = network(pixels)
        levels = regions_of(answer)
        optimiser.zero_grad()
        deeply_supervised(dice_and_cross_entropy, levels, truth).backward()
        optimiser.step()
        seen += real
        if seen >= planes:
            return network.eval()
    raise AssertionError("batches never end")


def _batches(
    described: Any, frames: Sequence[Frame], random: np.random.Generator
) -> Iterator[tuple[Any, Any, int]]:
    """(pixels, truth, labelled planes in them), for ever."""
    import torch

    every = [(f, z) for f in frames for z in range(len(f.pixels))]
    while True:
        if described.dimensions == 3:
            frame = frames[random.integers(len(frames))]
            pixels, truth = _turned(frame.pixels, frame.truth, random)
            yield _deep(pixels, described)[None, None], _deep(truth, described)[None], len(pixels)
        else:
            chosen = [every[i] for i in random.integers(len(every), size=BATCH)]
            pairs = [_turned(f.pixels[z], f.truth[z], random) for f, z in chosen]
            planes = torch.stack([pixels for pixels, _ in pairs])[:, None]
            yield planes, torch.stack([truth for _, truth in pairs]), BATCH


def _turned(pixels: Any, truth: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """By a multiple of 90 degrees, mirrored or not: exact, so no labels are interpolated."""
    turns, mirrored = int(random.integers(4)), bool(random.integers(2))
    pair = [image.rot90(turns, (-2, -1)) for image in (pixels, truth)]
    mine, theirs = [image.flip(-1) if mirrored else image for image in pair]
    return mine.contiguous(), theirs.contiguous()


def _deep(volume: Any, described: Any) -> Any:
    """With empty slices up to the smallest legal number."""
    import torch

    least, stride = described.smallest_size[0], np.atleast_1d(described.stride)[0]
    slices = max(least, least + -(-(len(volume) - least) // stride) * stride)
    return torch.nn.functional.pad(volume, (0, 0, 0, 0, 0, int(slices) - len(volume)))


def _dice(name: str, network: Any, frames: Sequence[Frame]) -> dict[str, list[float]]:
    """Mean Dice of the three structures in 3-D, by patient."""
    import torch

    from heartseg.models import ARCHITECTURES

    described = ARCHITECTURES[name]
    found: dict[str, list[float]] = {}
    with torch.inference_mode():
        for frame in frames:
            if described.dimensions == 3:
                deep = _deep(frame.pixels, described)[None, None]
                classes = network(deep)[0].argmax(0)[: len(frame.pixels)]
            else:
                classes = network(frame.pixels[:, None]).argmax(1)
            found.setdefault(frame.patient, []).append(_mean_dice(classes, frame.truth))
    return found


def _mean_dice(classes: Any, truth: Any) -> float:
    scores = []
    for label in range(1, CLASSES):
        mine, theirs = classes == label, truth == label
        total = int(mine.sum() + theirs.sum())
        scores.append(2 * int((mine & theirs).sum()) / total if total else 1.0)
    return float(np.mean(scores))


def _rows(
    name: str, found: dict[str, list[float]], minutes: float, options: argparse.Namespace
) -> Iterator[Row]:
    patients = [float(np.mean(values)) for values in found.values()]
    where = {
        "date": today(),
        "commit": commit(),
        "data": "ACDC",
        "split": "validate",
        "model": name,
        "seed": str(SEED),
        "configuration": _configuration(options),
        "images_seen": str(options.planes),
        "hardware": f"{hardware().rpartition(',')[0]}, {options.threads} threads",
    }
    scored = {"structure": "mean", "phase": "all", **where}
    yield mean_row("Dice after equal training", "1", patients, **scored)
    spent = f"{minutes:.3g}"
    yield Row(
        measure="processor time of that training",
        unit="min",
        runs="1",
        statistic="median (min, max)",
        value=spent,
        low=spent,
        high=spent,
        **where,
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
