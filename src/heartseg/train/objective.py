"""What training makes small: losses by name, with weights."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError, StudyError
from heartseg.losses import (
    IGNORED,
    LOSSES,
    Loss,
    border_cross_entropy,
    cross_entropy,
    deeply_supervised,
)
from heartseg.losses.channels import CHANNEL_LOSSES, channel_cross_entropy
from heartseg.models.answer import Answer, edges_of, regions_of
from heartseg.models.background import with_background
from heartseg.train.adversary import MaskJudge, Perturbed
from heartseg.train.edges import LOGGED as EDGES
from heartseg.train.edges import EdgeLoss
from heartseg.train.ranks import Ranks
from heartseg.train.teacher import Teacher

_ALONE = Ranks()

ENTROPY, BORDER = "cross-entropy", "border-cross-entropy"
_LOGGED: Mapping[str, str] = {"dice": "soft_dice_loss"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The losses and their weights; what is made small is the weighted sum.

    Attributes:
        terms: pairs of a loss's name and its weight, e.g. `[["cross-entropy", 1], ["dice", 1]]`;
            of `cross-entropy`, `dice`, `focal` and `tversky`, and with softmax also of
            `border-cross-entropy`, `dice-and-cross-entropy`, `generalised-dice`,
            `dice-and-boundary` and `dice-and-hausdorff`.
        activation: `softmax`, where a voxel is of one class, or `sigmoid`, a channel for each
            structure and none for the background (papers 001 and 003). The bundle knows.
        class_weights: of the cross-entropies. `equal`; `balanced`, each class by the inverse of its
            share of the training labels; or a number for each class, the background first.
        ignored: keys of structures that the labels hold and that are neither learnt nor
            background, such as `scar`: their voxels count nowhere.
        edges: how borders are judged, for networks that draw them in training only; None takes the
            defaults.
        perturbed: a term of images changed to where it hurts most; none has none.
        masks: a term of masks that a discriminator takes for drawn ones; none has none.
    """

    terms: tuple[tuple[str, float], ...] = ((ENTROPY, 1.0), ("dice", 1.0))
    activation: Literal["softmax", "sigmoid"] = "softmax"
    class_weights: Literal["equal", "balanced"] | tuple[float, ...] = "equal"
    ignored: tuple[str, ...] = ()
    edges: EdgeLoss | None = None
    perturbed: Perturbed | None = None
    masks: MaskJudge | None = None

    def __post_init__(self) -> None:
        known = self._known()
        names = [name for name, _ in self.terms]
        if not names or len(set(names)) < len(names) or not set(names) <= set(known):
            allowed = f"each once, of {', '.join(known)}"
            raise ConfigError("loss.terms", got=", ".join(names) or "none", allowed=allowed)
        if not all(0 < weight < float("inf") for _, weight in self.terms):
            raise ConfigError("loss.terms", got=str(self.terms), allowed="weights above 0")
        if self.class_weights != "equal" and not {ENTROPY, BORDER} & set(names):
            do = f"add {ENTROPY} to loss.terms, or leave loss.class_weights out"
            raise ConfigError("loss.class_weights", got=f"no {ENTROPY} to weigh", do=do)
        unknown = [key for key in self.ignored if key not in STRUCTURES_BY_KEY]
        if unknown:
            raise ConfigError(
                "loss.ignored", got=repr(unknown[0]), allowed=", ".join(STRUCTURES_BY_KEY)
            )

    @property
    def hardened(self) -> bool:
        """Whether there is an adversary."""
        return self.perturbed is not None or self.masks is not None

    @property
    def ignores(self) -> tuple[Structure, ...]:
        """The structures that count nowhere."""
        return tuple(STRUCTURES_BY_KEY[key] for key in self.ignored)

    def channels(self, classes: int) -> int:
        """Channels of the network's output for so many classes, background included."""
        return classes - (self.activation == "sigmoid")

    def classes_of(self, logits: Tensor) -> Tensor:
        """(n, channels, ...) logits -> (n, ...) index of the likeliest class."""
        likeliest: Tensor = self.with_all(logits).argmax(1)
        return likeliest

    def with_all(self, logits: Tensor) -> Tensor:
        """(n, channels, ...) -> (n, classes, ...) as the bundle answers."""
        return with_background(logits) if self.activation == "sigmoid" else logits

    def weights(self, labels: Sequence[NDArray[np.uint8]], classes: int) -> Tensor | None:
        """(classes,) of the cross-entropy, mean 1 over the voxels where balanced; None for equal.

        Args:
            labels: class indices that are trained on, any shape.
            classes: how many, background included.

        Raises:
            ConfigError: not a number for each class.
            StudyError: a class that has no voxel, and so no share.
        """
        if self.class_weights == "equal":
            return None
        if self.class_weights == "balanced":
            return _balanced(labels, classes)
        given = self.class_weights
        if len(given) != classes or min(given) < 0 or max(given) == 0:
            raise ConfigError(
                "loss.class_weights", got=str(list(given)), allowed=f"{classes} numbers from 0"
            )
        return torch.tensor(given, dtype=torch.float32)

    def functions(
        self, class_weights: Tensor | None, sparse: bool = False
    ) -> list[tuple[str, float, Loss]]:
        """(name in the log, weight, loss) of each term.

        Args:
            class_weights: of the cross-entropy.
            sparse: the truth holds voxels that nobody annotated.
        """
        return [
            (_logged(name), weight, self._function(name, class_weights, sparse))
            for name, weight in self.terms
        ]

    def _function(self, name: str, class_weights: Tensor | None, sparse: bool) -> Loss:
        if name == BORDER:
            return partial(border_cross_entropy, class_weights=class_weights)
        if name != ENTROPY:
            return self._known()[name]
        if self.activation == "sigmoid":
            return partial(channel_cross_entropy, class_weights=class_weights)
        if class_weights is not None or self.ignored or sparse:
            return partial(cross_entropy, class_weights=class_weights)
        return nn.functional.cross_entropy  # the same mean, one kernel; runs go on to the bit

    def _known(self) -> Mapping[str, Loss]:
        return CHANNEL_LOSSES if self.activation == "sigmoid" else LOSSES


