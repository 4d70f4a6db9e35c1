"""Traditional methods as the pipeline uses them: by name, a view at a time, and explained."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from heartseg.classical.method import HIGH, LOW, Method
from heartseg.classical.run import looks_of, segment_image
from heartseg.classical.table import METHODS
from heartseg.config import from_changes, to_table
from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.finding import ModelUse, Quality
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.core.version import __version__

PREFIX = "classical:"
"""Of a method's name where a model's could stand: what segments is then no network."""

CAUTION = "made by a traditional method, no network: look at every contour"


def method_named(name: str, changes: Sequence[str] = ()) -> Method:
    """The method of a name, with or without the prefix, and settings `name=value`.

    Raises:
        ConfigError: no such method or setting, or a value out of bounds.
    """
    known = name.removeprefix(PREFIX)
    if known not in METHODS:
        raise ConfigError("traditional method", got=f"'{known}'", allowed=", ".join(METHODS))
    base = METHODS[known]
    return from_changes(type(base), to_table(base), changes, where=known)


def name_of(method: Method) -> str:
    """Its name in the table, or that of its class where another package made it."""
    kinds = {type(one): name for name, one in METHODS.items()}
    return kinds.get(type(method), type(method).__name__)


def segment_views(study: Study, method: Method) -> Mapping[View, Segmentation]:
    """Segment each view of a study that traditional methods can look at.

    Raises:
        StudyError: there is none, or no left ventricle was found.
    """
    looks = looks_of(study)
    if not looks:
        raise StudyError(
            study.id,
            got=f"{study.modality} of view {', '.join(study.images)}",
            allowed="short-axis MR and apical echo, where the localiser knows what to look for",
            do="pass --view if heartseg got it wrong",
        )
    return {view: segment_image(study.images[view], method, look) for view, look in looks.items()}


def explained(study: Study, method: Method) -> tuple[Mapping[str, str], ModelUse]:
    """What was chosen and why, and what stands in the place of a model."""
    name = name_of(method)
    said = ", ".join(f"{key} {value}" for key, value in resolved(method).items())
    seeds = "given by the user" if method.seeds else "found by the localiser"
    strategy = {
        f"model for {view}": f"{name}: a traditional method ({method.paper}), no network; asked for"
        for view in looks_of(study)
    }
    strategy |= {"settings of the method": said, "seeds of the method": seeds}
    use = ModelUse(
        name=f"{PREFIX}{name}",
        version=__version__,
        sha256=None,
        licence="part of heartseg, Apache-2.0",
        precision=None,
    )
    return strategy, use


def resolved(method: Method) -> dict[str, str]:
    """Its settings in words; of folders the name only."""
    found = {}
    for one in fields(method):
        value = getattr(method, one.name)
        if value is not None:
            found[one.name] = value.name if isinstance(value, Path) else str(value)
    return found


def cautious(quality: Quality) -> Quality:
    """A verdict that no traditional method may leave at "pass"."""
    verdict = "review" if quality.verdict == "pass" else quality.verdict
    return Quality(verdict=verdict, reasons=(CAUTION, *quality.reasons))


def bounds(method: Method) -> dict[str, str]:
    """What each number of a method may be, in words."""
    return {
        one.name: f"{one.metadata[LOW]:g} to {one.metadata[HIGH]:g}"
        for one in fields(method)
        if LOW in one.metadata
    }
