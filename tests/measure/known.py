"""A stack and two apical views that show every measure, with its value worked out by hand.

A new measure needs a value here, by its key; what it needs and these hearts lack is added to them.
"""

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, View
from tests.measure.echoes import frame, half_ellipsoid_ml, view
from tests.measure.hearts import BOX_SHAPE, LV, MYO, RV, VENTRICLES, segmentation
from tests.measure.long_axes import quarter_mm

BODY = Body(height_cm=180, weight_kg=80, heart_rate_bpm=62.5)
"""2 m2; 960 ms a beat."""

FRAME_MS = 40.0

LV_ROWS = [14] * 4 + [*range(13, 5, -1)] + [6] * 4 + [8, 10, 12] + [14] * 5
RV_ROWS = [9] * 7 + [*range(8, 2, -1)] + [3] * 3 + [5, 7] + [9] * 6
"""Of the boxes in each of 24 frames: the LV's smallest first in frame 11, the RV's in frame 12."""


def stack() -> Segmentation:
    """Boxes: LV 4 x rows x 12 voxels, a wall two pixels thick at first, RV 3 x rows x 7.

    48 voxels of the wall are scar; an atrium of 2 x 5 x 6 lies beyond. 0.015 mL a voxel.
    """
    labels = np.zeros((24, *BOX_SHAPE), np.uint8)
    labels[:, 1:5, 8:26, 6:22] = MYO
    labels[:, 1:5, 8:10, 8:14] = Structure.SCAR
    labels[:, 5:7, 30:35, 4:10] = Structure.LEFT_ATRIUM
    for one, left, right in zip(labels, LV_ROWS, RV_ROWS, strict=True):
        one[1:5, 10 : 10 + left, 8:20] = LV
        one[2:5, 9 : 9 + right, 22:29] = RV
    structures = (*VENTRICLES, Structure.SCAR, Structure.LEFT_ATRIUM)
    return segmentation(labels, None, structures, tuple(FRAME_MS * t for t in range(24)))


# The slope of a frame is the increments of six steps round it, weighted -22 45 103 103 45 -22 of
# 252 (Savitzky and Golay's first derivative of a cubic in seven points, summed). The steepest fall
# is that with five or more equal steps after a level one, the rise that with all of its steps.
_FALL = 274 / 252
_MM_S = 0.015 / (FRAME_MS / 1000)

OF_STACK = {
    "lv_edv_ml": 672 * 0.015,
    "lv_esv_ml": 288 * 0.015,
    "lv_sv_ml": 384 * 0.015,
    "lv_ef": 4 / 7,
    "co_l_min": 384 * 0.015 * 62.5 / 1000,
    "lv_mass_g": 480 * 0.015 * 1.05,
    "lv_mass_es_g": 864 * 0.015 * 1.05,
    "lv_mass_volume_ratio": 480 * 1.05 / 672,
    "lv_wall_max_mm": pytest.approx(3.0, abs=0.2),  # two rows of 1.5 mm
    "lv_peak_ejection_rate_ml_s": _FALL * 48 * _MM_S,
    "lv_peak_filling_rate_ml_s": 2 * 296 / 252 * 48 * _MM_S,
    "lv_scar_fraction": 0.1,
    "rv_edv_ml": 189 * 0.015,
    "rv_esv_ml": 63 * 0.015,
    "rv_sv_ml": 126 * 0.015,
    "rv_ef": 2 / 3,
    "rv_peak_ejection_rate_ml_s": _FALL * 21 * _MM_S,
    "rv_peak_filling_rate_ml_s": 2 * 251 / 252 * 21 * _MM_S,
    "la_esv_ml": 60 * 0.015,
    "sv_difference_ml": (384 - 126) * 0.015,
    "bsa_m2": 2.0,
}

# The radius of a ring is the square root of its area over pi, and pi falls out of ratios: 168 and
# 120 voxels of cavity and wall in a slice at end-diastole, 72 and 216 at end-systole.
_INNER_ED, _INNER_ES, _OUTER = np.sqrt(168), np.sqrt(72), np.sqrt(288)

OF_RINGS = {
    "lv_gcs": (_INNER_ES + _OUTER) / (_INNER_ED + _OUTER) - 1,
    "lv_grs": (_OUTER - _INNER_ES) / (_OUTER - _INNER_ED) - 1,
}