class Criterion:
    """An objective that knows its classes, ready to judge the answers of all processes.

    Args:
        objective: settings.
        classes: how many, background included.
        class_weights: (classes,) or None, see `Objective.weights`.
        ranks: the processes that answer together.
        sparse: the truth holds voxels that nobody annotated.
        teacher: whose answers are learnt beside the labels; None for nobody.
    """

    def __init__(
        self,
        objective: Objective,
        classes: int,
        class_weights: Tensor | None = None,
        ranks: Ranks = _ALONE,
        *,
        sparse: bool = False,
        teacher: Teacher | None = None,
    ) -> None:
        self.objective, self.classes, self.ranks = objective, classes, ranks
        self.teacher = teacher
        self._ignoring = sparse or bool(objective.ignored)
        self._terms = objective.functions(class_weights, sparse)
        self._edges = objective.edges or EdgeLoss()

    def judge(self, answer: Answer, truth: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """What to make small, and to log: each term by its name, and "loss", their weighted sum.

        Borders that the answer holds are made small too, and logged as "edge_loss". They are not in
        "loss", so that it goes on to mean what it means on validated frames, where none are drawn.

        Args:
            answer: (n, channels, ...) logits, a tuple of levels, the finest first, or these with
                the borders, to this process's share of the batch.
            truth: (n, ...) class indices of the whole batch; `IGNORED` counts nowhere.
        """
        whole = self.ranks.whole([one.float() for one in regions_of(answer)])
        found = {name: deeply_supervised(loss, whole, truth) for name, _, loss in self._terms}
        parts = [found[name] if w == 1 else w * found[name] for name, w, _ in self._terms]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        found["loss"] = total
        edges = edges_of(answer)
        if edges is not None:
            (drawn,) = self.ranks.whole([edges.float()])
            found[EDGES] = self._edges.of(drawn, truth, self.classes)
            total = total + self._edges.weight * found[EDGES]
        # Gradients become means over the processes, and each is but its own answers' part.
        count = self.ranks.count
        return total if count == 1 else total * count, found

    @property
    def carried(self) -> int:
        """Classes that moving planes has to know: one more where `IGNORED` is carried as one."""
        return self.classes + self._ignoring

    def truth_of(self, carried: Tensor) -> Tensor:
        """The truth to judge by: the class that `IGNORED` was carried as is `IGNORED` again."""
        if not self._ignoring:
            return carried
        return carried.where(carried != self.classes, IGNORED)

    def alone(self) -> "Criterion":
        """The same for answers that this process alone gave."""
        mine = copy(self)
        mine.ranks = _ALONE
        return mine


def _logged(name: str) -> str:
    return _LOGGED.get(name, name.replace("-", "_"))


def _balanced(labels: Sequence[NDArray[np.uint8]], classes: int) -> Tensor:
    counts = sum((np.bincount(one.ravel(), minlength=256) for one in labels), np.zeros(256, int))
    voxels = np.asarray(counts)[:classes].astype(float)
    if not voxels.all():
        raise StudyError(
            "loss.class_weights",
            got=f"no training voxel of class {int(voxels.argmin())}, so no share to balance",
            do="learn structures that the labels hold, or give the weights as numbers",
        )
    return torch.from_numpy(voxels.sum() / (classes * voxels)).float()
