"""A training run from its settings to a bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from heartseg.augment import IntensityChange, SpatialChange, StackChange
from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.study import Modality, View
from heartseg.models import Architecture, architecture
from heartseg.models.architecture import per_axis
from heartseg.models.pretrained import IMAGENET
from heartseg.prepare import Preparation
from heartseg.read import find_studies
from heartseg.segment.runtime import require_device
from heartseg.train.data import PreparedFrame, prepared_frames
from heartseg.train.loop import BEST, LAST, Schedule, Watcher, fit, prepare_folder
from heartseg.train.record import begin_record
from heartseg.train.segment_task import Learning, Segment
from heartseg.train.shown import require_crops
from heartseg.train.split import part_of
from heartseg.train.stacks import batches_for


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a RUN.toml may say; everything left out keeps its default.

    Attributes:
        name: of the run, and of the bundle it writes.
        version: of the bundle.
        folder: data set, relative to the RUN.toml.
        modality, view: which image of each study.
        structures: keys of what is learnt, e.g. "lv"; the background is implied.
        train_on: parts of the split by patient number that train.
        validate_on: parts that are scored on the way; none for a final run.
        seed: of weights, batches and augmentation.
        training_data: one line for the model card.
        licence: of the weights.
        model: `name` of the architecture and its settings.
        stack: how stacks of slices are cut, for networks of volumes only; None takes the defaults.
    """

    name: str
    folder: str
    version: str = "0.1.0"
    modality: Modality = Modality.MR
    view: View = View.SAX
    structures: tuple[str, ...] = ("lv", "myo", "rv")
    train_on: tuple[str, ...] = ("train",)
    validate_on: tuple[str, ...] = ("validate",)
    seed: int = 0
    training_data: str = ""
    licence: str = "research use only"
    model: Mapping[str, Any] = field(default_factory=dict)
    preparation: Preparation = field(default_factory=Preparation)
    spatial: SpatialChange = field(default_factory=SpatialChange)
    stack: StackChange | None = None
    intensity: IntensityChange = field(default_factory=IntensityChange)
    learning: Learning = field(default_factory=Learning)
    schedule: Schedule = field(default_factory=Schedule)

    def __post_init__(self) -> None:
        both = set(self.train_on) & set(self.validate_on)
        if both or not self.train_on:
            got = f"{', '.join(sorted(both))} in both" if both else "nothing to train on"
            raise ConfigError("train_on and validate_on", got=got, allowed="parts without overlap")

    def classes(self) -> tuple[Structure, ...]:
        """The structures in channel order, the background first.

        Raises:
            ConfigError: a key that names no structure.
        """
        for key in self.structures:
            if key not in STRUCTURES_BY_KEY:
                allowed = ", ".join(STRUCTURES_BY_KEY)
                raise ConfigError("structures", got=repr(key), allowed=allowed)
        return (Structure.BACKGROUND, *(STRUCTURES_BY_KEY[key] for key in self.structures))


def build_task(
    settings: RunSettings,
    data: Sequence[PreparedFrame],
    validation: Sequence[PreparedFrame],
    device: torch.device,
    root: Path = Path(),
) -> Segment:
    """Data on the device, network with its first weights, everything seeded.

    A file of pretrained weights is looked for beside the RUN.toml, in `root`.

    Raises:
        ConfigError: planes or crops that the network cannot take, or no such weights.
        ModelError: weights that do not fit the network.
    """
    described = _anchored(architecture(settings.model), root)
    _require_fit(described, settings)
    torch.manual_seed(settings.seed)
    network = described.build(1, len(settings.classes()))
    return Segment(
        network,
        batches_for(described, data, device, settings.stack),
        validation,
        classes=len(settings.classes()),
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


def _require_fit(described: Architecture, settings: RunSettings) -> None:
    require_crops(described, settings.spatial.size_px, settings.stack)
    stride = max(per_axis(described.stride, described.dimensions)[-2:])
    padded = not any(per_axis(described.margin, described.dimensions))
    if padded and settings.preparation.stride % stride:
        allowed = f"multiples of the network's stride, {stride}"
        got = str(settings.preparation.stride)
        raise ConfigError("preparation.stride", got=got, allowed=allowed)
    if settings.learning.batch < described.smallest_batch:
        allowed = f"at least {described.smallest_batch}, which the network's normalisation needs"
        raise ConfigError("learning.batch", got=str(settings.learning.batch), allowed=allowed)


def train(
    settings: RunSettings,
    root: Path,
    folder: Path,
    *,
    device: torch.device,
    resume: bool = False,
    watch: Watcher | None = None,
) -> Path:
    """Train to the end; returns the checkpoint to export: the best validated, else the last.

    Raises:
        InputError: the data cannot be read.
        ConfigError: settings that do not fit together, or another run's on resume.
        ModelError: training diverged, or a checkpoint is broken.
        OutputError: the folder cannot be written, or holds another run.
    """
    prepare_folder(folder, resume=resume)
    data = frames_of(settings, root, settings.train_on)
    validation = frames_of(settings, root, settings.validate_on)
    task = build_task(settings, data, validation, device, root)
    begin_record(folder, settings, data, validation)
    fit(task, settings.schedule, folder, resume=resume, watch=watch)
    return folder / (BEST if settings.validate_on else LAST)


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


def frames_of(settings: RunSettings, root: Path, parts: tuple[str, ...]) -> list[PreparedFrame]:
    """The prepared frames of the patients of these parts.

    Raises:
        StudyError: there is no such patient or labelled frame, though parts were named.
    """
    if not parts:
        return []
    chosen = [c for c in find_studies(root / settings.folder) if part_of(c.id) in parts]
    if not chosen:
        raise StudyError(settings.folder, got="no patient of " + ", ".join(parts))
    classes = settings.classes()
    frames = [
        frame
        for candidate in chosen
        for frame in prepared_frames(candidate, settings.preparation, classes, settings.view)
    ]
    if not frames:
        raise StudyError(settings.folder, got="no labelled frame of " + ", ".join(parts))
    return frames
