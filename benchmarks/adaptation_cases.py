"""The lines of results/translation: what an arm reached on a patient, and what was translated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from cells import number
from numpy.typing import NDArray

from heartseg.core.image import Segmentation
from heartseg.measure.overlap import dice
from heartseg.measure.surfaces import SurfaceDistances, band, surface_distances

BAND_PX = 3.0
"""Width of the boundary IoU's bands, in pixels of the pictures of 256 x 256."""

MEASURES: Mapping[str, str] = {
    "dice": "Dice",
    "boundary_iou": f"boundary IoU, {BAND_PX:g} px",
    "hausdorff95": "HD95",
    "assd": "ASSD",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One structure of one patient by one arm; empty is no value.

    Of an arm that could not be trained there is one line, without a patient and with a `problem`.
    Dice is of all planes together; distances run in the planes, in pixels of the picture, since
    nobody says how far planes are apart.
    """

    date: str
    commit: str
    hardware: str
    split: str
    budget: str
    seed: str
    arm: str
    run: str
    images_seen: str = ""
    minutes: str = ""
    case: str = ""
    structure: str = ""
    dice: str = ""
    boundary_iou: str = ""
    hausdorff95: str = ""
    assd: str = ""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A translated set, from its anatomy report; empty is no value.

    Distances are of the translations from real images of the target that train: after, before, and
    of one half of these from the other.
    """

    date: str
    commit: str
    hardware: str
    budget: str
    seed: str
    translator: str
    steps: str
    minutes: str
    images: str
    accepted: str
    dice_back: str
    moved_px: str
    edges: str
    histogram: str
    histogram_before: str
    histogram_floor: str
    frechet: str
    frechet_before: str
    frechet_floor: str


def judged(found: Segmentation, truth: Segmentation, frame: int = 0) -> dict[str, dict[str, str]]:
    """By structure that both looked for, each measure of `MEASURES`; empty where there is none."""
    both = [one for one in found.structures if one in truth.structures]
    return {one.key: _measured(found.mask(one, frame), truth.mask(one, frame)) for one in both}


def _measured(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> dict[str, str]:
    distances = in_planes(ours, theirs)
    return {
        "dice": number(dice(ours, theirs)),
        "boundary_iou": number(_boundary_iou(ours, theirs)),
        "hausdorff95": number(distances.hausdorff95_mm if distances else None),
        "assd": number(distances.assd_mm if distances else None),
    }


def in_planes(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> SurfaceDistances | None:
    """Distances of the outlines (z, y, x), plane by plane, in pixels; None where none has both.

    A plane where one of the two is empty has no distance; Dice counts it.
    """
    pairs = list(zip(ours, theirs, strict=True))
    each = [(z, surface_distances(a, b, (1.0, 1.0))) for z, (a, b) in enumerate(pairs)]
    some = [(z, one) for z, one in each if one is not None]
    if not some:
        return None
    return SurfaceDistances(
        np.concatenate([one.to_truth for _, one in some]),
        np.concatenate([one.to_pred for _, one in some]),
        np.concatenate([np.full(len(one.to_truth), z, np.intp) for z, one in some]),
        np.concatenate([np.full(len(one.to_pred), z, np.intp) for z, one in some]),
    )


def _boundary_iou(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float | None:
    """Jaccard of the bands along both outlines, over all planes together."""
    mine, other = (
        np.stack([band(plane, (1.0, 1.0), BAND_PX) for plane in planes])
        for planes in (ours, theirs)
    )
    union = int((mine | other).sum())
    return int((mine & other).sum()) / union if union else None
