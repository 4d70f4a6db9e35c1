"""The adversaries at work: what they add to a loss, and how the one that learns does so.

What they look at is computed in f32, whatever the precision of the run: a direction of gradients
that halves have lost is no direction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError
from heartseg.losses import IGNORED
from heartseg.losses.divergence import channel_divergence, divergence
from heartseg.models.answer import Answer, regions_of
from heartseg.train.adversary import MaskJudge, Perturbed
from heartseg.train.learning import Learning
from heartseg.train.objective import Criterion
from heartseg.train.rivals import Rivals
from heartseg.train.task import Numbers
from heartseg.train.update import Judged

PROBE = 1e-3
"""Root mean square of the change by which the most harmful direction is sought."""

_MASKS = "masks"
_UNDERFLOW = 2.0**12
"""A loss is that much larger while signs of its gradient are taken: halves would lose the small."""


class Hardening:
    """What the adversaries of an objective add to it.

    Args:
        criterion: with an objective that names one or both.
        device: where the discriminator is.
    """

    def __init__(self, criterion: Criterion, device: torch.device) -> None:
        self._criterion, objective = criterion, criterion.objective
        self._perturbed, self._masks = objective.perturbed, objective.masks
        self._rivals: Rivals | None = None
        self._pairs: list[tuple[Tensor, Tensor]] = []
        if self._masks is not None:
            channels = objective.channels(criterion.classes)
            rates = _rates(self._masks)
            described = self._masks.discriminator
            self._rivals = Rivals(described, channels, (_MASKS,), rates, 0, device)

    def judge(
        self,
        network: nn.Module,
        pixels: Tensor,
        truth: Tensor,
        judged: tuple[Answer, Judged],
        chance: tuple[int, torch.Generator],
    ) -> Judged:
        """The loss with the adversaries' terms; "loss" goes on to be that of the labels alone.

        Args:
            network: that learns.
            pixels: its input, (n, channels, y, x); with `needs_slope` it has to require a gradient.
            truth: (n, y, x) class indices, or `IGNORED`.
            judged: its answer, and what the criterion makes of that.
            chance: steps taken so far, and the run's randomness.
        """
        (answer, (loss, parts)), (step, generator) = judged, chance
        finest = _finest(answer)
        total, told = loss, dict(parts)
        if self._perturbed is not None:
            harm = self._harm(network, pixels, truth, (finest, loss), generator)
            total, told["perturbed"] = total + self._perturbed.weight * harm, harm
        if self._masks is not None and self._rivals is not None:
            opinion = self._opinion(self._rivals, finest, truth)
            rising = min(1.0, step / self._masks.warm_up) if self._masks.warm_up else 1.0
            total, told["masks"] = total + rising * self._masks.weight * opinion, opinion
        return total, told

    @property
    def needs_slope(self) -> bool:
        """Whether the input has to require a gradient."""
        return self._perturbed is not None and self._perturbed.kind == "fgsm"

    def step(self, rate: float, generator: torch.Generator) -> Numbers:
        """The discriminator learns from the masks that were judged since it last did."""
        if self._rivals is None:
            return {}
        drawn, made = (torch.cat(masks) for masks in zip(*self._pairs, strict=True))
        self._pairs.clear()
        return self._rivals.step(rate, {_MASKS: (drawn, made)}, generator)

    def state(self) -> dict[str, Any]:
        """The discriminator, where there is one."""
        return {} if self._rivals is None else {"rivals": self._rivals.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the one that gave this state."""
        if self._rivals is not None:
            self._rivals.restore(state["rivals"])

    def _harm(
        self,
        network: nn.Module,
        pixels: Tensor,
        truth: Tensor,
        before: tuple[Tensor, Tensor],
        generator: torch.Generator,
    ) -> Tensor:
        """The loss on changed images."""
        asked, (logits, loss) = self._perturbed, before
        if asked is None:
            return loss.new_zeros(())
        with _statistics_kept(network):
            if asked.kind == "fgsm":
                changed = by_sign(pixels, loss, asked.size)
                return self._criterion.judge(network(changed), truth)[0]
            changed = self._most_harmful(network, pixels.detach(), logits, generator)
            return self._apart(logits, _finest(network(changed)).float())

    def _most_harmful(
        self, network: nn.Module, pixels: Tensor, logits: Tensor, generator: torch.Generator
    ) -> Tensor:
        """The images, changed by `size` in the direction in which the answer changes most."""
        asked = self._perturbed or Perturbed()
        noise = torch.randn(pixels.shape, generator=generator, device=generator.device)
        direction = _of_size(noise.to(pixels), 1.0)
        for _ in range(asked.rounds):
            probe = (PROBE * direction).requires_grad_()
            far = self._apart(logits, _finest(network(pixels + probe)).float())
            (slope,) = torch.autograd.grad(far, probe)
            direction = _of_size(slope, 1.0)
        return pixels + asked.size * direction.detach()

    def _apart(self, before: Tensor, after: Tensor) -> Tensor:
        sigmoid = self._criterion.objective.activation == "sigmoid"
        return channel_divergence(before, after) if sigmoid else divergence(before, after)

    def _opinion(self, rivals: Rivals, logits: Tensor, truth: Tensor) -> Tensor:
        """How far masks are from being taken for drawn ones; keeps both kinds for `step`."""
        sigmoid = self._criterion.objective.activation == "sigmoid"
        made = logits.sigmoid() if sigmoid else logits.softmax(1)
        known = (truth != IGNORED)[:, None]
        classes = truth.long().where(truth != IGNORED, 0)
        shares = nn.functional.one_hot(classes, self._criterion.classes).movedim(-1, 1).float()
        drawn = shares[:, 1:] if sigmoid else shares
        # Where nobody drew, the drawn mask is the network's own: there is nothing to tell apart.
        self._pairs.append((torch.where(known, drawn, made.detach()), made.detach()))
        return rivals.opinion(_MASKS, made)


