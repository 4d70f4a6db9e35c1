"""The scene: a heart in its torso, painted as thin planes on the grid of an acquisition.

What is painted does not depend on how it is shown: the same heart, acquisition and torso give the
same borders, vessels and shifts with every palette, so that pictures of two kinds lie pixel on
pixel. Each plane is the mean over its thickness of `SUBPLANES` thin ones, in which tissues are
painted from the outside inwards with partial volume from their signed distances.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry
from heartseg.phantom.acquisition import Acquisition, Plane
from heartseg.phantom.anatomy import PAPILLARY_SPAN, Place
from heartseg.phantom.heart import Heart, State
from heartseg.phantom.labels import box
from heartseg.phantom.palette import Palette
from heartseg.phantom.shape import Array
from heartseg.phantom.torso import Torso, paint, torso_signal

SUBPLANES = 4
RV_WALL_MM = 3.0
MARGIN_MM = 14.0
"""Fat and pericardium around the ventricles."""

ROOF_MM = 62.0
"""How far above the mitral plane at ED pixels are still painted: atria and great vessels."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is shown: a heart, how it is scanned, what lies around it, and how bright it all is."""

    heart: Heart
    acquisition: Acquisition
    torso: Torso
    palette: Palette


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """One slice of the scene, undisturbed.

    Attributes:
        index: of the slice.
        frames: (t, y, x) float32 on the palette's scale.
        rng: of the slice, after its textures were drawn.
    """

    index: int
    frames: Array
    rng: np.random.Generator


def painted(scene: Scene, geometry: Geometry) -> Iterator[Painted]:
    """The slices one after the other, each at its own breath-hold's place, without drift.

    Args:
        scene: what is shown.
        geometry: the acquisition's grid.
    """
    holds = scene.acquisition.breath_holds_mm()
    for index in range(geometry.shape[0]):
        rng = np.random.default_rng([scene.acquisition.seed, 3, index])
        textures = _textures(rng, scene.acquisition)
        thin = [_thin(scene, geometry, index + d, holds[index], textures) for d in _depths(scene)]
        frames = np.stack([_frame(scene, thin, float(p)) for p in scene.acquisition.phases])
        yield Painted(index, frames, rng)


@dataclass(frozen=True, slots=True, eq=False)
class _Thin:
    """One thin plane of the slice: what does not move, and the heart's points in its rectangle."""

    still: Array
    window: tuple[slice, slice]
    place: Place
    rough: Array
    eddies: tuple[Array, Array]
    soft_mm: float
    soft_w_mm: float


def _depths(scene: Scene) -> NDArray[np.float64]:
    """Where the thin planes lie, in slices from the slice's middle."""
    share = scene.acquisition.slice_thickness_mm / scene.acquisition.slice_distance_mm
    return share * ((np.arange(SUBPLANES) + 0.5) / SUBPLANES - 0.5)


def _textures(rng: np.random.Generator, acquisition: Acquisition) -> tuple[Array, ...]:
    """Smooth random maps of unit standard deviation at 2, 5 and twice 12 mm, and their mix."""
    from scipy.ndimage import gaussian_filter

    out = []
    for size_mm in (1.6, 5.0, 11.0, 11.0):
        sigma = [size_mm / spacing for spacing in acquisition.spacing_mm]
        white = rng.standard_normal(acquisition.matrix).astype(np.float32)
        smooth = gaussian_filter(white, sigma)
        out.append(acquisition.texture * smooth / max(float(smooth.std()), 1e-6))
    return tuple(out)


def _thin(
    scene: Scene,
    geometry: Geometry,
    index: float,
    hold: NDArray[np.float64],
    textures: tuple[Array, ...],
) -> _Thin:
    heart, soft = scene.heart, float(np.mean(geometry.spacing[1:]))
    plane = Plane.at(geometry, index, hold)
    whole = slice(0, geometry.shape[1]), slice(0, geometry.shape[2])
    centred = Plane(plane.origin - np.asarray(heart.position_mm), plane.step_y, plane.step_x)
    fine, middle, *eddies = textures
    uneven = 0.75 * middle + 0.66 * fine
    points = centred.coordinates(*whole, np.float32)
    still = torso_signal(scene.torso, points, scene.palette, uneven, eddies[0], soft)
    own = plane.in_heart(heart)
    window = box(own, (geometry.shape[1], geometry.shape[2]), (-6.0, heart.length_mm + ROOF_MM))
    rows, columns = _tight(heart, own, window) if window else (slice(0, 0), slice(0, 0))
    place = Place.of(heart, *own.coordinates(rows, columns, np.float32))
    rough = np.maximum(fine[rows, columns], 0.0)
    across = heart.directions[:, 2] @ geometry.affine[:3, 0]
    step = abs(across) * scene.acquisition.slice_thickness_mm / geometry.spacing[0] / SUBPLANES
    soft_w = float(step + abs(own.step_y[2]) + abs(own.step_x[2]))
    flow = (eddies[0][rows, columns], eddies[1][rows, columns])
    return _Thin(still, (rows, columns), place, rough, flow, soft, max(soft_w, 1e-3))


def _tight(heart: Heart, plane: Plane, window: tuple[slice, slice]) -> tuple[slice, slice]:
    """The part of a rectangle that the heart at its largest, its fat and its atria can fill."""
    place = Place.of(heart, *plane.coordinates(*window, np.float32))
    outline = np.maximum(
        place.rv_wall_mm(State.at(heart, 0.0), RV_WALL_MM),
        np.where(place.w > heart.length_mm - heart.rv_descent_mm, 85.0 - place.radius, -np.inf),
    )
    near = outline > -MARGIN_MM
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    top, left = window[0].start, window[1].start
    return (
        slice(top + int(rows[0]), top + int(rows[-1]) + 1),
        slice(left + int(columns[0]), left + int(columns[-1]) + 1),
    )


