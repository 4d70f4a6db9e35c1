"""Images that nobody labelled, with the masks that a network sees in them: a set to learn from.

A network that learnt from images made to look like a target sees most of the target's hearts. What
it sees in the target's own images, where it is sure, teaches the next one what no translation shows
(pseudo-labels: Lee 2013). It learns its own faults as well: what it is sure of and wrong about, the
next one will be. Labels that the images may have are not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.image import Segmentation
from heartseg.read import Candidate
from heartseg.refine import refine_cine
from heartseg.segment.frames import average_of_turns
from heartseg.train.settings import RunSettings
from heartseg.train.trained import Trained
from heartseg.train.translate.labelled_set import LabelledSet


@dataclass(slots=True)
class Seen:
    """What came of it.

    Attributes:
        kept: studies whose masks may teach, and how sure the network is of each, 0 to 1.
        left: the same of those that lie apart: too unsure, or no heart at all.
    """

    kept: dict[str, float] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)


def write_seen(
    network: Trained,
    settings: RunSettings,
    images: Sequence[Candidate],
    folder: Path,
    *,
    least_sure: float = 0.8,
) -> Seen:
    """Write images with what a network sees in them as a labelled set, layout `pairs`.

    Args:
        network: that looks.
        settings: that it was trained with; their `view` names the image of each study.
        images: studies to look at.
        folder: of the set; unsure ones lie in `rejected/` below it.
        least_sure: mean probability of what was found, over the voxels of all structures.

    Raises:
        ConfigError: a share that is none.
        InputError: a study that cannot be read, or has no such view.
        OutputError: there is a set already, or it cannot be written.
    """
    if not 0 <= least_sure <= 1:
        raise ConfigError("least_sure", got=str(least_sure), allowed="a share in [0, 1]")
    into, seen = LabelledSet(folder), Seen()
    for candidate in images:
        image = candidate.load().images.get(settings.view)
        if image is None:
            raise StudyError(candidate.id, got=f"no {settings.view} image", do="leave it out")
        sample, sure = settings.preparation.sample(image), _Sure()
        answers = (
            sample.restore(average_of_turns(sample.channels(frame), network.look, 1))
            for frame in range(image.frames)
        )
        classes = settings.classes()
        labels = refine_cine(sure.watched(answers), classes, image.geometry)
        masks = Segmentation(labels, image.geometry, classes[1:], image.times_ms)
        unsure = not labels.any() or sure.mean < least_sure
        into.write(candidate, image, masks, rejected=unsure)
        (seen.left if unsure else seen.kept)[candidate.id] = sure.mean
    into.finish()
    return seen


class _Sure:
    """How sure a network is of what it finds, while its answers go by."""

    def __init__(self) -> None:
        self._total, self._voxels = 0.0, 0

    def watched(self, answers: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The answers (classes, z, y, x) as they are."""
        for probabilities in answers:
            found = probabilities.argmax(0) > 0
            self._total += float(probabilities.max(0)[found].sum())
            self._voxels += int(found.sum())
            yield probabilities

    @property
    def mean(self) -> float:
        """Of all voxels that were found; 0 where there are none."""
        return self._total / self._voxels if self._voxels else 0.0
