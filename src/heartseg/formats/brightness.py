"""Colour to brightness, for pictures and videos that hold grey images with a little colour."""

import numpy as np
from numpy.typing import NDArray

WEIGHTS = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601; a, b, c of Equation 3.1 in thesis 001)."""

CHROMA_NOISE = 24
"""JPEG and video keep colour coarsely: grey pixels come back with channels up to this far apart."""

_PART = 2**20


def brightness(channels: NDArray[np.generic], noise: int = 0) -> tuple[NDArray[np.generic], int]:
    """Grey values of a picture in colour, in its own type, and how many pixels have a colour.

    Where all channels are equal, that is the grey value, exactly.

    Args:
        channels: (..., 3 or 4) red, green, blue; a fourth, opacity, is not looked at.
        noise: channels may differ by this much and still be grey.
    """
    flat = channels.reshape(-1, channels.shape[-1])[:, :3]
    grey = np.empty(len(flat), channels.dtype)
    coloured = 0
    for start in range(0, len(flat), _PART):  # in parts: floats take eight times the memory
        part = flat[start : start + _PART]
        weighted = part @ np.array(WEIGHTS)
        whole = channels.dtype.kind in "iu"
        grey[start : start + _PART] = np.rint(weighted) if whole else weighted
        low, high = part.min(1).astype(np.float64), part.max(1).astype(np.float64)
        coloured += int(np.count_nonzero(high - low > noise))
    return grey.reshape(channels.shape[:-1]), coloured


def colour_note(coloured: int, pixels: int) -> tuple[str, ...]:
    """What a reader should know about a picture with colour; nothing where it has none."""
    if not coloured:
        return ()
    share = f"{100 * coloured / pixels:.1f} %" if coloured / pixels >= 0.001 else "a few"
    return (
        f"{share} of the pixels are in colour and were turned into brightness: coloured overlays "
        "(lines, text, Doppler) stay in the picture as grey",
    )
