"""The layouts that heartseg recognises, in the order they are tried. One file, one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.read import folder
from heartseg.read.candidate import Find
from heartseg.read.datasets import acdc, sunnybrook

LAYOUTS: Mapping[str, Find] = MappingProxyType(
    {
        acdc.NAME: acdc.find,
        sunnybrook.NAME: sunnybrook.find,
        folder.NAME: folder.find,
    }
)
"""`files` is last and takes what is left; it raises where there is nothing."""