DEPTH = [(0.5 - 0.5 * np.cos(np.pi * t / 8)) * (1.0 if t < 16 else 0.7) for t in range(33)]
"""Of two beats of sixteen frames, the second with a smaller stroke."""


def apical() -> dict[View, Segmentation]:
    """Half ellipsoids, at end-diastole 80 mm long and 50 or 46 mm wide; 14 mm less in systole.

    The atrium is 40 mm long and as wide as the ventricle's base.
    """
    times = tuple(60.0 * t for t in range(33))
    return {
        name: view(
            *(frame(80 - 14 * d, width - 14 * d, atrium_mm=40) for d in DEPTH), times_ms=times
        )
        for name, width in ((View.LAX_4CH, 50), (View.LAX_2CH, 46))
    }


_BOTH_ED = half_ellipsoid_ml(80, 50, 46)
_BOTH_ES = (half_ellipsoid_ml(66, 36, 32), half_ellipsoid_ml(70.2, 40.2, 36.2))
_STROKE = _BOTH_ED - np.mean(_BOTH_ES)
_FOUR_ED = half_ellipsoid_ml(80, 50)
_FOUR_ES = (half_ellipsoid_ml(66, 36), half_ellipsoid_ml(70.2, 40.2))
_SECONDS = np.linspace(0, 0.96, 3000)
_D = 0.5 - 0.5 * np.cos(2 * np.pi * _SECONDS / 0.96)
_SLOPE = np.gradient(half_ellipsoid_ml(80 - 14 * _D, 50 - 14 * _D), _SECONDS)


def _near(value: float, share: float = 0.025) -> object:
    """Drawn in pixels of 0.5 x 0.8 mm."""
    return pytest.approx(value, rel=share)


OF_LONG_AXIS = {
    "lv_edv_ml": _near(_BOTH_ED),
    "lv_esv_ml": _near(np.mean(_BOTH_ES)),
    "lv_sv_ml": _near(_STROKE),
    "lv_ef": _near(_STROKE / _BOTH_ED),
    "co_l_min": _near(_STROKE * 62.5 / 1000),
    "lv_ef_beat_1": _near(1 - _BOTH_ES[0] / _BOTH_ED),
    "lv_ef_beat_2": _near(1 - _BOTH_ES[1] / _BOTH_ED),
    "lv_edv_4ch_ml": _near(_FOUR_ED),
    "lv_esv_4ch_ml": _near(np.mean(_FOUR_ES)),
    "lv_ef_4ch": _near(1 - np.mean(_FOUR_ES) / _FOUR_ED),
    "lv_length_ed_4ch_mm": _near(80),
    "lv_length_es_4ch_mm": _near((66 + 70.2) / 2),
    "lv_edv_area_length_ml": _near(_BOTH_ED),
    "lv_esv_area_length_ml": _near(np.mean(_BOTH_ES)),
    "lv_ef_area_length": _near(_STROKE / _BOTH_ED),
    "lv_peak_ejection_rate_ml_s": _near(-_SLOPE.min(), 0.06),
    "lv_peak_filling_rate_ml_s": _near(_SLOPE.max(), 0.06),
    "la_esv_ml": _near(
        (half_ellipsoid_ml(40, 36, 32) + half_ellipsoid_ml(40, 40.2, 36.2)) / 2, 0.04
    ),
    "bsa_m2": 2.0,
}


def _shortening(width: float) -> float:
    """Of half an ellipse's circumference, without its base; mean of both beats."""
    start = quarter_mm(80, width / 2)
    return np.mean([quarter_mm(80 - d, (width - d) / 2) / start - 1 for d in (14, 9.8)])


_FOUR, _TWO = _shortening(50), _shortening(46)

OF_LONGITUDINAL = {
    "lv_gls": pytest.approx((_FOUR + _TWO) / 2, abs=0.006),
    "lv_gls_peak": pytest.approx((_FOUR + _TWO) / 2, abs=0.006),
    "lv_gls_4ch": pytest.approx(_FOUR, abs=0.006),
    "lv_gls_peak_2ch": pytest.approx(_TWO, abs=0.006),
}
