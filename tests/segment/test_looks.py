"""Looking again at the measured frames: the same heart, seen from other sides."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases
from heartseg.prepare import Locate
from heartseg.prepare.clahe import Clahe
from heartseg.segment import Bundle, load_bundle
from heartseg.segment.looks import Closer, Looks, look_again, measured_frames, settle
from heartseg.segment.runtime import Runtime
from tests.doors import ACDC, SPACING_MM, cine, painted

PHASES = Phases(ed=3, es=1, how="given", rv_es=2)
BESIDE = (60, 90)
"""Rows and columns of nothing in front of the heart."""


class Watching:
    """A runtime that keeps what it was shown; `answer` makes its answer."""

    name, precision = "watching", "f32"

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.shown = runtime, list[np.ndarray]()

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        self.shown.append(pixels)
        return self.runtime.infer(pixels)


class Askew(Watching):
    """What it finds lies 3 rows below where it is: turning the image moves it elsewhere."""

    def infer(self, pixels: np.ndarray) -> np.ndarray:
        return np.roll(super().infer(pixels), 3, axis=2)


@pytest.fixture(scope="module")
def model(gauge: Path) -> tuple[Bundle, Runtime]:
    from heartseg.segment import choose_runtime

    bundle = load_bundle(gauge)
    return bundle, choose_runtime("cpu", bundle, 1)


def study(orientation: Orientation | None = None) -> tuple[Image, Segmentation]:
    """A beating heart in the far corner of a large field, and its true segmentation."""
    heart = cine((8, 5, 6, 8))
    field = np.zeros((*heart.shape[:2], heart.shape[2] + BESIDE[0], heart.shape[3] + BESIDE[1]))
    field[..., BESIDE[0] :, BESIDE[1] :] = heart
    numbers = field.astype(np.uint8)
    voxels, geometry = painted(numbers), Geometry.from_pixels(numbers.shape[1:], SPACING_MM)
    labels = ACDC.read(numbers)
    if orientation is not None:
        voxels, labels = orientation.apply(voxels), orientation.apply(labels)
        geometry = geometry.oriented(orientation)
    return Image(voxels, geometry), Segmentation(labels, geometry, ACDC.structures)


def counts(looks: Looks) -> list[list[int]]:
    return [[int((one.labels[i] == part).sum()) for i in range(one.frames) for part in
             (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY)]
            for one in looks.seen]  # fmt: skip


def test_the_frames_are_the_measured_ones_each_once() -> None:
    assert measured_frames(PHASES) == (1, 2, 3)
    assert measured_frames(replace(PHASES, rv_es=1)) == (1, 3)
    assert measured_frames(replace(PHASES, rv_es=None, es=None)) == (3,)


@pytest.mark.parametrize("orientation", [None, Orientation((0, 2, 1), (False, True, False))])
def test_a_model_that_sees_every_pixel_alone_sees_the_same_in_each_look(
    model: tuple[Bundle, Runtime], orientation: Orientation | None
) -> None:
    image, found = study(orientation)
    looks = look_again(found, Closer(image, found, model, 8), PHASES)
    assert looks.phases == Phases(ed=2, es=0, how="given", rv_es=1)
    assert len(looks.seen) == 8
    truth = found.part((1, 2, 3))
    wanted = counts(Looks(looks.phases, (truth,)))[0]
    assert counts(looks) == [wanted] * 8
    assert looks.seen[0].geometry.voxel_ml == pytest.approx(image.geometry.voxel_ml)
    assert looks.seen[0].structures == model[0].structures[1:]


def _around(held: np.ndarray, size: int) -> tuple[int, int]:
    """30 mm, 20 pixels, on both sides, or one more to keep the middle on a pixel."""
    at = np.flatnonzero(held)
    start, stop = int(at[0]) - 20, min(size, int(at[-1]) + 21)
    return (start - 1 if (start + stop) % 2 else start), stop


def test_a_look_sees_the_heart_and_its_surroundings_only(model: tuple[Bundle, Runtime]) -> None:
    image, found = study()
    bundle, runtime = model
    watching = Watching(runtime)
    looks = look_again(found, Closer(image, found, (bundle, watching), 1), PHASES)
    grid = looks.seen[0].geometry
    held = found.labels.any((0, 1))
    wanted = [_around(held.any(1), 98), _around(held.any(0), 136)]
    assert grid.shape[1:] == tuple(stop - start for start, stop in wanted)
    first = (0, wanted[0][0], wanted[1][0])
    assert grid.point((0, 0, 0)) == pytest.approx(image.geometry.point(first))
    assert all(one.shape[2] * one.shape[3] < 0.6 * 98 * 136 for one in watching.shown)


def test_grey_values_mean_what_they_mean_in_the_whole_image(model: tuple[Bundle, Runtime]) -> None:
    image, found = study()
    voxels = image.voxels.copy()
    voxels[:, :, 0, 0] = 1200  # brighter than the heart, outside of what a look sees
    bright, (bundle, runtime) = image.like(voxels), model
    watching = Watching(runtime)
    look_again(found, Closer(bright, found, (bundle, watching), 1), PHASES)
    assert max(one.max() for one in watching.shown) == pytest.approx(0.75)


def test_looks_at_what_the_network_confuses_with_its_place_lie_apart(
    model: tuple[Bundle, Runtime],
) -> None:
    image, found = study()
    bundle, runtime = model
    looks = look_again(found, Closer(image, found, (bundle, Askew(runtime)), 4), PHASES)
    tops = [int(np.flatnonzero((one.labels == 1).any((0, 1, 3)))[0]) for one in looks.seen]
    lefts = [int(np.flatnonzero((one.labels == 1).any((0, 1, 2)))[0]) for one in looks.seen]
    assert (tops[0] - tops[2], lefts[0] - lefts[2]) == (6, 0)
    assert (tops[1] - tops[3], abs(lefts[1] - lefts[3])) == (0, 6)


@pytest.mark.parametrize(
    "changed", [{"clahe": Clahe()}, {"spacing_mm": None, "field_px": 128, "stride": 4}]
)
def test_a_preparation_that_a_cut_would_change_sees_the_whole_field(
    model: tuple[Bundle, Runtime], changed: dict[str, object]
) -> None:
    image, found = study()
    bundle, runtime = model
    prepared = replace(bundle, preparation=replace(bundle.preparation, **changed))
    looks = look_again(found, Closer(image, found, (prepared, runtime), 2), PHASES)
    assert looks.seen[0].geometry.shape == image.geometry.shape
    assert looks.seen[0].frames == 3


def test_a_model_that_seeks_the_heart_seeks_it_as_it_did(
    model: tuple[Bundle, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    from heartseg.prepare import localise

    box = (slice(56, 98), slice(86, 136))
    place = localise.Location(box, 0.5, found=True)
    monkeypatch.setattr(localise, "locate", lambda planes, how: place)
    image, found = study()
    bundle, runtime = model
    seeking = replace(bundle.preparation, locate=Locate(look="short-axis"))
    looks = look_again(
        found, Closer(image, found, (replace(bundle, preparation=seeking), runtime), 1), PHASES
    )
    assert (looks.seen[0].labels == found.part((1, 2, 3)).labels).all()


def test_without_anything_found_the_whole_field_is_looked_at(
    model: tuple[Bundle, Runtime],
) -> None:
    image, found = study()
    empty = found.like(np.zeros_like(found.labels))
    looks = look_again(empty, Closer(image, empty, model, 1), PHASES)
    assert looks.seen[0].geometry.shape == image.geometry.shape


def phases_of_largest(masks: Segmentation) -> Phases:
    sizes = [int((frame == Structure.LV_CAVITY).sum()) for frame in masks.labels]
    return Phases(ed=int(np.argmax(sizes)), es=int(np.argmin(sizes)), how="detected")


@pytest.mark.parametrize("orientation", [None, Orientation((0, 2, 1), (False, True, False))])
def test_measured_frames_are_settled_where_they_lie(
    model: tuple[Bundle, Runtime], orientation: Orientation | None
) -> None:
    image, truth = study(orientation)
    wrong = truth.labels.copy()
    wrong[1, :, :, :70][wrong[1, :, :, :70] > 0] = 0  # part of the heart was missed at its smallest
    found = truth.like(wrong)
    settled = settle(found, Closer(image, found, model, 4), phases_of_largest)
    assert (settled.segmentation.labels == truth.labels).all()
    assert sorted(settled.regions) == [0, 1]
    region = settled.regions[1]
    likeliest = np.argmax(region.values, axis=0)
    drawn = truth.labels[1][region.box]
    assert ((likeliest > 0) == (drawn > 0)).mean() > 0.999
    assert region.values.sum(axis=0) == pytest.approx(1.0, abs=1e-3)
    assert region.shape == image.geometry.shape


def test_frames_that_settling_makes_the_measured_ones_are_settled_too(
    model: tuple[Bundle, Runtime],
) -> None:
    image, truth = study()
    wrong = truth.labels.copy()
    wrong[2] = 0  # frame 2 seems to be the smallest until it is looked at again, then it is frame 1
    wrong[2, 1, 80, 110] = Structure.LV_CAVITY
    found = truth.like(wrong)
    settled = settle(found, Closer(image, found, model, 2), phases_of_largest)
    assert phases_of_largest(found).es == 2
    assert (settled.segmentation.labels == truth.labels).all()
    assert sorted(settled.regions) == [0, 1, 2]
    assert settled.looks.phases == Phases(ed=0, es=1, how="detected")
    assert settled.looks.seen[0].frames == 2


def test_the_mean_of_looks_lies_between_them(model: tuple[Bundle, Runtime]) -> None:
    image, found = study()
    bundle, runtime = model
    closer = Closer(image, found, (bundle, Askew(runtime)), 4)
    seen = closer.look(3)
    tops = [int(np.flatnonzero((one == 1).any((0, 2)))[0]) for one in seen.labels]
    top = int(np.flatnonzero((seen.settled == 1).any((0, 2)))[0])
    assert min(tops) < top < max(tops)
    assert seen.mean.shape == (4, *seen.settled.shape)
