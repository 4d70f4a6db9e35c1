"""3 segment, without learning: the traditional methods to compare with.

In: an `Image`, a method of `METHODS`, and what the planes show. Out: a `Segmentation` on the
image's own grid, after the same rules of `refine` as a network's. Never learns, never measures, and
never labels what a method does not look for.
"""

from heartseg.classical.method import Method
from heartseg.classical.run import looks_of, segment_image
from heartseg.classical.study import (
    PREFIX,
    bounds,
    cautious,
    explained,
    method_named,
    name_of,
    resolved,
    segment_views,
)
from heartseg.classical.table import METHODS

__all__ = [
    "METHODS",
    "PREFIX",
    "Method",
    "bounds",
    "cautious",
    "explained",
    "looks_of",
    "method_named",
    "name_of",
    "resolved",
    "segment_image",
    "segment_views",
]
