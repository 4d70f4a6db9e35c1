"""4 refine: probabilities -> labels that a heart could have.

In: probabilities (structures, z, y, x) a frame. Out: `Structure` labels (z, y, x). It takes away
and fills; but for a missed slice of the left ventricle it puts no structure where the model saw
none of it. It never measures.
"""

from heartseg.refine.frame import (
    likeliest,
    refine_cine,
    refine_frame,
    refine_region,
    refine_regions,
)
from heartseg.refine.time import no_flicker

__all__ = [
    "likeliest",
    "no_flicker",
    "refine_cine",
    "refine_frame",
    "refine_region",
    "refine_regions",
]
