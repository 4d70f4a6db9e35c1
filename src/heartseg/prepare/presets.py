"""Preparations by name: what the papers do to an image, as settings.

Each name has what is said beside the defaults. Where a paper is silent, and where it contradicts
itself, stands in docs/explanation/preparation-of-the-papers.md. Grey values of colour pictures are
made by the readers (Equation 3.1 of thesis 001; `heartseg.formats.brightness` has the weights).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from heartseg.prepare.localise import Locate

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # What a model gets whose RUN.toml says nothing: `cine-mr` was trained with it.
        "heartseg": {},
        # Thesis 001, chapter 3 as it is written: Eq. 3.2, section 3.2, section 3.3.
        "thesis-001": {
            "spacing_mm": None,
            "field_px": 256,
            "percentiles": (0.0, 100.0),
            "denoise_px": 3,
            "locate": Locate(look="apical"),
        },
        # Thesis 001, its listing, which has neither filter nor crop (part 2, lines 143 to 153).
        "thesis-001-listing": {"spacing_mm": None, "field_px": 256, "percentiles": (0.0, 100.0)},
        # Sinha 2020, section III-B, figure 2 (c) and (d).
        "sinha-2020": {"spacing_mm": 1.5, "stride": 256, "field_px": 256},
    }
)
