"""One step of the weights: gradients gathered, scaled and cut; weights and their average moved."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.train.learning import Learning
from heartseg.train.task import Numbers

Judged = tuple[Tensor, Mapping[str, Tensor]]
"""What is to be made small, and what to log."""

FIRST_SCALE, LEAST_SCALE = 2.0**16, 1.0
"""Of the loss in f16. A scale below the least means that the gradient is infinite without any."""


class Update:
    """Moves the weights of a network; `state` is all that its next step depends on.

    Args:
        network: whose weights.
        learning: settings.

    Attributes:
        average: the network with the moving-average weights, which are what is kept.
        steps: taken so far.
    """

    def __init__(self, network: nn.Module, learning: Learning) -> None:
        self._network, self._learning = network, learning
        self.average = deepcopy(network).eval().requires_grad_(False)
        self._averaged, self._followed = _floating(self.average), _floating(network)
        self._optimiser = learning.optimiser_of(network.parameters())
        self.steps = 0
        device = next(network.parameters()).device.type
        scaled = learning.precision == "f16"
        self._scaler = torch.amp.GradScaler(device, init_scale=FIRST_SCALE, enabled=scaled)

    def step(self, rate: float, judge: Callable[[], Judged]) -> Numbers:
        """Move once.

        Args:
            rate: share of the learning rate.
            judge: draws a batch and says how bad the network is on it.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning.rate * rate
        self._optimiser.zero_grad(set_to_none=True)
        told = [self._backward(judge) for _ in range(self._learning.accumulate)]
        moved = self._move()
        self._follow()
        means = {name: sum(one[name] for one in told) / len(told) for name in told[0]}
        return {**means, **moved, "rate": rate}

    def state(self) -> dict[str, Any]:
        """Weights, their average, the optimiser, the count of steps, the scale of f16."""
        scale = {"scaler": self._scaler.state_dict()} if self._scaler.is_enabled() else {}
        return {
            "network": self._network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "steps": self.steps,
            **scale,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the one that gave this state."""
        self._network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.steps = int(state["steps"])
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])

    def _backward(self, judge: Callable[[], Judged]) -> dict[str, float]:
        loss, parts = judge()
        share = loss if self._learning.accumulate == 1 else loss / self._learning.accumulate
        self._scaler.scale(share).backward()  # type: ignore[no-untyped-call]
        return {name: value.item() for name, value in parts.items()}

    def _move(self) -> dict[str, float]:
        """The size of the gradient, infinite before the weights are: the loop stops then."""
        scaler, weights = self._scaler, list(self._network.parameters())
        scaler.unscale_(self._optimiser)
        clip = self._learning.clip
        norm = nn.utils.clip_grad_norm_(weights, float("inf") if clip is None else clip)
        scaler.step(self._optimiser)  # leaves the weights alone where the gradient is not finite
        scaler.update()
        if not scaler.is_enabled():
            return {"gradient_norm": norm.item()}
        scale = scaler.get_scale()
        told = {"loss_scale": scale}
        if norm.isfinite() or scale < LEAST_SCALE:
            told["gradient_norm"] = norm.item()
        return told

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights and their batch statistics, faster at first."""
        pairs: Sequence[tuple[Tensor, Tensor]] = list(
            zip(self._averaged, self._followed, strict=True)
        )
        torch._foreach_lerp_(
            [mine for mine, _ in pairs],
            [theirs for _, theirs in pairs],
            1 - min(self._learning.average, (1 + self.steps) / (10 + self.steps)),
        )
        self.steps += 1


def _floating(network: nn.Module) -> list[Tensor]:
    """Weights and batch statistics, without the counters."""
    tensors = [*network.parameters(), *network.buffers()]
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]
