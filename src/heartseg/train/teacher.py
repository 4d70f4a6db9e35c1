"""Learning from what other models say: distillation.

A network, or several whose probabilities are averaged, is shown the same moved crops as the one
that learns, and what it makes of them is learnt beside the labels (Hinton 2015, arXiv 1503.02531;
shown the very same crops, Beyer 2022, arXiv 2106.05237):

    loss = (1 - share) * loss of the labels + share * T^2 * KL(teacher at T || network at T)

where *at T* is a softmax of logits divided by the temperature T, and the divergence is a mean over
pixels. T^2 keeps the gradients of both parts alike. A teacher may be wider than what ships, or the
models of all folds together; it costs its own forward pass a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.prepare import Preparation

if TYPE_CHECKING:
    from heartseg.segment import Bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaching:
    """Who teaches, and how much of the loss that is.

    Attributes:
        models: names of shipped models or folders of bundles, relative to the RUN.toml; none
            teaches by default. They are of planes, of the same structures and prepared the same
            way, and should not have learnt from a patient that the run is judged by.
        share: of the loss, above 0 and up to 1; 1 leaves the labels out.
        temperature: above 0; more of it shows more of what the teacher holds less likely.
    """

    models: tuple[str, ...] = ()
    share: float = 0.5
    temperature: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            allowed = "above 0, up to 1"
            raise ConfigError("teaching.share", got=str(self.share), allowed=allowed)
        if not 0 < self.temperature < float("inf"):
            raise ConfigError("teaching.temperature", got=str(self.temperature), allowed="above 0")

    def teacher(
        self,
        root: Path,
        preparation: Preparation,
        classes: Sequence[Structure],
        device: torch.device,
    ) -> "Teacher | None":
        """The models, ready to be asked; None where nobody teaches.

        Args:
            root: folder of the RUN.toml.
            preparation: of what is learnt from.
            classes: that are learnt, the background first.
            device: where everything is.

        Raises:
            ModelError: no such model.
            ConfigError: one of other structures, another preparation, or of volumes.
        """
        if not self.models:
            return None
        from heartseg.segment import load_bundle, shipped_bundles
        from heartseg.segment.torch_runtime import load_network

        networks = []
        for name in self.models:
            bundle = load_bundle(name if name in shipped_bundles() else root / name)
            _require_alike(bundle, preparation, classes)
            networks.append(load_network(bundle).to(device))
        return Teacher(networks, self.share, self.temperature)


class Teacher:
    """Networks that are asked, and never change.

    Args:
        networks: pixels (n, channels, y, x) -> logits (n, classes, y, x).
        share, temperature: as `Teaching` says.
    """

    def __init__(self, networks: Sequence[nn.Module], share: float, temperature: float) -> None:
        self._networks = [one.eval().requires_grad_(False) for one in networks]
        self._share, self._temperature = share, temperature

    @torch.no_grad()
    def says(self, crops: Tensor) -> Tensor:
        """(n, classes, y, x) probabilities at the temperature, the mean of all networks."""
        each = [(one(crops).float() / self._temperature).softmax(1) for one in self._networks]
        return torch.stack(each).mean(0)

    def judge(self, answer: Tensor, crops: Tensor) -> Tensor:
        """The divergence of an answer (n, classes, y, x), logits, to the same crops."""
        own = (answer.float() / self._temperature).log_softmax(1)
        theirs = self.says(crops)
        apart = nn.functional.kl_div(own, theirs, reduction="none").sum(1).mean()
        return apart * self._temperature**2

    def beside(self, loss: Tensor, apart: Tensor) -> Tensor:
        """The loss of the labels and what the teacher adds to it, each by its share."""
        return (1 - self._share) * loss + self._share * apart


def _require_alike(
    bundle: "Bundle", preparation: Preparation, classes: Sequence[Structure]
) -> None:
    where = f"teaching.models: {bundle.name}"
    if tuple(bundle.structures) != tuple(classes):
        mine = ", ".join(one.key for one in classes[1:])
        theirs = ", ".join(one.key for one in bundle.structures[1:])
        raise ConfigError(where, got=f"a model of {theirs}", allowed=f"one of {mine}")
    if bundle.window is not None:
        raise ConfigError(
            where, got="a model that sees through a window", allowed="of whole planes"
        )
    # The size of whole planes is of no matter to crops.
    theirs_prepared = replace(
        bundle.preparation, stride=preparation.stride, field_px=preparation.field_px
    )
    if theirs_prepared != preparation:
        raise ConfigError(
            where,
            got=f"prepared by {theirs_prepared}",
            allowed=f"as this run prepares: {preparation}",
            do="train the teacher with the same [preparation]",
        )
