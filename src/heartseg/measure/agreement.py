"""How well two masks agree: overlap, and the distance of their surfaces in millimetres.

Definitions differ between tools, so here are these. The surface of a mask is its voxels with a
neighbour (6 in 3-D, 4 in 2-D) outside it; beyond the image is outside. Distances run between voxel
centres, from each surface voxel to the nearest of the other surface.

* Hausdorff 95: the larger of the two directed 95th percentiles, linearly interpolated (as MONAI;
  medpy pools both directions first, which is never larger).
* ASSD: the mean over the surface voxels of both masks (Heimann et al., IEEE TMI 2009); medpy takes
  the mean of the two directed means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases

Mask = NDArray[np.bool_]
Distances = NDArray[np.float64]

EMPTY_MASK_RULE = (
    "Empty masks: both empty counts as Dice 1 and has no distance; one empty counts as Dice 0 and"
    " has no distance. Distances that do not exist are left out of means, and counted."
)

BOTH_EMPTY = "both empty: Dice 1 by rule, no distance"
ONE_EMPTY = "empty in one of the two: Dice 0, no distance"


def dice(pred: Mask, truth: Mask) -> float:
    """Twice the shared volume over the sum of both, in [0, 1]; 1 when both are empty."""
    _require_alike(pred, truth)
    total = int(np.count_nonzero(pred)) + int(np.count_nonzero(truth))
    return 2.0 * int(np.count_nonzero(pred & truth)) / total if total else 1.0


def jaccard(pred: Mask, truth: Mask) -> float:
    """Shared volume over the volume of either, in [0, 1]; 1 when both are empty."""
    _require_alike(pred, truth)
    either = int(np.count_nonzero(pred | truth))
    return int(np.count_nonzero(pred & truth)) / either if either else 1.0


def precision(pred: Mask, truth: Mask) -> float | None:
    """Share of the prediction that is true; None when nothing was predicted."""
    _require_alike(pred, truth)
    predicted = int(np.count_nonzero(pred))
    return int(np.count_nonzero(pred & truth)) / predicted if predicted else None


def recall(pred: Mask, truth: Mask) -> float | None:
    """Share of the truth that was predicted; None when there is nothing to find."""
    return precision(truth, pred)


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distances from each surface voxel to the other mask's surface, in mm, both ways."""

    to_truth: Distances
    to_pred: Distances

    @property
    def hausdorff_mm(self) -> float:
        """The farthest that either surface strays from the other."""
        return float(max(self.to_truth.max(), self.to_pred.max()))

    @property
    def hausdorff95_mm(self) -> float:
        """As `hausdorff_mm`, without the worst twentieth of either surface."""
        return float(max(np.percentile(self.to_truth, 95), np.percentile(self.to_pred, 95)))

    @property
    def assd_mm(self) -> float:
        """Average symmetric surface distance."""
        total = self.to_truth.sum() + self.to_pred.sum()
        return float(total / (len(self.to_truth) + len(self.to_pred)))


def surface_distances(
    pred: Mask, truth: Mask, spacing_mm: Sequence[float]
) -> SurfaceDistances | None:
    """All surface distances of two masks; None when either is empty.

    Args:
        pred: mask of any number of axes; axes of one voxel count as absent.
        truth: mask of the same shape.
        spacing_mm: distance of neighbouring voxels, one an axis.

    Raises:
        GeometryError: shapes or spacing that do not fit.
    """
    from scipy.spatial import KDTree

    _require_alike(pred, truth)
    _require_spacing(pred, spacing_mm)
    if not pred.any() or not truth.any():
        return None
    ours, theirs = _surface_mm(pred, spacing_mm), _surface_mm(truth, spacing_mm)
    to_truth, _ = KDTree(theirs).query(ours)
    to_pred, _ = KDTree(ours).query(theirs)
    return SurfaceDistances(np.asarray(to_truth), np.asarray(to_pred))


def hausdorff_mm(pred: Mask, truth: Mask, spacing_mm: Sequence[float]) -> float | None:
    """Hausdorff distance of the surfaces; None when either mask is empty."""
    distances = surface_distances(pred, truth, spacing_mm)
    return None if distances is None else distances.hausdorff_mm


def hausdorff95_mm(pred: Mask, truth: Mask, spacing_mm: Sequence[float]) -> float | None:
    """95th percentile Hausdorff distance of the surfaces; None when either mask is empty."""
    distances = surface_distances(pred, truth, spacing_mm)
    return None if distances is None else distances.hausdorff95_mm


def assd_mm(pred: Mask, truth: Mask, spacing_mm: Sequence[float]) -> float | None:
    """Average symmetric surface distance; None when either mask is empty."""
    distances = surface_distances(pred, truth, spacing_mm)
    return None if distances is None else distances.assd_mm


def emptiness(pred: Mask, truth: Mask) -> str | None:
    """What the empty-mask rule says of two masks; None when neither is empty."""
    empty = int(not pred.any()) + int(not truth.any())
    return (None, ONE_EMPTY, BOTH_EMPTY)[empty]


