"""Probabilities are kept to five digits, on the image's grid."""

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.probability import Keeping, Probabilities

STRUCTURES = (Structure.BACKGROUND, Structure.LV_CAVITY)
GRID = Geometry.from_pixels((2, 3, 4), (8.0, 1.5, 1.25))


def frame(seed: int) -> np.ndarray:
    lv = np.random.default_rng(seed).random(GRID.shape, dtype=np.float32)
    return np.stack([1 - lv, lv])


def test_what_passes_by_is_kept_as_it_was_and_handed_on_untouched() -> None:
    frames = [frame(seed) for seed in range(3)]
    keeping = Keeping(iter(frames))
    assert [id(one) for one in keeping] == [id(one) for one in frames]
    image = Image(np.zeros((3, *GRID.shape)), GRID, (0.0, 40.0, 90.0))
    kept = keeping.of(image, STRUCTURES)
    assert kept.values.shape == (2, 3, 2, 3, 4)
    assert np.abs(kept.values - np.stack(frames, axis=1)).max() <= 0.5 / 65535 + 1e-7
    assert kept.values[:, 1].argmax(0).tolist() == frames[1].argmax(0).tolist()
    part = kept.part([2, 0])
    assert (part.frames, part.times_ms) == (2, (90.0, 0.0))
    assert (part.scaled[:, 0] == kept.scaled[:, 2]).all()


def test_sums_that_round_above_one_do_not_wrap_to_nothing() -> None:
    keeping = Keeping([np.full((2, *GRID.shape), np.float32(1.00001))])
    assert len(list(keeping)) == 1
    kept = keeping.of(Image(np.zeros((1, *GRID.shape)), GRID), STRUCTURES)
    assert kept.values.min() == 1.0


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3, 1, 2, 3, 4), "u2"), ((2, 1, 2, 4, 3), "u2"), ((2, 1, 2, 3, 4), "f4")]
)
def test_another_grid_number_of_structures_or_type_is_refused(
    shape: tuple[int, ...], dtype: str
) -> None:
    with pytest.raises(GeometryError, match=r"allowed: uint16 of shape \(2, t, 2, 3, 4\)"):
        Probabilities(np.zeros(shape, dtype), GRID, STRUCTURES)
