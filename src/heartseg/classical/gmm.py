"""A mixture of Gaussians with a spatial prior.

A. Dempster, N. Laird, D. Rubin, Maximum likelihood from incomplete data via the EM algorithm, J R
Stat Soc B 1977;39:1; tissues with a prior of place, K. Van Leemput and others, IEEE Trans Med
Imaging 1999;18:897. Four Gaussians: the blood of the cavity, muscle, and what is dark or bright
elsewhere. Where each may lie is said by the distance from the first guess of the cavity.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.marks import first_guess
from heartseg.classical.method import PlaneMethod, setting
from heartseg.classical.pool import cavity, labelled, outside_mm
from heartseg.classical.right_ventricle import beside
from heartseg.classical.scene import Plane
from heartseg.classical.sizes import SIZES
from heartseg.core.anatomy import Labels, Structure
from heartseg.prepare.localise import Look

Array = NDArray[np.float64]

LEAST_SPREAD = 0.03
FIRST_SPREAD = 0.1
CAVITY, MUSCLE, DARK, BRIGHT = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianMixture(PlaneMethod):
    """Tissues by grey value and place.

    Attributes:
        seeds: as every method's.
        reach: grey values count within so many largest cavities about the seed.
        wall_mm: from the first guess of the cavity to where the wall is as likely to have ended.
        blur_mm: how sharply the prior ends.
        steps: of expectation and maximisation.
    """

    paper: ClassVar[str] = "Dempster 1977"

    reach: float = setting(1.4, 0.5, 3.0)
    wall_mm: float = setting(10.0, 3.0, 25.0)
    blur_mm: float = setting(2.0, 0.2, 10.0)
    steps: int = setting(15, 1, 1000)

    def finds(self, look: Look) -> tuple[Structure, ...]:
        """In a short axis, muscle and RV too."""
        ventricle = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)
        return ventricle if look == "short-axis" else (Structure.LV_CAVITY,)

    def label(self, plane: Plane) -> Labels:
        """As `PlaneMethod.label`."""
        guess = first_guess(plane)
        if not guess.any():
            return labelled(guess)
        smooth = plane.smooth.astype(np.float64)
        prior = self._prior(outside_mm(guess, plane))
        shares, means = posterior(smooth, prior, plane.within(self.reach), self.steps)
        likeliest = shares.argmax(axis=0)
        inside = cavity(likeliest == CAVITY, plane)
        if plane.sizes is not SIZES["short-axis"]:
            return labelled(inside)
        labels = np.where(likeliest == MUSCLE, np.uint8(Structure.LV_MYOCARDIUM), np.uint8(0))
        blood = smooth > (means[CAVITY] + means[MUSCLE]) / 2
        labels[beside(blood, inside, plane)] = Structure.RV_CAVITY
        labels[inside] = Structure.LV_CAVITY
        return labels

    def _prior(self, away: Array) -> Array:
        """(4, y, x): how likely each Gaussian is at a distance from the first guess."""
        inner = _falls(away, 0.0, self.blur_mm)
        wall = (1.0 - inner) * _falls(away, self.wall_mm, self.blur_mm)
        rest = (1.0 - inner - wall) / 2
        return np.stack([inner, wall, rest, rest])


def _falls(away: Array, at: float, blur: float) -> Array:
    out: Array = 1.0 / (1.0 + np.exp(np.clip((away - at) / blur, -60, 60)))
    return out


def posterior(
    grey: Array, prior: Array, field: NDArray[np.bool_], steps: int
) -> tuple[Array, Array]:
    """Shares (4, y, x) of the Gaussians in each pixel, and their means.

    Args:
        grey: (y, x) in [0, 1].
        prior: (4, y, x), sums to 1 in each pixel.
        field: pixels that the Gaussians are fitted to, by expectation and maximisation.
        steps: of that.
    """
    values, before = grey[field], prior[:, field]
    means = (before @ values) / before.sum(axis=1)
    means[DARK], means[BRIGHT] = np.quantile(values, [0.05, 0.95])
    spreads = np.full(4, FIRST_SPREAD)
    for _ in range(steps):
        shares = _shares(values, before, means, spreads)
        total = shares.sum(axis=1) + 1e-9
        means = (shares @ values) / total
        away = (values[None] - means[:, None]) ** 2
        spreads = np.maximum(np.sqrt((shares * away).sum(axis=1) / total), LEAST_SPREAD)
    return _shares(grey, prior, means, spreads), means


def _shares(grey: Array, prior: Array, means: Array, spreads: Array) -> Array:
    m, s = (one.reshape((-1,) + (1,) * grey.ndim) for one in (means, spreads))
    densities = prior / s * np.exp(-0.5 * ((grey[None] - m) / s) ** 2) + 1e-12 * prior
    out: Array = densities / densities.sum(axis=0)
    return out