Phase = Literal["ED", "ES", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """Agreement of one structure in one frame of one case, over the whole stack.

    Attributes:
        case: name of the case, usually a patient.
        frame: counted from 0.
        phase: "" where the frames are not named.
        dice: by `EMPTY_MASK_RULE` where a mask is empty.
        hausdorff95_mm: None where a mask is empty or there are no millimetres.
        volume_pred_ml: None without millimetres.
        note: why something is missing.
    """

    case: str
    frame: int
    phase: Phase
    structure: Structure
    dice: float
    hausdorff95_mm: float | None
    hausdorff_mm: float | None
    assd_mm: float | None
    volume_pred_ml: float | None
    volume_truth_ml: float | None
    note: str | None = None


def agreement_table(
    pred: Segmentation, truth: Segmentation, *, case: str = "", phases: Phases | None = None
) -> tuple[AgreementRow, ...]:
    """Agreement of two segmentations, a row for each frame and structure that both looked for.

    Args:
        pred: the segmentation to judge.
        truth: the one to judge it by.
        case: written into every row.
        phases: only these frames, named; else all frames. Those that one of the two does not cover
            are left out.

    Raises:
        GeometryError: other grids or frames, or no structure or frame in common.
    """
    _require_same_grid(pred, truth)
    shared = [s for s in truth.structures if s in pred.structures and s is not Structure.BACKGROUND]
    if not shared:
        sought = ", ".join(s.title for s in truth.structures)
        raise GeometryError("structures", got="none in common", allowed=sought)
    named = [
        (frame, phase)
        for frame, phase in _named_frames(pred.frames, phases)
        if pred.covers(frame) and truth.covers(frame)
    ]
    if not named:
        raise GeometryError("frames", got="none drawn in both", allowed="a frame in common")
    return tuple(
        _row(pred, truth, structure, case=case, frame=frame, phase=phase)
        for frame, phase in named
        for structure in shared
    )


def _require_same_grid(pred: Segmentation, truth: Segmentation) -> None:
    if not pred.geometry.same_grid(truth.geometry) or pred.geometry.unit != truth.geometry.unit:
        raise GeometryError(
            "truth",
            got=f"grid {truth.geometry.shape}, spacing {_rounded(truth.geometry.spacing)}",
            allowed=f"the prediction's {pred.geometry.shape}, {_rounded(pred.geometry.spacing)},"
            " at the same place",
            do="compare masks of the same image; resample one of them first",
        )
    if pred.frames != truth.frames:
        raise GeometryError("truth", got=f"{truth.frames} frames", allowed=str(pred.frames))


def _rounded(spacing: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(distance, 3) for distance in spacing)


def _named_frames(frames: int, phases: Phases | None) -> list[tuple[int, Phase]]:
    if phases is None:
        return [(frame, "") for frame in range(frames)]
    named: list[tuple[int, Phase]] = [(phases.ed, "ED")]
    if phases.es is not None:
        named.append((phases.es, "ES"))
    wrong = [frame for frame, _ in named if not 0 <= frame < frames]
    if wrong:
        raise GeometryError("phases", got=f"frame {wrong[0]}", allowed=f"0 to {frames - 1}")
    return named


def _row(
    pred: Segmentation,
    truth: Segmentation,
    structure: Structure,
    *,
    case: str,
    frame: int,
    phase: Phase,
) -> AgreementRow:
    ours, theirs = pred.mask(structure, frame), truth.mask(structure, frame)
    calibrated = pred.geometry.unit == "mm"
    deep = calibrated and pred.geometry.depth_known
    millilitres = pred.geometry.voxel_ml if deep else None
    far = surface_distances(ours, theirs, pred.geometry.spacing) if calibrated else None
    return AgreementRow(
        case=case,
        frame=frame,
        phase=phase,
        structure=structure,
        dice=dice(ours, theirs),
        hausdorff95_mm=None if far is None else far.hausdorff95_mm,
        hausdorff_mm=None if far is None else far.hausdorff_mm,
        assd_mm=None if far is None else far.assd_mm,
        volume_pred_ml=None if millilitres is None else millilitres * int(np.count_nonzero(ours)),
        volume_truth_ml=None
        if millilitres is None
        else millilitres * int(np.count_nonzero(theirs)),
        note=emptiness(ours, theirs) or (None if calibrated else "no millimetres: no distances"),
    )


def _surface_mm(mask: Mask, spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """(n, axes) positions in mm of the surface voxels of a mask that is not empty."""
    thick = [axis for axis, length in enumerate(mask.shape) if length > 1]
    places = np.argwhere(_surface(mask.squeeze()))
    spacing = np.array([spacing_mm[axis] for axis in thick], np.float64)
    return places * spacing if thick else np.zeros((1, 1))


def _surface(mask: Mask) -> Mask:
    """Voxels of the mask with a direct neighbour outside it."""
    padded = np.pad(mask, 1)
    inner = (slice(1, -1),) * mask.ndim
    inside = mask.copy()
    for axis in range(mask.ndim):
        for shift in (slice(0, -2), slice(2, None)):
            inside &= padded[(*inner[:axis], shift, *inner[axis + 1 :])]
    surface: Mask = mask & ~inside
    return surface


def _require_alike(pred: Mask, truth: Mask) -> None:
    if pred.shape != truth.shape:
        raise GeometryError("masks", got=f"shapes {pred.shape} and {truth.shape}", allowed="one")
    if pred.dtype != np.bool_ or truth.dtype != np.bool_:
        raise GeometryError("masks", got=f"{pred.dtype} and {truth.dtype}", allowed="bool")


def _require_spacing(mask: Mask, spacing_mm: Sequence[float]) -> None:
    good = len(spacing_mm) == mask.ndim and all(np.isfinite(s) and s > 0 for s in spacing_mm)
    if not good:
        raise GeometryError(
            "spacing", got=str(tuple(spacing_mm)), allowed=f"{mask.ndim} positive numbers"
        )
