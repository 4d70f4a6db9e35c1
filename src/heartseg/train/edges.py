"""How the borders are judged that some networks draw in training, beside their regions."""

from dataclasses import dataclass

from torch import Tensor

from heartseg.core.errors import ConfigError
from heartseg.losses import balanced_edge_loss, edge_bands

LOGGED = "edge_loss"
"""Its name in the log."""

WIDEST_PX = 31
"""Wider bands of neighbouring structures would cover both of them whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLoss:
    """How borders are judged.

    Attributes:
        width_px: of the borders that are drawn along the labels, in pixels of the crop: half of it
            outside the structure and half inside, an odd pixel inside.
        weight: of the edge loss, beside the weighted sum of the terms.
    """

    width_px: int = 2
    weight: float = 0.5

    def __post_init__(self) -> None:
        if not 1 <= self.width_px <= WIDEST_PX:
            allowed = f"1 to {WIDEST_PX} pixels"
            raise ConfigError("loss.edges.width_px", got=str(self.width_px), allowed=allowed)
        if not 0 < self.weight < float("inf"):
            do = "edge-attention-fusion has an edge branch that is not judged"
            raise ConfigError(
                "loss.edges.weight", got=str(self.weight), allowed="a number above 0", do=do
            )

    def of(self, edges: Tensor, truth: Tensor, classes: int) -> Tensor:
        """The loss, not yet weighed.

        Args:
            edges: (n, channels, ...) logits, a channel for each of the last classes.
            truth: (n, ...) class indices; `IGNORED` counts nowhere.
            classes: how many, background included.
        """
        first = classes - edges.shape[1]  # 1 where the background has no channel
        return balanced_edge_loss(edges, edge_bands(truth, range(first, classes), self.width_px))
