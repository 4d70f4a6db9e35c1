"""Which models segment a study, and why these."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.image import Image
from heartseg.core.study import Modality, Study, View

if TYPE_CHECKING:
    from concurrent.futures import Future

    from heartseg.classical import Method
    from heartseg.prepare.localise import Location
    from heartseg.segment import Bundle, Runtime
    from heartseg.segment.ensemble import Ensemble

DEFAULT_MODELS: Mapping[tuple[Modality, View], str] = {(Modality.MR, View.SAX): "cine-mr"}
"""The shipped model for a modality and view."""


METHOD_PREFIX = "classical:"
"""Of a model's name that is a traditional method's: what segments is then no network."""


class Models:
    """The bundles of a run, each loaded and compiled once.

    Args:
        device: "auto", "cpu" or "cuda".
        threads: of the processor; None for all that this process may use.
        meanwhile: called each time before a model is waited for: there may be time for it.
    """

    def __init__(
        self,
        device: str = "auto",
        threads: int | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        self._device, self._threads, self._meanwhile = device, threads, meanwhile
        self._begun: dict[str, Future[tuple[Bundle, Runtime]]] = {}
        self._together: dict[tuple[str, ...], Ensemble] = {}

    def begin(self, names: Iterable[str]) -> None:
        """Load these beside what the caller does next; `ready` waits for them, or says why not."""
        from concurrent.futures import ThreadPoolExecutor

        loader = ThreadPoolExecutor(1)
        for name in names:
            if name not in self._begun:
                self._begun[name] = loader.submit(self._loaded, name)
        loader.shutdown(wait=False)

    def ready(self, name: str) -> "tuple[Bundle, Runtime]":
        """A bundle and what runs it.

        Raises:
            ModelError: no such model, or one that cannot be trusted.
        """
        if name not in self._begun:
            self.begin([name])
        self._meanwhile()
        return self._begun[name].result()

    def _loaded(self, name: str) -> "tuple[Bundle, Runtime]":
        from heartseg.segment import choose_runtime, load_bundle

        bundle = load_bundle(name)
        return bundle, choose_runtime(self._device, bundle, self._threads)

    def together(self, names: tuple[str, ...]) -> "Ensemble":
        """Bundles that predict together; one alone is an ensemble too.

        Raises:
            ModelError: as `ready`, or bundles that do not fit together.
        """
        if names not in self._together:
            from heartseg.segment.ensemble import Ensemble

            self._together[names] = Ensemble(tuple(self.ready(name) for name in names))
        return self._together[names]


def chosen_place(
    image: Image, ensemble: "Ensemble", *, asked: bool | None = None
) -> "tuple[Location | None, str | None]":
    """Where the heart is, for models that are to see it alone, and how that is said.

    Args:
        image: that they segment.
        ensemble: the models; the first of them looks.
        asked: look or do not; None looks for shipped models, which were checked with it.

    Raises:
        FormatError: the image has no contrast or holds NaN.
    """
    if asked is False or (asked is None and not all(one.shipped for one in ensemble.bundles)):
        return None, None
    from heartseg.segment.locate import locate, suits, told

    if not suits(ensemble.bundles, image):
        return None, None
    bundle, runtime = ensemble.members[0]
    place = locate(image, bundle, runtime)
    return place if place.found else None, told(place, image, bundle)


def asked_method(
    named: Sequence[str], changes: Sequence[str], unable: Sequence[str]
) -> "Method | None":
    """The traditional method that was asked for in the place of models; None where none was.

    Args:
        named: what `--model` says, each time it is given.
        changes: `name=value` settings of the method.
        unable: what was asked for besides that no traditional method can do.

    Raises:
        ConfigError: no such method or setting, or what does not go together.
    """
    if not any(name.startswith(METHOD_PREFIX) for name in named):
        if changes:
            got = "no traditional method to set"
            raise ConfigError("--set", got=got, do="add --model classical:NAME")
        return None
    if wrong := [*unable, *["--model"] * (len(named) > 1)]:
        allowed = "one method alone, on the processor, which gives labels"
        raise ConfigError(named[0], got=", ".join(wrong), allowed=allowed)
    from heartseg.classical import method_named

    return method_named(named[0], changes)


def chosen_models(
    study: Study, models: Models, asked: tuple[str, ...] = ()
) -> dict[View, tuple[str, ...]]:
    """The model for each view that can be segmented, or the models that do it together.

    Args:
        study: to segment.
        models: of the run; those that were asked for are loaded.
        asked: names or folders that the user gave; none chooses by modality and view.

    Raises:
        StudyError: there is a model for none of them.
        ModelError: the one that was asked for cannot be used.
    """
    if asked:
        return _asked_for(study, models, asked)
    chosen: dict[View, tuple[str, ...]] = {}
    for view in study.images:
        name = DEFAULT_MODELS.get((_taken_modality(study), _taken_view(study, view)))
        if name is not None:
            chosen[view] = (name,)
    if not chosen:
        views = ", ".join(study.images)
        raise StudyError(
            study.id,
            got=f"{study.modality} of view {views}, which no shipped model is made for"
            + _seen(study),
            allowed=", ".join(f"{modality} {view}" for modality, view in DEFAULT_MODELS),
            do="pass --view if heartseg got it wrong, or --model",
        )
    return chosen


def _seen(study: Study) -> str:
    """How the views were recognised, and what was left alone."""
    said = [f"{view}: {why}" for view, why in study.reasons.items()]
    said += [note for note in study.notes if " is left alone: " in note]
    return f" ({'; '.join(said)})" if said else ""


def _asked_for(study: Study, models: Models, asked: tuple[str, ...]) -> dict[View, tuple[str, ...]]:
    """The user's models, for the views they are made for and those that are not known."""
    ensemble = models.together(asked)
    fitting = [view for view in study.images if view in (ensemble.view, View.UNKNOWN)]
    if not fitting:
        raise StudyError(
            study.id,
            got=f"view {', '.join(study.images)}",
            allowed=f"{ensemble.view}, which model {ensemble.name} is made for",
            do=f"pass --view {ensemble.view} if that is what the images show",
        )
    return dict.fromkeys(fitting, asked)


def _taken_modality(study: Study) -> Modality:
    return Modality.MR if study.modality is Modality.OTHER else study.modality


def _taken_view(study: Study, view: View) -> View:
    return View.SAX if view is View.UNKNOWN and _taken_modality(study) is Modality.MR else view


def why_model(study: Study, view: View, asked: tuple[str, ...] = ()) -> str:
    """The model of a view of `chosen_models`, and why that one."""
    if len(asked) > 1:
        return f"{len(asked)} models asked for: the mean of their probabilities"
    if asked:
        return f"{Path(asked[0]).name}: asked for"
    modality, taken = _taken_modality(study), _taken_view(study, view)
    said = f"{DEFAULT_MODELS[modality, taken]}: the shipped one for {modality} {taken}"
    if (modality, taken) != (study.modality, view):
        said += "; the file does not say what it shows, so it was taken for short-axis cine MR"
    return said
