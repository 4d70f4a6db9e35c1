"""The colours of the heart, the same in every picture and page.

After Okabe and Ito (2008), so that they stay apart for colour-blind readers.
"""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.core.anatomy import Structure

Colour = tuple[int, int, int]

COLOURS: Mapping[Structure, Colour] = MappingProxyType(
    {
        Structure.LV_CAVITY: (232, 74, 42),
        Structure.LV_MYOCARDIUM: (240, 200, 30),
        Structure.RV_CAVITY: (46, 143, 230),
        Structure.LEFT_ATRIUM: (204, 121, 167),
        Structure.RIGHT_ATRIUM: (128, 100, 210),
        Structure.AORTA: (230, 140, 20),
        Structure.PULMONARY_ARTERY: (0, 158, 115),
        Structure.SCAR: (240, 90, 220),
        Structure.NO_REFLOW: (255, 255, 255),
        Structure.CELL: (120, 180, 60),
    }
)

VERDICT_COLOURS: Mapping[str, Colour] = MappingProxyType(
    {"pass": (0, 112, 82), "review": (156, 94, 0), "reject": (180, 35, 24)}
)

INK: Colour = (23, 28, 36)
MUTED: Colour = (99, 108, 120)
PAPER: Colour = (255, 255, 255)


def css(colour: Colour) -> str:
    """`#e84a2a`."""
    return "#" + "".join(f"{part:02x}" for part in colour)
