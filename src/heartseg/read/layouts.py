"""The layouts that heartseg recognises, in the order they are tried. One file, one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.read.candidate import Find
from heartseg.read.datasets import acdc

LAYOUTS: Mapping[str, Find] = MappingProxyType(
    {
        acdc.NAME: acdc.find,
    }
)
