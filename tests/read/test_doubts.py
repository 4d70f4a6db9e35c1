import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Body, View
from heartseg.read.doubts import doubts, timing


def image(frames=4, slices=7, *, times=(0.0, 50.0, 100.0, 150.0), spacing=(8.0, 1.5, 1.25)):
    """Bright blood in the middle of dark air, no two frames alike."""
    rng = np.random.default_rng(3)
    voxels = rng.integers(0, 60, (frames, slices, 30, 41))
    voxels[:, :, 8:20, 12:30] += rng.integers(200, 900, (frames, slices, 12, 18))
    affine = np.diag([*spacing, 1.0])
    return Image(voxels.astype(np.int16), Geometry(voxels.shape[1:], affine), times)


def said(one, view=View.SAX, body=Body()):  # noqa: B008
    return " | ".join(doubts(one, view, timing(one, body)))


def test_nothing_is_doubted_of_a_sound_cine():
    assert said(image()) == ""


def test_frames_that_cover_the_cycle_are_told_from_those_that_do_not():
    covered = timing(image(), Body(heart_rate_bpm=300.0)).covered
    assert covered == pytest.approx(1.0)  # four frames of 50 ms in a beat of 200 ms
    assert timing(image(), Body()).covered is None
    assert "cover 33 % of the heart's cycle" in said(image(), body=Body(heart_rate_bpm=100.0))


@pytest.mark.parametrize("times", [(0.0, 50.0, 100.0, 230.0), (0.0, 0.0, 0.0, 0.0)])
def test_uneven_times_are_said(times):
    assert timing(image(times=times), Body()).regular is False
    assert "uneven times" in said(image(times=times))


def test_frames_without_times_are_said():
    assert "no frame times: pass --heart-rate" in said(image(times=None))


def test_blank_frames_are_counted_as_people_count():
    blank = image().voxels.copy()
    blank[2] = 5
    assert "nothing is shown in 1 frames (3)" in said(image().like(blank))


def test_few_slices_and_wide_gaps_of_a_short_axis_are_said():
    assert "3 slices of a short axis" in said(image(slices=3))
    assert "slices 24.0 mm apart" in said(image(spacing=(24.0, 1.5, 1.25)))
    assert said(image(slices=3), View.LAX_2CH) == ""


def test_clipped_and_inverted_grey_values_are_said():
    assert "have the highest value, 300" in said(image().like(image().voxels.clip(0, 300)))
    assert "may be inverted" in said(image().like(960 - image().voxels))


def test_pictures_without_millimetres_and_unknown_views_name_the_option():
    picture = Image(image().voxels[:1, :1], Geometry.from_pixels((1, 30, 41)))
    assert "pass --spacing-mm z,y,x" in said(picture, View.UNKNOWN)
    assert "pass --view" in said(picture, View.UNKNOWN)
