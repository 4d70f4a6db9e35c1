"""The layouts that heartseg recognises, in the order they are tried. One file, one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.read import folder
from heartseg.read.datasets import (
    acdc,
    camus,
    cell_tracking,
    echonet,
    emidec,
    emidec_pictures,
    mmwhs,
    mnms,
    mnms2,
    nnunet,
    pairs,
    rgb_masks,
    rvsc,
    sunnybrook,
)
from heartseg.read.layout import Layout

_IN_ORDER = (
    acdc.LAYOUT,
    sunnybrook.LAYOUT,
    rvsc.LAYOUT,
    camus.LAYOUT,
    camus.NIFTI_LAYOUT,
    camus.PNG_LAYOUT,
    emidec.LAYOUT,
    emidec_pictures.LAYOUT,
    mnms.LAYOUT,
    mnms2.LAYOUT,
    mmwhs.LAYOUT,
    echonet.LAYOUT,
    cell_tracking.LAYOUT,
    nnunet.LAYOUT,
    rgb_masks.LAYOUT,
    pairs.LAYOUT,
    folder.LAYOUT,
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType({layout.name: layout for layout in _IN_ORDER})
"""`files` is last and takes what is left; it raises where there is nothing. Before it comes
`pairs`, which has no names of its own; each of the others knows its own files and no other's."""
