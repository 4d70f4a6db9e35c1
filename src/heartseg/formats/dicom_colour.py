"""Colour to brightness: RGB, and the tables of palette colour, plain or segmented.

Brightness is Rec. ITU-R BT.601, in 8 bits. Standard: DICOM PS3.3 C.7.6.3.1.5, C.7.9.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import FormatError
from heartseg.formats.brightness import WEIGHTS

_MAX_ENTRIES = 2**16


def brightness(colours: NDArray[Any], bits: int = 8) -> NDArray[np.uint8]:
    """(..., 3) RGB of values of so many bits -> (...) in 8 bits."""
    grey = colours[..., :3] @ np.array(WEIGHTS)
    if bits > 8:
        grey *= 255 / (2**bits - 1)
    grey8: NDArray[np.uint8] = np.rint(grey).clip(0, 255).astype(np.uint8)
    return grey8


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """A table from stored value to brightness.

    Attributes:
        first: stored value of the first entry; what is below has its brightness.
        grey: of the entries; what is above the last has its brightness.
    """

    first: int
    grey: NDArray[np.uint8]

    def look_up(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Brightness of stored values, any shape."""
        index = (stored.astype(np.int32) - self.first).clip(0, len(self.grey) - 1)
        found: NDArray[np.uint8] = self.grey[index]
        return found


def palette_of(ds: Any, where: str) -> Palette:
    """The brightness of a data set's palette.

    Raises:
        FormatError: a table is missing or is not of the size that its descriptor says.
    """
    entries, first, bits = (int(value) for value in ds.RedPaletteColorLookupTableDescriptor)
    entries = entries or _MAX_ENTRIES
    if not ds.get("PixelRepresentation", 0):
        first %= 2**16
    colours = [_table(ds, name, entries, bits) for name in ("Red", "Green", "Blue")]
    short = [len(table) for table in colours if len(table) < entries]
    if short or bits not in (8, 16):
        raise FormatError(
            where,
            got=f"a palette with {short or entries} entries of {bits} bits",
            allowed=f"{entries} entries of 8 or 16 bits",
            do="the palette is damaged: export the image again",
        )
    return Palette(first, brightness(np.stack([table[:entries] for table in colours], -1), bits))


def _table(ds: Any, colour: str, entries: int, bits: int) -> NDArray[np.uint16]:
    little = ds.file_meta.TransferSyntaxUID.is_little_endian
    words = "<u2" if little else ">u2"
    data = ds.get(f"{colour}PaletteColorLookupTableData")
    if data is None:
        data = ds[f"Segmented{colour}PaletteColorLookupTableData"].value
        return unfolded(np.frombuffer(data, np.uint8 if bits == 8 else words), entries)
    if bits == 8 and len(data) < 2 * entries:
        table = np.frombuffer(data, np.uint8)
    else:
        table = np.frombuffer(data, words)
    return table.astype(np.uint16)


_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def unfolded(data: NDArray[Any], entries: int) -> NDArray[np.uint16]:
    """A segmented table (C.7.9.2) as a plain one; never more than `entries` of it.

    Indirect segments repeat earlier ones; each is followed once, so a table cannot grow by
    pointing at itself.

    Raises:
        ValueError: a segment of no known kind, or one that reaches beyond the data.
    """
    table: list[int] = []
    _unfold(data, 0, len(data), table, entries=entries)
    return np.array(table[:entries], np.uint16)


def _unfold(
    data: NDArray[Any],
    at: int,
    segments: int,
    table: list[int],
    *,
    entries: int,
    deep: bool = False,
) -> None:
    while segments and at + 2 < len(data) and len(table) < entries:
        kind, count = int(data[at]), int(data[at + 1])
        segments -= 1
        if kind == _DISCRETE:
            table += data[at + 2 : at + 2 + count].tolist()
            at += 2 + count
        elif kind == _LINEAR:
            before, last = table[-1] if table else 0, int(data[at + 2])
            steps = np.arange(1, count + 1) / max(1, count)
            table += np.rint(before + steps * (last - before)).astype(int).tolist()
            at += 3
        elif kind == _INDIRECT and not deep:
            _unfold(data, _offset(data, at + 2), count, table, entries=entries, deep=True)
            at += 4 if data.itemsize == 2 else 6
        else:
            raise ValueError(f"a palette segment of kind {kind}")


def _offset(data: NDArray[Any], at: int) -> int:
    """Place of the segment that an indirect one repeats: bytes from the start, in 32 bits."""
    size = data.itemsize
    offset = int.from_bytes(data[at : at + 4 // size].astype(f"<u{size}").tobytes(), "little")
    return offset // size