def _frame(scene: Scene, thin: list[_Thin], phase: float) -> Array:
    """Values of a slice at a phase, the mean of its thin planes."""
    state = State.at(scene.heart, phase)
    total = np.zeros_like(thin[0].still)
    for plane in thin:
        total += plane.still
        inside = plane.still[plane.window]
        if inside.size:
            total[plane.window] += _heart(plane, state, scene, phase) - inside
    return total / len(thin)


def _heart(thin: _Thin, state: State, scene: Scene, phase: float) -> Array:
    """The heart painted over what lies behind it, from the outside inwards."""
    place, soft, tissue = thin.place, thin.soft_mm, scene.palette
    flow, fibre = _unevenness(thin, scene, phase)
    signal = thin.still[thin.window]
    below = (state.epicardium.base_mm - place.w) / thin.soft_w_mm * soft
    below_rv = (state.rv.base_mm - place.w) / thin.soft_w_mm * soft
    wall = place.rv_wall_mm(state, RV_WALL_MM)
    signal = _fat_around(signal, thin, wall, state, tissue)
    signal = _atria(signal, thin, state, tissue, flow)
    if not (np.maximum(below, below_rv) > -soft).any():
        return signal
    signal = paint(signal, np.minimum(wall, below_rv), tissue.rv_wall * fibre, soft)
    rv = place.rv_mm(state) - 1.1 * thin.rough
    signal = paint(signal, np.minimum(rv, below_rv), tissue.rv_blood * flow, soft)
    epicardium = np.minimum(place.epicardium_mm(state), below)
    signal = paint(signal, epicardium, tissue.myocardium * fibre, soft)
    cavity = np.minimum(place.endocardium_mm(state) - 0.6 * thin.rough, below)
    signal = paint(signal, cavity, tissue.lv_blood * flow, soft)
    low, high = PAPILLARY_SPAN
    stand = state.endocardium.height_share(place.w)
    if float(stand.max()) <= low or float(stand.min()) >= high:
        return signal
    muscle = np.minimum(place.papillary_mm(state), below)
    return paint(signal, muscle, tissue.papillary * fibre, soft)


def _unevenness(thin: _Thin, scene: Scene, phase: float) -> tuple[Array, Array]:
    """By what blood that flows and muscle made of fibres are multiplied."""
    turn, strength = 2 * np.pi * phase, scene.palette.unevenness
    swirl = np.cos(turn) * thin.eddies[0] + np.sin(turn) * thin.eddies[1]
    trabeculae = 0.12 * (thin.rough - 0.4 * scene.acquisition.texture)
    flow = 1.0 + strength * 0.06 * swirl
    return flow, 1.0 + strength * (0.05 * thin.eddies[0]) + strength * trabeculae


def _fat_around(signal: Array, thin: _Thin, wall: Array, state: State, tissue: Palette) -> Array:
    """Epicardial fat, thick over the RV and in the grooves, thin at the lateral wall."""
    place, soft = thin.place, thin.soft_mm
    facing = place.angle - place.heart.rv_angle
    above = place.w - state.epicardium.base_mm
    grooves = np.exp(-((above / 14.0) ** 2))
    fat = (
        2.2
        + 1.8 * np.cos(facing)
        + 1.5 * np.cos(2.0 * facing + 1.0)
        + 4.0 * grooves
        + 1.2 * thin.eddies[1]
    )
    narrowing = 0.8 * np.maximum(above, 0.0)  # the atria stand in the rest
    around = np.minimum(np.minimum(wall + fat - narrowing, 16.0 - above), place.w + 4.0)
    signal = paint(signal, around + 1.2, tissue.pericardium, soft)  # pericardium
    return paint(signal, around, tissue.epicardial_fat, soft)


CHAMBERS = (
    # u, v, height of the middle over the mitral plane at ED, half-axes (u, v, w), right heart?
    (6.0, 6.0, 14.0, 27.0, 24.0, 30.0, False),  # left atrium
    (-46.0, 12.0, 14.0, 24.0, 25.0, 32.0, True),  # right atrium
    (-17.0, -12.0, 40.0, 15.0, 14.0, 62.0, False),  # aortic root
    (-20.0, -40.0, 30.0, 15.0, 13.0, 55.0, True),  # outflow tract and pulmonary trunk
)
"""Ellipsoids above the basal planes; the planes cut them, so they grow while ventricles empty."""


def _atria(signal: Array, thin: _Thin, state: State, tissue: Palette, flow: Array) -> Array:
    place, soft, heart = thin.place, thin.soft_mm, thin.place.heart
    highest = float(place.w.max())
    if highest < min(state.rv.base_mm, state.epicardium.base_mm) - thin.soft_w_mm:
        return signal
    for u, v, height, half_u, half_v, half_w, right in CHAMBERS:
        floor = state.rv.base_mm if right else state.epicardium.base_mm
        up = (place.w - heart.length_mm - height) / half_w
        round_mm = np.hypot((place.u - u) / half_u, (place.v - v) / half_v)
        room = np.sqrt(np.maximum(1.0 - up**2, 0.0))
        inside = (room - round_mm) * min(half_u, half_v) + 1.5 * thin.eddies[right]
        inside = np.minimum(inside, (place.w - floor) / thin.soft_w_mm * soft)
        signal = paint(signal, inside + 1.2, tissue.atrial_wall, soft)
        blood = tissue.rv_blood if right else tissue.la_blood
        signal = paint(signal, inside, blood * flow, soft)
    return signal
