"""What weights a run begins with: drawn by a rule, taken from another model, some of them fixed.

A network that is shown a slice with its neighbours may begin as one that saw the slice alone, or
fewer neighbours: the old channels come to the middle, and the new ones weigh nothing at first, so
that before its first step the wide network answers what the narrow one did.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError, ModelError
from heartseg.models.initial import he_truncated
from heartseg.train.checkpoint import load_checkpoint

_NORMS = (nn.modules.batchnorm._BatchNorm,)
_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What weights a run begins with.

    Attributes:
        initial: how fresh weights are drawn. `own`: as the network's paper says;
            `truncated-normal` (He 2015, cut at two deviations, biases 0: paper 003); `kaiming` (He
            2015, normal by the inputs, biases 0: paper 001); `xavier` (Glorot 2010, uniform,
            biases 0). Convolutions and fully connected layers only.
        weights_from: a model to go on from: the name of a shipped one, the folder of a bundle, or a
            checkpoint (`.pt`), relative to the RUN.toml. It may have been shown fewer neighbours.
        fresh: patterns of names of weights that are not taken from there, e.g. `["output.*"]` when
            other structures are learnt.
        freeze: patterns of names of weights that never move, e.g. `["encoder.*"]`; the statistics
            of batch normalisation that match stay as they are too.
    """

    initial: Literal["own", "truncated-normal", "kaiming", "xavier"] = "own"
    weights_from: str | None = None
    fresh: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.fresh and self.weights_from is None:
            got = "patterns, but no start.weights_from"
            raise ConfigError("start.fresh", got=got, do="say whence the other weights are")

    def begin(self, network: nn.Module, root: Path = Path(), channels: int = 1) -> None:
        """Give a network its first weights, and fix those that shall not move.

        Args:
            network: as its architecture built it.
            root: folder of the RUN.toml.
            channels: of its input.

        Raises:
            ConfigError: a pattern that fits no name.
            ModelError: no such model, or weights that do not fit.
        """
        if self.initial != "own":
            INITIAL[self.initial](network)
        if self.weights_from is not None:
            taken = weights_of(self.weights_from, root)
            take_weights(network, _widened(network, taken, channels), self.fresh)
        freeze(network, self.freeze)


def _kaiming(network: nn.Module) -> None:
    for layer in _layers(network):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        _zero_bias(layer)


def _xavier(network: nn.Module) -> None:
    for layer in _layers(network):
        nn.init.xavier_uniform_(layer.weight)
        _zero_bias(layer)


def _truncated(network: nn.Module) -> None:
    he_truncated(network)
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            spread = math.sqrt(2 / layer.in_features) / 0.87962566103423978
            nn.init.trunc_normal_(layer.weight, std=spread, a=-2 * spread, b=2 * spread)
            _zero_bias(layer)


INITIAL: Mapping[str, Callable[[nn.Module], None]] = MappingProxyType(
    {"truncated-normal": _truncated, "kaiming": _kaiming, "xavier": _xavier}
)
"""Name -> draws the weights anew."""


def _layers(network: nn.Module) -> Iterable[Any]:
    kinds = (nn.modules.conv._ConvNd, nn.Linear)
    return [layer for layer in network.modules() if isinstance(layer, kinds)]


def _zero_bias(layer: Any) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def weights_of(name: str, root: Path) -> dict[str, Tensor]:
    """The weights of a shipped model, of a bundle's folder or of a checkpoint, by name.

    Raises:
        ModelError: no such model, or a broken one.
    """
    from heartseg.segment import load_bundle, shipped_bundles
    from heartseg.segment.onnx_check import read_onnx

    if Path(name).suffix == ".pt":
        task = load_checkpoint(root / name)["task"]
        if not isinstance(task, Mapping) or not isinstance(task.get("average"), Mapping):
            raise ModelError(f"checkpoint {Path(name).name}", got="no weights of a network")
        return dict(task["average"])
    shipped = name in shipped_bundles()
    arrays = read_onnx(load_bundle(name if shipped else root / name).onnx).weights
    return {key: torch.from_numpy(one.astype(np.float32)) for key, one in arrays.items()}


def take_weights(network: nn.Module, weights: Mapping[str, Tensor], fresh: Iterable[str]) -> None:
    """Put weights and statistics into a network, by name; nothing changes where one does not fit.

    Args:
        network: whose weights.
        weights: by name; more than the network has are of no use, and no fault.
        fresh: patterns of names that keep what they have.

    Raises:
        ConfigError: a pattern that fits no name.
        ModelError: with the names that are missing or have another shape.
    """
    mine = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    kept = _matching(mine, fresh, "start.fresh")
    wanted = {name: value for name, value in mine.items() if name not in kept}
    wrong = [said for name, value in wanted.items() if (said := _misfit(name, value, weights))]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ModelError(
            f"start.weights_from: {len(wrong)} of {len(mine)} weights do not fit",
            got="; ".join(wrong[:_SHOWN]) + more,
            allowed="the names and shapes of this network",
            do="name those that shall begin anew in start.fresh, or set [model] as there",
        )
    network.load_state_dict({name: weights[name] for name in wanted}, strict=False)


def _widened(
    network: nn.Module, weights: Mapping[str, Tensor], channels: int
) -> Mapping[str, Tensor]:
    """With channels of zeros on both sides, where a kernel of the input was shown fewer."""
    wide = dict(weights)
    for name, here in network.state_dict().items():
        there = weights.get(name)
        if there is None or there.ndim != here.ndim or here.ndim < 2 or here.shape[1] != channels:
            continue
        spare = channels - there.shape[1]
        same = there.shape[:1] + there.shape[2:] == here.shape[:1] + here.shape[2:]
        if same and spare > 0 and spare % 2 == 0:
            side = there.new_zeros((len(there), spare // 2, *there.shape[2:]))
            wide[name] = torch.cat([side, there, side], dim=1)
    return wide


def _misfit(name: str, value: Tensor, weights: Mapping[str, Tensor]) -> str:
    if name not in weights:
        return f"{name} is missing"
    there, here = tuple(weights[name].shape), tuple(value.shape)
    return "" if there == here else f"{name} is {there} there and {here} here"


def freeze(network: nn.Module, patterns: Iterable[str]) -> None:
    """Fix the weights of these names, and the statistics of batch normalisation.

    Raises:
        ConfigError: a pattern that fits no name, or nothing is left to learn.
    """
    names = _matching(dict(network.state_dict()), patterns, "start.freeze")
    for name, weight in network.named_parameters():
        if name in names:
            weight.requires_grad_(False)
    for name, layer in network.named_modules():
        if isinstance(layer, _NORMS) and f"{name}.running_mean" in names:
            layer.register_forward_pre_hook(_stay)
    if names and not any(weight.requires_grad for weight in network.parameters()):
        raise ConfigError("start.freeze", got="every weight", allowed="some are left to learn")


def _stay(layer: nn.Module, _inputs: Any) -> None:
    """Normalise with the statistics as they are, though the network is training."""
    layer.eval()


def _matching(names: Mapping[str, Any], patterns: Iterable[str], where: str) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        fits = {name for name in names if fnmatchcase(name, pattern)}
        if not fits:
            tops = dict.fromkeys(f"{name.split('.')[0]}.*" for name in names)
            raise ConfigError(
                where, got=f"'{pattern}', which fits no weight", allowed=", ".join(tops)
            )
        found |= fits
    return found
