"""Make the pictures of the README and the pages: real outputs, of data that may be shown.

    python docs/pictures.py

Of Sunnybrook SC-HF-I-1 (CC0), where the real images are (HEARTSEG_DATA, or ../shared/data beside
the project), else of a phantom; ACDC's pictures may not be part of the project. Writes
docs/images/overview.png: what `heartseg segment` writes, made smaller; preview.png: what `heartseg
inspect --preview` draws of a phantom; explanation.png: three maps of `heartseg explain` of a
phantom, which needs heartseg[train]; traditional-methods.png: what each traditional method
finds in a plane of a phantom; adaptation.png: what the arms of benchmarks/adaptation.py make of a
plane of a phantom, which needs heartseg[train] too; and robustness.png: what the shipped model
finds in a plane of a phantom under the strongest disturbances of benchmarks/robustness.py.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from heartseg.batch import Outcome, Plan, run
from heartseg.choice import Models
from heartseg.classical import METHODS, Method, segment_image
from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import HeartsegError
from heartseg.core.image import Image as Cine
from heartseg.core.image import Segmentation
from heartseg.core.outline import outlines
from heartseg.core.study import View
from heartseg.formats.nifti import write_image, write_labels
from heartseg.inspection import inspected, write_preview
from heartseg.phantom import Acquisition, make_study, write
from heartseg.pipeline import Settings, segment
from heartseg.preview.canvas import tile
from heartseg.read import read_study
from heartseg.report.palette import COLOURS

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "overview.png"
PREVIEW = PICTURE.with_name("preview.png")
EXPLANATION = PICTURE.with_name("explanation.png")
EXPLAINED = (("lv_ef", ("saliency",)), ("lv", ("grad-cam", "entropy")))
METHODS_PICTURE = PICTURE.with_name("traditional-methods.png")
STILL = Acquisition(frames=1)
TILE_PX = 200
ABOUT_PX = 44
"""Rows and columns to each side of the middle that a tile shows, of `PIXEL_MM`."""
PIXEL_MM = 1.5
WIDEST_PX = 1200

sys.path.insert(0, str(ROOT / "benchmarks"))
from disturbances import DISTURBANCES  # noqa: E402
from disturbed_places import Scene, single_slice  # noqa: E402
from disturbed_values import toned  # noqa: E402
from rows import real_images  # noqa: E402

ROBUSTNESS = PICTURE.with_name("robustness.png")
ADAPTATION = PICTURE.with_name("adaptation.png")
STRONGEST = (
    *("as it is", "75 degrees", "quarter turn", "2.5 mm", "0 mm about the heart"),
    *("a quarter of the RV outside", "signal to noise 5", "16 to 1", "breathing by 5 mm"),
    *("blur of 3 mm", "gamma 2.5", "negative", "8 of them", "clipped at percentile 75"),
    "stripe 4 times as bright",
)


def main() -> None:
    """Make all, or those that are named."""
    makers = {
        "overview": _overview,
        "preview": _preview,
        "explanation": _explanation,
        "traditional-methods": _methods,
        "robustness": _robustness,
        "adaptation": _adaptation,
    }
    for name in sys.argv[1:] or makers:
        makers[name]()


def _methods() -> None:
    """The true contours of a plane, and those of every method; other phantoms are the atlas."""
    study, drawn, _ = make_study(1, kind="normal", acquisition=STILL)
    image = study.images[View.SAX]
    with tempfile.TemporaryDirectory(prefix="heartseg-picture-") as name:
        shown = [("truth", drawn)]
        for key, method in METHODS.items():
            ready = _with_atlas(method, Path(name)) if key == "atlas" else method
            shown.append((key, segment_image(image, ready, "short-axis")))
    _keep(_side_by_side([_tile(image, one, name) for name, one in shown], 6), METHODS_PICTURE)
    print(f"{METHODS_PICTURE.relative_to(ROOT)}: phantom")


def _adaptation() -> None:
    """A plane, other contrasts of it, its edges, and the borders that a network is taught."""
    import torch

    from heartseg.augment.curves import Curves, through_curves
    from heartseg.losses import edge_bands
    from heartseg.prepare.histogram import matched, quantiles_of

    (study, drawn, _), (other, _, _) = (
        make_study(seed, kind="normal", acquisition=STILL) for seed in (1, 2)
    )
    image, plane = study.images[View.SAX], study.images[View.SAX].geometry.shape[0] // 2
    low, high = np.percentile(image.voxels, (1, 99))
    grey = ((image.voxels - low) / (high - low)).clip(0, 1).astype(np.float32)
    theirs = toned(other.images[View.SAX], 0.5)
    spread = np.ptp(theirs.voxels)
    taken = matched(grey, quantiles_of((theirs.voxels - theirs.voxels.min()) / spread))
    shown = [("cine", grey), ("greys of another", taken)]
    planes = torch.from_numpy(grey[0][None, :])  # the slices are channels: one curve for all
    for seed in (2, 5, 7):
        curves = Curves(chance=1.0)
        bent = through_curves(planes, curves, torch.Generator().manual_seed(seed))
        shown.append(("a random curve", bent.numpy()))
    slopes = np.hypot(*np.gradient(grey[0, plane]))
    edges = np.broadcast_to(slopes / slopes.max(), grey.shape)
    truth = torch.from_numpy(drawn.labels[0, plane].astype(np.int64))[None]
    bands = edge_bands(truth, range(4), width_px=2).amax(1).numpy()
    shown += [("its edges", edges), ("borders that are taught", np.broadcast_to(bands, grey.shape))]
    tiles = [
        _tile(image.like(voxels), drawn.like(drawn.labels * 0), name) for name, voxels in shown
    ]
    _keep(_side_by_side(tiles, 4), ADAPTATION)
    print(f"{ADAPTATION.relative_to(ROOT)}: phantom")


def _robustness() -> None:
    """What is found in the middle slice, disturbed in several ways; the truth in white."""
    study, drawn, _ = make_study(1, kind="normal", acquisition=STILL)
    plane = single_slice(Scene(study.images[View.SAX], (drawn,)), 0.5)
    models, tiles = Models("cpu"), []
    for disturbance in (one for one in DISTURBANCES if one.level in STRONGEST):
        scene = disturbance.of(plane, study.id)
        disturbed = replace(study, images={View.SAX: scene.image})
        found = segment(disturbed, models, Settings(device="cpu"))[View.SAX]
        tiles.append(_tile(scene.image, found, disturbance.name, truth=scene.truth))
    _keep(_side_by_side(tiles, 5), ROBUSTNESS)
    print(f"{ROBUSTNESS.relative_to(ROOT)}: phantom")


def _side_by_side(tiles: list[Image.Image], wide: int) -> Image.Image:
    page = Image.new("RGB", (wide * TILE_PX, -(-len(tiles) // wide) * TILE_PX))
    for at, one in enumerate(tiles):
        page.paste(one, (at % wide * TILE_PX, at // wide * TILE_PX))
    return page


def _with_atlas(method: Method, folder: Path) -> Method:
    (folder / "labels.toml").write_text('[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n')
    for seed in (2, 3, 4):
        study, truth, _ = make_study(seed, kind="normal", acquisition=STILL)
        write_image(folder / f"{study.id}_sax.nii.gz", study.images[View.SAX])
        write_labels(folder / f"{study.id}_sax_gt.nii.gz", truth, SCHEMES["acdc"])
    return replace(method, folder=folder)  # type: ignore[call-arg]


def _tile(
    image: Cine, found: Segmentation, name: str, *, truth: Segmentation | None = None
) -> Image.Image:
    """The middle plane, the contours that were found, and below them the true ones.

    `ABOUT_PX` pixels of 1.5 mm to each side of the true heart, or of the middle, as far as there
    are any.
    """
    plane, (_, dy, dx) = image.geometry.shape[0] // 2, image.geometry.spacing
    about = [round(ABOUT_PX * PIXEL_MM / spacing) for spacing in (dy, dx)]
    middles = [n // 2 for n in image.geometry.shape[1:]]
    if truth is not None:
        middles = [round(float(at.mean())) for at in np.nonzero(truth.labels[0, plane])]
    rows, columns = (slice(max(0, m - a), m + a) for m, a in zip(middles, about, strict=True))
    grey = image.voxels[0, plane, rows, columns]
    window = (float(np.percentile(grey, 0.5)), float(np.percentile(image.voxels, 99.9)))
    drawn = tile(grey, (dy, dx), TILE_PX, window=window)
    picture, (left, top, _, _) = drawn.picture, drawn.box
    draw = ImageDraw.Draw(picture)
    for masks, width in ((truth, 1), (found, 2)):
        for structure in () if masks is None else masks.structures:
            for ring in outlines(masks.labels[0, plane, rows, columns] == structure):
                points = [
                    (left + (x + 0.5) * dx * drawn.per_unit, top + (y + 0.5) * dy * drawn.per_unit)
                    for x, y in ring.tolist()
                ]
                ink = (255, 255, 255) if masks is truth else COLOURS[structure]
                draw.line([*points, points[0]], fill=ink, width=width)
    draw.rectangle(draw.textbbox((4, 3), name), fill=(0, 0, 0))
    draw.text((4, 3), name, fill=(255, 255, 255))
    return picture


def _preview() -> None:
    with tempfile.TemporaryDirectory(prefix="heartseg-picture-") as name:
        (phantom,) = write(Path(name) / "phantom", seed=1, file_format="dicom")
        ((study, seen),) = inspected(phantom)
        if study is None:
            raise HeartsegError(phantom.name, got=str(seen[0].problem))
        file = write_preview(Path(name) / "preview.png", study, seen, alone=True)
        with Image.open(file) as picture:
            _keep(picture, PREVIEW)
    print(f"{PREVIEW.relative_to(ROOT)}: phantom")


def _explanation() -> None:
    from heartseg.explain import explain_study
    from heartseg.explain.picture import Scene, map_picture

    with tempfile.TemporaryDirectory(prefix="heartseg-picture-") as name:
        (phantom,) = write(Path(name) / "phantom", seed=1)
        whole_beat = read_study(phantom)
        ((view, image),) = whole_beat.images.items()
        few = image.part(range(0, image.frames, 4))  # of the beat: it takes less time
        study = replace(whole_beat, images={view: few}, sources={view: ()})
        shown = []
        for target, methods in EXPLAINED:
            found = explain_study(study, target, methods=methods, slices="4,5,6", frames="ed")
            masks, phases = found.segmentations[view], found.phases[view]
            scene = Scene(few, masks, phases, found.target, "phantom", found.model.name)
            shown += [map_picture(map_, scene) for map_ in found.maps]
    size = (max(one.width for one in shown), sum(one.height for one in shown))
    whole = Image.new("RGB", size, "white")
    for number, one in enumerate(shown):
        whole.paste(one, (0, sum(before.height for before in shown[:number])))
    _keep(whole, EXPLANATION)
    print(f"{EXPLANATION.relative_to(ROOT)}: phantom")


def _overview() -> None:
    with tempfile.TemporaryDirectory(prefix="heartseg-picture-") as name:
        folder = Path(name)
        study = real_images() / "sunnybrook" / "SC-HF-I-1"
        if not study.is_dir():
            (study,) = write(folder / "phantom", seed=1, file_format="dicom")
        plan = Plan(inputs=(study,), out=folder / "out", settings=Settings(formats=("png", "json")))
        outcomes: list[Outcome] = []
        run(plan, outcomes.append)
        (outcome,) = outcomes
        if outcome.report is None:
            raise HeartsegError(study.name, got=outcome.said)
        with Image.open(folder / "out" / outcome.id / "overview.png") as picture:
            _keep(picture, PICTURE)
    print(f"{PICTURE.relative_to(ROOT)}: {study.name}, model {outcome.report.model.version}")


def _keep(picture: Image.Image, file: Path) -> None:
    size = (WIDEST_PX, round(picture.height * WIDEST_PX / picture.width))
    small = (
        picture if picture.width <= WIDEST_PX else picture.resize(size, Image.Resampling.LANCZOS)
    )
    file.parent.mkdir(exist_ok=True)
    # The octree keeps the contours' colours, which the other ways give up for shades of grey.
    few = small.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE)
    few.save(file, optimize=True)


if __name__ == "__main__":
    main()
