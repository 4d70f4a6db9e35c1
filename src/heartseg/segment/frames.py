"""An image and a model in, probabilities on the image's own grid out, a frame at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import ConfigError
from heartseg.core.image import Image
from heartseg.core.probability import Region
from heartseg.prepare.localise import Location
from heartseg.prepare.sample import Sample
from heartseg.segment.bundle import Bundle
from heartseg.segment.runtime import Runtime
from heartseg.segment.window import Look, slices_through

TURNS = (1, 4, 8)
"""How many ways to look: as it is; in four quarter turns; these and their mirror images."""


def frames(
    image: Image,
    bundle: Bundle,
    runtime: Runtime,
    *,
    turns: int = 1,
    place: Location | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Probabilities (structures, z, y, x) of each frame, in the order of the image's frames.

    One frame is in memory at a time.

    Args:
        image: a study's image, any grid.
        bundle: says how to prepare it.
        runtime: the same bundle, ready to compute.
        turns: 1, 4 or 8, see `TURNS`; more is slower and a little better.
        place: of the heart; the network sees that alone, and all else is background.

    Raises:
        ConfigError: another number of turns.
        FormatError: the image has no contrast or holds NaN.
    """
    require_turns(turns)
    sample = bundle.preparation.sample(image, place)
    return map(sample.restore, predicted(sample, looking(bundle, runtime), turns))


def regions(
    image: Image,
    bundle: Bundle,
    runtime: Runtime,
    *,
    turns: int = 1,
    place: Location | None = None,
) -> Iterator[Region]:
    """The same as `frames` where anatomy may be, without the background around it."""
    require_turns(turns)
    sample = bundle.preparation.sample(image, place)
    return map(sample.restore_region, predicted(sample, looking(bundle, runtime), turns))


def predicted(sample: Sample, look: Look, turns: int) -> Iterator[NDArray[np.float32]]:
    """Probabilities (z, structures, y, x) of each frame on the prepared grid."""
    for index in range(sample.image.frames):
        yield average_of_turns(sample.channels(index), look, turns)


def require_turns(turns: int) -> None:
    """Refuse another number of turns than `TURNS` has.

    Raises:
        ConfigError: with what is allowed.
    """
    if turns not in TURNS:
        raise ConfigError("turns", got=str(turns), allowed="1, 4 or 8")


def looking(bundle: Bundle, runtime: Runtime) -> Look:
    """What a bundle says of the slices (z, channels, y, x) of a frame: (z, structures, y, x).

    All at once, or through its window; a window with three axes is shown the slices as a volume.
    """
    return runtime.infer if bundle.window is None else slices_through(bundle.window, runtime.infer)


def average_of_turns(pixels: NDArray[np.float32], look: Look, turns: int) -> NDArray[np.float32]:
    """Mean probabilities (z, structures, y, x) of (z, channels, y, x) seen in `turns` ways."""
    total = look(pixels)
    for way in range(1, turns):
        total += unturned(look(turned(pixels, way)), way)
    return total / np.float32(turns) if turns > 1 else total


def turned(planes: NDArray[np.float32], way: int) -> NDArray[np.float32]:
    """(..., y, x) in one of eight ways: `way` % 4 quarter turns, mirrored first from 4 on."""
    mirrored = planes[..., ::-1] if way >= 4 else planes
    return np.ascontiguousarray(np.rot90(mirrored, way % 4, axes=(-2, -1)))


def unturned(planes: NDArray[np.float32], way: int) -> NDArray[np.float32]:
    """What `turned` made this of."""
    upright = np.rot90(planes, -(way % 4), axes=(-2, -1))
    return upright[..., ::-1] if way >= 4 else upright
