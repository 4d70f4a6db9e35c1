"""What every heart obeys, one rule a function: labels (z, y, x) -> labels, smaller or filled.

No rule adds a structure to a slice that had none of it, but for the left ventricle between two
slices that both show its cavity. Structures that are absent stay absent.

There is no rule against a pool without a ring of myocardium. At the ends of the stack such a pool
may be atrium; but on validation patients, with three networks of middling quality and least
shares of 0.5, 0.3 and 0.1, it was more often a true slice whose wall the network had missed. What
counts as ventricle by its ring is for `measure` to say.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure, enclosure
from heartseg.core.geometry import Geometry
from heartseg.refine.gaps import between, missed_slices
from heartseg.refine.pieces import (
    Mask,
    box_of,
    main_piece,
    mostly_over,
    near,
    one_piece_a_slice,
    without_crumbs,
)

LV_PARTS = (
    Structure.LV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.SCAR,
    Structure.NO_REFLOW,
)
"""The left ventricle within its epicardium."""

ONE_OF_EACH = (
    Structure.LEFT_ATRIUM,
    Structure.RIGHT_ATRIUM,
    Structure.AORTA,
    Structure.PULMONARY_ARTERY,
)

CRUMB = 0.2
"""A piece smaller than this share of the largest one in its slice is none."""

LITTLE = 0.01
"""Lets size decide between pools that have no myocardium around them at all."""


def one_left_ventricle(labels: Labels, geometry: Geometry) -> Labels:
    """Cavity and wall form one body, but for a missed slice; what lies apart is none of it."""
    ventricle = mask_of(labels, LV_PARTS)
    return _without(labels, ventricle & ~main_piece(ventricle, geometry, over_a_gap=True))


def one_cavity(labels: Labels, geometry: Geometry) -> Labels:
    """The LV cavity is one body, and one pool in each slice.

    Of two bodies the one with more myocardium around it is meant, even when it is the smaller:
    the other may be a right ventricle mistaken for the left.
    """
    cavity, wall = labels == Structure.LV_CAVITY, labels == Structure.LV_MYOCARDIUM

    def ringed_voxels(piece: Mask) -> float:
        scene = np.select([piece, wall], [Structure.LV_CAVITY, Structure.LV_MYOCARDIUM], 0)
        share = enclosure(scene.astype(np.uint8), Structure.LV_CAVITY) or 0.0
        return float(np.count_nonzero(piece) * (share + LITTLE))

    kept = one_piece_a_slice(main_piece(cavity, geometry, ringed_voxels, over_a_gap=True))
    return _without(labels, cavity & ~kept)


def no_wall_aside_of_the_ventricle(labels: Labels, geometry: Geometry) -> Labels:
    """In slices beyond the cavity's ends, wall lies over the ventricle of the slice before.

    A piece of which less than half does, within `REACH_MM`, is of an atrium or a vessel: it may
    touch the true wall in a slice and still reach far off in the next.
    """
    cavity = np.flatnonzero((labels == Structure.LV_CAVITY).any(axis=(1, 2)))
    if not cavity.size:
        return labels
    out = labels
    for step, first in ((-1, int(cavity[0])), (1, int(cavity[-1]))):
        for at in range(first + step, -1 if step < 0 else len(labels), step):
            wall = mask_of(out[at], LV_PARTS)
            if not wall.any():
                break
            aside = wall & ~mostly_over(wall, mask_of(out[at - step], LV_PARTS), geometry)
            if aside.any():
                out = out.copy() if out is labels else out
                out[at][aside] = Structure.BACKGROUND
    return out


def right_ventricle_beside_left(labels: Labels, geometry: Geometry) -> Labels:
    """The RV is one body that lies against the LV, as far as there is one."""
    cavity = labels == Structure.RV_CAVITY
    beside = near(cavity, mask_of(labels, LV_PARTS), geometry)
    return _without(labels, cavity & ~main_piece(beside, geometry))


def no_crumbs(labels: Labels) -> Labels:
    """Within a slice, no piece of wall or RV is far smaller than the largest one there.

    In the reference labels of 100 ACDC patients this changes 9 of 400 masks and leaves each a Dice
    of 0.9997 or more; networks scatter many crumbs above the base, where ventricles end.
    """
    for structure in (Structure.LV_MYOCARDIUM, Structure.RV_CAVITY):
        mask = labels == structure
        labels = _without(labels, mask & ~without_crumbs(mask, CRUMB))
    return labels


def one_of_each(labels: Labels, geometry: Geometry) -> Labels:
    """Each atrium and great vessel is one body."""
    for structure in ONE_OF_EACH:
        mask = labels == structure
        if mask.any():
            labels = _without(labels, mask & ~main_piece(mask, geometry))
    return labels


def papillary_muscles_in_cavity(labels: Labels) -> Labels:
    """What the LV cavity surrounds in its slice is cavity: papillary muscles count as blood."""
    inside = holes(labels == Structure.LV_CAVITY)
    if not inside.any():
        return labels
    muscle = (labels == Structure.LV_MYOCARDIUM) | (labels == Structure.BACKGROUND)
    return np.where(inside & muscle, np.uint8(Structure.LV_CAVITY), labels)


def no_hole_in_left_ventricle(labels: Labels, cavity_likelier: Mask) -> Labels:
    """Background within the epicardium becomes cavity or wall, whichever was likelier there.

    Cavity only where the slice has a cavity already.
    """
    inside = holes(mask_of(labels, LV_PARTS)) & (labels == Structure.BACKGROUND)
    if not inside.any():
        return labels
    has_cavity = (labels == Structure.LV_CAVITY).any(axis=(1, 2))[:, None, None]
    filling = np.where(
        cavity_likelier & has_cavity, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM
    ).astype(np.uint8)
    return np.where(inside, filling, labels)


def no_gap_in_left_ventricle(labels: Labels, geometry: Geometry) -> Labels:
    """A slice without cavity, between two that show one, gets what lies between those two."""
    cavity = labels == Structure.LV_CAVITY
    missed = missed_slices(cavity)
    if not missed:
        return labels
    ventricle = mask_of(labels, LV_PARTS)
    pool, body = (between(one, missed, geometry) for one in (cavity, ventricle))
    aside = np.zeros_like(ventricle)
    aside[missed] = ventricle[missed]  # what the slice shows of it lies elsewhere
    parts = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.BACKGROUND)
    return np.select([pool, body, aside], [np.uint8(one) for one in parts], labels)


def no_hole_in_right_ventricle(labels: Labels) -> Labels:
    """Background that the RV surrounds in its slice is RV."""
    inside = holes(labels == Structure.RV_CAVITY) & (labels == Structure.BACKGROUND)
    return np.where(inside, np.uint8(Structure.RV_CAVITY), labels)


def mask_of(labels: Labels, structures: Iterable[Structure]) -> Mask:
    """Voxels of any of the structures."""
    found = np.zeros(labels.shape, bool)
    for structure in structures:  # comparing is many times faster than a table
        found |= labels == structure
    return found


def holes(mask: Mask) -> Mask:
    """Voxels that a mask (z, y, x) surrounds in their slice; its own are not among them."""
    from scipy import ndimage

    in_plane = np.zeros((3, 3, 3), bool)
    in_plane[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    box = box_of(mask)
    padded = np.pad(~mask[box], ((0, 0), (1, 1), (1, 1)), constant_values=True)
    regions, count = ndimage.label(padded, in_plane)
    found = np.zeros(mask.shape, bool)
    if count > len(mask):  # else there is the surrounding alone in each slice
        enclosed = np.ones(int(count) + 1, bool)
        enclosed[0] = False
        enclosed[np.unique(regions[:, 0, :])] = False
        found[box] = enclosed[regions[:, 1:-1, 1:-1]]
    return found


def _without(labels: Labels, dropped: NDArray[np.bool_]) -> Labels:
    return np.where(dropped, np.uint8(Structure.BACKGROUND), labels) if dropped.any() else labels
