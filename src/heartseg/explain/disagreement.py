"""Disagreement of models, in bits: the mutual information of answer and model.

D = H(mean over m of p_m) - mean over m of H(p_m) (Houlsby 2011, arXiv 1112.5745; deep ensembles:
Lakshminarayanan 2017, arXiv 1612.01474). 0 where all models give the same probabilities, however
undecided these are; at most log2 of the number of models.
"""

import numpy as np
from numpy.typing import NDArray

from heartseg.explain.entropy import bits


def disagreement(answers: NDArray[np.float32], structure: int) -> NDArray[np.float32]:
    """Bits that knowing the model tells about the answer.

    Args:
        answers: (models, structures, *size) probabilities of two models or more.
        structure: not asked for: all structures count.

    Returns:
        (*size), 0 or more.
    """
    _ = structure
    each = np.stack([bits(one) for one in answers])
    found: NDArray[np.float32] = bits(answers.mean(axis=0)) - each.mean(axis=0)
    return np.maximum(found, np.float32(0.0))
