"""Make the pictures of the README and the pages: real outputs, of data that may be shown.

    python docs/pictures.py

Of Sunnybrook SC-HF-I-1 (CC0), where the real images are (HEARTSEG_DATA, or ../shared/data beside
the project), else of a phantom; ACDC's pictures may not be part of the project. Writes
docs/images/overview.png: what `heartseg segment` writes, made smaller; preview.png: what `heartseg
inspect --preview` draws of a phantom; explanation.png: three maps of `heartseg explain` of a
phantom, which needs heartseg[train]; and traditional-methods.png: what each traditional method
finds in a plane of a phantom.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from heartseg.batch import Plan, run
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
from heartseg.pipeline import Settings
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
"""Rows and columns to each side of the middle that a tile shows."""
WIDEST_PX = 1200

sys.path.insert(0, str(ROOT / "benchmarks"))
from rows import real_images  # noqa: E402


def main() -> None:
    """Make all, or those that are named."""
    makers = {
        "overview": _overview,
        "preview": _preview,
        "explanation": _explanation,
        "traditional-methods": _methods,
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
    tiles = [_tile(image, one, name) for name, one in shown]
    wide = 6
    high = -(-len(tiles) // wide)
    page = Image.new("RGB", (wide * TILE_PX, high * TILE_PX))
    for at, one in enumerate(tiles):
        page.paste(one, (at % wide * TILE_PX, at // wide * TILE_PX))
    _keep(page, METHODS_PICTURE)
    print(f"{METHODS_PICTURE.relative_to(ROOT)}: phantom")


def _with_atlas(method: Method, folder: Path) -> Method:
    (folder / "labels.toml").write_text('[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n')
    for seed in (2, 3, 4):
        study, truth, _ = make_study(seed, kind="normal", acquisition=STILL)
        write_image(folder / f"{study.id}_sax.nii.gz", study.images[View.SAX])
        write_labels(folder / f"{study.id}_sax_gt.nii.gz", truth, SCHEMES["acdc"])
    return replace(method, folder=folder)  # type: ignore[call-arg]


def _tile(image: Cine, found: Segmentation, name: str) -> Image.Image:
    plane = image.geometry.shape[0] // 2
    rows, columns = (slice(n // 2 - ABOUT_PX, n // 2 + ABOUT_PX) for n in image.geometry.shape[1:])
    grey = image.voxels[0, plane, rows, columns]
    spacing = image.geometry.spacing[1:]
    window = (float(grey.min()), float(grey.max()))
    picture = tile(grey, spacing, TILE_PX, window=window).picture
    draw, by = ImageDraw.Draw(picture), TILE_PX / (2 * ABOUT_PX)
    for structure in found.structures:
        for ring in outlines(found.labels[0, plane, rows, columns] == structure):
            points = [((x + 0.5) * by, (y + 0.5) * by) for x, y in ring.tolist()]
            draw.line([*points, points[0]], fill=COLOURS[structure], width=2)
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
        (outcome,) = run(plan, lambda _: None)
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
