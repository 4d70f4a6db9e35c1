"""A study is explained: each view that a model segments."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from heartseg.choice import Models, chosen_models
from heartseg.core.finding import ModelUse
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.explain.checks import Checked
from heartseg.explain.methods import chosen_methods
from heartseg.explain.seen import ready
from heartseg.explain.target import Target, target_of
from heartseg.explain.view import Map, Shown, Soft, Watch
from heartseg.explain.wanted import Wanted
from heartseg.pipeline import Settings, explain, measure, parted, predict


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A study with its maps, not written yet.

    Attributes:
        study: itself.
        target: what was explained.
        wanted: the whole question.
        maps: of every view and method.
        segmentations: by view, as `heartseg segment` draws them.
        phases: by view.
        model: that was explained.
        soft: by view, where a measure was explained.
        checks: of the methods by view, where they were asked for.
    """

    study: Study
    target: Target
    wanted: Wanted
    maps: tuple[Map, ...]
    segmentations: Mapping[View, Segmentation]
    phases: Mapping[View, Phases]
    model: ModelUse
    soft: Mapping[View, Soft] = field(default_factory=dict)
    checks: Mapping[View, tuple[Checked, ...]] = field(default_factory=dict)


def explained(study: Study, wanted: Wanted, watch: Watch = lambda _: None) -> Explanation:
    """Explain every view of a study that there is a model for.

    Raises:
        ConfigError: no such target, method, frame, slice, layer or device.
        ModelError: a model cannot be used, or has not what a method needs.
        StudyError: no model for it, no such structure or phase in it.
        GeometryError: a volume of an image without millimetres.
    """
    target = target_of(wanted.target)
    settings = Settings(
        model=wanted.models or None,
        device=wanted.device,
        phases=wanted.phases,
        locate=False,  # a map is of all that there is, and so are the masks beside it
    )
    methods = chosen_methods(wanted.methods, max(1, len(settings.asked)))
    models = Models(wanted.device)
    masks = parted(predict(study, models, settings))[0]
    strategy, used = explain(study, models, settings)
    report = measure(study, masks, used, strategy, settings)
    maps: list[Map] = []
    soft: dict[View, Soft] = {}
    checks: dict[View, tuple[Checked, ...]] = {}
    for view, names in chosen_models(study, models, settings.asked).items():
        shown = Shown(
            view=view,
            image=study.images[view],
            segmentation=masks[view],
            phases=report.phases.get(view),
            models=[ready(models.ready(name)[0], wanted.device) for name in names],
            target=target,
            wanted=wanted,
        )
        maps += shown.maps(methods, watch)
        if (found := shown.soft(report)) is not None:
            soft[view] = found
        if wanted.check:
            checks[view] = tuple(shown.checks(methods, watch))
    return Explanation(study, target, wanted, tuple(maps), masks, report.phases, used, soft, checks)
