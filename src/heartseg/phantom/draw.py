"""Plausible hearts, drawn at random: normal, dilated, hypertrophic, or with an enlarged RV."""

from collections.abc import Callable

import numpy as np

from heartseg.core.errors import ConfigError
from heartseg.phantom.cycle import Motion
from heartseg.phantom.heart import KINDS, Heart, Kind
from heartseg.phantom.shape import Wobble


def draw_heart(rng: np.random.Generator, kind: Kind | None = None) -> Heart:
    """A heart of that kind, or of any; the same generator state gives the same heart.

    Draws whose wall would be too thin somewhere are drawn again.
    """
    drawn = _DRAW[kind or KINDS[int(rng.integers(len(KINDS)))]]
    while True:
        try:
            return drawn(rng)
        except ConfigError:
            continue


def _any(rng: np.random.Generator, kind: Kind, size: dict[str, float]) -> Heart:
    """A heart of given sizes with random pose, shape and motion."""

    def terms(*amplitudes: float) -> Wobble:
        return tuple(
            (n, rng.uniform(0.3, 1.0) * a, rng.uniform(0.0, 2.0 * np.pi))
            for n, a in enumerate(amplitudes, start=2)
        )

    # In hypertrophy the septum is much thicker than the lateral wall.
    asymmetric = kind == "hypertrophic"
    around = rng.uniform(-0.6, 0.6) if asymmetric else rng.uniform(0.0, 2.0 * np.pi)
    shift = rng.uniform(1.0, 3.2) if asymmetric else rng.uniform(0.2, 0.8)
    base: dict[str, float] = {
        "rv_apex_mm": rng.uniform(10.0, 22.0),
        "rv_base_mm": rng.uniform(-2.0, 6.0),
        "equator": rng.uniform(0.66, 0.80),
        "apex_wall_mm": rng.uniform(6.0, 8.0),
        "rv_angle": rng.uniform(3.05, 3.55),
        "rv_width": rng.uniform(1.12, 1.35),
        "rv_bulge": rng.uniform(0.1, 0.35),
        "rv_bulge_angle": rng.uniform(0.35, 0.65) * rng.choice([-1.0, 1.0]),
        "rv_turn": rng.uniform(-0.1, 0.35),
        "papillary_ml": 0.045 * size["lv_edv_ml"] * rng.uniform(0.7, 1.2),
        "twist": rng.uniform(0.1, 0.25),
    }
    return Heart(
        **{**base, **size},  # type: ignore[arg-type]  # every name in them takes a float
        endocardium=terms(0.10, 0.06, 0.03),
        epicardium=terms(0.08, 0.02),
        septal_shift_mm=(shift * np.cos(around), shift * np.sin(around)),
        bend_mm=(rng.uniform(0.0, 6.0), rng.uniform(-3.0, 5.0)),
        papillary_angles=(rng.uniform(-1.2, -0.6), rng.uniform(1.2, 1.8)),
        tilt=tuple(rng.normal(0.0, 0.12, 3).tolist()),
        motion=Motion.random(rng),
        kind=kind,
    )


def _normal(rng: np.random.Generator) -> Heart:
    edv, ef = rng.uniform(95, 175), rng.uniform(0.53, 0.70)
    scale = (edv / 140.0) ** (1.0 / 3.0)
    rv_edv = edv * rng.uniform(0.98, 1.18)
    size = {
        "lv_edv_ml": edv,
        "lv_ef": ef,
        "lv_mass_g": edv * rng.uniform(0.68, 0.95),
        "rv_edv_ml": rv_edv,
        "rv_ef": edv * ef * rng.uniform(0.95, 1.02) / rv_edv,
        "length_mm": rng.uniform(86, 96) * scale,
        "descent_mm": rng.uniform(11, 16) * scale,
        "rv_descent_mm": rng.uniform(16, 22) * scale,
    }
    return _any(rng, "normal", size)


def _dilated(rng: np.random.Generator) -> Heart:
    edv, ef = rng.uniform(190, 320), rng.uniform(0.14, 0.38)
    rv_edv = rng.uniform(130, 210)
    size = {
        "lv_edv_ml": edv,
        "lv_ef": ef,
        "lv_mass_g": rng.uniform(140, 200),
        "rv_edv_ml": rv_edv,
        "rv_ef": min(0.6, edv * ef * rng.uniform(0.9, 1.05) / rv_edv),
        "length_mm": rng.uniform(96, 112),
        "descent_mm": rng.uniform(4, 9),
        "rv_descent_mm": rng.uniform(9, 16),
    }
    return _any(rng, "dilated", size)


def _hypertrophic(rng: np.random.Generator) -> Heart:
    edv, ef = rng.uniform(100, 160), rng.uniform(0.60, 0.78)
    rv_edv = edv * rng.uniform(0.95, 1.12)
    size = {
        "lv_edv_ml": edv,
        "lv_ef": ef,
        "lv_mass_g": rng.uniform(160, 240),
        "rv_edv_ml": rv_edv,
        "rv_ef": edv * ef * rng.uniform(0.92, 1.0) / rv_edv,
        "length_mm": rng.uniform(92, 102),
        "descent_mm": rng.uniform(9, 14),
        "rv_descent_mm": rng.uniform(15, 20),
        "apex_wall_mm": rng.uniform(7, 10),
    }
    return _any(rng, "hypertrophic", size)


def _rv_enlarged(rng: np.random.Generator) -> Heart:
    edv, ef = rng.uniform(80, 140), rng.uniform(0.48, 0.65)
    size = {
        "lv_edv_ml": edv,
        "lv_ef": ef,
        "lv_mass_g": edv * rng.uniform(0.7, 0.95),
        "rv_edv_ml": rng.uniform(200, 290),
        "rv_ef": rng.uniform(0.28, 0.45),
        "length_mm": rng.uniform(84, 94),
        "descent_mm": rng.uniform(9, 13),
        "rv_descent_mm": rng.uniform(10, 16),
        "rv_apex_mm": rng.uniform(2, 12),
        "rv_width": rng.uniform(1.3, 1.5),
    }
    return _any(rng, "rv_enlarged", size)


_DRAW: dict[Kind, Callable[[np.random.Generator], Heart]] = {
    "normal": _normal,
    "dilated": _dilated,
    "hypertrophic": _hypertrophic,
    "rv_enlarged": _rv_enlarged,
}
