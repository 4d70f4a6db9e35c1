"""Who says that the anatomy stayed: a segmenter, frozen or learning on the way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.models import architecture
from heartseg.models.architecture import per_axis
from heartseg.prepare import Preparation
from heartseg.segment import Bundle, load_bundle, shipped_bundles
from heartseg.segment.torch_runtime import load_network
from heartseg.train.learning import Learning
from heartseg.train.objective import Criterion, Objective
from heartseg.train.task import Numbers
from heartseg.train.translate.methods import Anatomy, Kind
from heartseg.train.translate.settings import TranslateSettings
from heartseg.train.update import Judged, Update

Asked = tuple[Kind, Tensor, Tensor | None]
"""Of which kind images are, the images, and (n, y, x) classes to judge what is seen in them by."""

ALIKE = ("spacing_mm", "percentiles", "window", "denoise_px", "clahe", "neighbours")
"""Of a preparation: what has to be as a segmenter was trained, for it to understand an image."""


class Witness:
    """Judges images by what a segmenter sees in them.

    Args:
        network: (n, channels, y, x) -> logits of the classes; its weights stay as they are, in
            training it does not.
        classes: how many, background included.
        settings: whom it knows, how much it counts.

    Attributes:
        network, classes: as given.
    """

    def __init__(self, network: nn.Module, classes: int, settings: Anatomy) -> None:
        self.network, self.classes, self._settings = network, classes, settings
        self._criterion = Criterion(Objective(), classes)

    def sees(self, kind: Kind) -> bool:
        """Whether it knows images of this kind."""
        return kind in self._settings.sees

    def weight(self, step: int) -> float:
        """Of the term at a step from 0."""
        warm_up = self._settings.warm_up
        return self._settings.weight * (min(1.0, step / warm_up) if warm_up else 1.0)

    def reference(self, kind: Kind, before: Tensor, truth: Tensor | None = None) -> Tensor | None:
        """(n, y, x) classes to judge by: the truth, else what is seen, else nothing."""
        if truth is not None:
            return truth
        return self.seen(before) if self.sees(kind) else None

    def disagreement(self, asked: Sequence[Asked]) -> Tensor:
        """Mean over what it can judge of cross-entropy + soft Dice loss; 0 where it can nothing."""
        losses = [
            self._criterion.judge(self.network(after), reference)[0]
            for kind, after, reference in asked
            if reference is not None and self.sees(kind)
        ]
        return torch.stack(losses).mean() if losses else torch.zeros(())

    @torch.no_grad()
    def seen(self, images: Tensor) -> Tensor:
        """(n, y, x) the likeliest class."""
        return self._criterion.objective.classes_of(self.network(images))

    def learn(self, rate: float, images: Tensor, truth: Tensor) -> Numbers:
        """Nothing: it knows what it knows."""
        return {}

    def state(self) -> dict[str, Any]:
        """Nothing that changes."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing that changed."""


class Learner(Witness):
    """A witness that learns on the way; what it says is what its moving-average weights say.

    Args:
        network: whose weights learn.
        classes: how many, background included.
        settings: how fast it learns, how much it counts.
    """

    def __init__(self, network: nn.Module, classes: int, settings: Anatomy) -> None:
        self._student = network
        self._update = Update(network, Learning(rate=settings.joint_rate, average=0.99))
        super().__init__(self._update.average, classes, settings)

    def learn(self, rate: float, images: Tensor, truth: Tensor) -> Numbers:
        """A step on labelled images."""

        def judge() -> Judged:
            return self._criterion.judge(self._student.train()(images), truth)

        told = self._update.step(rate, judge)
        return {"witness_loss": told["loss"]}

    def state(self) -> dict[str, Any]:
        """Weights, their average, the optimiser."""
        return self._update.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become the one that gave this state."""
        self._update.restore(state)


class SharedClasses(nn.Module):
    """A bundle's network that answers about some of its structures; all others are background.

    Args:
        network: with a channel for each of `has`.
        has: the bundle's structures, the background first.
        wanted: the structures to answer about, the background first.
    """

    def __init__(
        self, network: nn.Module, has: Sequence[Structure], wanted: Sequence[Structure]
    ) -> None:
        super().__init__()
        self.network = network
        self._kept = [has.index(one) for one in wanted[1:]]
        self._rest = [index for index in range(len(has)) if index not in self._kept]

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, y, x) -> logits (n, wanted, y, x)."""
        logits: Tensor = self.network(images).float()
        rest = logits[:, self._rest].logsumexp(1, keepdim=True)
        return torch.cat([rest, logits[:, self._kept]], dim=1)


def witness_of(
    settings: TranslateSettings, root: Path, device: torch.device, *, labelled: bool
) -> Witness | None:
    """The witness that settings ask for; None where they ask for none.

    Args:
        settings: of the run.
        root: folder of the RUN.toml.
        device: where it is.
        labelled: whether the source has labels.

    Raises:
        ConfigError: it cannot judge these images, or has nothing to judge them by.
        ModelError: no such bundle, or a broken one.
    """
    asked = settings.anatomy
    if asked is None:
        return None
    classes = settings.classes()
    if not labelled and (asked.joint is not None or len(asked.sees) < 2):
        got = "a source without labels, and a segmenter that does not know both kinds"
        raise ConfigError("anatomy", got=got, allowed="labels, or a segmenter of both kinds")
    if asked.joint is not None:
        return Learner(_fresh(asked.joint, settings).to(device), len(classes), asked)
    name = str(asked.frozen)
    bundle = load_bundle(name if name in shipped_bundles() else root / name)
    for kind in asked.sees:
        side = settings.source if kind == "source" else settings.target
        _require_alike(bundle, side.preparation, kind)
    _require_fit(bundle, classes, settings.spatial.size_px)
    network = SharedClasses(load_network(bundle), bundle.structures, classes)
    return Witness(network.to(device).eval().requires_grad_(False), len(classes), asked)


def _fresh(table: Mapping[str, Any], settings: TranslateSettings) -> nn.Module:
    described = architecture(table)
    stride = max(per_axis(described.stride, described.dimensions))
    padded = not any(per_axis(described.margin, described.dimensions))
    if described.dimensions != 2 or not padded or settings.spatial.size_px % stride:
        got = f"a network of stride {stride} for crops of {settings.spatial.size_px} pixels"
        allowed = "a padded network of planes whose stride divides spatial.size_px"
        raise ConfigError("anatomy.joint", got=got, allowed=allowed)
    return described.build(settings.channels, len(settings.classes()))


def _require_alike(bundle: Bundle, mine: Preparation, kind: Kind) -> None:
    for name in ALIKE:
        there, here = getattr(bundle.preparation, name), getattr(mine, name)
        if there != here:
            raise ConfigError(
                f"{kind}.preparation.{name}",
                got=str(here),
                allowed=f"{there}, which '{bundle.name}' was trained with",
                do=f"set it so, or leave {kind} out of anatomy.sees",
            )


def _require_fit(bundle: Bundle, classes: Sequence[Structure], size_px: int) -> None:
    missing = [one.key for one in classes if one not in bundle.structures]
    if missing:
        got = f"'{bundle.name}', which knows no {', '.join(missing)}"
        raise ConfigError("anatomy.frozen", got=got, allowed="a model of the same structures")
    if bundle.window is not None or size_px % bundle.preparation.stride:
        got = f"'{bundle.name}' for crops of {size_px} pixels"
        allowed = f"a padded network of planes; multiples of {bundle.preparation.stride}"
        raise ConfigError("anatomy.frozen", got=got, allowed=allowed)
