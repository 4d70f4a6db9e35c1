"""Every method there is: the one list. A new one is its file in this folder and its line here.

The contract tests of `tests/explain/test_contract.py`, the command and the pages find it by this
line. In units, `{unit}` is that of the number that is explained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from heartseg.core.errors import ConfigError
from heartseg.explain.asked import Asked, Settings
from heartseg.explain.attention import attention
from heartseg.explain.disagreement import disagreement
from heartseg.explain.entropy import entropy
from heartseg.explain.grad_cam import grad_cam
from heartseg.explain.grad_cam_plus_plus import grad_cam_plus_plus
from heartseg.explain.integrated_gradients import integrated_gradients
from heartseg.explain.occlusion import occlusion
from heartseg.explain.saliency import saliency
from heartseg.explain.smoothgrad import smoothgrad
from heartseg.explain.spread import spread
from heartseg.explain.turn_disagreement import turn_disagreement


@dataclass(frozen=True, slots=True)
class OfNetwork:
    """A method that looks into a network, a plane or volume at a time.

    Attributes:
        function: (asked, settings) -> a map (*size) on the prepared pixels.
        unit: of the map.
        signed: it tells raising from lowering.
        asks: it says which pixels the number comes from, so that hiding these must change it;
            other maps are about the whole answer.
    """

    function: Callable[[Asked, Settings], Tensor]
    unit: str
    signed: bool = False
    asks: bool = True


@dataclass(frozen=True, slots=True)
class OfAnswers:
    """A method that compares answers on the study's own grid.

    Attributes:
        function: (probabilities (models, structures, z, y, x), channel) -> a map (z, y, x).
        unit: of the map.
        fewest: models that it needs.
        asks: it is about one structure; other maps are about the whole answer.
    """

    function: Callable[[NDArray[np.float32], int], NDArray[np.float32]]
    unit: str
    fewest: int = 1
    asks: bool = False


RELATIVE = "share of the largest in the slice"

METHODS: Mapping[str, OfNetwork | OfAnswers] = {
    "saliency": OfNetwork(saliency, "{unit} per unit of grey", signed=True),
    "smoothgrad": OfNetwork(smoothgrad, "{unit} per unit of grey", signed=True),
    "integrated-gradients": OfNetwork(integrated_gradients, "{unit}", signed=True),
    "occlusion": OfNetwork(occlusion, "{unit} lost when hidden", signed=True),
    "grad-cam": OfNetwork(grad_cam, RELATIVE),
    "grad-cam++": OfNetwork(grad_cam_plus_plus, RELATIVE),
    "attention": OfNetwork(attention, "weight", asks=False),
    "turn-disagreement": OfNetwork(turn_disagreement, "bits", asks=False),
    "entropy": OfAnswers(entropy, "bits"),
    "disagreement": OfAnswers(disagreement, "bits", fewest=2),
    "spread": OfAnswers(spread, "probability", fewest=2, asks=True),
}

USUAL = ("saliency", "grad-cam", "entropy")
"""Where nobody says which: quick ones of three kinds."""


def chosen_methods(names: Sequence[str], models: int) -> dict[str, OfNetwork | OfAnswers]:
    """The methods of these names, each once.

    Raises:
        ConfigError: no such method, or one that needs more models.
    """
    for name in names:
        if name not in METHODS:
            raise ConfigError("--method", got=repr(name), allowed=", ".join(METHODS))
        method = METHODS[name]
        if isinstance(method, OfAnswers) and models < method.fewest:
            raise ConfigError(
                f"--method {name}",
                got="one model",
                allowed=f"{method.fewest} or more",
                do="give --model again, or a folder of models",
            )
    return {name: METHODS[name] for name in names or USUAL}
