"""Which wall of an apical view is which: six segments a view, named where the picture tells.

Names as in Lang et al., J Am Soc Echocardiogr 2015;28:1-39 (ASE/EACVI), and Cerqueira et al.,
Circulation 2002;105:539. Most laboratories show the septal, the inferior and the inferolateral wall
on the left, some the other way round, and a file does not say which. So a wall is named only where
the right ventricle lies beside it, or the image has its place in the patient.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import BASE_LPS, DOWN_LPS, Geometry
from heartseg.core.study import Modality, View
from heartseg.measure.endocardium import Endocardium

NAMES: Mapping[View, tuple[str, ...]] = MappingProxyType(
    {
        View.LAX_4CH: (
            *("basal_inferoseptal", "mid_inferoseptal", "apical_septal"),
            *("apical_lateral", "mid_anterolateral", "basal_anterolateral"),
        ),
        View.LAX_2CH: (
            *("basal_inferior", "mid_inferior", "apical_inferior"),
            *("apical_anterior", "mid_anterior", "basal_anterior"),
        ),
        View.LAX_3CH: (
            *("basal_inferolateral", "mid_inferolateral", "apical_lateral"),
            *("apical_anterior", "mid_anteroseptal", "basal_anteroseptal"),
        ),
    }
)
"""Along the contour; the usual display begins with the first of them on the left."""

NEUTRAL = (
    *("basal_left", "mid_left", "apical_left"),
    *("apical_right", "mid_right", "basal_right"),
)
"""Sides of the picture turned until the apex is up."""

_FIRST_DEGREES = {View.LAX_4CH: 192.0, View.LAX_2CH: 268.0, View.LAX_3CH: 322.0}
"""Where the wall that is named first lies in a usual short axis seen from the apex: against the
clock from the lateral wall, the anterior one at 90."""

_RIGHT_HEART_FIRST = {View.LAX_4CH: True, View.LAX_3CH: False}
"""Whether the right heart lies beside the wall that is named first; the 2-chamber shows none."""

ALIKE = 0.5
"""Least cosine (60 degrees) of the picture's directions and those of a usual heart."""

BY_RIGHT_HEART = "the right heart lies beside the septum"
BY_PATIENT = "by the image's place in the patient"

_RIGHT = (Structure.RV_CAVITY, Structure.RIGHT_ATRIUM)


def first_on_left(
    view: View, plane: Labels, line: Endocardium, geometry: Geometry, modality: Modality
) -> tuple[bool | None, str]:
    """Whether the wall that `NAMES` begins with lies on the left, and how that is known.

    Args:
        view: one of `NAMES`.
        plane: (y, x) labels.
        line: the contour in it.
        geometry: of the image; an echo has no place in the patient, whatever its file says.
        modality: of the image.

    Returns:
        None and nothing where the picture does not tell.
    """
    right_heart = np.argwhere(np.isin(plane, _RIGHT)) * np.asarray(geometry.spacing[1:])
    if len(right_heart) and view in _RIGHT_HEART_FIRST:
        left = float(line.from_axis(right_heart).mean()) < 0
        return left == _RIGHT_HEART_FIRST[view], BY_RIGHT_HEART
    if modality is Modality.US or geometry.unit != "mm" or not geometry.oblique:
        return None, ""
    return _by_place(view, line, geometry)


def _by_place(view: View, line: Endocardium, geometry: Geometry) -> tuple[bool | None, str]:
    rows_columns = geometry.directions[:, 1:]
    up, right = rows_columns @ line.up, rows_columns @ line.right
    towards = float(right @ _usual(_FIRST_DEGREES[view]))
    if float(up @ BASE_LPS) > -ALIKE or abs(towards) < ALIKE:
        return None, ""
    return towards < 0, BY_PATIENT


def _usual(degrees: float) -> NDArray[np.float64]:
    """(3,) LPS+ direction of a wall from the long axis of a usual heart."""
    inferior = DOWN_LPS - (DOWN_LPS @ BASE_LPS) * BASE_LPS
    inferior /= np.linalg.norm(inferior)
    lateral = np.cross(inferior, BASE_LPS)
    angle = np.radians(degrees)
    direction: NDArray[np.float64] = np.cos(angle) * lateral - np.sin(angle) * inferior
    return direction
