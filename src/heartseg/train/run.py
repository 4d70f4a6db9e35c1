"""A training run from its settings to a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from heartseg.augment import IntensityChange, SpatialChange, StackChange
from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError
from heartseg.core.hardware import hardware
from heartseg.core.study import Modality, View
from heartseg.losses import IGNORED
from heartseg.models import Architecture, architecture
from heartseg.models.architecture import per_axis
from heartseg.models.pretrained import IMAGENET
from heartseg.prepare import Preparation
from heartseg.read import Candidate
from heartseg.segment.runtime import require_device
from heartseg.train.cohort import cohort_of
from heartseg.train.curves import draw_curves, require_drawing
from heartseg.train.data import PreparedFrame
from heartseg.train.hardening import require_fit
from heartseg.train.learning import Learning
from heartseg.train.log import Watcher
from heartseg.train.loop import BEST, LAST, fit, prepare_folder
from heartseg.train.matching import Matched, with_histograms
from heartseg.train.mixing import Also, frames_beside, mixed
from heartseg.train.objective import Criterion, Objective
from heartseg.train.ranks import Ranks
from heartseg.train.record import begin_record
from heartseg.train.schedule import Schedule
from heartseg.train.segment_task import Segment
from heartseg.train.selection import fewer_slices, frames_of, select
from heartseg.train.shown import require_crops
from heartseg.train.sparse import Sparse, require_sparse
from heartseg.train.split import Split
from heartseg.train.stacks import batches_for
from heartseg.train.start import Start
from heartseg.train.teacher import Teaching
from heartseg.train.watching import Watching, all_of, tensorboard_watcher

_ALONE = Ranks()


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


def build_task(
    settings: RunSettings,
    data: Sequence[PreparedFrame],
    validation: Sequence[PreparedFrame],
    device: torch.device,
    root: Path = Path(),
    ranks: Ranks = _ALONE,
    beside: Sequence[PreparedFrame] = (),
) -> Segment:
    """Data on the device, network with its first weights, everything seeded.

    A file of pretrained weights is looked for beside the RUN.toml, in `root`; `ranks` are the
    processes that train the network together; `beside` are the frames of `settings.also`.

    Raises:
        ConfigError: planes or crops that the network cannot take, or no such weights.
        ModelError: weights that do not fit the network.
    """
    described = _anchored(architecture(settings.model), root)
    _require_fit(described, settings, ranks.count)
    classes, objective = len(settings.classes()), settings.loss
    sparse = settings.sparse is not None
    weights = objective.weights([frame.classes for frame in (*data, *beside)], classes)
    torch.manual_seed(settings.seed)
    shown = settings.preparation.channels
    network = described.build(shown, objective.channels(classes))
    settings.start.begin(network, root, shown)
    teacher = settings.teaching.teacher(root, settings.preparation, settings.classes(), device)
    own, *others = (
        batches_for(
            described,
            frames,
            device,
            settings.stack,
            ignored_as=classes if objective.ignored or sparse else IGNORED,
            neighbours=settings.preparation.neighbours,
            ends=settings.learning.ends,
        )
        for frames in (data, beside)
        if frames
    )
    return Segment(
        network,
        mixed(own, others, settings.also.share if settings.also else 0.0),
        validation,
        criterion=Criterion(objective, classes, weights, ranks, sparse=sparse, teacher=teacher),
        learning=settings.learning,
        spatial=settings.spatial,
        intensity=settings.intensity,
        seed=settings.seed,
    )


def _anchored(described: Architecture, root: Path) -> Architecture:
    """With a relative path of weights taken from `root`; "imagenet" is no path."""
    weights = getattr(described, "weights", None)
    if weights is None or weights == IMAGENET:
        return described
    anchored: Architecture = replace(described, weights=str(root / weights))  # type: ignore[type-var]
    return anchored


def _require_fit(described: Architecture, settings: RunSettings, processes: int) -> None:
    _require_planes(described, settings)
    if settings.loss.edges is not None and not described.draws_edges:
        got = "settings for borders, which this network does not draw"
        do = "leave them out, or choose edge-attention or edge-attention-edges"
        raise ConfigError("loss.edges", got=got, do=do)
    require_crops(described, settings.spatial.size_px, settings.stack)
    stride = max(per_axis(described.stride, described.dimensions)[-2:])
    padded = not any(per_axis(described.margin, described.dimensions))
    if padded and settings.preparation.stride % stride:
        allowed = f"multiples of the network's stride, {stride}"
        got = str(settings.preparation.stride)
        raise ConfigError("preparation.stride", got=got, allowed=allowed)
    if settings.loss.hardened:
        margin = per_axis(described.margin, described.dimensions)[-1]
        answered = settings.spatial.size_px - 2 * margin
        require_fit(settings.loss.masks, described.dimensions, answered, processes)
    mine, rest = divmod(settings.learning.batch, processes)
    if rest or mine < described.smallest_batch:
        least = f"at least {described.smallest_batch}, which the network's normalisation needs"
        allowed = least if processes == 1 else f"a multiple of {processes} processes, {least} each"
        raise ConfigError("learning.batch", got=str(settings.learning.batch), allowed=allowed)


def _require_planes(described: Architecture, settings: RunSettings) -> None:
    """Refuse what a network of volumes would not heed, and neighbours that were left out."""
    neighbours = settings.preparation.neighbours
    for name, asked in (
        ("preparation.neighbours", neighbours),
        ("learning.ends", settings.learning.ends),
    ):
        if asked and described.dimensions == 3:
            got = f"{asked:g} for a network of volumes"
            raise ConfigError(name, got=got, allowed="0: it sees all slices")
    if neighbours and settings.split.slices is not None:
        got = f"{settings.split.slices} slices of the stacks, and preparation.neighbours"
        do = "take fewer patients: a slice is shown with those that lie about it"
        raise ConfigError("split.slices", got=got, allowed="split.patients", do=do)


def train(
    settings: RunSettings,
    root: Path,
    folder: Path,
    *,
    device: torch.device,
    resume: bool = False,
    watch: Watcher | None = None,
    given: Sequence[Candidate] | None = None,
    ranks: Ranks = _ALONE,
) -> Path:
    """Train to the end; returns the checkpoint to export: the best validated, else the last.

    Args:
        settings: of the run.
        root: folder of the RUN.toml, from which paths are taken.
        folder: of the run.
        device: where to compute.
        resume: go on where an earlier run stopped.
        watch: called with (step, numbers) as they are logged.
        given: studies in place of those in `settings.folder`.
        ranks: the processes that train together.

    Raises:
        InputError: the data cannot be read.
        ConfigError: settings that do not fit together, or another run's on resume.
        ModelError: training diverged, or a checkpoint is broken.
        OutputError: the folder cannot be written, or holds another run.
    """
    prepare_folder(folder, resume=resume)
    if settings.log.curves:
        require_drawing()
    chosen = select(settings, root, given)
    data = fewer_slices(frames_of(chosen.training, settings, settings.sparse), settings.split)
    if settings.matched is not None:
        how, seed = settings.matched, settings.seed
        data = with_histograms(data, how, settings.preparation, root, seed)
    validation, beside = frames_of(chosen.validation, settings), frames_beside(settings, root)
    task = build_task(settings, data, validation, device, root, ranks, beside)
    computed = settings.learning.precision_on(device)
    begin_record(
        folder,
        settings,
        [*data, *beside],
        validation,
        chosen.table(),
        precision=computed,
        told={"cohort": cohort_of(chosen), "hardware": hardware_of(device)},
        writes=ranks.leads,
    )
    watchers = [watch] if watch else []
    if settings.log.tensorboard and ranks.leads:
        watchers.append(tensorboard_watcher(folder))
    fit(task, settings.schedule, folder, resume=resume, watch=all_of(watchers), ranks=ranks)
    if settings.log.curves and ranks.leads:
        draw_curves(folder, [structure.title for structure in settings.classes()[1:]])
    return folder / (BEST if settings.validate_on else LAST)


def hardware_of(device: torch.device) -> str:
    """What a run computes on, as its record says it."""
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return hardware(card)


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes a graphics card where there is one.

    Raises:
        ConfigError: no such device, or no usable card.
    """
    require_device(name)
    usable = torch.cuda.is_available()
    if name == "cuda" and not usable:
        raise ConfigError("device", got="cuda, but torch finds no usable card", do="use cpu")
    return torch.device("cuda" if usable and name != "cpu" else "cpu")
