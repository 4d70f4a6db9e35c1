"""Paper 003 beyond its grid: two patients of other hospitals, and the gallery of its Figure 4.

    python benchmarks/study003.py OUT [--grid runs/grids/study003.toml] [--dry-run]

OUT is the folder of `heartseg benchmark runs/grids/study003.toml -o OUT`. Of the networks that saw
all slices, augmented, as in Table VIII, those whose run is finished are taken as they are:

- **External**: they segment SC-HF-I-1 of Sunnybrook and P09 of RVSC; nothing is trained again. A
  row a network, patient and structure in results/study003/external.csv: the mean over the frames
  that a reader drew. One patient each, so there is no interval; it illustrates and tests nothing.
- **Gallery**: results/study003/gallery.svg shows the test patient whom these networks do best,
  the one in the middle and the one they do worst, by their mean Dice; a row a patient, a column a
  network, the slice with the most heart at end-diastole. Outlines, no pixel of a patient.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
from edges_judged import segmented
from outlines import Square, attribution, sheet, window_of
from rows import RESULTS, Row, append, commit, real_images, today

from heartseg.benchmark.grid import Grid, read_grid
from heartseg.benchmark.hardware import processor
from heartseg.benchmark.results import read_results
from heartseg.benchmark.score import patients_of, score
from heartseg.core.image import Segmentation
from heartseg.measure.overlap import dice
from heartseg.read import Candidate, find_studies
from heartseg.train.device import choose_device
from heartseg.train.settings import RunSettings
from heartseg.train.trained import TRAINED, Trained

GRID = Path(__file__).resolve().parents[1] / "runs" / "grids" / "study003.toml"
TAKEN: Mapping[str, str] = {"slices": "1120", "data": "augmented"}
OUTSIDE: Mapping[str, tuple[str, str]] = {
    "Sunnybrook SC-HF-I-1": ("sunnybrook", "SC-HF-I-1"),
    "RVSC P09": ("rvsc_p09", "P09"),
}
"""Folder of the real images, and the patient in it."""

MEASURES: Mapping[str, tuple[str, str]] = {
    "Dice": ("dice", "1"),
    "HD95": ("hausdorff95_mm", "mm"),
}
PLACES = ("best", "in the middle", "worst")


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A network of the grid that is trained and scored; `dice` is its mean by patient."""

    settings: RunSettings
    network: Trained
    dice: Mapping[str, float]


Networks = Mapping[str, Finished]
"""By name."""


def main() -> None:
    """Look at what is finished."""
    parser = argparse.ArgumentParser(description="paper 003 beyond its grid")
    parser.add_argument("out", type=Path, help="the folder of the grid")
    parser.add_argument("--grid", type=Path, default=GRID)
    parser.add_argument("--dry-run", action="store_true", help="keep neither rows nor drawing")
    options = parser.parse_args()
    grid = read_grid(options.grid)
    networks = finished(grid, options.out)
    if not networks:
        raise SystemExit(f"{options.out}: no finished run of {described(TAKEN)}")
    rows = [row for name, place in OUTSIDE.items() for row in external(networks, name, *place)]
    for row in rows:
        print(f"{row.model} {row.data} {row.structure} {row.measure}: {row.value} {row.unit}")
    drawing = gallery(networks, grid)
    if options.dry_run:
        (options.out / "gallery.svg").write_text(drawing, encoding="utf-8")
        return
    append("study003/external", rows)
    (RESULTS / "study003" / "gallery.svg").write_text(drawing, encoding="utf-8")


def described(labels: Mapping[str, str]) -> str:
    """Labels in words, as a row's configuration has them."""
    return ", ".join(f"{axis} {label}" for axis, label in labels.items())


