"""The table of agreement of two segmentations: a row for each frame, structure and level.

What is computed stands in `metrics.METRICS`; which slices are basal, in `levels.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.levels import Level, levels_of
from heartseg.measure.metrics import HEADLINE, METRICS, empty_mask_rule
from heartseg.measure.overlap import Mask
from heartseg.measure.overlap import dice as dice
from heartseg.measure.overlap import jaccard as jaccard
from heartseg.measure.overlap import precision as precision
from heartseg.measure.overlap import recall as recall
from heartseg.measure.pair import Pair

EMPTY_MASK_RULE = empty_mask_rule(HEADLINE)
"""Printed with every table of agreement, since tools differ here."""

BOTH_EMPTY = "both empty: Dice 1 by rule, no distance"
ONE_EMPTY = "empty in one of the two: Dice 0, no distance"

Phase = Literal["ED", "ES", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """Agreement of one structure in one frame of one case, over the stack or a level of it.

    Attributes:
        case: name of the case, usually a patient.
        frame: counted from 0.
        phase: "" where the frames are not named.
        structure: which.
        level: "" for the whole stack.
        values: by key of `METRICS`; None where there is none, or where a mask is empty by its rule.
        reasons: why a value is None, by its key.
        volume_pred_ml: None without millimetres.
        volume_truth_ml: the same.
        note: what to mind about the whole row.
    """

    case: str
    frame: int
    phase: Phase
    structure: Structure
    level: Level = ""
    values: Mapping[str, float | None]
    reasons: Mapping[str, str] = field(default_factory=dict)
    volume_pred_ml: float | None = None
    volume_truth_ml: float | None = None
    note: str | None = None

    @property
    def dice(self) -> float:
        """Of both masks, by `EMPTY_MASK_RULE` where one is empty."""
        value = self.values["dice"]
        return float("nan") if value is None else value

    @property
    def hausdorff95_mm(self) -> float | None:
        """None where a mask is empty or there are no millimetres."""
        return self.values["hausdorff95_mm"]

    @property
    def hausdorff_mm(self) -> float | None:
        """None where a mask is empty or there are no millimetres."""
        return self.values["hausdorff_mm"]

    @property
    def assd_mm(self) -> float | None:
        """None where a mask is empty or there are no millimetres."""
        return self.values["assd_mm"]


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
    named = _comparable(pred, truth, phases)
    return tuple(
        _row(pair, case=case, frame=frame, phase=phase, structure=structure)
        for frame, phase in named
        for structure, pair in _pairs(pred, truth, frame)
    )


def level_table(
    pred: Segmentation, truth: Segmentation, *, case: str = "", phases: Phases | None = None
) -> tuple[AgreementRow, ...]:
    """As `agreement_table`, with a row for the base, the middle and the apex of the stack.

    Nothing where the reference does not show which end is the base (`levels_of`). Surfaces are
    those of the whole stack: a level has no surface where it is cut off.

    Raises:
        GeometryError: other grids or frames, or no structure or frame in common.
    """
    named = _comparable(pred, truth, phases)
    levels = levels_of(truth.labels[[frame for frame, _ in named]])
    return tuple(
        _row(pair.at(planes), case=case, frame=frame, phase=phase, structure=structure, level=level)
        for (frame, phase), parts in zip(named, levels, strict=True)
        for structure, pair in _pairs(pred, truth, frame)
        for level, planes in parts.items()
    )


def _comparable(
    pred: Segmentation, truth: Segmentation, phases: Phases | None
) -> list[tuple[int, Phase]]:
    """The frames to compare, with their names."""
    _require_same_grid(pred, truth)
    if not _shared(pred, truth):
        sought = ", ".join(s.title for s in truth.structures)
        raise GeometryError("structures", got="none in common", allowed=sought)
    named = [
        (frame, phase)
        for frame, phase in _named_frames(pred.frames, phases)
        if pred.covers(frame) and truth.covers(frame)
    ]
    if not named:
        raise GeometryError("frames", got="none drawn in both", allowed="a frame in common")
    return named


def _shared(pred: Segmentation, truth: Segmentation) -> list[Structure]:
    return [s for s in truth.structures if s in pred.structures and s is not Structure.BACKGROUND]


def _pairs(pred: Segmentation, truth: Segmentation, frame: int) -> Iterator[tuple[Structure, Pair]]:
    spacing = pred.geometry.spacing if pred.geometry.unit == "mm" else None
    for structure in _shared(pred, truth):
        ours, theirs = pred.mask(structure, frame), truth.mask(structure, frame)
        yield structure, Pair(ours, theirs, spacing, pred.geometry.depth_known)


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
    pair: Pair,
    *,
    case: str,
    frame: int,
    phase: Phase,
    structure: Structure,
    level: Level = "",
) -> AgreementRow:
    measured = {key: metric.value(pair) for key, metric in METRICS.items()}
    return AgreementRow(
        case=case,
        frame=frame,
        phase=phase,
        structure=structure,
        level=level,
        values={key: value for key, (value, _) in measured.items()},
        reasons={key: why for key, (_, why) in measured.items() if why is not None},
        volume_pred_ml=_volume_ml(pair, pair.pred),
        volume_truth_ml=_volume_ml(pair, pair.truth),
        note=_note(pair),
    )


def _volume_ml(pair: Pair, mask: Mask) -> float | None:
    return None if pair.voxel_ml is None else pair.voxel_ml * int(np.count_nonzero(mask))


def _note(pair: Pair) -> str | None:
    if pair.empty:
        return BOTH_EMPTY if pair.empty == "both" else ONE_EMPTY
    return "no millimetres: no distances" if pair.spacing_mm is None else None
