"""The task of FastCUT: one generator, one discriminator, and the place of every patch (Park 2020).

L = adversarial + contrast NCE(G(a), a) + identity NCE(G(b), b), and, where they are asked for, the
consistency of edges and of the anatomy that a witness sees. NCE compares features of the
generator's own way down at drawn places, through two linear layers a level that learn with it. Half
the memory and time of a cycle, and no way back.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from heartseg.losses.contrastive import patch_contrast
from heartseg.losses.gradients import gradient_consistency
from heartseg.models.generators import generator
from heartseg.models.maker import Maker
from heartseg.models.patch_projection import PatchProjection, drawn_places
from heartseg.train.task import Numbers
from heartseg.train.translate.cycle_task import THERE
from heartseg.train.translate.looks import Look
from heartseg.train.translate.methods import FastCUT
from heartseg.train.translate.parties import Parties
from heartseg.train.translate.settings import TranslateSettings
from heartseg.train.translate.unpaired import Crops, Unpaired
from heartseg.train.translate.witness import Witness
from heartseg.train.update import Judged

PLACES = "places"
"""The layers that make vectors of features, beside the generator among the task's networks."""


class ContrastTranslate:
    """Train G on unpaired images; a `Task`.

    Args:
        settings: of the run.
        method: the weights of the terms.
        data: images of both kinds.
        fixed: crops that pictures and numbers on the way are made of.
        witness: who has to see the same anatomy before and after; None for nobody.

    Attributes:
        parties: everybody who learns; G is their network `THERE`.
    """

    def __init__(
        self,
        settings: TranslateSettings,
        method: FastCUT,
        data: Unpaired,
        fixed: Crops,
        witness: Witness | None,
    ) -> None:
        self._method = method
        described = generator(settings.generator)
        project = PatchProjection(described.encoded_widths(settings.channels), method.size)
        networks = nn.ModuleDict({THERE: described.build(settings.channels), PLACES: project})
        self.parties = Parties(
            networks, settings, data, fixed, witness, kinds=("target",), history=0
        )

    def step(self, rate: float) -> Numbers:
        """Draw, translate, learn; then the discriminator, then the witness."""
        crops = self.parties.draw()
        chance = self.parties.generator
        coin = torch.rand((), generator=chance, device=chance.device)
        mirrored = self._method.flip and bool(coin < 0.5)
        pairs: dict[str, tuple[Tensor, Tensor]] = {}
        told = self.parties.step(rate, lambda: self._judge(crops, mirrored, pairs), pairs)
        images = torch.cat([crops.source, pairs["target"][1]])
        truth = torch.cat([crops.truth, _turned(crops.truth, mirrored)])
        return {**told, **self.parties.witnessed(rate, images, truth)}

    def look(self) -> dict[str, Look]:
        """Fixed images of each kind as they are, and what G makes of them."""
        there, fixed = self.parties.average[THERE], self.parties.fixed
        with torch.no_grad(), self.parties.autocast():
            return {
                kind: Look(images, there(images).float())
                for kind, images in (("source", fixed.source), ("target", fixed.target))
            }

    def validate(self) -> Numbers:
        """Numbers of the fixed images; no "score", since none of them ranks translations."""
        return self.parties.numbers(self.look())

    def state(self) -> dict[str, Any]:
        """Of everybody."""
        return self.parties.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the task that gave this state."""
        self.parties.restore(state)

    def _judge(
        self, crops: Crops, mirrored: bool, pairs: dict[str, tuple[Tensor, Tensor]]
    ) -> Judged:
        method, there = self._method, cast(Maker, self.parties.networks[THERE])
        a = _turned(crops.source, mirrored)
        with self.parties.autocast():
            made = there(a)
            parts = {"contrast": self._contrast(there, made, crops.source, mirrored)}
            weights = {"contrast": method.contrast, "adversarial": method.adversarial}
            if method.identity:
                again = there(crops.target)
                parts["identity"] = self._contrast(there, again, crops.target, False)
                weights["identity"] = method.identity
        made = made.float()
        pairs |= {"target": (crops.target, made.detach())}
        parts["adversarial"] = self.parties.rivals.opinion("target", made)
        if method.edges:
            parts["edges"] = gradient_consistency(a, made, method.edge)
            weights["edges"] = method.edges
        return self.parties.weighed(parts, weights, self._anatomy(crops, made, mirrored))

    def _contrast(self, there: Maker, made: Tensor, before: Tensor, mirrored: bool) -> Tensor:
        """Mean over the levels of what tells the patches of an answer by their places."""
        project = cast(PatchProjection, self.parties.networks[PLACES])
        answered = [_turned(one, mirrored) for one in there.encoded(made)]
        with torch.no_grad():
            asked = there.encoded(before)
        places = drawn_places(asked, self._method.patches, self.parties.generator)
        queries, keys = project(answered, places), project(asked, places)
        losses = [
            patch_contrast(query.float(), key.float(), self._method.temperature)
            for query, key in zip(queries, keys, strict=True)
        ]
        return torch.stack(losses).mean()

    def _anatomy(self, crops: Crops, made: Tensor, mirrored: bool) -> Tensor | None:
        witness = self.parties.witness
        if witness is None:
            return None
        ours = witness.reference("source", crops.source, self.parties.truth_of(crops))
        return witness.disagreement(
            [("target", made, None if ours is None else _turned(ours, mirrored))]
        )


def _turned(images: Tensor, mirrored: bool) -> Tensor:
    return images.flip(-1) if mirrored else images
