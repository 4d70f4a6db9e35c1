"""Disagreement of one model with itself when the image is turned, in bits.

The mutual information of `disagreement`, over 4 quarter turns (or 8, mirrored too) of the image in
place of several models (Wang 2019, arXiv 1807.07356: test-time augmentation). It tells what the
answer owes to the way the image lies, not what the model does not know.
"""

import numpy as np
import torch
from torch import Tensor

from heartseg.explain.asked import Asked, Settings
from heartseg.explain.disagreement import disagreement
from heartseg.segment.frames import turned, unturned


def turn_disagreement(asked: Asked, settings: Settings) -> Tensor:
    """Bits (*size) that knowing the turn tells about the answer, 0 or more."""
    pixels = asked.pixels.detach().cpu().numpy()
    answers = []
    for way in range(settings.turns):
        seen = torch.from_numpy(turned(pixels, way)).to(asked.pixels.device)
        with torch.no_grad():
            probabilities = asked.network(seen).softmax(1)[0].cpu().numpy()
        answers.append(unturned(probabilities, way))
    return torch.from_numpy(disagreement(np.stack(answers), 0))
