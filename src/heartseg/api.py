"""The steps of the pipeline for Python users, a study at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from heartseg.certainty import SecondLook, with_certainty
from heartseg.choice import Models
from heartseg.core.finding import ModelUse, Report
from heartseg.core.image import Segmentation
from heartseg.core.probability import Probabilities
from heartseg.core.study import Study, View
from heartseg.measure.doubts import Witness, with_doubts
from heartseg.pipeline import (
    Settings,
    explain,
    hearts,
    measure,
    parted,
    predict,
    second_looks,
    witnesses_of,
)

GIVEN = ModelUse(
    name="labels given by the caller", version="", sha256=None, licence="theirs", precision=None
)


@dataclass(frozen=True, slots=True, eq=False)
class Segmented(Mapping[View, Segmentation]):
    """Segmentations by view that remember what made them, so that a report can say it.

    `probabilities` are empty unless they were asked for; `witnesses` are what a model says of
    itself, and `second` what it saw when it looked again, by view.
    """

    masks: Mapping[View, Segmentation]
    model: ModelUse
    strategy: Mapping[str, str]
    settings: Settings = field(repr=False)
    probabilities: Mapping[View, Probabilities] = field(default_factory=dict, repr=False)
    witnesses: Mapping[View, Witness] = field(default_factory=dict, repr=False)
    second: Mapping[View, SecondLook | None] = field(default_factory=dict, repr=False)

    def __getitem__(self, view: View) -> Segmentation:
        return self.masks[view]

    def __iter__(self) -> Iterator[View]:
        return iter(self.masks)

    def __len__(self) -> int:
        return len(self.masks)


def segment_study(
    study: Study,
    model: str | Sequence[str] | None = None,
    *,
    device: str = "auto",
    turns: int = 1,
    keep_probabilities: bool = False,
    intervals: bool = True,
) -> Segmented:
    """Segment each view of a study that there is a model for.

    Args:
        study: as `read_study` gives it.
        model: name or folder of a bundle, or of several that predict together (a list, or a folder
            of bundles); None chooses by modality and view.
        device: "auto", "cpu" or "cuda".
        turns: 1, 4 or 8 ways to look at each plane.
        keep_probabilities: keep what the model gave in `probabilities` of the result, by view;
            `heartseg.report.save_probabilities` writes them.
        intervals: look again at the frames that are measured, if the model was calibrated for it:
            their contours are the mean of these looks, and `measure_study` gives intervals.

    Returns:
        By view: `Structure` labels (t, z, y, x) on the study's own grid.

    Raises:
        StudyError: there is a model for none of the views.
        ModelError: the model cannot be trusted or used.
    """
    models = Models(device)
    settings = Settings(
        model=model if isinstance(model, str | None) else tuple(map(str, model)),
        device=device,
        turns=turns,
        save_probabilities=keep_probabilities,
        intervals=intervals,
    )
    predicted = predict(study, models, settings)
    masks, sure = parted(predicted)
    strategy, used = explain(study, models, settings)
    strategy, witnesses = {**strategy, **hearts(predicted)}, witnesses_of(predicted)
    second = second_looks(predicted)
    return Segmented(masks, used, strategy, settings, sure, witnesses, second)


def measure_study(
    study: Study,
    segmentations: Mapping[View, Segmentation],
    *,
    papillary: str = "cavity",
    base: str = "drawn",
) -> Report:
    """Measure a study from any segmentation of it, a network's or a person's.

    Args:
        study: as `read_study` gives it.
        segmentations: by view, on the grids of the study's images.
        papillary: "cavity", or "mass" to count papillary muscles as wall.
        base: "drawn", or "scmr" to leave out basal slices by the rule of SCMR 2020.

    Raises:
        MeasureError: no segmentation, or phases that are not frames of it.
        ConfigError: another word for `papillary` or `base`.
    """
    if isinstance(segmentations, Segmented):
        made = segmentations
        settings = replace(made.settings, papillary=papillary, base=base)
        report = measure(study, made, made.model, made.strategy, settings)
        report = with_doubts(report, study, made, made.witnesses)
        return with_certainty(report, made.second, settings)
    return measure(study, segmentations, GIVEN, {}, Settings(papillary=papillary, base=base))
