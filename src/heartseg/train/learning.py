"""How the weights move: the optimiser, its precision, and what is done to a gradient."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from heartseg.core.errors import ConfigError

Precision = Literal["f32", "bf16", "f16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How the weights move.

    Attributes:
        batch: planes or stacks a step; with `accumulate`, in each of its batches.
        accumulate: batches a step, whose gradients are averaged.
        optimiser: `adamw`, `adam` (weight decay is then part of the gradient) or `sgd`.
        rate: of the optimiser, at its height.
        weight_decay: of the optimiser.
        momentum: of `sgd`; the first of the two averages of `adam` and `adamw` decays so too.
        nesterov: look ahead, with `sgd`.
        average: decay a step of the moving-average weights, which are what is kept; 0 keeps the
            weights themselves.
        away: share of crops centred on the image instead of the heart.
        ends: share of planes that are drawn where the heart begins or ends, the others anywhere:
            its first and last slice and those just beyond, whose labels are hardest to tell.
        clip: largest norm of the gradient; `none` leaves it as it is.
        precision: of the convolutions; weights and losses stay f32. `f16` scales the loss, and
            leaves out the steps whose gradients do not fit. A processor that has no `bf16` computes
            in f32: imitating it takes ten times as long.
    """

    batch: int = 16
    accumulate: int = 1
    optimiser: Literal["adamw", "adam", "sgd"] = "adamw"
    rate: float = 1.5e-3
    weight_decay: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False
    average: float = 0.998
    away: float = 0.2
    ends: float = 0.0
    clip: float | None = 5.0
    precision: Precision = "f32"

    def __post_init__(self) -> None:
        clip = 1.0 if self.clip is None else self.clip
        if min(self.batch, self.accumulate) < 1 or min(self.rate, clip) <= 0:
            allowed = "batch, accumulate >= 1; rate, clip > 0, or clip 'none'"
            raise ConfigError("learning", got=str(self), allowed=allowed)
        if self.weight_decay < 0 or not (0 <= self.average < 1 and 0 <= self.away <= 1):
            raise ConfigError("learning", got=str(self), allowed="shares in [0, 1], average < 1")
        if not 0 <= self.ends <= 1:
            raise ConfigError("learning.ends", got=str(self.ends), allowed="a share in [0, 1]")
        if not 0 <= self.momentum < 1:
            raise ConfigError("learning.momentum", got=str(self.momentum), allowed="[0, 1)")
        if self.nesterov and (self.optimiser != "sgd" or self.momentum == 0):
            raise ConfigError("learning.nesterov", got="true", allowed="with sgd and momentum")

    @property
    def images(self) -> int:
        """Planes a step."""
        return self.batch * self.accumulate

    def optimiser_of(self, weights: Iterable[Tensor]) -> torch.optim.Optimizer:
        """The optimiser of these weights, its state empty."""
        decay, betas = self.weight_decay, (self.momentum, 0.999)
        if self.optimiser == "adamw":
            return torch.optim.AdamW(
                weights, lr=self.rate, weight_decay=decay, betas=betas, fused=True
            )  # one pass over the weights: a third of the time for tens of millions
        if self.optimiser == "adam":
            return torch.optim.Adam(weights, lr=self.rate, weight_decay=decay, betas=betas)
        return torch.optim.SGD(
            weights,
            lr=self.rate,
            weight_decay=decay,
            momentum=self.momentum,
            nesterov=self.nesterov,
        )

    def precision_on(self, device: torch.device) -> Precision:
        """What is computed in there: `precision`, or f32 on a processor that has no bf16."""
        slow = self.precision == "bf16" and device.type == "cpu" and not _has_bf16()
        return "f32" if slow else self.precision

    def autocast(self, device: torch.device) -> torch.autocast:
        """The precision of what is computed within."""
        precision = self.precision_on(device)
        kind = torch.float16 if precision == "f16" else torch.bfloat16
        return torch.autocast(device.type, kind, enabled=precision != "f32")


def _has_bf16() -> bool:
    """Whether this processor multiplies in bf16; True where torch is too old to say."""
    told: Callable[[], Mapping[str, Any]] | None = getattr(torch.cpu, "get_capabilities", None)
    if told is None:
        return True
    has = told()
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
