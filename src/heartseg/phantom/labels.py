"""The true labels of a scanned heart: what lies at the centre of each voxel."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.image import Segmentation
from heartseg.phantom.acquisition import Acquisition, Plane
from heartseg.phantom.anatomy import Place
from heartseg.phantom.heart import Heart, State
from heartseg.phantom.shape import Array

STRUCTURES = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
Papillary = Literal["cavity", "myocardium"]

REACH_MM = 100.0
"""No part of the ventricles lies further from the long axis."""


def labels(
    heart: Heart, acquisition: Acquisition, *, papillary: Papillary = "cavity"
) -> Segmentation:
    """Rasterise the ventricles on the acquisition's grid, moved as its picture is.

    Args:
        heart: what is scanned.
        acquisition: how; every frame of it is labelled.
        papillary: what papillary muscles count as; "cavity" as ACDC does.
    """
    geometry = acquisition.geometry(heart)
    out = np.zeros((acquisition.frames, *geometry.shape), np.uint8)
    drifts = acquisition.drifts_mm()
    for index, hold in enumerate(acquisition.breath_holds_mm()):
        for frame, phase in enumerate(acquisition.phases):
            shift = hold + np.array([0.0, *drifts[frame]])
            plane = Plane.at(geometry, index, shift).in_heart(heart)
            state = State.at(heart, float(phase))
            for rows, columns in _near(plane, acquisition.matrix, heart):
                place = Place.of(heart, *plane.coordinates(rows, columns))
                out[frame, index, rows, columns] = _of_place(place, state, papillary)
    return Segmentation(out, geometry, STRUCTURES, acquisition.times_ms)


def _of_place(place: Place, state: State, papillary: Papillary) -> Labels:
    out = np.zeros(place.w.shape, np.uint8)
    below = place.w <= state.epicardium.base_mm
    outside = place.epicardium_mm(state) < 0
    rv = (place.rv_mm(state) >= 0) & outside & (place.w <= state.rv.base_mm)
    cavity = (place.endocardium_mm(state) >= 0) & below
    out[rv] = Structure.RV_CAVITY
    out[~outside & below] = Structure.LV_MYOCARDIUM
    out[cavity] = Structure.LV_CAVITY
    if papillary == "myocardium":
        out[cavity & (place.papillary_mm(state) >= 0)] = Structure.LV_MYOCARDIUM
    return out


def _near(plane: Plane, matrix: tuple[int, int], heart: Heart) -> Iterator[tuple[slice, slice]]:
    """The rectangle of pixels that the ventricles can reach; none where they cannot."""
    found = box(plane, matrix, (-1.0, heart.length_mm + max(heart.rv_base_mm, 0.0) + 1.0))
    if found is not None:
        yield found


def box(
    plane: Plane, matrix: tuple[int, int], along_mm: tuple[float, float]
) -> tuple[slice, slice] | None:
    """Smallest rectangle that holds all pixels within `REACH_MM` of the axis and that range."""
    whole = slice(0, matrix[0]), slice(0, matrix[1])
    u, v, w = plane.coordinates(*whole, np.float32)
    near = within(u, v, w, along_mm)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def within(u: Array, v: Array, w: Array, along_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """Points that the heart can reach."""
    near: NDArray[np.bool_] = (u**2 + v**2 < REACH_MM**2) & (w >= along_mm[0]) & (w <= along_mm[1])
    return near
