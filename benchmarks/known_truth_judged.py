"""How far a translation is from the true image of the other kind, which phantoms have.

Both are brought to [0, 1] by the target's own preparation. PSNR (peak 1) and SSIM (Wang 2004) are
means over a patient's planes: of all pixels, and of those within `NEAR_MM` of a ventricle.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.metrics import structural_similarity

from heartseg.core.image import Image, Segmentation
from heartseg.prepare import Preparation

Planes = NDArray[np.float32]
"""(t, z, y, x) in [0, 1]."""

NEAR_MM = 12.0
LEAST_ERROR = 1e-10
"""Mean squared, of images that are equal: 100 dB."""

MEASURES = ("psnr", "ssim", "psnr_heart", "ssim_heart")
SHOWN = 2
"""Patients of the sheet."""

COLOURS = 128
"""Of the sheet's picture: greys and two scales of a difference; its file is a third as large."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One plane of a patient: what went in, what came out, what should have."""

    case: str
    source: Planes
    made: Planes
    truth: Planes


def prepared(image: Image, preparation: Preparation) -> Planes:
    """An image as a network is shown it, on its own grid; 0 where it is cut off."""
    sample = preparation.sample(image)
    frames = [sample.restore_map(sample.frame(t), outside=0.0) for t in range(image.frames)]
    return np.stack(frames).astype(np.float32)


def likeness(made: Planes, truth: Planes, labels: Segmentation) -> dict[str, float]:
    """The measures of one patient, means over planes; the heart's over planes that have some."""
    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    spacing = labels.geometry.spacing[1:]
    for t, z in np.ndindex(*made.shape[:2]):
        ours, theirs = (one[t, z].astype(np.float64).clip(0, 1) for one in (made, truth))
        error = (ours - theirs) ** 2
        _, alike = structural_similarity(
            ours,
            theirs,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        found["psnr"].append(decibels(float(error.mean())))
        found["ssim"].append(float(alike.mean()))
        drawn = labels.labels[t, z] > 0
        if drawn.any():
            near = distance_transform_edt(~drawn, sampling=spacing) <= NEAR_MM
            found["psnr_heart"].append(decibels(float(error[near].mean())))
            found["ssim_heart"].append(float(alike[near].mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def decibels(error: float) -> float:
    """PSNR of a mean squared error, of images in [0, 1]."""
    return float(-10.0 * np.log10(max(error, LEAST_ERROR)))


def judged(
    some: Sequence[tuple[str, Image, Image, Segmentation]],
    translate: Callable[[Image], Planes],
    preparation: Preparation,
) -> tuple[list[dict[str, Any]], list[Shown]]:
    """A line for each patient, and a plane at ED of the first ones.

    Args:
        some: patients, as `pairs` gives them.
        translate: an image of the source -> what it became, in [0, 1].
        preparation: of the target.
    """
    lines, shown = [], []
    for case, source, target, labels in some:
        made, truth = translate(source), prepared(target, preparation)
        lines.append({"case": case, **likeness(made, truth, labels)})
        if len(shown) < SHOWN:
            middle = made.shape[1] // 2
            before = prepared(source, preparation)
            planes = (one[0, middle] for one in (before, made, truth))
            shown.append(
                Shown(case=case, **dict(zip(("source", "made", "truth"), planes, strict=True)))
            )
    return lines, shown


def keep_shown(path: Path, shown: Sequence[Shown]) -> None:
    """Write the planes beside a cell's result."""
    arrays = {
        f"{one.case}/{name}": getattr(one, name)
        for one in shown
        for name in ("source", "made", "truth")
    }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]  # named arrays


def kept_shown(path: Path) -> list[Shown]:
    """What `keep_shown` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        cases = dict.fromkeys(name.partition("/")[0] for name in arrays.files)
        return [
            Shown(
                case=case,
                **{name: arrays[f"{case}/{name}"] for name in ("source", "made", "truth")},
            )
            for case in cases
        ]


def draw_sheet(path: Path, arms: Mapping[str, Sequence[Shown]], title: str) -> None:
    """A PNG with a row an arm: of each patient the source, the translation, the truth, the gap.

    Red is where the translation is brighter than the truth, blue where it is darker.
    """
    from matplotlib.figure import Figure
    from PIL import Image as Pillow

    patients = max(len(shown) for shown in arms.values())
    size = (1.5 * 4 * patients, 1.6 * len(arms) + 0.5)
    figure = Figure(figsize=size, dpi=90, layout="constrained")
    axes = figure.subplots(len(arms), 4 * patients, squeeze=False)
    figure.suptitle(title, fontsize=9)
    for row, (arm, shown) in enumerate(arms.items()):
        for column, (name, plane) in enumerate(_columns(shown)):
            cell = axes[row, column]
            gap = name == "difference"
            limits = (
                {"cmap": "RdBu_r", "vmin": -0.5, "vmax": 0.5}
                if gap
                else {"cmap": "gray", "vmin": 0, "vmax": 1}
            )
            cell.imshow(plane, **limits)
            cell.set_xticks([])
            cell.set_yticks([])
            if row == 0:
                cell.set_title(name, fontsize=8)
        axes[row, 0].set_ylabel(arm, fontsize=8)
    drawn = io.BytesIO()
    figure.savefig(drawn, metadata={"Software": None})
    Pillow.open(drawn).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def _columns(shown: Sequence[Shown]) -> list[tuple[str, Planes]]:
    return [
        pair
        for one in shown
        for pair in (
            (f"source {one.case}", one.source),
            ("translated", one.made),
            ("truth", one.truth),
            ("difference", one.made - one.truth),
        )
    ]
