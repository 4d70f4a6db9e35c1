"""The task of CycleGAN: two generators and two discriminators in the loop (Zhu 2017).

L = adversarial + cycle (|F(G(a)) - a| + |G(F(b)) - b|) + identity (|G(b) - b| + |F(a) - a|), and,
where they are asked for, the consistency of edges between an image and its translation, and of the
anatomy that a witness sees. G makes the target of the source, F the source of the target.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.losses.gradients import gradient_consistency
from heartseg.models.generators import generator
from heartseg.train.task import Numbers
from heartseg.train.translate.looks import Look
from heartseg.train.translate.methods import CycleGAN
from heartseg.train.translate.parties import Parties
from heartseg.train.translate.settings import TranslateSettings
from heartseg.train.translate.unpaired import Crops, Unpaired
from heartseg.train.translate.witness import Witness
from heartseg.train.update import Judged

THERE, BACK = "there", "back"
"""G and F among the networks of a task, and in its checkpoints."""


class CycleTranslate:
    """Train G and F on unpaired images; a `Task`.

    Args:
        settings: of the run.
        method: the weights of the terms.
        data: images of both kinds.
        fixed: crops that pictures and numbers on the way are made of.
        witness: who has to see the same anatomy before and after; None for nobody.

    Attributes:
        parties: everybody who learns; G and F are their networks `THERE` and `BACK`.
    """

    def __init__(
        self,
        settings: TranslateSettings,
        method: CycleGAN,
        data: Unpaired,
        fixed: Crops,
        witness: Witness | None,
    ) -> None:
        self._method = method
        described = generator(settings.generator)
        makers = nn.ModuleDict({n: described.build(settings.channels) for n in (THERE, BACK)})
        kinds = ("source", "target")
        self.parties = Parties(
            makers, settings, data, fixed, witness, kinds=kinds, history=method.history
        )

    def step(self, rate: float) -> Numbers:
        """Draw, translate there and back, learn; then the discriminators, then the witness."""
        crops = self.parties.draw()
        pairs: dict[str, tuple[Tensor, Tensor]] = {}
        told = self.parties.step(rate, lambda: self._judge(crops, pairs), pairs)
        images = torch.cat([crops.source, pairs["target"][1]])
        return {**told, **self.parties.witnessed(rate, images, crops.truth.repeat(2, 1, 1))}

    def look(self) -> dict[str, Look]:
        """Fixed images of each kind: as they are, translated, and back again."""
        there, back = self.parties.average[THERE], self.parties.average[BACK]
        fixed, found = self.parties.fixed, {}
        with torch.no_grad(), self.parties.autocast():
            for kind, images, go, come in (
                ("source", fixed.source, there, back),
                ("target", fixed.target, back, there),
            ):
                after = go(images)
                found[kind] = Look(images, after.float(), come(after).float())
        return found

    def validate(self) -> Numbers:
        """Numbers of the fixed images; no "score", since none of them ranks translations."""
        return self.parties.numbers(self.look())

    def state(self) -> dict[str, Any]:
        """Of everybody."""
        return self.parties.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the task that gave this state."""
        self.parties.restore(state)

    def _judge(self, crops: Crops, pairs: dict[str, tuple[Tensor, Tensor]]) -> Judged:
        a, b, method = crops.source, crops.target, self._method
        there, back = self.parties.networks[THERE], self.parties.networks[BACK]
        with self.parties.autocast():
            made_b, made_a = there(a), back(b)
            back_a, back_b = back(made_b).float(), there(made_a).float()
            same = (there(b).float(), back(a).float()) if method.identity else None
        made_a, made_b = made_a.float(), made_b.float()
        pairs |= {"source": (a, made_a.detach()), "target": (b, made_b.detach())}
        opinion = self.parties.rivals.opinion
        parts = {
            "adversarial": opinion("target", made_b) + opinion("source", made_a),
            "cycle": _apart(back_a, a) + _apart(back_b, b),
        }
        weights = {"adversarial": method.adversarial, "cycle": method.cycle}
        if same is not None:
            parts["identity"] = _apart(same[0], b) + _apart(same[1], a)
            weights["identity"] = method.identity
        if method.edges:
            e = method.edge
            parts["edges"] = gradient_consistency(a, made_b, e) + gradient_consistency(b, made_a, e)
            weights["edges"] = method.edges
        anatomy = self._anatomy(crops, made_b, back_a, made_a, back_b)
        return self.parties.weighed(parts, weights, anatomy)

    def _anatomy(self, crops: Crops, *made: Tensor) -> Tensor | None:
        """What the witness says of G(a), F(G(a)), F(b) and G(F(b))."""
        witness = self.parties.witness
        if witness is None:
            return None
        made_b, back_a, made_a, back_b = made
        ours = witness.reference("source", crops.source, self.parties.truth_of(crops))
        theirs = witness.reference("target", crops.target)
        return witness.disagreement(
            [
                ("target", made_b, ours),
                ("source", back_a, ours),
                ("source", made_a, theirs),
                ("target", back_b, theirs),
            ]
        )


def _apart(one: Tensor, other: Tensor) -> Tensor:
    return nn.functional.l1_loss(one, other)
