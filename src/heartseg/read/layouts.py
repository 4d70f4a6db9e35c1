"""The layouts that heartseg recognises, in the order they are tried. One file, one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.read import folder
from heartseg.read.datasets import acdc, camus, emidec, rvsc, sunnybrook
from heartseg.read.layout import Layout

_IN_ORDER = (
    acdc.LAYOUT,
    sunnybrook.LAYOUT,
    rvsc.LAYOUT,
    camus.LAYOUT,
    camus.NIFTI_LAYOUT,
    camus.PNG_LAYOUT,
    emidec.LAYOUT,
    emidec.PNG_LAYOUT,
    folder.LAYOUT,
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType({layout.name: layout for layout in _IN_ORDER})
"""`files` is last and takes what is left; it raises where there is nothing."""
