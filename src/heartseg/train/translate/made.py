"""One image of the source, made one of the target, on its own grid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image
from heartseg.prepare import Preparation
from heartseg.train.translate.engine import Engine
from heartseg.train.translate.translator import Translator


class Making:
    """A translator, ready to make images.

    Args:
        translator: that was checked.
        threads: None for all the cores that this process may use.

    Raises:
        ModelError: the engine cannot use its networks.
    """

    def __init__(self, translator: Translator, threads: int | None = None) -> None:
        self.translator, text = translator, translator.text
        self._there = Engine(translator.there, text.stride, text.name, threads)
        back = translator.back
        self._back = None if back is None else Engine(back, text.stride, text.name, threads)

    def there(self, image: Image, frames: Sequence[int]) -> Image:
        """Frames of an image of the source, as the target: float32 in [0, 1] on the same grid.

        What the preparation cuts off is 0.

        Raises:
            FormatError: the image has no contrast or holds NaN.
        """
        return _made(image, frames, self.translator.text.source.preparation, self._there)

    def shown(self, image: Image) -> NDArray[np.bool_]:
        """(z, y, x) where an image of the source is translated, and not cut off.

        Raises:
            FormatError: the image has no contrast or holds NaN.
        """
        sample = self.translator.text.source.preparation.sample(image)
        everywhere = np.ones(sample.geometry.shape, np.float32)
        inside: NDArray[np.bool_] = sample.restore_map(everywhere, outside=0.0) > 0
        return inside

    def back(self, image: Image) -> Image | None:
        """An image of the target, made or real, as the source; None where there is no way back."""
        if self._back is None:
            return None
        prepared = self.translator.text.target.preparation
        return _made(image, range(image.frames), prepared, self._back)


def _made(image: Image, frames: Sequence[int], preparation: Preparation, engine: Engine) -> Image:
    sample = preparation.sample(image)
    made = [
        sample.restore_map(_middle(engine.translated(sample.channels(frame))), outside=0.0)
        for frame in frames
    ]
    return image.part(frames).like(np.stack(made))


def _middle(answer: NDArray[np.float32]) -> NDArray[np.float32]:
    """(z, channels, y, x) -> (z, y, x): the slices themselves, without their neighbours."""
    middle: NDArray[np.float32] = answer[:, answer.shape[1] // 2]
    return middle
