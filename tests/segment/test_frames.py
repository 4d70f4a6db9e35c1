"""Frames come back on the image's own grid, one at a time, whichever way they were looked at."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, ModelError
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image
from heartseg.prepare import Locate, Preparation, localise
from heartseg.refine import refine_cine, refine_regions
from heartseg.segment import Bundle, frames
from heartseg.segment.frames import average_of_turns, regions, turned, unturned


class Shifted:
    """A runtime whose second channel is the pixel 2 rows up and 1 column left: all directed."""

    name, precision = "shifted", "f32"

    def __init__(self, rows: int = 2, columns: int = 1) -> None:
        self.shift, self.calls = (rows, columns), 0

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        self.calls += 1
        moved = np.roll(pixels, self.shift, axis=(2, 3))
        return np.concatenate([1 - moved, moved], axis=1)


def image(orientation: Orientation | None = None) -> Image:
    """Three frames of (4, 24, 32), 8 x 1.5 x 1.5 mm, stored in any order of axes."""
    rng = np.random.default_rng(1)
    voxels = rng.random((3, 4, 24, 32), dtype=np.float32)
    affine = np.array([[0, 0, 1.5, 7], [0, 1.5, 0, -3], [8, 0, 0, 2], [0, 0, 0, 1.0]])
    geometry = Geometry((4, 24, 32), affine)
    if orientation is not None:
        voxels, geometry = orientation.apply(voxels), geometry.oriented(orientation)
    return Image(voxels, geometry)


@pytest.fixture
def whole(bundle: Bundle) -> Bundle:
    """A bundle whose preparation changes no pixel but for the orientation."""
    return replace(bundle, preparation=Preparation(spacing_mm=1.5, stride=8, percentiles=(0, 100)))


def test_a_network_that_repeats_its_input_gives_the_image_back(whole: Bundle) -> None:
    source = image()
    low, high = source.voxels.min(), source.voxels.max()
    found = list(frames(source, whole, Shifted(0, 0)))
    assert len(found) == 3
    for frame, expected in zip(found, source.voxels, strict=True):
        assert frame.shape == (2, 4, 24, 32)
        np.testing.assert_allclose(frame[1], (expected - low) / (high - low), atol=1e-5)


@pytest.mark.parametrize(
    "orientation",
    [
        Orientation((0, 2, 1), (False, True, False)),
        Orientation((0, 1, 2), (True, True, False)),
        Orientation((0, 2, 1), (True, False, True)),
    ],
)
def test_the_answer_does_not_depend_on_how_the_image_is_stored(
    whole: Bundle, orientation: Orientation
) -> None:
    expected = next(iter(frames(image(), whole, Shifted())))
    stored = next(iter(frames(image(orientation), whole, Shifted())))
    np.testing.assert_allclose(stored, orientation.apply(expected), atol=1e-6)


@pytest.mark.parametrize("orientation", [None, Orientation((0, 2, 1), (True, False, True))])
def test_beyond_a_crop_all_is_background(
    whole: Bundle, orientation: Orientation | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = (slice(2, 18), slice(9, 25))  # whole strides: no pixel is interpolated
    place = localise.Location(box, 0.5, found=True)
    monkeypatch.setattr(localise, "locate", lambda planes, how: place)
    cropped = replace(whole.preparation, locate=Locate(look="short-axis"))
    source = image(orientation)
    found = next(iter(frames(source, replace(whole, preparation=cropped), Shifted(0, 0))))
    seen = next(iter(frames(source, whole, Shifted(0, 0))))
    turn = source.geometry.canonical()
    inside = np.zeros(turn.apply(found).shape, bool)
    inside[..., box[0], box[1]] = True
    background = np.stack([np.ones(found.shape[1:]), np.zeros(found.shape[1:])])
    wanted = np.where(inside, turn.apply(seen), turn.apply(background))
    np.testing.assert_allclose(turn.apply(found), wanted, atol=1e-5)


@pytest.mark.parametrize("orientation", [None, Orientation((0, 2, 1), (True, False, True))])
def test_beyond_a_place_all_is_background_and_within_it_nothing_changes(
    whole: Bundle, orientation: Orientation | None
) -> None:
    box = (slice(2, 18), slice(9, 25))  # whole strides: no pixel is interpolated
    place = localise.Location(box, 0.5, found=True)
    source = image(orientation)
    found = next(iter(frames(source, whole, Shifted(0, 0), place=place)))
    seen = next(iter(frames(source, whole, Shifted(0, 0))))
    turn = source.geometry.canonical()
    inside = turn.apply(found)[..., box[0], box[1]]
    np.testing.assert_allclose(inside, turn.apply(seen)[..., box[0], box[1]], atol=1e-5)
    outside = turn.apply(found).copy()
    outside[0, :, box[0], box[1]], outside[1, :, box[0], box[1]] = 1, 0
    assert (outside[0] == 1).all()
    assert (outside[1] == 0).all()


def test_one_frame_is_computed_at_a_time(whole: Bundle) -> None:
    counting = Shifted()
    found = frames(image(), whole, counting)
    assert counting.calls == 0
    next(found)
    assert counting.calls == 1


def test_turns_are_undone_exactly() -> None:
    planes = np.random.default_rng(2).random((2, 3, 5, 7), dtype=np.float32)
    seen = []
    for way in range(8):
        there = turned(planes, way)
        np.testing.assert_array_equal(unturned(there, way), planes)
        seen.append(there)
    assert seen[1].shape == (2, 3, 7, 5)
    square = planes[..., :5]
    assert len({turned(square, way).tobytes() for way in range(8)}) == 8


@pytest.mark.parametrize(("turns", "places"), [(1, 1), (4, 4), (8, 8)])
def test_each_turn_looks_from_another_side(turns: int, places: int) -> None:
    planes = np.zeros((1, 1, 8, 12), np.float32)
    planes[0, 0, 4, 6] = 1
    looking = Shifted()
    found = average_of_turns(planes, looking.infer, turns)[0, 1]
    assert looking.calls == turns
    around = {(r - 4, c - 6) for r, c in np.argwhere(found > 0).tolist()}
    assert len(around) == places
    knight = {(a, b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2) if abs(a) != abs(b)}
    assert around <= knight
    np.testing.assert_allclose(found[found > 0], 1 / turns)


@pytest.mark.parametrize("turns", [0, 2, 16])
def test_other_numbers_of_turns_are_refused_at_once(whole: Bundle, turns: int) -> None:
    with pytest.raises(ConfigError, match="1, 4 or 8"):
        frames(image(), whole, Shifted(), turns=turns)


class Blob:
    """A runtime that sees a chamber where the pixels are bright, beside sure background."""

    name, precision = "blob", "f32"

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        bright = np.clip((pixels - 0.4) * 4, 0, 1)
        return np.concatenate([1 - bright, 0.7 * bright, 0.3 * bright], axis=1)


def scene(orientation: Orientation) -> Image:
    """Two frames with one bright corner; nothing is even, and pixels are not the network's."""
    y, x = np.mgrid[:37, :52]
    planes = np.exp(-((y - 9) ** 2 + (x - 38) ** 2) / 60.0)
    grey = np.stack([planes * level for level in (0.3, 0.8, 1.0)])
    voxels = np.stack([grey, np.roll(grey, (3, -4), (1, 2))]).astype(np.float32)
    affine = np.array([[0, 0, 1.1, 7], [0, 1.3, 0, -3], [8, 0, 0, 2], [0, 0, 0, 1.0]])
    geometry = Geometry((3, 37, 52), affine)
    return Image(orientation.apply(voxels), geometry.oriented(orientation))


