"""The basal slices by the rule of SCMR 2020 (Schulz-Menger et al., JCMR 2020;22:19).

A slice belongs to the LV when myocardium borders at least half of its pool of blood. With less it
is left atrium if the pool grows in systole, and outflow tract, which counts, if it shrinks.
"""

import numpy as np

from heartseg.core.anatomy import Structure, enclosure
from heartseg.core.image import Segmentation
from heartseg.core.stack_order import slice_numbers
from heartseg.core.study import Phases
from heartseg.measure.volumes import with_scar_as_myocardium

BORDERED = 0.5
"""Least share of a basal pool's border that touches myocardium."""

_LV = Structure.LV_CAVITY


def without_atrium(segmentation: Segmentation, phases: Phases) -> Segmentation:
    """The segmentation without basal LV pools that are atrium by the rule; muscle stays.

    Slices are looked at from the base down, in each frame on its own, as long as they are not LV;
    a frame in which nobody drew the wall stays as it is.

    Args:
        segmentation: (t, z, y, x) labels with LV cavity and myocardium.
        phases: with an end-systole, which shows what grows.
    """
    if phases.es is None:
        return segmentation
    labels = segmentation.labels.copy()
    areas = np.count_nonzero(labels == _LV, axis=(2, 3))
    grows = areas[phases.es] > areas[phases.ed]
    numbers = slice_numbers(segmentation.geometry, labels[phases.ed])
    from_base = sorted(range(len(numbers)), key=numbers.__getitem__)
    for frame in (one for one in labels if (one == Structure.LV_MYOCARDIUM).any()):
        for z in (z for z in from_base if (frame[z] == _LV).any()):
            bordered = enclosure(with_scar_as_myocardium(frame[z]), _LV)
            if bordered is None or bordered >= BORDERED:
                break
            if grows[z]:
                frame[z][frame[z] == _LV] = Structure.BACKGROUND
    return segmentation.like(labels)


def slices_left_out(before: Segmentation, after: Segmentation, frame: int | None) -> int:
    """Slices of a frame that lost their LV."""
    if frame is None:
        return 0
    held = [np.any(one.labels[frame] == _LV, axis=(1, 2)) for one in (before, after)]
    return int(np.count_nonzero(held[0] & ~held[1]))
