"""Thickness of the LV wall in short-axis slices, from the masks.

At each voxel in the middle of the wall the distance to the cavity and the distance to the outside
add up to the local thickness. Sectors about the cavity's centre take the median of theirs, three
neighbouring sectors again, so that a spur of one or two voxels does not make the largest value.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure, enclosure

SECTORS = 36
"""Sectors of 10 degrees round the cavity."""

CLOSED_RING = 0.95
"""A slice has a closed ring when this share of the cavity's border touches myocardium."""

SMALLEST_CAVITY = 0.2
"""Slices whose cavity is smaller than this share of the largest cut the apex, not the wall."""

ENDS_KEPT_BELOW = 5
"""Stacks with fewer LV slices than this keep their first and last one."""

Mask = NDArray[np.bool_]


def ring_slices(labels: Labels) -> tuple[int, ...]:
    """Slices of (z, y, x) labels whose LV cavity the myocardium rings."""
    return tuple(
        z
        for z, plane in enumerate(labels)
        if (enclosure(plane, Structure.LV_CAVITY) or 0.0) >= CLOSED_RING
    )


def wall_slices(labels: Labels) -> tuple[int, ...]:
    """Slices where the wall is cut about at right angles, so that its thickness means something.

    A closed ring, a cavity that is not an apical cap, and neither end of the LV's stack.
    """
    areas = np.count_nonzero(labels == Structure.LV_CAVITY, axis=(1, 2))
    bearing = np.flatnonzero(areas)
    if not len(bearing):
        return ()
    ends = set() if len(bearing) < ENDS_KEPT_BELOW else {int(bearing[0]), int(bearing[-1])}
    floor = SMALLEST_CAVITY * areas.max()
    return tuple(z for z in ring_slices(labels) if z not in ends and areas[z] >= floor)


def largest_wall_mm(labels: Labels, spacing_mm: Sequence[float]) -> float | None:
    """Largest wall thickness over the slices that `wall_slices` names.

    Args:
        labels: (z, y, x) of one frame.
        spacing_mm: (z, y, x); only the in-plane spacing is used.

    Returns:
        Millimetres, or None when no slice has a closed ring.
    """
    in_plane = (spacing_mm[1], spacing_mm[2])
    largest = [float(np.nanmax(sector_thickness_mm(labels[z], in_plane)))
               for z in wall_slices(labels)]  # fmt: skip
    return max(largest, default=None)


def sector_thickness_mm(plane: Labels, spacing_mm: tuple[float, float]) -> NDArray[np.float64]:
    """(SECTORS,) thickness round the cavity of one (y, x) slice; NaN where a sector has no wall."""
    from scipy.ndimage import median

    wall = plane == Structure.LV_MYOCARDIUM
    cavity = plane == Structure.LV_CAVITY
    thickness, middle = _local_thickness_mm(wall, cavity, spacing_mm)
    rows, columns = np.nonzero(middle)
    centre = np.argwhere(cavity).mean(axis=0)
    angle = np.arctan2((rows - centre[0]) * spacing_mm[0], (columns - centre[1]) * spacing_mm[1])
    sector = np.floor((angle + np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    medians = np.full(SECTORS, np.nan)
    walled = np.unique(sector)
    if len(walled):
        medians[walled] = median(thickness[middle], sector, walled)
    return _median_of_three(medians)


def _local_thickness_mm(
    wall: Mask, cavity: Mask, spacing_mm: tuple[float, float]
) -> tuple[NDArray[np.float64], Mask]:
    """Thickness at each voxel, and which voxels lie midway between both borders."""
    from scipy.ndimage import distance_transform_edt

    padded = np.pad(wall | cavity, 1)  # a wall at the image's edge ends there
    inward = distance_transform_edt(~cavity, sampling=spacing_mm)
    outward = distance_transform_edt(padded, sampling=spacing_mm)[1:-1, 1:-1]
    pixel = float(np.sqrt(spacing_mm[0] * spacing_mm[1]))
    # Distances run between voxel centres, so both reach about half a pixel beyond the wall's
    # borders. On even rings the typical sector then comes out 0.4 pixels thin (the nearest centre
    # is chosen), and the largest, which is what is reported, right within 0.4.
    middle: Mask = wall & (np.abs(inward - outward) <= max(spacing_mm))
    return inward + outward - pixel, middle


def _median_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Circular median of three; sectors without a value take no part and get none."""
    if np.isnan(values).all():
        return values
    three = np.stack([np.roll(values, 1), values, np.roll(values, -1)])
    smooth = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    smooth[known] = np.nanmedian(three[:, known], axis=0)
    return smooth
