"""The discriminators: what they think of an image that was made, and how they learn."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.losses.adversarial import taken_for_real, told_apart
from heartseg.models.patch_discriminator import PatchDiscriminator
from heartseg.train.history import History
from heartseg.train.learning import Learning
from heartseg.train.task import Numbers
from heartseg.train.update import Judged, Update


class Rivals:
    """A discriminator for each kind of image that is made.

    Args:
        described: of each.
        channels: of the images.
        kinds: their names.
        learning: settings.
        history: images of each kind that are shown again.
        device: where they are.
    """

    def __init__(
        self,
        described: PatchDiscriminator,
        channels: int,
        kinds: Sequence[str],
        learning: Learning,
        history: int,
        device: torch.device,
    ) -> None:
        self.networks = nn.ModuleDict({kind: described.build(channels) for kind in kinds})
        self.networks.to(device)
        self._device = device
        self._update = Update(self.networks, learning)
        self._histories = {kind: History(history) for kind in kinds}

    def opinion(self, kind: str, made: Tensor) -> Tensor:
        """How far images are from being taken for real; only they learn from it."""
        self.networks.requires_grad_(False)
        return taken_for_real(self.networks[kind](made).float())

    def step(
        self, rate: float, pairs: Mapping[str, tuple[Tensor, Tensor]], generator: torch.Generator
    ) -> Numbers:
        """Learn once.

        Args:
            rate: share of the learning rate.
            pairs: real and made images of each kind.
            generator: of what is shown again.
        """
        self.networks.requires_grad_(True)
        shown = {
            kind: (real, self._histories[kind].exchange(made.detach(), generator))
            for kind, (real, made) in pairs.items()
        }
        told = dict(self._update.step(rate, lambda: self._judge(shown)))
        del told["rate"]
        return {f"discriminator_{name}": value for name, value in told.items()}

    def _judge(self, shown: Mapping[str, tuple[Tensor, Tensor]]) -> Judged:
        losses = [
            told_apart(self.networks[kind](real).float(), self.networks[kind](made).float())
            for kind, (real, made) in shown.items()
        ]
        loss = torch.stack(losses).sum()
        return loss, {"loss": loss}

    def state(self) -> dict[str, Any]:
        """Weights, optimiser, what is shown again."""
        kept = {kind: history.state() for kind, history in self._histories.items()}
        return {"update": self._update.state(), "history": kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become those that gave this state."""
        self._update.restore(state["update"])
        for kind, history in self._histories.items():
            history.restore(state["history"][kind], self._device)
