"""The task of segmentation: a network, cross-entropy and soft Dice, moving-average weights."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from heartseg.augment import IntensityChange, SpatialChange, change_intensity
from heartseg.core.errors import ConfigError
from heartseg.losses import deeply_supervised, soft_dice_loss
from heartseg.train.batches import Batches
from heartseg.train.data import PreparedFrame
from heartseg.train.task import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How the weights move.

    Attributes:
        batch: planes a step.
        rate: of AdamW, at its height.
        weight_decay: of AdamW.
        average: decay a step of the moving-average weights, which are what is kept.
        away: share of crops centred on the image instead of the heart.
        clip: largest norm of the gradient.
        precision: of the convolutions; weights and losses stay f32.
    """

    batch: int = 16
    rate: float = 1.5e-3
    weight_decay: float = 0.01
    average: float = 0.998
    away: float = 0.2
    clip: float = 5.0
    precision: Literal["f32", "bf16"] = "f32"

    def __post_init__(self) -> None:
        if self.batch < 1 or min(self.rate, self.clip) <= 0 or self.weight_decay < 0:
            raise ConfigError("learning", got=str(self), allowed="batch >= 1; rate, clip > 0")
        if not (0 <= self.average < 1 and 0 <= self.away <= 1):
            raise ConfigError("learning", got=str(self), allowed="shares in [0, 1], average < 1")


class Segment:
    """Train a network on planes or stacks; a `Task`.

    Args:
        network: (n, 1, y, x) -> logits (n, classes, y, x), or what is left of it without margins;
            z before y for volumes.
        data: what it learns from, drawn as the network needs it.
        validation: frames that are scored whole, with the moving-average weights.
        classes: number of classes, background included.
        learning, spatial, intensity: settings.
        seed: of batches and augmentation.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Batches,
        validation: Sequence[PreparedFrame],
        *,
        classes: int,
        learning: Learning,
        spatial: SpatialChange,
        intensity: IntensityChange,
        seed: int,
    ) -> None:
        device = data.device
        self._data, self._validation, self._classes = data, validation, classes
        self._learning, self._spatial, self._intensity = learning, spatial, intensity
        self.network = network.to(device, memory_format=data.memory_format)  # type: ignore[call-overload]
        self.average = deepcopy(self.network).eval().requires_grad_(False)
        self._averaged, self._followed = _floating(self.average), _floating(self.network)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=learning.rate, weight_decay=learning.weight_decay
        )
        self._steps = 0
        self._generator = torch.Generator(device).manual_seed(seed)

    def step(self, rate: float) -> Numbers:
        """Draw, augment, learn."""
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning.rate * rate
        pixels, truth = self._batch()
        self.network.train()
        with self._autocast():
            answer = self.network(pixels)
        levels = [one.float() for one in (answer if isinstance(answer, tuple) else (answer,))]
        entropy = deeply_supervised(nn.functional.cross_entropy, levels, truth)
        overlap = deeply_supervised(_overlap, levels, truth)
        self._optimiser.zero_grad(set_to_none=True)
        (entropy + overlap).backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self._learning.clip)
        self._optimiser.step()
        self._follow()
        return {
            "cross_entropy": entropy.item(),
            "soft_dice_loss": overlap.item(),
            "gradient_norm": norm.item(),  # infinite before the weights are: the loop stops then
            "rate": rate,
        }

    @torch.no_grad()
    def validate(self) -> Numbers:
        """Mean Dice of whole frames in 3-D, each class and "score", their mean; or nothing."""
        if not self._validation:
            return {}
        overlap, total = [
            torch.zeros(len(self._validation), self._classes, dtype=torch.float64) for _ in range(2)
        ]
        for row, frame in enumerate(self._validation):
            truth = torch.from_numpy(frame.classes)
            with self._autocast():
                found = self._data.predicted(self.average, frame.pixels).cpu()
            for label in range(1, self._classes):
                a, b = found == label, truth == label
                overlap[row, label] = 2 * (a & b).sum()
                total[row, label] = a.sum() + b.sum()
        dice = torch.where(total > 0, overlap / total.clamp(min=1), 1.0)[:, 1:].mean(0)
        scores = {f"dice_{label}": float(value) for label, value in enumerate(dice, start=1)}
        return {"score": float(dice.mean()), **scores}

    def state(self) -> dict[str, Any]:
        """Weights, their average, the optimiser, the generator."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "generator": self._generator.get_state(),
            "steps": self._steps,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the task that gave this state."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._generator.set_state(state["generator"])
        self._steps = int(state["steps"])

    def _batch(self) -> tuple[Tensor, Tensor]:
        batch, away = self._learning.batch, self._learning.away
        crops, truth = self._data.draw(batch, away, self._spatial, self._classes, self._generator)
        crops = change_intensity(crops, self._intensity, self._generator)
        return self._data.as_input(crops), truth

    def _autocast(self) -> torch.autocast:
        device = self._data.device.type
        return torch.autocast(device, torch.bfloat16, enabled=self._learning.precision == "bf16")

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights and their batch statistics, faster at first."""
        pairs = list(zip(self._averaged, self._followed, strict=True))
        torch._foreach_lerp_(
            [mine for mine, _ in pairs],
            [theirs for _, theirs in pairs],
            1 - min(self._learning.average, (1 + self._steps) / (10 + self._steps)),
        )
        self._steps += 1


def _overlap(logits: Tensor, truth: Tensor) -> Tensor:
    return soft_dice_loss(logits.softmax(1), truth)


def _floating(network: nn.Module) -> list[Tensor]:
    """Weights and batch statistics, without the counters."""
    tensors = [*network.parameters(), *network.buffers()]
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]
