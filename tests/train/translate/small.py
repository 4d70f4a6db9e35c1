"""Two kinds of small images: hearts, and hearts whose grey values run the other way."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch

from heartseg.config import from_changes
from heartseg.losses import IGNORED
from heartseg.train.data import PreparedFrame
from heartseg.train.translate.run import Learnt, Translate, build_task
from heartseg.train.translate.settings import TranslateSettings
from tests import doors
from tests.train import tiny

CPU = torch.device("cpu")
SIZES: dict[str, Any] = {
    "generator": {"widths": [4, 6], "blocks": 2},
    "discriminator": {"width": 4, "halvings": 1},
    "spatial": {"size_px": 16},
    "learning": {"batch": 2},
}
TABLE: dict[str, Any] = {
    "name": "to-dark",
    "source": {"folder": "bright"},
    "target": {"folder": "dark"},
    "structures": ["lv", "myo"],
    **SIZES,
}
FASTCUT = ("fastcut.patches=9", "fastcut.size=5", "fastcut.identity=1", "fastcut.edges=1")
JOINT = ("anatomy.joint.name=unet", "anatomy.joint.widths=[2,3]", "anatomy.warm_up=4")
CYCLE = ("cyclegan.edges=1", "cyclegan.history=3", *JOINT)


def settings(*changes: str, **table: Any) -> TranslateSettings:
    """Of a run that takes a moment."""
    return from_changes(TranslateSettings, {**TABLE, **table}, changes)


def bright(number: int) -> PreparedFrame:
    """A labelled frame of the source."""
    return tiny.frame(number)


def dark(number: int, patient: str = "") -> PreparedFrame:
    """A frame of the target, which nobody labelled."""
    frame = tiny.frame(number)
    unknown = np.full_like(frame.classes, IGNORED)
    return PreparedFrame(patient or f"other{number}", 0, 1 - frame.pixels, unknown)


def task(*changes: str, **table: Any) -> Translate:
    """A task that learns the frames above; others are shown."""
    ours = Learnt([bright(n) for n in (1, 2, 3)], [bright(9)])
    theirs = Learnt([dark(n) for n in (4, 5, 6)], [dark(8)])
    return build_task(settings(*changes, **table), ours, theirs, CPU, Path())


def write_kinds(folder: Path, patients: int = 3) -> tuple[Path, Path]:
    """Folders `bright` and `dark`: labelled volumes of hearts, and unlabelled-looking others.

    Both have labels on the disk; whoever translates may read those of the first alone.
    """
    for kind, first in (("bright", 0), ("dark", 5)):
        for number in range(first, first + patients):
            labels = doors.heart(5 + number % 3)
            grey = doors.painted(labels).astype(np.float32) + 40
            grey += np.random.default_rng(number).normal(0, 25, grey.shape)
            name = f"heart{number}"
            doors.save_nifti(
                folder / kind / "images" / f"{name}.nii.gz",
                (grey if kind == "bright" else 1000 - grey).astype(np.float32),
            )
            doors.save_nifti(folder / kind / "labels" / f"{name}.nii.gz", labels)
        (folder / kind / "labels.toml").write_text(
            '[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n', encoding="utf-8"
        )
    return folder / "bright", folder / "dark"


RUN = """
task = "translate"
name = "to-dark"
structures = ["lv", "myo", "rv"]
[source]
folder = "bright"
view = "sax"
assume_view = true
[source.preparation]
stride = 4
[source.split]
by = "fold"
folds = 3
[target]
folder = "dark"
view = "lge"
assume_view = true
[target.preparation]
stride = 4
[target.split]
by = "fold"
folds = 3
[generator]
widths = [4, 6]
blocks = 1
residual = true
[discriminator]
width = 4
halvings = 1
[spatial]
size_px = 16
[schedule]
steps = 4
validate_every = 2
log_every = 1
"""


def write_run(folder: Path, *, patients: int = 3) -> Path:
    """A RUN.toml beside its two data sets."""
    write_kinds(folder, patients)
    path = folder / "run.toml"
    path.write_text(RUN, encoding="utf-8")
    return path


def inverted(path: Path) -> np.ndarray:
    """Grey values of a file (z, y, x), the other way round."""
    return np.moveaxis(1 - np.asanyarray(nib.load(path).dataobj), -1, 0)
