"""A second look at the frames that numbers come from: better contours there, and how sure they are.

A model with a calibration looks again at the measured frames only, so a cine takes hardly longer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from heartseg.core.errors import MeasureError
from heartseg.core.finding import Report
from heartseg.core.image import Segmentation
from heartseg.core.probability import Region
from heartseg.core.study import Phases, Study, View

if TYPE_CHECKING:
    from heartseg.measure.calibration import Calibration
    from heartseg.segment.ensemble import Ensemble
    from heartseg.segment.looks import Looks

AS_DRAWN = ("cavity", "drawn")
"""Papillary muscles and base as the model draws them, which is what was calibrated."""


class Wishes(Protocol):
    """What `heartseg.pipeline.Settings` says that matters here."""

    @property
    def intervals(self) -> bool:
        """Whether they are wanted."""

    @property
    def turns(self) -> int:
        """Ways in which each frame was looked at already."""

    @property
    def phases(self) -> Phases | None:
        """Given by the user."""

    @property
    def papillary(self) -> str:
        """What papillary muscles count as."""

    @property
    def base(self) -> str:
        """How basal slices are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class SecondLook:
    """What a second look at the measured frames gave, or why there was none.

    Attributes:
        segmentation: with the looks' mean in the measured frames, where the first look was one.
        regions: the looks' mean probabilities of frames that were settled by it.
        looks: one by one; None where there was none.
        calibration: of the model that looked.
        why_none: the reason, for people.
    """

    segmentation: Segmentation
    regions: Mapping[int, Region]
    looks: "Looks | None" = None
    calibration: "Calibration | None" = None
    why_none: str = ""


def second_look(
    study: Study, view: View, found: Segmentation, ensemble: "Ensemble", wishes: Wishes
) -> SecondLook | None:
    """Look again where a model was calibrated for it.

    Args:
        study: with the image that was segmented, and the phases that its files give.
        view: of the image.
        found: by the first look.
        ensemble: the models that made it.
        wishes: of the user.

    Returns:
        None where intervals are not wanted, or have no meaning in this view.
    """
    from heartseg.measure.intervals import VALUES
    from heartseg.segment.looks import Closer, look_again, settle

    if not wishes.intervals or view not in VALUES:
        return None
    phases_in = _phases_in(wishes.phases or study.phases.get(view))
    phases = phases_in(found)
    if phases is None:
        return None
    bundle, _ = ensemble.members[0]
    calibration = bundle.intervals
    none = SecondLook(found, {})
    if len(ensemble.members) > 1:
        why = "calibrated for one model, and several predict together"
        return replace(none, why_none=why)
    if calibration is None:
        return replace(none, why_none=f"model {bundle.name} has no calibration")
    if phases.es is None:
        return replace(none, why_none="calibrated for two phases, and there is one")
    closer = Closer(study.images[view], found, ensemble.members[0], calibration.looks)
    if wishes.turns > 1:  # the first look was several already
        return SecondLook(found, {}, look_again(found, closer, phases), calibration)
    settled = settle(found, closer, lambda masks: phases_in(masks) or phases)
    return SecondLook(settled.segmentation, settled.regions, settled.looks, calibration)


def with_certainty(
    report: Report, second: Mapping[View, SecondLook | None], wishes: Wishes
) -> Report:
    """The report with intervals, or with the reason why it has none in its strategy.

    Args:
        report: of the segmentations that the second looks left.
        second: by view.
        wishes: of the user.
    """
    from heartseg.measure.intervals import VALUES, spreads, with_intervals

    view = next((one for one in VALUES if one in report.phases), None)
    seen = None if view is None else second.get(view)
    if view is None or seen is None:
        return report
    if seen.looks is None or seen.calibration is None:
        return _without(report, seen.why_none)
    calibration, looks = seen.calibration, seen.looks
    said = f"{calibration.looks} looks at the measured frames"
    report = replace(report, strategy={**report.strategy, **_settled_by(seen, said)})
    if (wishes.papillary, wishes.base) != AS_DRAWN:
        return _without(report, "calibrated for contours as drawn, and others were chosen")
    values = {finding.key: finding.value for finding in report.findings}
    each = [VALUES[view](look, looks.phases) for look in looks.seen]
    how = f"from {said}, calibrated on {calibration.patients} patients"
    return replace(
        report,
        findings=with_intervals(report.findings, spreads(values, each), calibration),
        interval_level=calibration.level,
        interval_covers=calibration.covers,
        strategy={**report.strategy, "intervals": how},
    )


def _settled_by(seen: SecondLook, said: str) -> Mapping[str, str]:
    return {"measured frames": f"the mean of {said}"} if seen.regions else {}


def _phases_in(given: Phases | None) -> Callable[[Segmentation], Phases | None]:
    """What will be measured of a segmentation; None when there is no LV in it."""
    from heartseg.measure.phases import checked_phases, phases_of
    from heartseg.measure.volumes import extents

    def phases(found: Segmentation) -> Phases | None:
        counted = extents(found)
        try:
            return phases_of(counted) if given is None else checked_phases(given, counted)
        except MeasureError:
            return None

    return phases


def _without(report: Report, why: str) -> Report:
    return replace(report, strategy={**report.strategy, "intervals": f"none: {why}"})
