"""Black borders go, what is shown stays, and answers come back to where it was."""

import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Locate, Preparation
from heartseg.prepare.content import content_box


def framed(rows: slice = slice(7, 50), columns: slice = slice(3, 60)) -> np.ndarray:
    """Three planes of grey in black of 64 x 80, one of them a little smaller."""
    random = np.random.default_rng(3)
    planes = np.zeros((3, 64, 80), np.float32)
    planes[:, rows, columns] = random.uniform(0.3, 0.9, (3, 64, 80))[:, rows, columns]
    planes[1, rows.start : rows.start + 4] = 0
    return planes


def test_the_box_holds_what_is_not_black_in_any_slice() -> None:
    assert content_box(framed()) == (slice(7, 50), slice(3, 60))


def test_a_little_in_a_border_is_a_border_still() -> None:
    planes = framed()
    planes[0, 60, 20:29] = 1.0  # 9 of 240 pixels of the row
    assert content_box(planes)[0] == slice(7, 50)
    planes[0, 60, 20:33] = 1.0
    assert content_box(planes)[0] == slice(7, 61)


def test_of_nothing_the_whole_plane_is_left() -> None:
    assert content_box(np.full((2, 9, 11), 0.01, np.float32)) == (slice(0, 9), slice(0, 11))


def test_a_preparation_stretches_the_content_and_brings_it_back() -> None:
    voxels = (framed() * 200).astype(np.uint8)[None]
    image = Image(voxels, Geometry.from_pixels((3, 64, 80)))
    preparation = Preparation(
        spacing_mm=None,
        stride=8,
        field_px=64,
        percentiles=(0.0, 100.0),
        locate=Locate(look="content"),
    )
    sample = preparation.sample(image)
    assert sample.box == (slice(7, 50), slice(3, 60))
    prepared = sample.frame(0)
    assert prepared.shape == (3, 64, 64)
    assert prepared[0].min() > 0.2  # no border is left
    heart = np.zeros((3, 64, 80), np.uint8)
    heart[:, 20:30, 30:45] = 1
    there = sample.frame_labels(heart)
    shares = np.stack([there == 0, there == 1], axis=1).astype(np.float32)
    back = sample.restore(shares).argmax(0)
    assert np.array_equal(back[:, 21:29, 31:44], heart[:, 21:29, 31:44])
    assert np.count_nonzero(back != heart) < 3 * 50
    assert not back[:, :7].any()


def test_the_content_has_its_own_borders() -> None:
    with pytest.raises(ConfigError, match="of the content"):
        Locate(look="content", widen=1.5)
