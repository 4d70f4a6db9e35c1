"""4 refine: probabilities -> labels that a heart could have.

In: probabilities (structures, z, y, x) a frame. Out: `Structure` labels (z, y, x). It takes away
and fills; it never puts a structure where the model saw none of it, and never measures.
"""

from heartseg.refine.frame import likeliest, refine_cine, refine_frame, refine_regions

__all__ = ["likeliest", "refine_cine", "refine_frame", "refine_regions"]
