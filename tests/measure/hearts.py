"""Hearts whose numbers can be worked out by hand, on grids without any symmetry."""

import time
from collections.abc import Callable

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import BASE_LPS, DOWN_LPS, Geometry
from heartseg.core.image import Segmentation

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
VENTRICLES = (LV, MYO, RV)
SPACING_MM = (8.0, 1.5, 1.25)
BOX_SHAPE = (7, 40, 52)
HEART_SHAPE = (9, 70, 96)


def oblique(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Geometry:
    """A grid whose axes are turned against the patient's by 35 and 20 degrees."""
    a, b = np.deg2rad([35.0, 20.0])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = (about_x @ about_z) * np.array(spacing_mm)
    affine[:3, 3] = (12.5, -40.0, 7.0)
    return Geometry(shape, affine)


def short_axis(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float] = SPACING_MM
) -> Geometry:
    """A grid that is stored as it is shown: z to the base, rows down, columns to the right."""
    down = DOWN_LPS - (DOWN_LPS @ BASE_LPS) * BASE_LPS
    down /= np.linalg.norm(down)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([BASE_LPS, down, np.cross(down, BASE_LPS)], axis=1) * spacing_mm
    affine[:3, 3] = (14.0, -60.0, 31.0)
    return Geometry(shape, affine)


def segmentation(
    labels: Labels,
    geometry: Geometry | None = None,
    structures: tuple[Structure, ...] = VENTRICLES,
    times_ms: tuple[float, ...] | None = None,
) -> Segmentation:
    grid = geometry or oblique(labels.shape[1:], SPACING_MM)
    return Segmentation(labels.astype(np.uint8), grid, structures, times_ms)


def boxes() -> Labels:
    """ED and ES of a box heart: (2, z, y, x).

    ED: LV 4x10x12 = 480, wall 2 pixels round it 4x(14x16 - 120) = 416, RV 3x9x7 = 189 voxels.
    ES: LV 4x5x12 = 240, wall 4x(14x16 - 60) = 656 voxels, RV 3x6x7 = 126 voxels.
    """
    labels = np.zeros((2, *BOX_SHAPE), np.uint8)
    labels[:, 1:5, 8:22, 6:22] = MYO
    labels[0, 1:5, 10:20, 8:20] = LV
    labels[1, 1:5, 12:17, 8:20] = LV
    labels[0, 2:5, 9:18, 22:29] = RV
    labels[1, 2:5, 9:15, 22:29] = RV
    return labels


def round_heart(
    radius_mm: float = 22.0,
    wall_mm: float = 9.0,
    rv_scale: float = 1.0,
    *,
    shape: tuple[int, int, int] = HEART_SHAPE,
    spacing_mm: tuple[float, float, float] = SPACING_MM,
) -> Labels:
    """(z, y, x): a cylinder of blood in a ring of muscle, tapering to an apex, an RV beside it."""
    z, y, x = np.indices(shape)
    y_mm = (y - 0.42 * shape[1]) * spacing_mm[1]
    x_mm = (x - 0.36 * shape[2]) * spacing_mm[2]
    taper = np.array([0, 0.3, 0.6, 0.85, 1, 1, 1, 1, 0])[: shape[0]][z]
    from_lv = np.hypot(y_mm, x_mm)
    from_rv = np.hypot(y_mm / 1.2, x_mm - 34.0)
    labels = np.zeros(shape, np.uint8)
    labels[(from_rv < 20 * rv_scale * taper) & (taper > 0)] = RV
    labels[(from_lv < radius_mm * taper + wall_mm) & (taper > 0)] = MYO
    labels[(from_lv < radius_mm * taper) & (taper > 0)] = LV
    return labels


def beating(frames: int = 20, es: int = 7, rv_es: int = 9) -> Labels:
    """(t, z, y, x) cine: ED at frame 0, the RV's end-systole after the LV's."""

    def squeeze(at: int) -> np.ndarray:
        time = np.arange(frames)
        down = np.where(time <= at, time / at, (frames - time) / (frames - at))
        return 0.5 - 0.5 * np.cos(np.pi * down)

    left, right = squeeze(es), squeeze(rv_es)
    return np.stack(
        [round_heart(22 - 7 * a, 9 + 3 * a, 1 - 0.35 * b) for a, b in zip(left, right, strict=True)]
    )


def best_seconds(work: Callable[[], object], tries: int = 7) -> float:
    """Processor time of the fastest of some runs: what the work takes, whatever else runs."""
    taken = []
    for _ in range(tries):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
