"""Entropy of the softmax: how undecided the answer is, in bits.

H = - sum over the structures c of p_c log2 p_c, of the mean p over the models where there are
several: 0 where one structure is certain, log2 of their number where all are equally likely. A
model that is wrong and sure of it has none (Guo 2017, arXiv 1706.04599).
"""

import numpy as np
from numpy.typing import NDArray

TINY = np.float32(1e-12)


def entropy(answers: NDArray[np.float32], structure: int) -> NDArray[np.float32]:
    """Bits of the mean answer of the models.

    Args:
        answers: (models, structures, *size) probabilities.
        structure: not asked for: all structures count.

    Returns:
        (*size), 0 to log2 of the number of structures.
    """
    _ = structure
    return bits(answers.mean(axis=0))


def bits(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Entropy over the first axis."""
    p = probabilities.clip(0.0, 1.0)
    found: NDArray[np.float32] = -(p * np.log2(np.maximum(p, TINY))).sum(axis=0)
    return np.maximum(found, np.float32(0.0))
