"""What ImageJ and OME write into a TIFF: which pages are slices and which frames, and lengths.

OME's XML is searched for the attributes of `Pixels` and never parsed: it may name other files, and
XML from strangers can be made to grow.
"""

import re
from dataclasses import dataclass

MAX_DESCRIPTION = 2**20
"""Longer texts are cut: OME's grows with its pages."""

_MM = {
    "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0,
    "um": 0.001, "µm": 0.001, "μm": 0.001, "\\u00b5m": 0.001, "micron": 0.001, "microns": 0.001,
}  # fmt: skip
"""Inches are left out: ImageJ makes them of the resolution for printing."""

_MS = {"s": 1000.0, "sec": 1000.0, "ms": 1.0, "msec": 1.0, "us": 0.001, "µs": 0.001}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a description says of the pages.

    Attributes:
        slices, frames, channels: how many of each; None where nothing is said.
        slices_first: whether the next page is the next slice (else the next frame).
        spacing_mm: of (z, y, x), None where the text does not say.
        unit_mm: length in mm of the unit in which the resolution tags count.
        step_ms: from frame to frame.
    """

    slices: int | None = None
    frames: int | None = None
    channels: int = 1
    slices_first: bool = True
    spacing_mm: tuple[float | None, float | None, float | None] = (None, None, None)
    unit_mm: float | None = None
    step_ms: float | None = None


def read_words(description: str, samples: int) -> Words:
    """Of ImageJ or OME, or nothing; `samples` are the channels within a page."""
    text = description[:MAX_DESCRIPTION]
    if text.startswith("ImageJ="):
        return _imagej(text)
    if "<OME" in text[:2000]:
        return _ome(text, samples)
    return Words()


def _imagej(text: str) -> Words:
    lines = (line.partition("=") for line in text.splitlines())
    said = {key.strip(): value.strip() for key, _, value in lines}
    unit = _MM.get(said.get("unit", "").lower())
    depth, step = _number(said.get("spacing")), _number(said.get("finterval"))
    images, frames = _count(said.get("images")) or 1, _count(said.get("frames"))
    channels = _count(said.get("channels")) or 1
    slices = _count(said.get("slices")) or max(1, images // channels // (frames or 1))
    return Words(
        slices=slices,
        frames=frames or 1,
        channels=channels,
        spacing_mm=(None if unit is None or depth is None else abs(depth) * unit, None, None),
        unit_mm=unit,
        step_ms=None if step is None else step * _MS.get(said.get("tunit", "sec"), 1000.0),
    )


def _ome(text: str, samples: int) -> Words:
    """Of the only image; several are said as more channels than anybody reads."""
    pixels = re.findall(r"<(?:\w+:)?Pixels\b([^>]*)>", text)
    if not pixels:
        return Words()
    said = dict(re.findall(r'(\w+)\s*=\s*"([^"]*)"', pixels[0]))
    order = said.get("DimensionOrder", "XYCZT")
    step = _number(said.get("TimeIncrement"))
    return Words(
        slices=_count(said.get("SizeZ")) or 1,
        frames=_count(said.get("SizeT")) or 1,
        channels=max(1, (_count(said.get("SizeC")) or 1) // samples) * len(pixels),
        slices_first=order.find("Z") < order.find("T"),
        spacing_mm=(_length(said, "Z"), _length(said, "Y"), _length(said, "X")),
        step_ms=None if step is None else step * _MS.get(said.get("TimeIncrementUnit", "s"), 1000),
    )


def _length(said: dict[str, str], axis: str) -> float | None:
    value = _number(said.get(f"PhysicalSize{axis}"))
    unit = _MM.get(said.get(f"PhysicalSize{axis}Unit", "µm"))
    return None if value is None or unit is None else value * unit


def _count(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,6}", text) else None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
