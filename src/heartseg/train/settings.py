"""What a RUN.toml may say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heartseg.augment import IntensityChange, SpatialChange, StackChange
from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.train.learning import Learning
from heartseg.train.matching import Matched
from heartseg.train.mixing import Also
from heartseg.train.objective import Objective
from heartseg.train.schedule import Schedule
from heartseg.train.sparse import Sparse, require_sparse
from heartseg.train.split import Split
from heartseg.train.start import Start
from heartseg.train.teacher import Teaching
from heartseg.train.watching import Watching


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a RUN.toml may say; everything left out keeps its default.

    Attributes:
        name: of the run, and of the bundle it writes.
        version: of the bundle.
        folder: data set, relative to the RUN.toml.
        scheme: what the numbers of the labels mean, where the data set does not say it.
        modality, view: which image of each study.
        assume_view: take every image for one of `view`, whatever its name and header say.
        structures: keys of what is learnt, e.g. "lv"; the background is implied.
        as_background: keys of structures that the labels hold and that are taken for background,
            e.g. "la" where the left ventricle is sought alone.
        taken_for: keys of structures that the labels hold, and of those that they are taken for,
            in training and when the run is scored: `{ scar = "myo" }` where the wall is sought.
        train_on: parts of the split that train.
        validate_on: parts that are scored on the way; none for a final run.
        seed: of weights, batches and augmentation.
        training_data: one line for the model card.
        licence: of the weights.
        model: `name` of the architecture and its settings.
        stack: how stacks of slices are cut, for networks of volumes only; None takes the defaults.
        sparse: which voxels of the training patients are annotated; None for all of them.
        matched: another data set, whose histograms the training images take; None for their own.
        also: another data set with labels to learn from beside this one; None for none.
    """

    name: str
    folder: str
    version: str = "0.1.0"
    scheme: str | None = None
    modality: Modality = Modality.MR
    view: View = View.SAX
    assume_view: bool = False
    structures: tuple[str, ...] = ("lv", "myo", "rv")
    as_background: tuple[str, ...] | None = None
    taken_for: Mapping[str, str] | None = None
    train_on: tuple[str, ...] = ("train",)
    validate_on: tuple[str, ...] = ("validate",)
    seed: int = 0
    training_data: str = ""
    licence: str = "research use only"
    model: Mapping[str, Any] = field(default_factory=dict)
    preparation: Preparation = field(default_factory=Preparation)
    spatial: SpatialChange = field(default_factory=SpatialChange)
    stack: StackChange | None = None
    sparse: Sparse | None = None
    matched: Matched | None = None
    also: Also | None = None
    intensity: IntensityChange = field(default_factory=IntensityChange)
    learning: Learning = field(default_factory=Learning)
    schedule: Schedule = field(default_factory=Schedule)
    loss: Objective = field(default_factory=Objective)
    split: Split = field(default_factory=Split)
    start: Start = field(default_factory=Start)
    teaching: Teaching = field(default_factory=Teaching)
    log: Watching = field(default_factory=Watching)

    def __post_init__(self) -> None:
        both = set(self.train_on) & set(self.validate_on)
        if both or not self.train_on:
            got = f"{', '.join(sorted(both))} in both" if both else "nothing to train on"
            raise ConfigError("train_on and validate_on", got=got, allowed="parts without overlap")
        if self.schedule.needs_scores and not self.validate_on:
            got = "patience or a plateau, and nothing to validate on"
            raise ConfigError("schedule", got=got, do="name parts in validate_on")
        if self.teaching.models and self.loss.activation != "softmax":
            got = f"loss.activation {self.loss.activation}"
            raise ConfigError(
                "teaching", got=got, allowed="softmax, where classes exclude each other"
            )
        _require_one_use(self.structures, self.as_background or (), self.loss.ignored)
        _require_others(self)
        if self.sparse is not None:
            terms = [name for name, _ in self.loss.terms]
            require_sparse(terms, ends=self.learning.ends, slices=self.split.slices)

    def classes(self) -> tuple[Structure, ...]:
        """The structures in channel order, the background first.

        Raises:
            ConfigError: a key that names no structure.
        """
        return (Structure.BACKGROUND, *_structures("structures", self.structures))

    @property
    def merged(self) -> tuple[Structure, ...]:
        """The structures that are taken for background."""
        return _structures("as_background", self.as_background or ())

    @property
    def others(self) -> dict[Structure, Structure]:
        """The structures that are taken for others, and for which."""
        pairs = self.taken_for or {}
        ones, others = (tuple(one) for one in (pairs, pairs.values()))
        named = zip(_structures("taken_for", ones), _structures("taken_for", others), strict=True)
        return dict(named)


def _structures(setting: str, keys: Sequence[str]) -> tuple[Structure, ...]:
    for key in keys:
        if key not in STRUCTURES_BY_KEY:
            raise ConfigError(setting, got=repr(key), allowed=", ".join(STRUCTURES_BY_KEY))
    return tuple(STRUCTURES_BY_KEY[key] for key in keys)


def _require_one_use(learnt: Sequence[str], merged: Sequence[str], ignored: Sequence[str]) -> None:
    """A structure is learnt, or taken for background, or counts nowhere."""
    _structures("as_background", merged)
    for setting, keys, others in (
        ("loss.ignored", ignored, learnt),
        ("as_background", merged, (*learnt, *ignored)),
    ):
        twice = ", ".join(sorted(set(keys) & set(others)))
        if twice:
            also = " or ignored" if setting == "as_background" else ""
            raise ConfigError(setting, got=twice, allowed=f"structures that are not learnt{also}")


def _require_others(settings: RunSettings) -> None:
    """What is taken for another is no more there to be learnt, and the other is."""
    used = {*settings.structures, *(settings.as_background or ()), *settings.loss.ignored}
    for one, other in settings.others.items():
        if one.key in used or other.key not in settings.structures:
            got = f"{one.key} taken for {other.key}"
            allowed = "for one of structures, what is neither learnt, background nor ignored"
            raise ConfigError("taken_for", got=got, allowed=allowed)
