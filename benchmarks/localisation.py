"""In how many patients the crop to the ventricle holds the whole of it, and what chance would do.

    python benchmarks/localisation.py [--data FOLDER]

The prior of `heartseg.prepare.localise` was chosen on the training part (number % 5 in 2, 3, 4);
the validation part (% 5 == 1) shows what that is worth on others. The test part is not looked at.
For each part of ACDC and CAMUS:

- *held*: images whose crop holds every reference pixel of the ventricle, all slices and frames;
- *held cavity*: the same for its cavity alone; *held with RV*: for both ventricles (ACDC);
- *found*: images with a crop at all; the others keep their whole field, and count as held;
- *area*: mean share of the field that is left of the images with a crop;
- *prior alone*: held by a crop of the same size about the prior's centre, without looking.

Lines are added to results/checks/localisation.csv, and the newest go into the table of
docs/explanation/preparation-of-the-papers.md.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from pages import markdown_table, write_table
from rows import RESULTS, ROOT, commit, today

from heartseg.core.anatomy import Structure
from heartseg.prepare import Locate, Preparation
from heartseg.prepare.localise import PRIORS, Box, Look
from heartseg.read import find_studies
from heartseg.train.split import part_of

FILE = RESULTS / "checks" / "localisation.csv"
PAGE = ROOT / "docs" / "explanation" / "preparation-of-the-papers.md"

DATA: dict[str, tuple[str, Look]] = {
    "ACDC": ("acdc/training", "short-axis"),
    "CAMUS": ("camus", "apical"),
}
CAVITY = (Structure.LV_CAVITY,)
VENTRICLE = (*CAVITY, Structure.LV_MYOCARDIUM)
BOTH = (*VENTRICLE, Structure.RV_CAVITY)
NON_BLACK = 0.02


@dataclass(frozen=True, kw_only=True)
class Line:
    """A part of a data set."""

    date: str
    commit: str
    data: str
    part: str
    images: int
    found: int
    held: int
    held_cavity: int
    held_with_rv: int
    prior_alone: int
    area: float
    least_sure: float


def main() -> None:
    """Look at every part, keep the lines, write the table."""
    parser = argparse.ArgumentParser(description="check the crop to the ventricle")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    folder: Path = parser.parse_args().data
    lines = [looked_at(folder, data, part) for data in DATA for part in ("train", "validate")]
    fresh = not FILE.exists()
    with FILE.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(Line)])
        if fresh:
            writer.writeheader()
        writer.writerows(asdict(line) for line in lines)
    write_table(PAGE, "localisation.py", table(lines))


def looked_at(folder: Path, data: str, part: str) -> Line:
    """One part of one data set."""
    seen = list(_images(folder, data, part))
    crops = [one for one in seen if one["found"]]
    return Line(
        date=today(),
        commit=commit(),
        data=data,
        part=part,
        images=len(seen),
        found=len(crops),
        **{
            name: sum(one[name] for one in seen)
            for name in ("held", "held_cavity", "held_with_rv", "prior_alone")
        },
        area=round(float(np.mean([one["area"] for one in crops])), 3),
        least_sure=round(min(one["sure"] for one in seen), 3),
    )


def _images(folder: Path, data: str, part: str) -> Iterator[dict[str, Any]]:
    place, look = DATA[data]
    how = Preparation(percentiles=(0.0, 100.0), denoise_px=3, locate=Locate(look=look))
    if look == "short-axis":  # single bright voxels of MR would darken all others
        how = Preparation(locate=Locate(look=look))
    for candidate in find_studies(folder / place):
        if part_of(candidate.id) != part or candidate.reference is None:
            continue
        study = candidate.load()
        for view, mask in candidate.reference().items():
            sample = how.sample(study.images[view])
            labels = sample.orientation.apply(mask.labels)
            location = sample.location
            if location is None:
                continue
            rows, columns = location.box
            blind = _blind(sample.scaled(0), look)
            yield {
                "found": location.found,
                "sure": location.sure,
                "area": (rows.stop - rows.start)
                * (columns.stop - columns.start)
                / (labels.shape[-2] * labels.shape[-1]),
                "held": _held(labels, VENTRICLE, location.box),
                "held_cavity": _held(labels, CAVITY, location.box),
                "held_with_rv": _held(labels, BOTH, location.box),
                "prior_alone": _held(labels, VENTRICLE, blind),
            }


def _held(labels: Any, structures: tuple[Structure, ...], box: Box) -> bool:
    wanted = np.isin(labels, structures)
    return bool(wanted[..., box[0], box[1]].sum() == wanted.sum())


def _blind(planes: Any, look: Look) -> Box:
    """The crop about the prior's centre, in the field (the fan's own box for echo)."""
    prior = PRIORS[look]
    up, down, left, right = prior.reach
    spans = []
    for axis, (before, after) in ((1, (up, down)), (2, (left, right))):
        length = planes.shape[axis]
        there = np.arange(length)
        if prior.blood == "dark":
            other = tuple(one for one in range(3) if one != axis)
            there = np.flatnonzero((planes > NON_BLACK).mean(axis=other) > 0.005)
        centre = there[0] + prior.centre[axis - 1] * (there[-1] + 1 - there[0])
        spans.append(slice(max(0, round(centre - before * length)), round(centre + after * length)))
    return spans[0], spans[1]


def table(lines: list[Line]) -> str:
    """The lines as Markdown."""
    heads = ("images", "crop found", "holds the ventricle", "its cavity", "prior alone")
    rows = (
        (
            f"{one.data}, {one.part} ({one.images})",
            *map(str, (one.found, one.held, one.held_cavity, one.prior_alone)),
            f"{100 * one.area:.0f} %",
        )
        for one in lines
    )
    return markdown_table((*heads, "area left"), rows)


if __name__ == "__main__":
    main()
