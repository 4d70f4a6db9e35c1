"""What a network is shown: the window of its bundle, and the crops that it can learn from."""

from math import ceil

from heartseg.augment import StackChange
from heartseg.core.errors import ConfigError
from heartseg.models import Architecture
from heartseg.models.architecture import legal_size, per_axis, takes
from heartseg.segment.bundle_folder import LARGEST_FIELD_PX
from heartseg.segment.window import Window

MOST_SLICES = 96
"""A padded network is shown so many slices at once, so that memory is bounded; no short-axis stack
has as many. Of a longer one the answers lie side by side, and may differ where they meet."""


SPOILT = 1 / 8
"""Of the tile of a padded network that answers at one size only, this much on each side is cut off:
its padding tells there that the image ends, which it does not."""


def window_of(described: Architecture) -> Window | None:
    """How a network is shown an image, where it cannot be shown whole planes of any size.

    None for padded networks of planes whose ONNX file takes all sizes.
    """
    margin = per_axis(described.margin, described.dimensions)
    if not described.free_export:
        return _of_one_size(described.native_size, margin)
    if not any(margin) and described.dimensions == 2:
        return None
    return Window(
        margin_px=margin,
        smallest_px=described.smallest_size,
        stride_px=per_axis(described.stride, described.dimensions),
        largest_px=_largest(described, padded=not any(margin)),
    )


def _of_one_size(size: tuple[int, ...], margin: tuple[int, ...]) -> Window:
    cut = tuple(m or int(length * SPOILT) for length, m in zip(size, margin, strict=True))
    every = (1,) * len(size)  # tiles may begin anywhere: each is a look of its own
    return Window(margin_px=cut, smallest_px=size, stride_px=every, largest_px=size)


def exported_size(described: Architecture) -> tuple[int, ...]:
    """An input on which the ONNX file is made; the only one it takes where sizes are not free."""
    if not described.free_export:
        return described.native_size
    return legal_size(described, (0, 1, 2)[-described.dimensions :])


def _largest(described: Architecture, *, padded: bool) -> tuple[int, ...]:
    """The paper's tile, or the next legal one above it; whole planes of volumes if padded."""
    wanted = (MOST_SLICES, LARGEST_FIELD_PX, LARGEST_FIELD_PX) if padded else described.native_size
    triples = zip(
        wanted,
        described.smallest_size,
        per_axis(described.stride, described.dimensions),
        strict=True,
    )
    whole = int if padded else ceil  # nothing above the limits of a bundle
    return legal_size(
        described, [max(1, whole((length - least) / stride)) for length, least, stride in triples]
    )


def require_crops(described: Architecture, size_px: int, stack: StackChange | None) -> None:
    """Refuse crops that the network cannot take.

    Args:
        described: the network.
        size_px: rows and columns of a crop.
        stack: how stacks are cut; None for its defaults, and for networks of planes.

    Raises:
        ConfigError: with the sizes that it can.
    """
    if described.dimensions == 2 and stack is not None:
        got = "settings of stacks for a network of planes"
        raise ConfigError("stack", got=got, do="leave them out")
    crop = crop_size(described, size_px, stack)
    if takes(described, crop):
        return
    names = ("stack.slices", "spatial.size_px", "spatial.size_px")[-described.dimensions :]
    strides = per_axis(described.stride, described.dimensions)
    for name, length, least, stride in zip(
        names, crop, described.smallest_size, strides, strict=True
    ):
        if (length - least) % stride or length < least:
            raise ConfigError(name, got=str(length), allowed=_allowed(least, stride, length))


def crop_size(described: Architecture, size_px: int, stack: StackChange | None) -> tuple[int, ...]:
    """(y, x) or (z, y, x) of the crops that a network learns from."""
    plane = (size_px, size_px)
    return plane if described.dimensions == 2 else ((stack or StackChange()).slices, *plane)


def _allowed(least: int, stride: int, length: int) -> str:
    if least % stride:
        return f"{least}, {least + stride}, {least + 2 * stride} and so on, as the network's sizes"
    if length % stride:
        return f"multiples of the network's stride, {stride}"
    return f"at least {least}, which the network needs"
