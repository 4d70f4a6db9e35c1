"""How sure the numbers of a report are: a model with a calibration looks again, and they differ.

Only at the frames that were measured: a cine takes hardly longer for it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from heartseg.choice import Models, chosen_models
from heartseg.core.finding import Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View

AS_DRAWN = ("cavity", "drawn")
"""Papillary muscles and base as the model draws them, which is what was calibrated."""


class Wishes(Protocol):
    """What `heartseg.pipeline.Settings` says that matters here."""

    @property
    def intervals(self) -> bool:
        """Whether they are wanted."""

    @property
    def asked(self) -> tuple[str, ...]:
        """Names or folders of the models that the user chose."""

    @property
    def given(self) -> Any:
        """Labels that were measured instead of segmenting."""

    @property
    def traditional(self) -> Any:
        """The method that took the place of models."""

    @property
    def papillary(self) -> str:
        """What papillary muscles count as."""

    @property
    def base(self) -> str:
        """How basal slices are taken."""


def with_certainty(
    report: Report,
    study: Study,
    segmentations: Mapping[View, Segmentation],
    models: Models,
    wishes: Wishes,
) -> Report:
    """The report with intervals, or with the reason why it has none in its strategy.

    Args:
        report: of the segmentations.
        study: with the images that they are of.
        segmentations: made by `chosen_models(study, models, wishes.asked)`.
        models: of the run.
        wishes: of the user; with labels given, or by a traditional method, nothing is said.
    """
    if wishes.given is not None or wishes.traditional is not None or not wishes.intervals:
        return report
    from heartseg.measure.intervals import VALUES, spreads, with_intervals
    from heartseg.segment.looks import look_again

    view = next((one for one in VALUES if one in report.phases), None)
    if view is None:
        return report
    members = models.together(chosen_models(study, models, wishes.asked)[view]).members
    (bundle, runtime), phases = members[0], report.phases[view]
    calibration = bundle.intervals
    if len(members) > 1:
        return _without(report, "calibrated for one model, and several predict together")
    if calibration is None:
        return _without(report, f"model {bundle.name} has no calibration")
    if (wishes.papillary, wishes.base) != AS_DRAWN:
        return _without(report, "calibrated for contours as drawn, and others were chosen")
    if phases.es is None:
        return _without(report, "calibrated for two phases, and there is one")
    image, found = study.images[view], segmentations[view]
    looks = look_again(image, found, phases, (bundle, runtime), calibration.looks)
    values = {finding.key: finding.value for finding in report.findings}
    seen = [VALUES[view](look, looks.phases) for look in looks.seen]
    said = (
        f"from {calibration.looks} looks at the measured frames,"
        f" calibrated on {calibration.patients} patients"
    )
    return replace(
        report,
        findings=with_intervals(report.findings, spreads(values, seen), calibration),
        interval_level=calibration.level,
        interval_covers=calibration.covers,
        strategy={**report.strategy, "intervals": said},
    )


def _without(report: Report, why: str) -> Report:
    return replace(report, strategy={**report.strategy, "intervals": f"none: {why}"})
