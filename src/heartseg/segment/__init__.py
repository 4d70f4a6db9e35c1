"""3 segment: image + model bundle -> probabilities on the study's own grid.

In: an `Image` and a `Bundle`. Out: an array (structures, z, y, x) a frame. Never decides what a
voxel is (that is `refine`), never measures. Torch is in `torch_runtime` only.
"""

from heartseg.segment.bundle import Bundle
from heartseg.segment.bundle_folder import load_bundle, shipped_bundles, write_bundle
from heartseg.segment.description import Description
from heartseg.segment.frames import frames
from heartseg.segment.runtime import Runtime, choose_runtime

__all__ = [
    "Bundle",
    "Description",
    "Runtime",
    "choose_runtime",
    "frames",
    "load_bundle",
    "shipped_bundles",
    "write_bundle",
]
