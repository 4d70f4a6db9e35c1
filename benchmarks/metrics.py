"""Time of the metrics of two masks, beside MONAI and SimpleITK in the same run.

    python benchmarks/metrics.py [--runs 7] [--real] [--dry-run]

HD95 and ASSD together of one structure in a 256 x 256 x 10 volume, on one core, in processor time
of this process, which what else runs on the machine disturbs less than the clock on the wall. Masks
are a phantom's; with --real also the published ones of an ACDC patient, moved by 2 and 3 pixels.
MONAI gets tensors that exist already, SimpleITK images that do; both go the way of their own
documentation, and so on the whole grid where it does not say to crop. Values are compared before
times are. Adds rows to results/metrics/time.csv: ours in milliseconds, the others as ratios to ours
in the same run.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rows import Row, append, hardware, real_images, timing_row

from heartseg.measure.metrics import METRICS
from heartseg.measure.pair import Pair
from heartseg.measure.surfaces import surface_distances

SHAPE = (10, 256, 256)
SPACING_MM = (8.0, 1.5, 1.25)
MOVED = (2, 3)
Mask = NDArray[np.bool_]
Values = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """Two masks of a structure and where they come from."""

    name: str
    data: str
    pred: Mask
    truth: Mask
    spacing_mm: tuple[float, float, float]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description="time of HD95 and ASSD beside other tools")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--real", action="store_true", help="also masks of an ACDC patient")
    parser.add_argument("--dry-run", action="store_true", help="print the rows, keep none")
    options = parser.parse_args()
    rows = [
        row
        for case in (*phantoms(), *(real() if options.real else ()))
        for row in measured(case, options.runs)
    ]
    for row in rows:
        print(f"{row.data:24} {row.structure:10} {row.measure:34} {row.value:>9} {row.unit}")
    if not options.dry_run:
        append("metrics/time", rows)


def phantoms() -> Iterator[Case]:
    """A ring and a disc that taper, about as large as a dilated heart."""
    z, y, x = np.indices(SHAPE)
    radius_mm = np.hypot((y - 120) * SPACING_MM[1], (x - 130) * SPACING_MM[2])
    taper = np.array([0, 0.3, 0.6, 0.8, 0.9, 1, 1, 1, 1, 0])[z]
    for name, mask in {
        "myo": (radius_mm >= 30 * taper) & (radius_mm < 30 * taper + 10) & (taper > 0),
        "lv": radius_mm < 30 * taper,
    }.items():
        yield Case(name, "phantom 256x256x10", np.roll(mask, MOVED, (1, 2)), mask, SPACING_MM)


def real() -> Iterator[Case]:
    """Published masks of one patient of the training part, on a grid of the same size."""
    from heartseg.core.study import View
    from heartseg.read import find_studies

    folder = real_images() / "acdc" / "training" / "patient002"
    if not folder.is_dir():
        sys.exit("no ACDC patients: set HEARTSEG_DATA to the folder of real images")
    (candidate,) = find_studies(folder)
    reference = candidate.reference() if candidate.reference else {}
    truth = reference[View.SAX]
    for structure in truth.structures:
        mask = truth.mask(structure, 0)
        size = "x".join(map(str, reversed(mask.shape)))
        moved, spacing = np.roll(mask, MOVED, (1, 2)), truth.geometry.spacing
        if structure:
            yield Case(structure.key, f"ACDC patient002 ED {size}", moved, mask, spacing)


def measured(case: Case, runs: int) -> Iterator[Row]:
    """Ours in milliseconds, all metrics of the table, and the others as ratios."""
    ways: Mapping[str, Callable[[], Values]] = {
        "heartseg": ours(case),
        "MONAI": monai(case),
        "SimpleITK": simpleitk(case),
    }
    expected = ways["heartseg"]()
    for name, way in ways.items():
        found = way()
        if not np.allclose(found, expected, rtol=1e-4):
            sys.exit(f"{name} says {found}, heartseg {expected}: not the same thing")
    # In turns, so that a disturbance meets all of them.
    times = [{name: milliseconds(way) for name, way in ways.items()} for _ in range(runs)]
    where = {"data": case.data, "configuration": "processor time"}
    yield row("HD95 + ASSD", "ms", [one["heartseg"] for one in times], case, where)
    for name in ("MONAI", "SimpleITK"):
        ratios = [one[name] / one["heartseg"] for one in times]
        yield row(f"HD95 + ASSD, {name} / heartseg", "1", ratios, case, where)
    whole = [milliseconds(lambda: every(case)) for _ in range(runs)]
    yield row(f"all {len(METRICS)} metrics", "ms", whole, case, where)


def row(
    measure: str, unit: str, numbers: Sequence[float], case: Case, where: Mapping[str, str]
) -> Row:
    """With the structure in its column."""
    made = replace(timing_row(measure, unit, numbers, **where), structure=case.name)
    return replace(made, hardware=hardware().rpartition(",")[0] + ", 1 core")


def every(case: Case) -> list[float | None]:
    """All metrics of the table."""
    pair = Pair(case.pred, case.truth, case.spacing_mm)
    return [metric.value(pair)[0] for metric in METRICS.values()]


def ours(case: Case) -> Callable[[], Values]:
    """As `agreement_table` does."""

    def way() -> Values:
        found = surface_distances(case.pred, case.truth, case.spacing_mm)
        return (found.hausdorff95_mm, found.assd_mm) if found else (0.0, 0.0)

    return way


def monai(case: Case) -> Callable[[], Values]:
    """Both of its functions; each finds surfaces and distances anew."""
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    torch.set_num_threads(1)
    pred, truth = (torch.from_numpy(m[None, None].astype(np.float32)) for m in
                   (case.pred, case.truth))  # fmt: skip
    spacing = list(case.spacing_mm)

    def way() -> Values:
        far = compute_hausdorff_distance(
            pred, truth, include_background=True, percentile=95, spacing=spacing
        )
        mean = compute_average_surface_distance(
            pred, truth, include_background=True, symmetric=True, spacing=spacing
        )
        return float(far), float(mean)

    return way


def simpleitk(case: Case) -> Callable[[], Values]:
    """Contours and a distance map of each mask, as its notebooks do; padded, as ours."""
    import SimpleITK as sitk  # noqa: N813

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    images = []
    for mask in (case.pred, case.truth):
        image = sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))
        image.SetSpacing(case.spacing_mm[::-1])
        images.append(image)

    def way() -> Values:
        lines = [sitk.LabelContour(image, fullyConnected=False) for image in images]
        maps = [
            sitk.Abs(sitk.SignedMaurerDistanceMap(one, squaredDistance=False, useImageSpacing=True))
            for one in lines
        ]
        places = [sitk.GetArrayViewFromImage(one) > 0 for one in lines]
        to_truth = sitk.GetArrayViewFromImage(maps[1])[places[0]]
        to_pred = sitk.GetArrayViewFromImage(maps[0])[places[1]]
        far = max(np.percentile(to_truth, 95), np.percentile(to_pred, 95))
        return float(far), float(np.concatenate([to_truth, to_pred]).mean())

    return way


def milliseconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Processor time of one call, the median of a few."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken)


if __name__ == "__main__":
    main()
