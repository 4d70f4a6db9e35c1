"""The box lies in the patient where the heart is, however the stack is stored."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.prepare import Locate, Preparation
from heartseg.segment import Bundle
from heartseg.segment.locate import (
    HEART_CM2,
    LEAST_SURE,
    locate,
    suits,
    told,
)
from heartseg.segment.window import Window
from tests import foreign

SHAPE = (4, 60, 76)
"""Planes of 90 x 95 mm, oblique; no two axes alike."""


class Bright:
    """A runtime to which bright pixels are heart: LV cavity, in channel 3."""

    name, precision = "bright", "f32"

    def __init__(self) -> None:
        self.frames = 0

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        self.frames += 1
        none = np.zeros_like(pixels)
        return np.concatenate([1 - pixels, none, none, pixels], axis=1)


@pytest.fixture
def coarse(bundle: Bundle) -> Bundle:
    """Pixels of 1.5 mm, which a first look makes 3 mm of."""
    how = Preparation(spacing_mm=1.5, stride=4, field_px=64, percentiles=(0, 100))
    return replace(bundle, preparation=how)


def patient(hearts: Sequence[tuple[slice, ...]]) -> tuple[np.ndarray, Geometry]:
    """(t, z, y, x) with a bright block in each frame."""
    voxels = np.zeros((len(hearts), *SHAPE), np.float32)
    for frame, heart in zip(voxels, hearts, strict=True):
        frame[heart] = 100
    return voxels, Geometry(SHAPE, foreign.affine_lps())


def stored(voxels: np.ndarray, geometry: Geometry, order, flips) -> Image:
    """The same patient, of a file that stores its axes this way."""
    affine = np.eye(4)
    affine[:3, 3] = geometry.affine[:3, 3]
    for axis, old in enumerate(order):
        column = geometry.affine[:3, old].copy()
        if flips[axis]:
            affine[:3, 3] += column * (SHAPE[old] - 1)
            column = -column
        affine[:3, axis] = column
    array = voxels.transpose(0, *(1 + old for old in order))
    array = array[(slice(None), *(slice(None, None, -1 if f else 1) for f in flips))]
    known, orientation = Geometry.from_ras(array.shape[1:], foreign.TO_RAS @ affine)
    return Image(np.stack([orientation.apply(frame) for frame in array]), known)


def in_patient(image: Image, box: tuple[slice, slice]) -> set[tuple[float, ...]]:
    """LPS mm of the outer corners of a box of canonical planes, first slice to last."""
    grid = image.geometry.oriented(image.geometry.canonical())
    corners = [
        grid.point((z, y, x))
        for z in (0, grid.shape[0] - 1)
        for y in (box[0].start - 0.5, box[0].stop - 0.5)
        for x in (box[1].start - 0.5, box[1].stop - 0.5)
    ]
    return {tuple(np.round(corner, 3).tolist()) for corner in corners}


HEART = np.s_[1:3, 10:38, 30:66]
"""42 x 45 mm: 19 square centimetres."""


@pytest.mark.parametrize(("order", "flips"), foreign.STORED[::3])
def test_the_box_is_the_same_in_the_patient_however_it_is_stored(coarse, order, flips) -> None:
    voxels, geometry = patient([HEART])
    image = stored(voxels, geometry, order, flips)
    found = locate(image, coarse, Bright(), margin_mm=7.0)
    assert found.found
    wanted = locate(Image(voxels, geometry), coarse, Bright(), margin_mm=7.0)
    assert in_patient(image, found.box) == in_patient(Image(voxels, geometry), wanted.box)


def test_the_margin_is_in_millimetres_and_ends_with_the_image(coarse: Bundle) -> None:
    voxels, geometry = patient([HEART])
    image = Image(voxels, geometry)
    turn = geometry.canonical()
    heart = turn.apply(voxels[0]).max(axis=0) > 0
    spacing = geometry.oriented(turn).spacing[1:]
    for margin in (0.0, 9.0, 500.0):
        box = locate(image, coarse, Bright(), margin_mm=margin).box
        for axis, one in enumerate(box):
            there = np.flatnonzero(heart.any(axis=1 - axis))
            room = margin / spacing[axis]
            most = (max(0.0, there[0] - room), min(heart.shape[axis], there[-1] + 1 + room))
            coarse_px = 1 + 3.0 / spacing[axis]  # a coarse pixel may hold less than half
            assert most[0] - coarse_px <= one.start <= most[0] + 1 + coarse_px
            assert most[1] - 1 - coarse_px <= one.stop <= most[1] + coarse_px
            assert 0 <= one.start < one.stop <= heart.shape[axis]


def test_the_heart_of_every_frame_that_is_looked_at_lies_inside(coarse: Bundle) -> None:
    low, high = np.s_[1:3, 8:36, 4:40], np.s_[1:3, 24:52, 30:66]
    voxels, geometry = patient([low] * 16 + [high])
    runtime = Bright()
    box = locate(Image(voxels, geometry), coarse, runtime, margin_mm=5.0).box
    assert runtime.frames == 3  # the first, the middle and the last of 17
    inside = geometry.canonical().apply(voxels)[..., box[0], box[1]]
    assert inside.sum() == voxels.sum()
    alone = locate(Image(voxels[:8], geometry), coarse, runtime, margin_mm=5.0).box
    assert runtime.frames == 4
    assert alone != box


def test_a_stray_far_away_widens_nothing_and_a_second_half_does(coarse: Bundle) -> None:
    voxels, geometry = patient([HEART])
    alone = locate(Image(voxels, geometry), coarse, Bright(), margin_mm=0.0).box
    voxels[0, 1:3, 44:58, 2:22] = 100  # 0.28 of the heart's voxels
    assert locate(Image(voxels, geometry), coarse, Bright(), margin_mm=0.0).box == alone
    voxels[0, 1:3, 44:60, 2:38] = 100  # 0.57
    wider = locate(Image(voxels, geometry), coarse, Bright(), margin_mm=0.0).box
    assert wider != alone


def test_the_first_look_is_coarse_unless_the_model_is_coarser_itself(coarse: Bundle) -> None:
    voxels, geometry = patient([HEART])
    seen = []

    class Seeing(Bright):
        def infer(self, pixels: np.ndarray) -> np.ndarray:
            seen.append(pixels.shape[2:])
            return super().infer(pixels)

    for spacing_mm in (1.5, 3.0, 6.0):
        how = replace(coarse.preparation, spacing_mm=spacing_mm)
        locate(Image(voxels, geometry), replace(coarse, preparation=how), Seeing())
    assert seen[0] == seen[1]
    assert np.prod(seen[2]) <= np.prod(seen[0]) / 3


def whole(image: Image) -> tuple[slice, slice]:
    shape = image.geometry.oriented(image.geometry.canonical()).shape
    return slice(0, shape[1]), slice(0, shape[2])


@pytest.mark.parametrize("brightness", [0, 40])
def test_without_a_heart_the_whole_planes_stay(coarse: Bundle, brightness: int) -> None:
    voxels, geometry = patient([HEART])
    voxels[0][HEART] = brightness
    voxels[0, 0, 0, 0] = 100  # one pixel is no heart
    image = Image(voxels, geometry)
    found = locate(image, coarse, Bright())
    assert not found.found
    assert found.sure < 0.1
    assert found.box == whole(image)
    sure = f"({100 * found.sure:.0f} % sure)"
    said = f"no heart found by a coarse look {sure}: the network sees whole planes"
    assert told(found, image, coarse) == said


def test_what_is_too_small_or_too_faint_is_less_sure(coarse: Bundle) -> None:
    voxels, geometry = patient([HEART])
    plain = locate(Image(voxels, geometry), coarse, Bright())
    assert plain.sure > 0.9
    voxels[0, 0, 0, 0] = 160  # the heart is then 0.62 bright
    faint = locate(Image(voxels, geometry), coarse, Bright())
    assert (faint.found, faint.sure) == (False, pytest.approx(100 / 160, abs=0.03))
    small, _ = patient([np.s_[1:3, 10:30, 30:50]])
    found = locate(Image(small, geometry), coarse, Bright())
    size_cm2 = 20 * 1.5 * 20 * 1.25 / 100
    assert found.sure == pytest.approx(size_cm2 / HEART_CM2, rel=0.15)
    assert not found.found
    assert faint.sure < LEAST_SURE < plain.sure


def test_what_is_told_are_the_millimetres_that_the_network_sees(coarse: Bundle) -> None:
    voxels, geometry = patient([HEART])
    image = Image(voxels, geometry)
    place = locate(image, coarse, Bright(), margin_mm=2.0)
    fine = replace(coarse, preparation=Preparation(spacing_mm=1.0, stride=8, field_px=64))
    said = told(place, image, fine)
    _, rows, columns = fine.preparation.sample(image, place).geometry.shape
    assert said.startswith("found by a coarse look at L ")
    width, height = said.removesuffix(" mm").rpartition(" sees ")[2].split(" x ")
    assert float(height) == pytest.approx(rows, abs=2)
    assert float(width) == pytest.approx(columns, abs=2)
    middle = geometry.point(((SHAPE[0] - 1) / 2, 23.5, 47.5))
    named = said.partition(" at ")[2].partition(" mm")[0].replace(",", "").split()
    assert named[::2] == ["L", "P", "S"]
    np.testing.assert_allclose([float(one) for one in named[1::2]], middle, atol=3.0)


def test_pictures_without_millimetres_are_refused(coarse: Bundle) -> None:
    voxels, _ = patient([HEART])
    with pytest.raises(GeometryError, match="where the heart is"):
        locate(Image(voxels, Geometry.from_pixels(SHAPE)), coarse, Bright())


def test_it_suits_models_of_planes_with_a_spacing_of_their_own(coarse: Bundle) -> None:
    voxels, geometry = patient([HEART])
    image = Image(voxels, geometry)
    assert suits([coarse, coarse], image)
    stretched = Preparation(spacing_mm=None, stride=8, field_px=64)
    cropped = Preparation(locate=Locate(look="short-axis"))
    for how in (stretched, cropped):
        assert not suits([coarse, replace(coarse, preparation=how)], image)
    tiles = Window(margin_px=(4, 4), smallest_px=(16, 16), stride_px=(4, 4), largest_px=(32, 32))
    assert not suits([replace(coarse, window=tiles)], image)
    assert not suits([coarse], Image(voxels, Geometry.from_pixels(SHAPE)))
