"""A training run from its settings to a checkpoint."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from heartseg.core.errors import ConfigError
from heartseg.losses import IGNORED
from heartseg.models import Architecture, architecture
from heartseg.models.architecture import per_axis
from heartseg.models.pretrained import IMAGENET
from heartseg.read import Candidate
from heartseg.train.cohort import cohort_of
from heartseg.train.curves import draw_curves, require_drawing
from heartseg.train.data import PreparedFrame
from heartseg.train.device import hardware_of
from heartseg.train.frames import fewer_slices, frames_beside, frames_of
from heartseg.train.hardening import require_fit
from heartseg.train.log import Watcher
from heartseg.train.loop import BEST, LAST, fit, prepare_folder
from heartseg.train.matching import with_histograms
from heartseg.train.mixing import mixed
from heartseg.train.objective import Criterion
from heartseg.train.ranks import Ranks
from heartseg.train.record import begin_record
from heartseg.train.segment_task import Segment
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.shown import require_crops
from heartseg.train.stacks import batches_for
from heartseg.train.watching import all_of, tensorboard_watcher

_ALONE = Ranks()


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
