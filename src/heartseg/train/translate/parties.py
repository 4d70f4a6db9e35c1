"""Who learns in a translation: generators, discriminators, and who watches the anatomy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from heartseg.train.rivals import Rivals
from heartseg.train.task import Numbers
from heartseg.train.translate.looks import Look, numbers_of
from heartseg.train.translate.settings import TranslateSettings
from heartseg.train.translate.unpaired import Crops, Unpaired
from heartseg.train.translate.witness import Witness
from heartseg.train.update import Judged, Update

Pairs = Mapping[str, tuple[Tensor, Tensor]]
"""Real and made images of each kind that is made."""


class Parties:
    """The networks of a translation, and all that their next step depends on.

    Args:
        networks: that make images, and what else learns with them; moved to the data's device.
        settings: of the run.
        data: images of both kinds.
        fixed: crops that pictures and numbers on the way are made of.
        witness: who has to see the same anatomy before and after; None for nobody.
        kinds: that are made, each with a discriminator.
        history: images of each kind that a discriminator is shown again.

    Attributes:
        networks: as given.
        average: the same with their moving-average weights, which are what is kept.
        rivals: the discriminators.
        generator: of chance.
        fixed, witness: as given.
    """

    def __init__(
        self,
        networks: nn.ModuleDict,
        settings: TranslateSettings,
        data: Unpaired,
        fixed: Crops,
        witness: Witness | None,
        *,
        kinds: Sequence[str],
        history: int,
    ) -> None:
        self.networks = networks.to(data.device)
        self._settings, self._data, self.witness = settings, data, witness
        self._learning = settings.learning.of_generators()
        self._update = Update(self.networks, self._learning)
        self.average = cast(nn.ModuleDict, self._update.average)
        rates = settings.learning.of_discriminators()
        self.rivals = Rivals(
            settings.discriminator, settings.channels, kinds, rates, history, data.device
        )
        self.generator = torch.Generator(data.device).manual_seed(settings.seed)
        self.fixed = fixed

    def draw(self) -> Crops:
        """A batch of both kinds."""
        asked = self._settings.learning
        return self._data.draw(asked.batch, asked.away, self._settings.spatial, self.generator)

    def autocast(self) -> torch.autocast:
        """The precision of the generators."""
        return self._learning.autocast(self._data.device)

    def truth_of(self, crops: Crops) -> Tensor | None:
        """The labels of the source, where it has any."""
        return crops.truth if self._data.labelled else None

    def step(self, rate: float, judge: Callable[[], Judged], pairs: Pairs) -> Numbers:
        """The generators learn, then the discriminators from what was made.

        Args:
            rate: share of the learning rate.
            judge: makes images, puts them into `pairs`, and says how bad they are.
            pairs: filled by `judge`.
        """
        self.networks.train()
        # A witness may have dropout, which draws from torch's own generator: by the step, so that a
        # resumed run goes on. The seed is part of the generator's state.
        torch.manual_seed((self.generator.initial_seed() * 1_000_003 + self._update.steps) % 2**63)
        told = self._update.step(rate, judge)
        return {**told, **self.rivals.step(rate, pairs, self.generator)}

    def witnessed(self, rate: float, images: Tensor, truth: Tensor) -> Numbers:
        """The witness learns, where there is one and it does."""
        return self.witness.learn(rate, images, truth) if self.witness else {}

    def weighed(
        self, parts: Mapping[str, Tensor], weights: Mapping[str, float], anatomy: Tensor | None
    ) -> Judged:
        """The sum of the terms by their weights, and all of them to log.

        Args:
            parts: the terms by name.
            weights: of each.
            anatomy: what the witness says, whose weight may rise slowly.
        """
        found, by = dict(parts), dict(weights)
        if anatomy is not None and self.witness is not None:
            found["anatomy"], by["anatomy"] = anatomy, self.witness.weight(self._update.steps)
        loss = torch.stack([by[name] * part for name, part in found.items()]).sum()
        return loss, {**found, "loss": loss}

    def numbers(self, looks: Mapping[str, Look]) -> Numbers:
        """What the fixed images say."""
        return numbers_of(looks["source"], looks["target"], self.fixed.truth, self.witness)

    def state(self) -> dict[str, Any]:
        """Weights of everybody, optimisers, earlier images, the generator of chance."""
        return {
            "makers": self._update.state(),
            "rivals": self.rivals.state(),
            "witness": self.witness.state() if self.witness else {},
            "generator": self.generator.get_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become those that gave this state."""
        self._update.restore(state["makers"])
        self.rivals.restore(state["rivals"])
        if self.witness:
            self.witness.restore(state["witness"])
        self.generator.set_state(state["generator"])
