"""The worst slices of a segmentation: a table, pages of pictures, and a drawing without pixels.

    python benchmarks/failures.py MASKS TRUTH -o DIR [--count 8] [--into-bundle cine-mr]

MASKS is what `heartseg segment` wrote (or `appraise.py --masks`), TRUTH a data set with published
labels. DIR gets failures.csv with the worst slice of every case; failures.png, for each of the
worst cases the image, the reference and the model; and failures.svg, the same outlines without any
pixel. The pictures show patients: they stay out of the project. The drawing shows none;
`--into-bundle` puts it beside the card of a model, whose appraisal must name the same cases. It is
made from the data set's labels, so their licence holds for it, and it says so.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
from appraise import SCHEME
from numpy.typing import NDArray
from outlines import (
    CAPTION_LINES,
    DRAWN,
    GAP_PX,
    LINE_PX,
    TILE_PX,
    Window,
    attribution,
    sheet,
    window_of,
)
from PIL import Image as Pictures
from PIL import ImageDraw

from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry
from heartseg.core.study import View
from heartseg.evaluation import cells_as_csv, failures_in
from heartseg.measure.worst import Failure, worst
from heartseg.preview.canvas import font
from heartseg.read import Candidate, find_studies
from heartseg.read.masks import study_masks
from heartseg.report.drawing import Stretch, draw_contour, enlarge
from heartseg.report.palette import COLOURS, INK, PAPER
from heartseg.segment import load_bundle, write_bundle
from heartseg.segment.appraisal import read_appraisals
from heartseg.segment.card.sections import DRAWING

COUNT = 8


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What is drawn of one failure, turned upright.

    Attributes:
        told: which slice it is.
        pixels: (y, x) of the image.
        reference, model: (y, x) of `Structure` values.
        spacing_mm: (y, x).
    """

    told: Failure
    pixels: NDArray[Any]
    reference: NDArray[np.uint8]
    model: NDArray[np.uint8]
    spacing_mm: tuple[float, float]

    @property
    def window(self) -> Window:
        """The square that holds both hearts."""
        return window_of((self.reference, self.model), self.spacing_mm)

    @property
    def captions(self) -> tuple[str, str, str]:
        """Three lines: which slice; what went wrong; how much."""
        told = self.told
        place = [told.case, told.group, told.phase, f"slice {told.slice} of {told.slices}"]
        where = " · ".join(part for part in (*place, told.level) if part)
        return where, f"{told.structure}: {told.how}", f"{told.wrong_ml:.1f} mL wrong"


def main() -> None:
    """Find, tell, draw."""
    options = _options()
    known = {one.id: one for one in find_studies(options.truth) if one.reference}
    here = {name: one for name, one in known.items() if (options.masks / name).is_dir()}
    if not here:
        sys.exit(f"{options.masks.name}: no folder of a study of {options.truth.name}")
    ranked = worst(
        [one for study in here.values() for one in failures_in(study, options.masks, SCHEME)],
        len(here),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    told = cells_as_csv([asdict(one) for one in ranked])
    (options.out / "failures.csv").write_text(told, encoding="utf-8")
    chosen = [slice_of(here[one.case], options.masks, one) for one in ranked[: options.count]]
    page(chosen).save(options.out / "failures.png")
    drawing = sheet(chosen, attribution(list(here.values())))
    (options.out / DRAWING).write_text(drawing, encoding="utf-8")
    print(f"{len(ranked)} cases: wrote failures.csv, failures.png, {DRAWING} to {options.out}")
    if options.into_bundle:
        _into_bundle(options.into_bundle, options.out / DRAWING, chosen)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="draw the worst slices of a segmentation")
    parser.add_argument("masks", type=Path, help="what `heartseg segment` wrote")
    parser.add_argument("truth", type=Path, help="data set with published labels")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--count", type=int, default=COUNT, help="cases to draw")
    parser.add_argument("--into-bundle", help="model whose card shows the drawing")
    return parser.parse_args()


def slice_of(candidate: Candidate, masks: Path, told: Failure) -> Slice:
    """Image and outlines of a failure, in the canonical orientation of its grid."""
    study, reference = candidate.load(), candidate.reference() if candidate.reference else {}
    view = View.SAX
    image, model = study.images[view], study_masks(study, masks, SCHEME)[view]
    geometry: Geometry = image.geometry
    turn = geometry.canonical()
    z = told.slice - 1
    z = geometry.shape[0] - 1 - z if turn.flip[0] else z
    volumes = (image.voxels, reference[view].labels, model.labels)
    pixels, wanted, found = (turn.apply(volume[told.frame])[z] for volume in volumes)
    _, dy, dx = geometry.oriented(turn).spacing
    return Slice(told=told, pixels=pixels, reference=wanted, model=found, spacing_mm=(dy, dx))


def page(slices: Sequence[Slice]) -> Pictures.Image:
    """The pictures: a line a case, with the image, the reference and the model."""
    high = TILE_PX + CAPTION_LINES * LINE_PX + GAP_PX
    size = (3 * (TILE_PX + GAP_PX) + GAP_PX, high * len(slices) + GAP_PX)
    picture = Pictures.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    for place, one in enumerate(slices):
        top = GAP_PX + place * high
        for column, labels in enumerate((None, one.reference, one.model)):
            left = GAP_PX + column * (TILE_PX + GAP_PX)
            picture.paste(Pictures.fromarray(_tile(one, labels)), (left, top))
        for line, words in enumerate(one.captions):
            at = (GAP_PX, top + TILE_PX + 2 + LINE_PX * line)
            draw.text(at, words, INK, font(12))
    return picture


def _tile(one: Slice, labels: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    row, column, side = one.window
    steps = [side / TILE_PX / spacing for spacing in one.spacing_mm]
    places = zip(one.pixels.shape, (row, column), steps, strict=True)
    rows, columns = (Stretch(n, centre, step, TILE_PX) for n, centre, step in places)
    low, high = np.percentile(one.pixels, (1.0, 99.5))
    shade = np.clip((one.pixels - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.float32)
    grey = enlarge(shade[None], rows, columns, smooth=False)
    coloured = np.repeat(grey[0][..., None], 3, axis=-1)
    masks: Mapping[Structure, NDArray[np.bool_]] = (
        {} if labels is None else {s: labels == s for s in DRAWN if (labels == s).any()}
    )
    for structure, mask in masks.items():
        smooth = enlarge(mask[None], rows, columns, smooth=True)[0]
        draw_contour(coloured, smooth, COLOURS[structure])
    return (coloured + 0.5).clip(0, 255).astype(np.uint8)


def _into_bundle(name: str, drawing: Path, chosen: Sequence[Slice]) -> None:
    bundle = load_bundle(name)
    told = {(f.case, f.frame, f.slice) for one in _appraised(bundle) for f in one.failures}
    strange = [one.told.case for one in chosen if _key(one.told) not in told]
    if strange:
        sys.exit(f"the card of {name} does not tell of {', '.join(strange)}: appraise it first")
    copyfile(drawing, bundle.folder / DRAWING)
    write_bundle(bundle.folder, bundle.onnx, bundle)
    print(f"the card of {name} shows the drawing")


def _appraised(bundle: Any) -> Any:
    return read_appraisals(bundle.folder, bundle.sha256)


def _key(one: Failure) -> tuple[str, int, int]:
    return one.case, one.frame, one.slice


if __name__ == "__main__":
    main()
