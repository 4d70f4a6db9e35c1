"""A network in numbers, taken from the built network: nothing here is typed.

It is built on torch's meta device, where tensors have shapes and no values: the largest costs
neither memory nor time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from heartseg.core.errors import ConfigError
from heartseg.models.architecture import Architecture, legal_size, output_size, per_axis
from heartseg.models.reach import receptive_field
from heartseg.models.registry import Registry

FAR = 4096
"""Rows of the input on which a receptive field is looked for: no bounded one is as large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A line of `heartseg networks`, for the paper's own channels, classes and size.

    Attributes:
        name: in the table.
        paper: who described it.
        dimensions: 2 for planes, 3 for volumes.
        parameters: trainable ones.
        multiply_adds: of convolutions and matrix products, for one input of the native size.
        native_channels, native_classes: of the paper.
        native_size: (y, x) or (z, y, x) of the paper's input.
        output_size: what the network makes of it.
        receptive_field: pixels along each axis that the most demanding pixel of the output depends
            on; None where that is the whole image.
        stride: legal sizes are this far apart, along each axis.
        smallest_size: the smallest legal one.
    """

    name: str
    paper: str
    dimensions: int
    parameters: int
    multiply_adds: int
    native_channels: int
    native_classes: int
    native_size: tuple[int, ...]
    output_size: tuple[int, ...]
    receptive_field: tuple[int, ...] | None
    stride: tuple[int, ...]
    smallest_size: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A line of a network's layer table.

    Attributes:
        name: path of the module in the network; "" is the network itself.
        kind: class of the module.
        output: shape of what it gave last, for one input of the native size.
        parameters: trainable ones of its own, not of what it holds.
        multiply_adds: of its own, in all of its calls.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int


def surveys(networks: Registry) -> tuple[list[Survey], list[str]]:
    """The whole table in its order; and what is wrong with networks of other packages, a line each.

    Those have no row. What is wrong with one of heartseg's own is raised.
    """
    rows, problems = [], list(networks.refused)
    for name in networks:
        try:
            rows.append(survey(name, networks[name]))  # type: ignore[arg-type]  # frozen: hashable
        except ConfigError as fault:
            problems.append(str(fault))
        except Exception as fault:  # somebody else's code, which may do anything
            if networks.owner(name) == "heartseg":
                raise
            said = f"{type(fault).__name__}: {str(fault)[:200]}"
            problems.append(f"network '{name}' of package {networks.owner(name)}: got {said}")
    return rows, problems


@cache
def survey(name: str, described: Architecture) -> Survey:
    """Build a network and measure it; what was measured once is remembered."""
    network = weightless(described)
    with _Quickly():
        field = receptive_field(network, described.native_channels, _far_size(described))
    return Survey(
        name=name,
        paper=described.paper,
        dimensions=described.dimensions,
        parameters=sum(w.numel() for w in network.parameters() if w.requires_grad),
        multiply_adds=multiply_adds(network, (described.native_channels, *described.native_size)),
        native_channels=described.native_channels,
        native_classes=described.native_classes,
        native_size=tuple(described.native_size),
        output_size=output_size(described, described.native_size),
        receptive_field=None if field is None else tuple(field),
        stride=per_axis(described.stride, described.dimensions),
        smallest_size=tuple(described.smallest_size),
    )


def multiply_adds(network: nn.Module, size: Sequence[int]) -> int:
    """Those of a network on the meta device, for one input of (channels, *axes)."""
    counter = _MultiplyAdds()
    _run(network, size, counter)
    return counter.total


def layers(described: Architecture) -> list[Layer]:
    """Every module that computes or holds weights, in the order in which they are first used."""
    network = weightless(described)
    ledger = _Ledger()
    for name, module in network.named_modules():
        module.register_forward_pre_hook(partial(ledger.enter, name))
        module.register_forward_hook(partial(ledger.leave, name))
    _run(network, (described.native_channels, *described.native_size), ledger.counter)
    modules = dict(network.named_modules())
    rows = [(_layer(name, modules[name], ledger), modules[name]) for name in ledger.outputs]
    return [
        row
        for row, module in rows
        if row.parameters or row.multiply_adds or not any(module.children())
    ]


class _MultiplyAdds(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts them in all operations, by torch's own table of operations (two FLOPs each)."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        count = flop_registry.get(operation.overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result) // 2
        return result


class _Quickly(TorchFunctionMode):
    """Leaves out what costs most of the time and changes no shape, count or reach.

    Weights without values need no first ones; batch normalisation by stored statistics is a factor
    and a sum at each place.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if getattr(function, "__module__", "") == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        if getattr(function, "__name__", "") == "batch_norm" and not (kwargs or {}).get("training"):
            return args[0]
        return function(*args, **(kwargs or {}))


class _Ledger:
    """Books what each module computes to the module itself, not to those that hold it."""

    def __init__(self) -> None:
        self.counter = _MultiplyAdds()
        self.outputs: dict[str, tuple[int, ...]] = {}
        self.own: Counter[str] = Counter()
        self._open: list[tuple[int, int]] = []  # operations before the call, and in calls within

    def enter(self, name: str, *_: object) -> None:
        """A module is called."""
        self.outputs.setdefault(name, ())
        self._open.append((self.counter.total, 0))

    def leave(self, name: str, *call: object) -> None:
        """It has answered."""
        before, within = self._open.pop()
        whole = self.counter.total - before
        self.own[name] += whole - within
        if self._open:
            start, others = self._open[-1]
            self._open[-1] = start, others + whole
        answer = call[-1][0] if isinstance(call[-1], (tuple, list)) else call[-1]
        self.outputs[name] = tuple(answer.shape) if isinstance(answer, Tensor) else ()


def _layer(name: str, module: nn.Module, ledger: _Ledger) -> Layer:
    return Layer(
        name=name,
        kind=type(module).__name__,
        output=ledger.outputs[name],
        parameters=sum(w.numel() for w in module.parameters(recurse=False) if w.requires_grad),
        multiply_adds=ledger.own[name],
    )


def weightless(
    described: Architecture, channels: int | None = None, classes: int | None = None
) -> nn.Module:
    """The network in evaluation mode, on the meta device.

    Channels and classes are the paper's where none are given.
    """
    numbers = channels or described.native_channels, classes or described.native_classes
    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"), _Quickly():
                network = described.build(*numbers)
        except (RuntimeError, NotImplementedError):  # it wants to know a value while it is built
            network = described.build(*numbers).to("meta")
    return network.eval()


def _run(network: nn.Module, size: Sequence[int], counter: _MultiplyAdds) -> None:
    pixels = torch.empty(1, *size, device="meta")
    with torch.no_grad(), _Quickly(), counter:
        network(pixels)


def _far_size(described: Architecture) -> tuple[int, ...]:
    """About `FAR`, and another length on every axis, so that axes cannot be mistaken."""
    strides = per_axis(described.stride, described.dimensions)
    return legal_size(described, [FAR // stride + axis for axis, stride in enumerate(strides)])
