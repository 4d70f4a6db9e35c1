"""Which pixels of the input one pixel of the output can depend on: the receptive field.

The network runs on torch's meta device, where tensors have shapes and no values. Every operation
that it carries out is watched, and for every tensor two rows of numbers an axis are kept: the first
and the last input pixel that each of its places can depend on. So skips, crops, poolings that round
and transposed convolutions are exact at every place, and nothing is assumed of the network.

An operation that mixes all places (global pooling, statistics of the image, attention) makes
everything after it depend on the whole image.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Places = NDArray[np.int64]


class Span(NamedTuple):
    """The first and last input pixel that each place along an axis depends on."""

    first: Places
    last: Places


Spans = tuple[Span, ...]
"""One for each spatial axis; () stands for the whole image."""

WHOLE: Spans = ()


def receptive_field(network: nn.Module, channels: int, size: Sequence[int]) -> list[int] | None:
    """Pixels along each axis that the most demanding place of the output depends on.

    Args:
        network: on the meta device, in evaluation mode.
        channels: of its input.
        size: legal, much larger than the field, another length on every axis.

    Returns:
        None where a place in the middle depends on the whole image.
    """
    pixels = torch.empty(1, channels, *size, device="meta")
    with torch.no_grad(), _Watch(pixels) as watch:
        spans = watch.spans(network(pixels))
    field = []
    for span, length in zip(spans, size, strict=False):
        middle = slice(len(span.first) // 4, -(len(span.first) // 4))
        first, last = span.first[middle], span.last[middle]
        if first.min() <= 0 or last.max() >= length - 1:
            return None
        field.append(int((last - first).max()) + 1)
    return field or None


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps the spans of every tensor that depends on the input."""

    def __init__(self, pixels: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        places = [np.arange(length) for length in pixels.shape[2:]]
        self._axes = len(places)
        # The tensors are kept too: an identity is only that of a living one.
        self._known = {id(pixels): (pixels, tuple(Span(p, p) for p in places))}

    def spans(self, tensor: Tensor) -> Spans:
        """Of a tensor that the network made."""
        return self._known[id(tensor)][1]

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        seen = [v for v in tree_leaves((args, kwargs)) if id(v) in self._known]
        if seen:
            spans = [self.spans(tensor) for tensor in seen]
            name = operation.overloadpacket.__name__
            for made in tree_leaves(result):
                if isinstance(made, Tensor):
                    self._known[id(made)] = made, self._after(name, args, seen, spans, made)
        return result

    def _after(
        self, name: str, args: Any, seen: list[Tensor], spans: list[Spans], made: Tensor
    ) -> Spans:
        if WHOLE in spans or made.dim() != self._axes + 2 or _mixes(name, args):
            return WHOLE
        lengths = tuple(made.shape[2:])
        if name in _MOVES:
            taps = [_MOVES[name](args, axis, n) for axis, n in enumerate(lengths)]
            return tuple(_moved(span, *tap) for span, tap in zip(spans[0], taps, strict=True))
        if any(tuple(tensor.shape[2:]) != lengths for tensor in seen):
            return WHOLE
        return tuple(_joined([one[axis] for one in spans]) for axis in range(self._axes))


def _mixes(name: str, args: Any) -> bool:
    """Operations that keep the size and yet make every place depend on every other."""
    if name in {"native_batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit"}:
        return any(
            one is True for one in args
        )  # statistics of this very image, as instance norm takes
    if name in {"_softmax", "cumsum"}:
        return bool(args[1] % args[0].dim() != 1)
    return name in {"native_group_norm", "native_layer_norm", "flip", "roll", "sort", "topk"}


def _moved(span: Span, first: Places, last: Places) -> Span:
    """The spans of places that read the places `first` to `last` below; off the edge, the edge."""
    end = len(span.first) - 1
    return Span(span.first[first.clip(0, end)], span.last[last.clip(0, end)])


def _joined(spans: list[Span]) -> Span:
    return Span(
        np.minimum.reduce([span.first for span in spans]),
        np.maximum.reduce([span.last for span in spans]),
    )


# For each place along an axis of the result, the first and the last place that it reads.


def _convolution(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    kernel = args[1].shape[2 + axis]
    stride, padding, dilation = (_along(args[i], axis) for i in (3, 4, 5))
    reach, places = dilation * (kernel - 1), np.arange(length)
    if args[6]:  # transposed: place o reads each i with i * stride - padding + tap == o
        return -((reach - places - padding) // stride), (places + padding) // stride
    return places * stride - padding, places * stride - padding + reach


def _pooling(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    kernel = _along(args[1], axis)
    stride = _along(args[2], axis) if len(args) > 2 and args[2] else kernel
    padding = _along(args[3], axis) if len(args) > 3 else 0
    first = np.arange(length) * stride - padding
    return first, first + kernel - 1


def _adaptive(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    below, places = args[0].shape[2 + axis], np.arange(length)
    return places * below // length, -(-(places + 1) * below // length) - 1


def _nearest(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    places = np.arange(length) * args[0].shape[2 + axis] // length
    return places, places


def _linear(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    below, places = args[0].shape[2 + axis], np.arange(length)
    if args[2]:  # the corners of both lie on each other
        where = places * ((below - 1) / max(length - 1, 1))
    else:
        where = ((places + 0.5) * (below / length) - 0.5).clip(0)
    first = np.floor(where + 1e-9).astype(np.int64)
    return first, np.ceil(where - 1e-9).astype(np.int64)


def _slice(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    along, start = args[1] if len(args) > 1 else 0, args[2] if len(args) > 2 else 0
    step = args[4] if len(args) > 4 else 1
    places = np.arange(length)
    if along % args[0].dim() == 2 + axis:
        places = places * step + (start or 0) % args[0].shape[2 + axis]
    return places, places


def _padding(args: Any, axis: int, length: int) -> tuple[Places, Places]:
    number = 2 * (args[0].dim() - 3 - axis)  # the last axis comes first
    before = args[1][number] if number < len(args[1]) else 0
    places = np.arange(length) - before
    return places, places


def _along(value: Any, axis: int) -> int:
    return int(value[axis if len(value) > 1 else 0])


_MOVES = {
    "convolution": _convolution,
    "slice": _slice,
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), _padding),
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices"), _pooling),
    **dict.fromkeys(("avg_pool2d", "avg_pool3d"), _pooling),
    **dict.fromkeys(("_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), _adaptive),
    **dict.fromkeys(("upsample_nearest2d", "upsample_nearest3d"), _nearest),
    **dict.fromkeys(("upsample_bilinear2d", "upsample_trilinear3d"), _linear),
}