@pytest.mark.parametrize(
    "orientation",
    [
        Orientation(),
        Orientation((0, 2, 1), (True, False, True)),
        Orientation((0, 1, 2), (True,) * 3),
    ],
)
@pytest.mark.parametrize("located", [None, Locate(look="short-axis", widen=1.5)])
def test_a_region_is_the_frame_without_its_sure_background(
    whole: Bundle, orientation: Orientation, located: Locate | None
) -> None:
    preparation = Preparation(spacing_mm=1.5, stride=8, percentiles=(0, 100), locate=located)
    bundle, image = replace(whole, preparation=preparation), scene(orientation)
    structures = (*whole.structures[:1], *whole.structures[1:3])
    wholes = list(frames(image, bundle, Blob()))
    near = list(regions(image, bundle, Blob()))
    for frame, region in zip(wholes, near, strict=True):
        assert region.shape == frame.shape[1:]
        assert region.values[0].size < 0.5 * frame[0].size, "there is nothing to be won"
        np.testing.assert_allclose(region.values, frame[:, *region.box], atol=1e-6)
        outside = np.ones(region.shape, bool)
        outside[region.box] = False
        assert (frame[0] > frame[1:].max(axis=0))[outside].all()
    np.testing.assert_array_equal(
        refine_regions(near, structures, image.geometry),
        refine_cine(wholes, structures, image.geometry),
    )


def test_a_frame_without_anatomy_has_an_empty_region(whole: Bundle) -> None:
    class Nothing:
        name, precision = "nothing", "f32"

        def infer(self, pixels: np.ndarray) -> np.ndarray:
            return np.concatenate([np.ones_like(pixels), 0 * pixels], axis=1)

    region = next(iter(regions(image(), whole, Nothing())))
    assert region.values.size == 0
    labels = refine_regions([region], whole.structures[:2], image().geometry)
    assert labels.shape == (1, 4, 24, 32)
    assert not labels.any()


def test_numbers_that_are_none_are_heard_of_wherever_they_are(whole: Bundle) -> None:
    class Broken(Blob):
        def infer(self, pixels: np.ndarray) -> np.ndarray:
            answer = super().infer(pixels)
            answer[1, 0, 18, 20] = np.nan  # dark, far from the chamber
            return answer

    near = regions(scene(Orientation()), whole, Broken())
    with pytest.raises(ModelError, match="not numbers"):
        refine_regions(near, whole.structures[:3], scene(Orientation()).geometry)
