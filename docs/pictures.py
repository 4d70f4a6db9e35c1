"""Make the pictures of the README and the pages: real outputs, of data that may be shown.

    python docs/pictures.py

Of Sunnybrook SC-HF-I-1 (CC0), where the real images are (HEARTSEG_DATA, or ../shared/data beside
the project), else of a phantom; ACDC's pictures may not be part of the project. Writes
docs/images/overview.png: what `heartseg segment` writes, made smaller; and docs/images/preview.png:
what `heartseg inspect --preview` draws of a phantom; and docs/images/explanation.png: three maps of
`heartseg explain` of a phantom, which needs heartseg[train].
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image

from heartseg.batch import Plan, run
from heartseg.core.errors import HeartsegError
from heartseg.inspection import inspected, write_preview
from heartseg.phantom import write
from heartseg.pipeline import Settings
from heartseg.read import read_study

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "overview.png"
PREVIEW = PICTURE.with_name("preview.png")
EXPLANATION = PICTURE.with_name("explanation.png")
EXPLAINED = (("lv_ef", ("saliency",)), ("lv", ("grad-cam", "entropy")))
WIDEST_PX = 1200

sys.path.insert(0, str(ROOT / "benchmarks"))
from rows import real_images  # noqa: E402


def main() -> None:
    """Make all, or those that are named."""
    makers = {"overview": _overview, "preview": _preview, "explanation": _explanation}
    for name in sys.argv[1:] or makers:
        makers[name]()


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
