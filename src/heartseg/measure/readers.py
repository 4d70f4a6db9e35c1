"""The human limit: how far expert readers are from each other on the same cine studies."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.core.finding import Interval

READERS_DIFFER: Mapping[str, Interval] = MappingProxyType(
    {
        "lv_edv_ml": (15.2, 28.4),
        "lv_esv_ml": (14.0, 21.5),
        "lv_mass_g": (20.2, 34.5),
        "lv_ef": (0.046, 0.075),
    }
)
"""By finding: how far readers of seven core laboratories differ from each other on the same 15 cine
studies, from the nearest to the farthest (Suinesiaputra et al., J Cardiovasc Magn Reson 2015;17:63,
abstract, which calls it inter-reader agreement)."""

READERS_DICE: Mapping[str, Interval] = MappingProxyType(
    {"lv": (0.92, 0.94), "myo": (0.87, 0.88), "rv": (0.87, 0.89)}
)
"""By key of the structure: mean Dice between two of three readers of the same 50 short-axis cine
studies (Bai et al., J Cardiovasc Magn Reson 2018;20:65)."""
