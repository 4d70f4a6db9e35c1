"""Which layer of a network a class activation map is taken from.

A network is watched while it sees the pixels: names follow the order in which layers end, so a
stage comes after what it is made of, and its name stands for the whole of it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError

BOTTLENECK, DECODER = "bottleneck", "decoder"

_SHOWN = 12


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A module that answered with features (1, k, *fewer).

    Attributes:
        name: of the module in the network.
        module: itself.
        taken: number of the tensor that it was given, where that was one.
        given: number of the tensor that it answered with.
        shape: of the answer.
    """

    name: str
    module: nn.Module
    taken: int | None
    given: int
    shape: tuple[int, ...]


def watched(network: nn.Module, pixels: Tensor) -> tuple[Layer, ...]:
    """All modules that answer with features of as many axes as the pixels, as they end."""
    found: list[Layer] = []
    held: list[Tensor] = []  # as long as they live, no two have one number

    def note(name: str, module: nn.Module, inputs: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.ndim != pixels.ndim:
            return
        first = inputs[0] if isinstance(inputs, tuple) and inputs else None
        taken = id(first) if isinstance(first, Tensor) else None
        held.extend(one for one in (first, output) if isinstance(one, Tensor))
        found.append(Layer(name, module, taken, id(output), tuple(output.shape)))

    hooks = [
        module.register_forward_hook(lambda m, i, o, name=name: note(name, m, i, o))
        for name, module in network.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(found)


def chosen_layer(network: nn.Module, pixels: Tensor, wanted: str) -> tuple[str, nn.Module]:
    """The layer of that name, or what "bottleneck" and "decoder" mean in this network.

    The bottleneck is the last stage with the fewest places; the decoder the stage whose features
    the last convolution turns into classes.

    Raises:
        ConfigError: no such layer, or one that gives no features with places.
    """
    layers = [one for one in watched(network, pixels) if max(one.shape[2:]) > 1]
    if not layers:
        raise ConfigError("layer", got="a network without layers of features")
    if wanted == BOTTLENECK:
        fewest = min(_places(one) for one in layers)
        chosen = [one for one in layers if _places(one) == fewest][-1]
    elif wanted == DECODER:
        chosen = _before_classes(layers)
    else:
        named = [one for one in layers if one.name == wanted]
        if not named:
            raise _unknown(wanted, layers)
        chosen = named[-1]
    return chosen.name, chosen.module


def _before_classes(layers: list[Layer]) -> Layer:
    """What the last convolution reads; where nobody names that, what the network ends in."""
    convolutions = (nn.Conv2d, nn.Conv3d)
    last = [one for one in layers if isinstance(one.module, convolutions)][-1:]
    read = [one for one in layers if last and one.given == last[0].taken]
    others = [one for one in layers if not last or one.module is not last[0].module]
    return (read or others or layers)[-1]


def _places(layer: Layer) -> int:
    places = 1
    for length in layer.shape[2:]:
        places *= length
    return places


def _unknown(wanted: str, layers: list[Layer]) -> ConfigError:
    stages = list(dict.fromkeys(".".join(one.name.split(".")[:2]) for one in layers))
    shown = ", ".join(stages[-_SHOWN:])
    return ConfigError(
        "layer", got=repr(wanted), allowed=f"{BOTTLENECK}, {DECODER}, or a module such as {shown}"
    )