def finished(grid: Grid, out: Path) -> dict[str, Finished]:
    """By name, the networks that saw what `TAKEN` says."""
    settings = {cell.run: cell.settings for cell in grid.cells}
    found = {}
    for method in read_results(grid, out).scored:
        if all(method.labels.get(axis) == label for axis, label in TAKEN.items()):
            run = method.rows[0]["run"]
            network = Trained(settings[run], out / "runs" / run / TRAINED, choose_device("cpu"))
            found[str(settings[run].model["name"])] = Finished(
                settings=settings[run], network=network, dice=method.by_case("dice")
            )
    return found


def external(networks: Networks, data: str, folder: str, patient: str) -> Iterator[Row]:
    """Rows of one patient of another hospital; none where the images are absent."""
    place = real_images() / folder
    there = list(find_studies(place)) if place.is_dir() else []
    some = [one for one in there if one.id == patient]
    if not some:
        print(f"{place}: no {patient} but {[one.id for one in there]}; left out")
        return
    for name, one in networks.items():
        scores = score(one.network.look, one.settings, some, ())
        for structure in dict.fromkeys(row.structure for row in scores.cases):
            lines = [row for row in scores.cases if row.structure == structure]
            for measure, (field, unit) in MEASURES.items():
                values = [v for row in lines if (v := getattr(row, field)) is not None]
                if values:
                    yield Row(
                        date=today(),
                        commit=commit(),
                        measure=measure,
                        structure=structure,
                        unit=unit,
                        data=data,
                        split="not of the training data",
                        model=name,
                        seed=str(one.settings.seed),
                        configuration=f"{GRID.name}: {described(TAKEN)}",
                        images_seen=str(one.network.steps * one.settings.learning.images),
                        hardware=processor(),
                        runs=str(len(values)),
                        statistic="mean over frames",
                        value=f"{mean(values):.5g}",
                        low="",
                        high="",
                    )


def gallery(networks: Networks, grid: Grid) -> str:
    """The drawing: a row a patient, a column a network."""
    by_case: dict[str, list[float]] = {}
    for one in networks.values():
        for case, value in one.dice.items():
            by_case.setdefault(case, []).append(value)
    order = sorted(by_case, key=lambda case: (-mean(by_case[case]), case))
    chosen = (order[0], order[len(order) // 2], order[-1])
    settings = next(iter(networks.values())).settings
    patients = {one.id: one for one in patients_of(settings, grid.root, grid.score_on)}
    squares = [
        square
        for place, case in zip(PLACES, chosen, strict=True)
        for square in _row_of(networks, patients[case], place)
    ]
    below = (
        f"Test patients whom {len(networks)} networks of paper 003 do best, in the middle and "
        "worst by mean Dice, after training on all slices, augmented; a column a network. "
    )
    return sheet(squares, below + attribution([patients[case] for case in chosen]), title="Gallery")


def _row_of(networks: Networks, patient: Candidate, place: str) -> Iterator[Square]:
    seen = {name: segmented(one.network, one.settings, patient) for name, one in networks.items()}
    _, truth, _ = next(iter(seen.values()))
    turn = truth.geometry.canonical()
    drawn = turn.apply(truth.labels[0])
    z = int(np.argmax(np.count_nonzero(drawn, axis=(1, 2))))
    spacing = truth.geometry.oriented(turn).spacing[1:]
    planes = {name: turn.apply(found.labels[0])[z] for name, (found, _, _) in seen.items()}
    window = window_of((drawn[z],), spacing)
    for name, plane in planes.items():
        yield Square(
            reference=drawn[z],
            model=plane,
            spacing_mm=spacing,
            window=window,
            captions=(
                f"{name}: Dice {_of_frame(seen[name][0], truth):.3f} at ED",
                f"{patient.id} · slice {z + 1} of {len(drawn)} · {place}",
            ),
        )


def _of_frame(found: Segmentation, truth: Segmentation) -> float:
    """Mean Dice of the structures in the first of the frames, in 3-D."""
    return mean(dice(found.mask(one, 0), truth.mask(one, 0)) for one in found.structures)


if __name__ == "__main__":
    main()
