"""The whole system in one function: read this first.

`analyse` takes a study through the six verbs; what follows it are its steps. `api` offers them to
Python users, `batch` does many studies, and the doors print.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.certainty import SecondLook, second_look, with_certainty
from heartseg.choice import (
    DEFAULT_MODELS,
    Models,
    asked_method,
    chosen_models,
    chosen_place,
    why_model,
)
from heartseg.core.anatomy import scheme
from heartseg.core.finding import ModelUse, Quality, Report
from heartseg.core.image import Segmentation
from heartseg.core.probability import Keeping, Probabilities, Region
from heartseg.core.provenance import Provenance, now, source_commit
from heartseg.core.study import Body, Phases, Study, View
from heartseg.given import GivenLabels, given

if TYPE_CHECKING:
    from heartseg.classical import Method
    from heartseg.measure.doubts import Witness
    from heartseg.read import Candidate

DEFAULT_SCHEMES: Mapping[View, str] = {View.SAX: "acdc"}
"""Numbers of the written masks."""

FORMATS = ("nifti", "json", "html", "png")
"""What `segment` writes unless told otherwise."""

MORE_FORMATS = ("pdf", "csv", "osirix", "sunnybrook", "stl", "glb")
"""What it writes when asked."""

HEART_IN = "heart in "
"""Before a view, where the strategy says how the heart was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How studies are analysed.

    Attributes:
        given: measure these labels instead of segmenting.
        model: name or folder of a bundle, or of several that predict together; None chooses by
            modality and view; `classical:NAME` is a traditional method.
        method: `name=value` settings of that method.
        device: "auto", "cpu" or "cuda".
        turns: 1, 4 or 8 ways to look at each plane (quarter turns and mirror images). With 1, a
            model that was calibrated for it looks again at the measured frames, and their contours
            are the mean of these looks.
        locate: look for the heart first and show the models nothing else; None does it for
            shipped models, which were checked with it.
        labels: scheme of the written masks; None for the usual one of the view.
        formats: of `FORMATS` and `MORE_FORMATS`.
        phases: given by the user, instead of the files' or the volume curve's.
        body: given by the user; its values replace those of the files.
        papillary: "cavity" as drawn, or "mass".
        base: "drawn", or "scmr" for the basal rule of SCMR 2020.
        keep_identifiers: name the patient on the pages, and let file names that may hold
            identifiers into the provenance.
        save_probabilities: keep what the model gave and write it beside the masks.
        intervals: let a model that was calibrated for it look again at the measured frames, and
            give intervals; without, each frame is looked at once.
        language: of the pages: name of a shipped one, or path of a file of sentences.
        font: TrueType file for characters that the shipped fonts lack.

    Raises:
        ConfigError: no such traditional method, or something that it cannot do.
    """

    given: GivenLabels | None = None
    model: str | tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    device: str = "auto"
    turns: int = 1
    locate: bool | None = None
    labels: str | None = None
    formats: tuple[str, ...] = FORMATS
    phases: Phases | None = None
    body: Body = field(default_factory=Body)
    papillary: str = "cavity"
    base: str = "drawn"
    keep_identifiers: bool = False
    save_probabilities: bool = False
    intervals: bool = True
    language: str = "en"
    font: Path | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """The models that the user asked for; a folder of bundles stands for all of them."""
        from heartseg.segment.ensemble import members_at

        named = (self.model,) if isinstance(self.model, str) else self.model or ()
        return tuple(member for name in named for member in members_at(name))

    def __post_init__(self) -> None:
        """Build the traditional method once: a wrong one is heard of before an hour of work."""
        _ = self.traditional

    @property
    def traditional(self) -> "Method | None":
        """The method that takes the place of models, where one is asked for."""
        named = (self.model,) if isinstance(self.model, str) else self.model or ()
        unable = {"--turns": self.turns != 1, "--device": self.device == "cuda"}
        unable |= {"--save-probabilities": self.save_probabilities}
        return asked_method(named, self.method, [what for what, asked in unable.items() if asked])


@dataclass(frozen=True, slots=True)
class Predicted:
    """A view's anatomy, how sure the model was where that is kept, what it says of itself, where
    the heart is, and what a second look at the measured frames gave."""

    segmentation: Segmentation
    probabilities: Probabilities | None = None
    witness: "Witness | None" = None
    heart: str | None = None
    second: SecondLook | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """A study with everything that was found in it, not written yet."""

    study: Study
    segmentations: Mapping[View, Segmentation]
    report: Report
    probabilities: Mapping[View, Probabilities] = field(default_factory=dict)


def analyse(
    candidate: "Candidate",
    models: Models,
    settings: Settings,
    folder: Path,
    *,
    name: str | None = None,
) -> Report:
    """One study, from its files to its report in `folder`; `name` becomes its id.

    Raises:
        HeartsegError: with the reason.
    """
    analysis = examine(candidate, models, settings, name=name)
    save(analysis, settings, folder)  #                                    6 report
    return analysis.report


def examine(
    candidate: "Candidate", models: Models, settings: Settings, *, name: str | None = None
) -> Analysis:
    """The first five verbs: all but writing it down.

    Raises:
        HeartsegError: with the reason.
    """
    from heartseg.measure.doubts import with_doubts

    study = with_body(candidate.load(), settings.body)  #                  1 read
    sure: Mapping[View, Probabilities] = {}
    witnesses: Mapping[View, Witness] = {}
    second: Mapping[View, SecondLook | None] = {}
    if settings.given is None:
        predicted = predict(study, models, settings)  #                    2 prepare, 3 segment,
        strategy, model = explain(study, models, settings)  #              4 refine
        strategy = {**strategy, **hearts(predicted)}
        segmentations, sure = parted(predicted)
        witnesses, second = witnesses_of(predicted), second_looks(predicted)
    else:
        segmentations, strategy, model = given(study, settings.given)
    study = replace(study, id=name or study.id)  # labels are named by the study's own
    report = measure(study, segmentations, model, strategy, settings)  #   5 measure
    report = with_doubts(report, study, segmentations, witnesses)
    report = with_certainty(report, second, settings)
    return Analysis(study, segmentations, report, sure)


def segment(study: Study, models: Models, settings: Settings) -> Mapping[View, Segmentation]:
    """Segment each view that there is a model for; as `predict`."""
    return parted(predict(study, models, settings))[0]


def likely_models(settings: Settings) -> tuple[str, ...]:
    """Models that studies will want, as far as can be told before one is seen."""
    if settings.given is not None or settings.traditional is not None:
        return ()
    return settings.asked or tuple(DEFAULT_MODELS.values())


def predict(study: Study, models: Models, settings: Settings) -> Mapping[View, Predicted]:
    """Segment each view that there is a model for, and keep the probabilities if that is asked.

    Raises:
        StudyError: there is a model for none of them.
    """
    from heartseg.measure.confidence import Watching
    from heartseg.measure.doubts import Witness
    from heartseg.refine import refine_regions

    if settings.traditional is not None:
        from heartseg.classical import segment_views

        masks = segment_views(study, settings.traditional)
        return {view: Predicted(segmentation) for view, segmentation in masks.items()}
    found = {}
    for view, names in chosen_models(study, models, settings.asked).items():
        image, ensemble = study.images[view], models.together(names)
        structures = ensemble.structures
        place, heart = chosen_place(image, ensemble, asked=settings.locate)
        keeping: Keeping | None = None
        if settings.save_probabilities:
            keeping = Keeping(ensemble.frames(image, turns=settings.turns, place=place))
            regions: Iterable[Region] = map(Region.whole, keeping)
        else:
            regions = ensemble.regions(image, turns=settings.turns, place=place)
        watching = Watching(regions, structures)
        labels = refine_regions(watching, structures, image.geometry)
        first = Segmentation(labels, image.geometry, structures[1:], image.times_ms)
        second = second_look(study, view, first, ensemble, settings)
        sure = None if keeping is None else keeping.of(image, structures)
        found[view] = Predicted(
            first if second is None else second.segmentation,
            sure if sure is None or second is None else sure.with_regions(second.regions),
            Witness(watching.seen(), ensemble.familiar, heart is None or place is not None),
            heart,
            second,
        )
    return found


def parted(
    predicted: Mapping[View, Predicted],
) -> tuple[Mapping[View, Segmentation], Mapping[View, Probabilities]]:
    """The segmentations, and the probabilities of the views that have some."""
    return {view: one.segmentation for view, one in predicted.items()}, {
        view: one.probabilities for view, one in predicted.items() if one.probabilities
    }


def hearts(predicted: Mapping[View, Predicted]) -> Mapping[str, str]:
    """Where the heart was found, as the strategy says it."""
    return {f"{HEART_IN}{view}": one.heart for view, one in predicted.items() if one.heart}


def witnesses_of(predicted: Mapping[View, Predicted]) -> "Mapping[View, Witness]":
    """What the models say of themselves, for the views that one segmented."""
    return {view: one.witness for view, one in predicted.items() if one.witness}


def second_looks(predicted: Mapping[View, Predicted]) -> Mapping[View, SecondLook | None]:
    """What looking again at the measured frames gave, by view."""
    return {view: one.second for view, one in predicted.items()}


def explain(study: Study, models: Models, settings: Settings) -> tuple[Mapping[str, str], ModelUse]:
    """What was chosen and why, and the model that was used."""
    if settings.traditional is not None:
        from heartseg.classical import explained

        return explained(study, settings.traditional)
    asked = settings.asked
    names = chosen_models(study, models, asked)
    ensemble = models.together(next(iter(names.values())))
    strategy = {f"model for {view}": why_model(study, view, asked) for view in names}
    for view in study.images:
        if view not in names:
            strategy[f"no model for {view}"] = (
                f"recognised and left alone: no shipped model segments {study.modality} {view}"
            )
    if origin := ensemble.origin():
        strategy["origin of the model"] = origin
    return strategy, ensemble.use()


def measure(
    study: Study,
    segmentations: Mapping[View, Segmentation],
    model: ModelUse,
    strategy: Mapping[str, str],
    settings: Settings,
) -> Report:
    """Everything that is said of a study, from any segmentation of it.

    Raises:
        MeasureError: phases that are not frames of it.
    """
    from heartseg.measure.choices import Choices
    from heartseg.measure.doubts import questioned
    from heartseg.measure.study import measure_study

    if settings.phases is not None:
        study = replace(study, phases=dict.fromkeys(segmentations, settings.phases))
    choices = Choices.named(settings.papillary, settings.base)
    measured = measure_study(study, segmentations, choices=choices)
    views = {f"view {view}": why for view, why in study.reasons.items()}
    notes = {f"note {number}": note for number, note in enumerate(study.notes, start=1)}
    doubts = [doubt for view in segmentations for doubt in study.doubts.get(view, ())]
    return Report(
        study=study.id,
        modality=study.modality,
        views=tuple(segmentations),
        model=model,
        phases=measured.phases,
        findings=measured.findings,
        quality=_judged(questioned(measured.quality, doubts), settings),
        strategy={**views, **strategy, **notes},
        body=study.body,
        conventions=measured.conventions,
        provenance=_provenance(study, settings),
        curves=measured.curves,
        slices=measured.slices,
        landmarks=measured.landmarks,
        segments=measured.segments,
    )


def _judged(quality: Quality, settings: Settings) -> Quality:
    if settings.traditional is None:
        return quality
    from heartseg.classical import cautious

    return cautious(quality)


def save(analysis: Analysis, settings: Settings, folder: Path) -> None:
    """The last verb: masks on the files' own grids, and the pages.

    Raises:
        OutputError: something could not be written.
    """
    from heartseg.report.masks import save_masks
    from heartseg.report.outputs import save_report
    from heartseg.report.printing import Printing
    from heartseg.report.probabilities import save_probabilities

    study, masks = analysis.study, analysis.segmentations
    if "nifti" in settings.formats and settings.given is None:
        for view, segmentation in masks.items():
            numbers = scheme(settings.labels or DEFAULT_SCHEMES.get(view, "acdc"))
            save_masks(study, {view: segmentation}, folder, numbers)
    save_probabilities(study, analysis.probabilities, folder, analysis.report.model)
    pages = [name for name in settings.formats if name != "nifti"]
    printing = Printing(settings.language, settings.font, settings.keep_identifiers)
    save_report(
        analysis.report,
        folder,
        study=study,
        segmentations=masks,
        formats=pages,
        printing=printing,
    )


def with_body(study: Study, body: Body) -> Study:
    """The study with the values of the body that the user gave."""
    return replace(study, body=study.body.under(body))


def _provenance(study: Study, settings: Settings) -> Provenance:
    from heartseg.core.version import __version__

    sources = [source for group in study.sources.values() for source in group]
    names = {
        source.path.name if settings.keep_identifiers or source.format != "dicom" else source.stem
        for source in sources
    }
    return Provenance(
        version=__version__,
        commit=source_commit(),
        created=now(),
        inputs=tuple(sorted(names)),
        settings={
            "device": settings.device,
            "turns": settings.turns,
            "formats": list(settings.formats),
            "papillary": settings.papillary,
            "base": settings.base,
            "intervals": settings.intervals,
            **_of_method(settings),
        },
    )


def _of_method(settings: Settings) -> dict[str, object]:
    """All settings of a traditional method, with names in place of paths."""
    if settings.traditional is None:
        return {}
    from heartseg.classical import resolved

    return {"method": resolved(settings.traditional)}
