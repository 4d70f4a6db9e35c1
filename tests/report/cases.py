"""A heart in which nothing is symmetric, in a short axis as scanners tilt it."""

import numpy as np

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.geometry import Geometry
from heartseg.report.html import html_page
from heartseg.report.lettering import Lettering
from heartseg.report.page import page

SHAPE = (5, 60, 44)
SPACING_MM = (9.0, 1.25, 1.75)
FRAMES = 4
ED, ES = 1, 3

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


def html_of(report: Report, **more: object) -> str:
    """report.html of a report."""
    return html_page(page(report, **more))


def pdf_of(report: Report, **more: object) -> bytes:
    """report.pdf of a report."""
    from heartseg.report.pdf import pdf_bytes

    return pdf_bytes(page(report, **more), Lettering())


def oblique_geometry() -> Geometry:
    """A short axis as scanners make it: planes tilted, slices stored from base to apex."""
    down = np.array([0.2, 0.6, -0.8])
    right = np.array([0.8, 0.35, 0.45])
    down /= np.linalg.norm(down)
    right -= down * (right @ down)
    right /= np.linalg.norm(right)
    to_apex = np.cross(down, right)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([to_apex, down, right], axis=1) * SPACING_MM
    affine[:3, 3] = (31.0, -17.0, 55.0)
    return Geometry(SHAPE, affine)


def labels_of(frame: int) -> np.ndarray:
    """A ventricle below and right of the middle, the other to its left; smaller at the apex."""
    z, y, x = np.indices(SHAPE)
    size = (1.0 - 0.13 * z) * (0.7 if frame == ES else 1.0)
    from_lv = np.hypot((y - 34) * SPACING_MM[1], (x - 26) * SPACING_MM[2])
    from_rv = np.hypot((y - 29) * SPACING_MM[1], (x - 13) * SPACING_MM[2])
    labels = np.zeros(SHAPE, np.uint8)
    labels[from_rv < 11 * size] = RV
    labels[from_lv < 16 * size + 5] = MYO
    labels[from_lv < 16 * size] = LV
    labels[4] = 0
    return labels
