"""A mixture of Gaussians with a spatial prior.

A. Dempster, N. Laird, D. Rubin, Maximum likelihood from incomplete data via the EM algorithm, J R
Stat Soc B 1977;39:1; tissues of the brain with a prior, K. Van Leemput and others, IEEE Trans Med
Imaging 1999;18:897. Grey values about the seed come from three tissues: air and lung, muscle,
blood. Where each structure may lie is said by the distance from the cavity: muscle around it, the
other blood behind the septum.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.method import PlaneMethod, setting
from heartseg.classical.pool import cavity, labelled, outside_mm
from heartseg.classical.right_ventricle import beside
from heartseg.classical.scene import SIZES, Plane
from heartseg.core.anatomy import Labels, Structure
from heartseg.prepare.localise import Look

Array = NDArray[np.float64]

BINS = 128
LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianMixture(PlaneMethod):
    """Tissues by grey value and place.

    Attributes:
        seeds: as every method's.
        reach: grey values are taken within this many largest cavities about the seed.
        wall_mm: where the wall becomes as likely to have ended as not, from the cavity.
        blur_mm: how sharply the prior ends.
        steps: of expectation and maximisation.
    """

    paper: ClassVar[str] = "Dempster 1977"

    reach: float = setting(1.2, 0.2, 3.0)
    wall_mm: float = setting(9.0, 3.0, 25.0)
    blur_mm: float = setting(1.5, 0.2, 10.0)
    steps: int = setting(40, 1, 1000)

    def finds(self, look: Look) -> tuple[Structure, ...]:
        """In a short axis, muscle and RV too."""
        ventricle = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
        return ventricle if look == "short-axis" else (Structure.LV_CAVITY,)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        smooth = plane.smooth
        tissues = likelihoods(smooth, smooth[plane.within(self.reach)], self.steps)
        blood = tissues[2] > tissues[:2].max(axis=0)
        inside = cavity(blood, plane)
        if plane.sizes is not SIZES["short-axis"] or not inside.any():
            return labelled(inside)
        air, muscle, other = tissues / tissues.sum(axis=0)
        prior = _falls(outside_mm(inside, plane), self.wall_mm, self.blur_mm)
        wall = muscle * prior > (air + other) * (1.0 - prior)
        labels = np.zeros(blood.shape, np.uint8)
        labels[beside(blood, inside, plane)] = Structure.RV_CAVITY
        labels[wall & (labels == 0)] = Structure.LV_MYOCARDIUM
        labels[inside] = Structure.LV_CAVITY
        return labels


def _falls(away: Array, at: float, blur: float) -> Array:
    out: Array = 1.0 / (1.0 + np.exp(np.clip((away - at) / blur, -60, 60)))
    return out


def likelihoods(grey: NDArray[np.float32], values: NDArray[np.float32], steps: int) -> Array:
    """(3, y, x): share times density of three Gaussians in rising order of their means.

    Args:
        grey: of the plane.
        values: that they are fitted to, by expectation and maximisation over a histogram.
        steps: of that.
    """
    counts, edges = np.histogram(values, BINS, (0.0, 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    means = np.quantile(values, [0.15, 0.5, 0.85]).astype(np.float64)
    spreads, shares = np.full(3, 0.1), np.full(3, 1 / 3)
    for _ in range(steps):
        densities = _densities(middles, means, spreads, shares)
        weights = counts * densities / np.maximum(densities.sum(axis=0), 1e-300)
        total = np.maximum(weights.sum(axis=1), 1e-9)
        means = (weights @ middles) / total
        away = (middles[None] - means[:, None]) ** 2
        spreads = np.maximum(np.sqrt((weights * away).sum(axis=1) / total), LEAST_SPREAD)
        shares = total / total.sum()
    order = np.argsort(means, kind="stable")
    found = _densities(grey.astype(np.float64), means[order], spreads[order], shares[order])
    brightest = grey > means[order][2]  # beyond its mean it stays the likeliest, however narrow
    found[2] = np.where(brightest, np.maximum(found[2], found.max(axis=0) + 1e-12), found[2])
    return np.maximum(found, 1e-300)


def _densities(grey: Array, means: Array, spreads: Array, shares: Array) -> Array:
    shape = (3,) + (1,) * grey.ndim
    m, s, p = (one.reshape(shape) for one in (means, spreads, shares))
    out: Array = p / s * np.exp(-0.5 * ((grey[None] - m) / s) ** 2)
    return out
