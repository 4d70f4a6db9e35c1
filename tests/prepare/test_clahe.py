"""Local contrast against its definition, pixel by pixel, and against another library."""

import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.prepare.clahe import Clahe, equalise


def shaded(rows=40, columns=56, planes=1):
    """Planes with dark and bright parts, most of them dark, no two axes alike."""
    random = np.random.default_rng(4)
    y, x = np.mgrid[:rows, :columns]
    ground = 0.3 + 0.3 * np.sin(y / 7) * np.cos(x / 11)
    return (ground + random.normal(0, 0.05, (planes, rows, columns))).clip(0, 1).astype(np.float32)


def by_definition(plane, tiles, clip):
    """Tile by tile and pixel by pixel; sizes that are multiples of the tiles."""
    levels = np.rint(plane * 255).astype(int)
    height, width = (length // tiles for length in plane.shape)
    tables = np.zeros((tiles, tiles, 256))
    for row in range(tiles):
        for column in range(tiles):
            tile = levels[row * height : (row + 1) * height, column * width : (column + 1) * width]
            counts = np.array([(tile == level).sum() for level in range(256)], float)
            limit = clip * height * width / 256
            spare = sum(max(count - limit, 0) for count in counts)
            kept = [min(count, limit) + spare / 256 for count in counts]
            tables[row, column] = np.cumsum(kept) / (height * width)
    out = np.zeros(plane.shape)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            down, right = (y + 0.5) / height - 0.5, (x + 0.5) / width - 0.5
            for row in (int(np.floor(down)), int(np.floor(down)) + 1):
                for column in (int(np.floor(right)), int(np.floor(right)) + 1):
                    share = (1 - abs(down - row)) * (1 - abs(right - column))
                    inside = tables[min(max(row, 0), tiles - 1), min(max(column, 0), tiles - 1)]
                    out[y, x] += share * inside[levels[y, x]]
    return out


@pytest.mark.parametrize(("tiles", "clip"), [(1, 2.0), (2, 1.0), (4, 3.0), (8, 40.0)])
def test_it_is_what_zuiderveld_defines(tiles, clip):
    plane = shaded()
    found = equalise(plane, Clahe(tiles=tiles, clip=clip))
    np.testing.assert_allclose(found[0], by_definition(plane[0], tiles, clip), atol=1e-5)


def test_a_single_tile_without_a_limit_gives_each_value_its_rank():
    values = np.random.default_rng(0).permutation(64).reshape(1, 8, 8)
    found = equalise((values / 255).astype(np.float32), Clahe(tiles=1, clip=256))
    np.testing.assert_allclose(found, (values + 1) / 64, atol=1e-6)


@pytest.mark.parametrize("shape", [(41, 53), (40, 57), (9, 9), (3, 5), (1, 4)])
def test_sizes_that_are_no_multiple_of_the_tiles_are_mirrored(shape):
    plane = shaded(*shape)
    found = equalise(plane, Clahe(tiles=8, clip=2.0))
    assert found.shape == plane.shape
    assert np.isfinite(found).all()
    rows, columns = (-(-length // 8) * 8 - length for length in shape)
    whole = np.pad(plane, ((0, 0), (0, rows), (0, columns)), mode="reflect")
    wanted = equalise(whole, Clahe(tiles=8, clip=2.0))[:, : shape[0], : shape[1]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_limit_keeps_flat_parts_from_becoming_noise():
    flat = (0.5 + np.random.default_rng(1).normal(0, 0.01, (1, 64, 64))).astype(np.float32)
    spread = [equalise(flat, Clahe(tiles=2, clip=clip)).std() for clip in (1.0, 2.0, 8.0, 256.0)]
    gains = np.array(spread) / flat.std()
    assert gains[0] < 2  # at most clip + 1: what was cut off is given to all alike
    assert gains[1] < 3
    assert list(gains) == sorted(gains)
    assert gains[-1] > 20


def test_each_plane_is_evened_out_on_its_own():
    planes = shaded(planes=3)
    together = equalise(planes, Clahe(tiles=4))
    assert together.dtype == np.float32
    for plane, found in zip(planes, together, strict=True):
        np.testing.assert_array_equal(equalise(plane[None], Clahe(tiles=4))[0], found)


def test_scikit_image_sees_it_alike():
    """Its bins, rounding and borders are others, so it is only nearly equal."""
    exposure = pytest.importorskip("skimage.exposure")
    plane = shaded(64, 96)[0]
    theirs = exposure.equalize_adapthist(plane, kernel_size=(16, 24), clip_limit=4 / 256)
    ours = equalise(plane[None], Clahe(tiles=4, clip=4.0))[0]
    assert np.corrcoef(theirs.ravel(), ours.ravel())[0, 1] > 0.99
    unlike = equalise(plane[None], Clahe(tiles=1, clip=4.0))[0]
    assert np.corrcoef(theirs.ravel(), unlike.ravel())[0, 1] < 0.98


@pytest.mark.parametrize("wrong", [{"tiles": 0}, {"tiles": 33}, {"clip": 0.5}, {"clip": 300.0}])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="clahe"):
        Clahe(**wrong)
