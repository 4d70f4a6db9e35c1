"""The likeliest anatomy of one frame, and of a cine."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import ModelError
from heartseg.core.geometry import Box, Geometry
from heartseg.core.probability import Region
from heartseg.refine import rules
from heartseg.refine.pieces import box_of
from heartseg.refine.time import no_flicker

Probabilities = NDArray[np.float32]


def refine_cine(
    frames: Iterable[Probabilities], structures: Sequence[Structure], geometry: Geometry
) -> Labels:
    """Labels (t, z, y, x) of frames (structures, z, y, x), which are taken one at a time.

    Raises:
        ModelError: as `refine_frame`, or no frame.
    """
    return refine_regions(map(Region.whole, frames), structures, geometry)


def refine_regions(
    regions: Iterable[Region], structures: Sequence[Structure], geometry: Geometry
) -> Labels:
    """As `refine_cine`, of frames without the background around the heart."""
    labels = [refine_region(region, structures, geometry) for region in regions]
    if not labels:
        raise ModelError("probabilities", got="no frame", allowed="at least one")
    return no_flicker(np.stack(labels))


def refine_frame(
    probabilities: Probabilities, structures: Sequence[Structure], geometry: Geometry
) -> Labels:
    """Labels (z, y, x): the likeliest structure of each voxel, then the rules of anatomy.

    Args:
        probabilities: (structures, z, y, x), in the order of `structures`.
        structures: of each channel; the first is the background.
        geometry: of (z, y, x).

    Raises:
        ModelError: shapes that do not fit, or values that are not numbers.
    """
    return refine_region(Region.whole(probabilities), structures, geometry)


def refine_region(region: Region, structures: Sequence[Structure], geometry: Geometry) -> Labels:
    """As `refine_frame`, of a frame without the background around the heart."""
    _require_fit((len(region.values), *region.shape), structures, geometry)
    labels = np.full(geometry.shape, structures[0], np.uint8)
    inner = _likeliest(region.values, structures)
    if inner.any():
        box = box_of(inner)
        cavity_likelier = _cavity_likelier(region.values, structures, box)
        inner[box] = _obeying_anatomy(inner[box], geometry, cavity_likelier)
        labels[region.box] = inner
    return labels


def likeliest(
    probabilities: Probabilities, structures: Sequence[Structure], geometry: Geometry
) -> Labels:
    """The structure of the greatest probability; the earlier channel wins a tie.

    Raises:
        ModelError: as `refine_frame`.
    """
    _require_fit(probabilities.shape, structures, geometry)
    return _likeliest(probabilities, structures)


def _require_fit(
    shape: tuple[int, ...], structures: Sequence[Structure], geometry: Geometry
) -> None:
    wanted = (len(structures), *geometry.shape)
    if shape != wanted or structures[0] != Structure.BACKGROUND:
        raise ModelError(
            "probabilities", got=f"shape {shape}", allowed=f"{wanted}, background first"
        )


def _likeliest(probabilities: Probabilities, structures: Sequence[Structure]) -> Labels:
    # Least and greatest are NaN when any is: faster than looking at each voxel.
    least, greatest = probabilities.min(initial=0.0), probabilities.max(initial=0.0)
    if not np.isfinite([least, greatest]).all():
        raise ModelError(
            "probabilities",
            got="values that are not numbers (NaN or infinite)",
            do="the model or its precision does not suit this image: try another model",
        )
    best = probabilities[0]
    labels = np.full(best.shape, structures[0], np.uint8)
    for structure, channel in zip(structures[1:], probabilities[1:], strict=True):
        np.copyto(labels, np.uint8(structure), where=channel > best)
        best = np.maximum(best, channel)
    return labels


def _obeying_anatomy(
    labels: Labels, geometry: Geometry, cavity_likelier: NDArray[np.bool_]
) -> Labels:
    labels = rules.one_left_ventricle(labels, geometry)
    labels = rules.one_cavity(labels, geometry)
    labels = rules.right_ventricle_beside_left(labels, geometry)
    labels = rules.no_crumbs(labels)
    labels = rules.one_of_each(labels, geometry)
    labels = rules.papillary_muscles_in_cavity(labels)
    labels = rules.no_hole_in_left_ventricle(labels, cavity_likelier)
    labels = rules.no_gap_in_left_ventricle(labels, geometry)
    labels = rules.no_wall_aside_of_the_ventricle(labels, geometry)
    return rules.no_hole_in_right_ventricle(labels)


def _cavity_likelier(
    probabilities: Probabilities, structures: Sequence[Structure], box: Box
) -> NDArray[np.bool_]:
    """Where the LV cavity was likelier than its wall; nowhere when the model lacks one of them."""
    order = list(structures)
    if Structure.LV_CAVITY not in order:
        return np.zeros(probabilities[0][box].shape, bool)
    cavity = probabilities[order.index(Structure.LV_CAVITY)][box]
    if Structure.LV_MYOCARDIUM not in order:
        return np.ones(cavity.shape, bool)
    likelier: NDArray[np.bool_] = cavity > probabilities[order.index(Structure.LV_MYOCARDIUM)][box]
    return likelier
