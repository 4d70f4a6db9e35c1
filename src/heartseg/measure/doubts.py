"""The second half of the judgement: what only the model and its training data can tell.

`plausibility` looks at the contours alone, whoever drew them. Where a model drew them, its own
probabilities and what it learnt from say more: a contour may be a good heart in the wrong place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from heartseg.core.finding import Quality, Report
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.measure.confidence import Sureness, standings, unsureness
from heartseg.measure.likeness import Familiar, looks_of, unlikeness
from heartseg.measure.study import STACKS

NO_HEART = "no heart was found before segmenting: do the images show a short axis?"
"""A reason; masks of nothing may look like a heart."""


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """What is known of a segmentation from the model that made it.

    Attributes:
        sureness: of its probabilities; None where it gave none.
        familiar: what it learnt from, where its bundle tells.
        heart_found: False where it looked for a heart before segmenting and there was none.
    """

    sureness: Sureness | None
    familiar: Familiar | None = None
    heart_found: bool = True


def doubted(
    quality: Quality,
    witness: Witness,
    image: Image | None,
    segmentation: Segmentation,
    phases: Phases | None,
) -> Quality:
    """The verdict on a short-axis segmentation with the model's own doubts added.

    They send to review, and leave what was rejected as it is.

    Args:
        quality: from the contours, see `plausibility.quality`.
        witness: of the model.
        image: that was segmented.
        segmentation: as the model and the rules of anatomy left it.
        phases: that were measured; None when there was no LV.
    """
    if not witness.heart_found:
        verdict = "review" if quality.verdict == "pass" else quality.verdict
        quality = Quality(verdict=verdict, reasons=(NO_HEART, *quality.reasons))
    if phases is None or quality.verdict == "reject":
        return quality
    doubts: tuple[str, ...] = ()
    if witness.sureness is not None:
        doubts += unsureness(standings(witness.sureness, segmentation, phases))
    if witness.familiar is not None:
        looks = looks_of(None if image is None else image.voxels, segmentation, phases)
        doubts += () if looks is None else unlikeness(looks, witness.familiar)
    return questioned(quality, doubts)


def questioned(quality: Quality, doubts: Iterable[str]) -> Quality:
    """The verdict with more reasons to look; what was rejected stays as it is."""
    more = tuple(doubts)
    if not more or quality.verdict == "reject":
        return quality
    return Quality(verdict="review", reasons=(*quality.reasons, *more))


def with_doubts(
    report: Report,
    study: Study,
    segmentations: Mapping[View, Segmentation],
    witnesses: Mapping[View, Witness],
) -> Report:
    """The report with what the model that drew its stack of slices has against it.

    Args:
        report: of the study.
        study: that was segmented.
        segmentations: by view.
        witnesses: by view; empty where no model drew it.
    """
    for view in STACKS:
        if view in segmentations and view in witnesses:
            seen, phases = segmentations[view], report.phases.get(view)
            quality = doubted(report.quality, witnesses[view], study.images[view], seen, phases)
            return replace(report, quality=quality)
    return report
