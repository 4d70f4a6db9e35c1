"""Spread of models: the standard deviation of their probabilities of one structure.

S = sqrt(mean over m of (p_m - mean p)^2), of the structure that is explained: 0 to 1/2
(Lakshminarayanan 2017, arXiv 1612.01474, who call its square the variance of the ensemble).
"""

import numpy as np
from numpy.typing import NDArray


def spread(answers: NDArray[np.float32], structure: int) -> NDArray[np.float32]:
    """How far apart the models' probabilities lie.

    Args:
        answers: (models, structures, *size) probabilities of two models or more.
        structure: the channel that is explained.

    Returns:
        (*size), 0 to 0.5.
    """
    found: NDArray[np.float32] = answers[:, structure].std(axis=0)
    return found