def by_sign(pixels: Tensor, loss: Tensor, size: float) -> Tensor:
    """(n, ...) images, every pixel changed by `size` to where the loss rises (Goodfellow 2015).

    Args:
        pixels: that the loss was computed from; they require a gradient.
        loss: whose graph is kept.
        size: of the change.
    """
    (slope,) = torch.autograd.grad(loss * _UNDERFLOW, pixels, retain_graph=True)
    return (pixels + size * slope.sign()).detach()


def require_fit(masks: MaskJudge | None, dimensions: int, answered_px: int, processes: int) -> None:
    """Refuse adversaries that cannot work with this network.

    Args:
        masks: the judge of masks, if any; other adversaries take every network.
        dimensions: of the network's images.
        answered_px: rows and columns of its answers in training.
        processes: that train together.

    Raises:
        ConfigError: with what can be done.
    """
    if processes > 1:
        got = f"an adversary and {processes} processes"
        raise ConfigError("loss", got=got, allowed="one process with loss.perturbed or loss.masks")
    if masks is None:
        return
    if dimensions != 2:
        raise ConfigError("loss.masks", got="a network of volumes", allowed="networks of planes")
    least = masks.discriminator.smallest_px
    if answered_px < least:
        got = f"answers of {answered_px} pixels"
        do = "lower loss.masks.discriminator.halvings, or raise spatial.size_px"
        raise ConfigError("loss.masks", got=got, allowed=f"at least {least}", do=do)


def _rates(masks: MaskJudge) -> Learning:
    """Adam with the momentum that adversarial training takes (Radford 2016), no average."""
    return Learning(
        optimiser="adam", rate=masks.rate, weight_decay=0.0, momentum=0.5, average=0.0, clip=None
    )


def _finest(answer: Answer) -> Tensor:
    return regions_of(answer)[0].float()


def _of_size(change: Tensor, size: float) -> Tensor:
    """With the root mean square `size`, image by image."""
    lengths = change.flatten(1).square().mean(1).sqrt().clamp(min=1e-20)
    return change * (size / lengths).view(-1, *(1,) * (change.ndim - 1))


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """Normalisation by the batch as ever, but what it remembers stays that of real images."""
    kinds = (nn.modules.batchnorm._BatchNorm,)
    before = {layer: layer.momentum for layer in network.modules() if isinstance(layer, kinds)}
    try:
        for layer in before:
            layer.momentum = 0.0
        yield
    finally:
        for layer, momentum in before.items():
            layer.momentum = momentum
