"""The task of segmentation: a network, an objective, moving-average weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.augment import IntensityChange, SpatialChange, change_intensity
from heartseg.models.answer import Answer, regions_of
from heartseg.train.batches import Batches
from heartseg.train.data import PreparedFrame
from heartseg.train.hardening import Hardening
from heartseg.train.learning import Learning
from heartseg.train.memory_format import memory_format
from heartseg.train.objective import Criterion
from heartseg.train.scoring import scores
from heartseg.train.task import Numbers
from heartseg.train.teacher import Teacher
from heartseg.train.update import Judged, Update

__all__ = ["Learning", "Segment"]


class Segment:
    """Train a network on planes or stacks; a `Task`.

    Args:
        network: (n, 1, y, x), or more channels where neighbouring slices are shown too -> logits
            (n, channels, y, x), or what is left of it without margins; z before y for volumes.
        data: what it learns from, drawn as the network needs it.
        validation: frames that are scored whole, with the moving-average weights.
        criterion: how answers are judged, by this process and those that train with it.
        learning, spatial, intensity: settings.
        seed: of batches, augmentation and dropout.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Batches,
        validation: Sequence[PreparedFrame],
        *,
        criterion: Criterion,
        learning: Learning,
        spatial: SpatialChange,
        intensity: IntensityChange,
        seed: int,
    ) -> None:
        self._data, self._validation, self._criterion = data, validation, criterion
        self._learning, self._spatial, self._intensity = learning, spatial, intensity
        order = memory_format(network, data.device)
        self.network = network.to(data.device, memory_format=order)  # type: ignore[call-overload]
        self._update = Update(self.network, learning)
        self.average = self._update.average
        self._connected = criterion.ranks.connected(self.network)
        hardened = criterion.objective.hardened
        self._hardening = Hardening(criterion, data.device) if hardened else None
        self._generator = torch.Generator(data.device).manual_seed(seed)

    def step(self, rate: float) -> Numbers:
        """Draw, augment, learn."""
        self.network.train()
        self._seed_dropout()
        told = self._update.step(rate, self._judge)
        if self._hardening is None:
            return told
        return {**told, **self._hardening.step(rate, self._generator)}

    def validate(self) -> Numbers:
        """Mean Dice of whole frames in 3-D, each class and "score", their mean; or nothing."""
        return scores(self._validation, self._answer, self._criterion)

    def state(self) -> dict[str, Any]:
        """Weights, their average, the optimiser, the generator; the adversary that learns."""
        against = {} if self._hardening is None else self._hardening.state()
        return {**self._update.state(), "generator": self._generator.get_state(), **against}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the task that gave this state."""
        self._update.restore(state)
        self._generator.set_state(state["generator"])
        if self._hardening is not None:
            self._hardening.restore(state)

    def _judge(self) -> Judged:
        crops, truth = self._batch()
        mine = self._data.as_input(self._criterion.ranks.share(crops))
        if self._hardening is not None and self._hardening.needs_slope:
            mine.requires_grad_()
        with self._learning.autocast(mine.device):
            answer = self._connected(mine)
        judged: Judged = self._criterion.judge(answer, truth)
        if self._hardening is not None:
            chance = (self._update.steps, self._generator)
            judged = self._hardening.judge(self.network, mine, truth, (answer, judged), chance)
        teacher = self._criterion.teacher
        return judged if teacher is None else _taught(teacher, judged, answer, mine)

    def _batch(self) -> tuple[Tensor, Tensor]:
        batch, away, carried = self._learning.batch, self._learning.away, self._criterion.carried
        crops, truth = self._data.draw(batch, away, self._spatial, carried, self._generator)
        crops = change_intensity(crops, self._intensity, self._generator)
        return crops, self._criterion.truth_of(truth)

    def _seed_dropout(self) -> None:
        """Layers draw from torch's own generator: by the step, so that a resumed run goes on."""
        step, rank = self._update.steps, self._criterion.ranks.rank
        seed = self._generator.initial_seed()  # part of its state: another run's after `restore`
        torch.manual_seed(((seed * 1_000_003 + step) * 1_009 + rank) % 2**63)

    def _answer(self, slices: NDArray[np.float32]) -> Tensor:
        with self._learning.autocast(self._data.device):
            return self._data.answered(self.average, slices)


def _taught(teacher: Teacher, judged: Judged, answer: Answer, crops: Tensor) -> Judged:
    """With what the teacher says of the finest level; "loss" stays that of the labels."""
    apart = teacher.judge(regions_of(answer)[0], crops)
    loss, logged = judged
    return teacher.beside(loss, apart), {**logged, "teacher": apart}
