"""Images that were made earlier, for a discriminator to see again (Shrivastava 2017)."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class History:
    """A store of images; it is part of what the next step depends on.

    Args:
        size: most images that are kept; 0 keeps none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._images: list[Tensor] = []

    def exchange(self, made: Tensor, generator: torch.Generator) -> Tensor:
        """(n, c, y, x): new images, every other one exchanged for an earlier one once it is full.

        Args:
            made: (n, c, y, x), without a gradient.
            generator: the run's randomness.
        """
        if self._size == 0:
            return made
        device = generator.device
        shown = []
        for image in made:
            if len(self._images) < self._size:
                self._images.append(image.clone())
                shown.append(image)
                continue
            coin = torch.rand((), generator=generator, device=device)
            place = int(torch.randint(self._size, (), generator=generator, device=device))
            if coin < 0.5:
                shown.append(self._images[place])
                self._images[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)

    def state(self) -> dict[str, Any]:
        """What is kept."""
        return {"images": list(self._images)}

    def restore(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Become the one that gave this state."""
        self._images = [image.to(device) for image in state["images"]]
