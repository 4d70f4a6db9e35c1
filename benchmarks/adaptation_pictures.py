"""What adaptation.py shows: slices before and after translation, and the hardest patients.

Pixels of patients stay beside the runs, where the data are. Only outlines, drawn from labels, are
part of the results.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from adaptation_arms import ARMS, FULL, NONE, PLAIN, SUPERVISED, TRANSLATORS
from adaptation_cases import Case
from adaptation_cells import Experiment, source_of
from adaptation_rows import values_of
from cells import common_seeds
from edges_judged import MASKS, read_masks
from numpy.typing import NDArray
from outlines import Square, attribution, sheet, window_of
from PIL import Image, ImageDraw

from heartseg.core.outline import outlines
from heartseg.core.study import View
from heartseg.preview.canvas import INK, Tile, font, tile
from heartseg.read import Candidate, find_studies
from heartseg.report.palette import COLOURS
from heartseg.train.translate.judges import drawn
from heartseg.train.translate.labelled_set import REJECTED

TILE_PX = 200
SHOWN, HARDEST = 4, 4
Labels = NDArray[np.uint8]


def before_and_after(experiment: Experiment) -> Path | None:
    """A row a patient: the real cine, then each translation of it, with the outlines of its labels.

    Returns:
        The picture in OUT; None where nothing is translated yet.
    """
    found = {
        name: place
        for name in TRANSLATORS
        for place in sorted(experiment.out.glob(f"*/translated/{name}"))[:1]
    }
    if not found:
        return None
    rows = list(_translated_rows(found, {one.id: one for one in source_of(experiment)}))
    page = Image.new("RGB", (max(map(len, rows)) * TILE_PX, len(rows) * TILE_PX))
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            page.paste(picture, (across * TILE_PX, down * TILE_PX))
    file = experiment.out / "before-and-after.png"
    page.save(file)
    return file


def _translated_rows(
    places: dict[str, Path], source: dict[str, Candidate]
) -> Iterator[list[Image.Image]]:
    sets = {name: _studies(place) for name, place in places.items()}
    names = sorted(set.union(*(set(one) for one in sets.values())))
    for study in names[:: max(1, len(names) // SHOWN)][:SHOWN]:
        row = [_real(source[study])]
        for name, studies in sets.items():
            if study not in studies:
                row.append(Image.new("RGB", (TILE_PX, TILE_PX)))
                continue
            candidate, refused = studies[study]
            made = candidate.load().images[View.SAX]
            truth = candidate.reference()[View.SAX]
            z = made.geometry.shape[0] // 2
            spacing = made.geometry.spacing[1:]
            words = f"{name}{', rejected' if refused else ''}"
            row.append(_drawn(made.voxels[0, z], spacing, truth.labels[0, z], words))
        yield row


def _real(candidate: Candidate) -> Image.Image:
    """The frame that was translated first, as it is."""
    image, truth = candidate.load().images[View.SAX], candidate.reference()[View.SAX]
    frame, z = drawn(truth.labels)[0], image.geometry.shape[0] // 2
    spacing = image.geometry.spacing[1:]
    return _drawn(image.voxels[frame, z], spacing, truth.labels[frame, z], candidate.id)


def _studies(place: Path) -> dict[str, tuple[Any, bool]]:
    found: dict[str, tuple[Any, bool]] = {}
    for folder, refused in ((place, False), (place / REJECTED, True)):
        if any((folder / "images").glob("*")):
            scheme = str(place / "labels.toml")
            for one in find_studies(folder, scheme=scheme, view=View.SAX):
                found[one.id] = (one, refused)
    return found


def _drawn(
    plane: NDArray[Any], spacing: tuple[float, ...], labels: Labels, words: str
) -> Image.Image:
    """A plane in grey with outlines in colour."""
    low, high = np.percentile(plane, (1, 99))
    shown = tile(plane, (spacing[0], spacing[1]), TILE_PX, window=(float(low), float(high)))
    picture = shown.picture.convert("RGB")
    draw = ImageDraw.Draw(picture)
    _outline(draw, shown, labels, spacing)
    draw.text((4, 3), words, fill=INK, font=font(12))
    return picture


def _outline(
    draw: ImageDraw.ImageDraw, shown: Tile, labels: Labels, spacing: tuple[float, ...]
) -> None:
    left, top, _, _ = shown.box
    for structure, ink in COLOURS.items():
        for ring in outlines(labels == structure):
            points = [
                (
                    left + (x + 0.5) * spacing[1] * shown.per_unit,
                    top + (y + 0.5) * spacing[0] * shown.per_unit,
                )
                for x, y in ring.tolist()
            ]
            draw.line([*points, points[0]], fill=ink, width=1)


# The hardest patients


def hardest(experiment: Experiment, cases: Sequence[Case]) -> Path | None:
    """The patients that the full method does worst, by none, plain CycleGAN, it and supervision.

    Outlines as SVG beside the lines of patients, and the same with pixels in OUT.

    Returns:
        The SVG; None where one of the four has no masks here.
    """
    mine = [
        one
        for one in cases
        if (one.split, one.budget) == (experiment.part, experiment.budget) and not one.problem
    ]
    seeds = common_seeds(mine)
    if not seeds:
        return None
    places = {
        arm.name: experiment.out / seeds[0] / "segmenters" / arm.folder / experiment.part
        for arm in ARMS
        if arm.name in (NONE, PLAIN, FULL, SUPERVISED)
    }
    if not all((one / MASKS).exists() for one in places.values()):
        return None
    means = values_of(mine, "dice", "mean")[FULL]
    worst = sorted(means, key=lambda one: (means[one], one))[:HARDEST]
    masks = {arm: read_masks(place) for arm, place in places.items()}
    squares = [one for case in worst for one in _squares(case, masks, means[case])]
    said = f"Mean Dice of LV and myocardium, seeds {' '.join(seeds)}; masks of seed {seeds[0]}. "
    text = sheet(squares, said + attribution(experiment.scored), "The hardest patients")
    file = experiment.cases.with_name(f"hardest-{experiment.part}.svg")
    file.write_text(text, encoding="utf-8")
    _with_pixels(experiment, worst, masks)
    return file


def _squares(case: str, masks: dict[str, Any], mean: float) -> Iterator[Square]:
    truth = masks[FULL].truth[case][0]
    z = _worst_plane(masks[FULL].found[case][0], truth)
    shown = {arm: one.found[case][0, z] for arm, one in masks.items()}
    spacing = masks[FULL].spacing[case]
    where = f"{case} · slice {z + 1} of {len(truth)}"
    for arm, labels in shown.items():
        yield Square(
            reference=truth[z],
            model=labels,
            spacing_mm=spacing,
            window=window_of((truth[z], *shown.values()), spacing),
            captions=(
                where,
                f"{arm}: {np.count_nonzero(labels != truth[z])} pixels wrong",
                f"the patient's Dice by {FULL}: {mean:.3f}",
            ),
        )


def _worst_plane(found: Labels, truth: Labels) -> int:
    """Of those where something is drawn, the one with the most wrong pixels."""
    wrong = np.count_nonzero(found != truth, axis=(1, 2))
    return int(np.where(truth.any(axis=(1, 2)), wrong, -1).argmax())


def _with_pixels(experiment: Experiment, worst: Sequence[str], masks: dict[str, Any]) -> None:
    studies = {one.id: one for one in experiment.scored}
    page = Image.new("RGB", ((1 + len(masks)) * TILE_PX, len(worst) * TILE_PX))
    for down, case in enumerate(worst):
        image = studies[case].load().images[experiment.target.view]
        truth = masks[FULL].truth[case][0]
        z = _worst_plane(masks[FULL].found[case][0], truth)
        answers = {"reference": truth[z], **{a: m.found[case][0, z] for a, m in masks.items()}}
        for across, (name, labels) in enumerate(answers.items()):
            words = case if name == "reference" else name
            square = _drawn(image.voxels[0, z], image.geometry.spacing[1:], labels, words)
            page.paste(square, (across * TILE_PX, down * TILE_PX))
    page.save(experiment.out / "hardest.png")
