"""How much half precision changes, measured before a bundle says that it may be used."""

from collections.abc import Iterable

import numpy as np

from heartseg.core.errors import ModelError
from heartseg.core.image import Image
from heartseg.segment.bundle import Bundle
from heartseg.segment.frames import frames
from heartseg.segment.openvino_runtime import OpenVinoRuntime


def bf16_label_difference(bundle: Bundle, images: Iterable[Image]) -> float | None:
    """Share of all voxels whose likeliest structure differs between bf16 and f32.

    It belongs into the bundle's `scores` under that name; see `Description.bf16_safe`. None when
    this processor has no bf16, and so nothing can be said.

    Raises:
        ModelError: no image.
    """
    half = OpenVinoRuntime(bundle, precision="bf16")
    if half.precision != "bf16":
        return None
    full = OpenVinoRuntime(bundle, precision="f32")
    changed = voxels = 0
    for image in images:
        pairs = zip(frames(image, bundle, half), frames(image, bundle, full), strict=True)
        for one, other in pairs:
            differs = one.argmax(axis=0) != other.argmax(axis=0)
            changed += int(np.count_nonzero(differs))
            voxels += differs.size
    if not voxels:
        raise ModelError("half precision", got="no image to measure it on")
    return changed / voxels
