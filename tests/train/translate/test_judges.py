"""What is said of one image: by the labels, by its edges, and where the line is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.errors import ConfigError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.segment import load_bundle
from heartseg.train.translate.judges import (
    Eye,
    Judges,
    Line,
    Thresholds,
    border_px,
)
from tests import doors

ACDC = SCHEMES["acdc"]
GRID = Geometry.from_pixels(doors.SHAPE, doors.SPACING_MM)


class Nowhere:
    """A translator without a way back, or with one that inverts."""

    def __init__(self, inverts: bool = False) -> None:
        self._inverts = inverts

    def shown(self, image: Image) -> np.ndarray:
        return np.ones(image.geometry.shape, bool)

    def back(self, image: Image) -> Image | None:
        return image.like(900 - image.voxels) if self._inverts else None


def drawn(radius: int = 6, shift: int = 0) -> Segmentation:
    numbers = np.roll(doors.heart(radius), shift, axis=1)[None]
    return Segmentation(ACDC.read(numbers), GRID, ACDC.structures)


def painted(shift: int = 0) -> Image:
    numbers = np.roll(doors.heart(6), shift, axis=1)
    return Image(doors.painted(numbers)[None].astype(np.float32), GRID)


@pytest.fixture(scope="module")
def eye(gauge: Path) -> Eye:
    return Eye(load_bundle(gauge), "cpu")


def test_a_translation_in_its_place_passes_and_a_moved_one_does_not(eye: Eye) -> None:
    judges = Judges(target=eye, thresholds=Thresholds(least_dice=0.9, most_border_px=1.0))
    kept = judges.judge(painted(), painted(), drawn(), Nowhere(), ("s", "p"))
    (line,) = kept.lines
    assert (line.study, line.patient, line.judged_by) == ("s", "p", "labels")
    assert line.dice_target == pytest.approx(1, abs=0.01)
    assert line.border_px == pytest.approx(0, abs=0.05)
    assert line.moved_px == pytest.approx(0, abs=0.05)
    assert not kept.rejected
    (line,) = (gone := judges.judge(painted(), painted(3), drawn(), Nowhere(), ("s", "p"))).lines
    assert gone.rejected
    assert line.moved_px == pytest.approx(3, abs=0.3)
    assert line.border_px is not None
    assert line.border_px > 1
    assert set(line.structures) == {"lv", "myo", "rv"}
    for said in ("Dice", "borders", "edges"):
        assert said in line.rejected


def test_the_way_back_is_judged_by_the_source_model(eye: Eye) -> None:
    judges = Judges(source=eye)
    dark = painted().like(900 - painted().voxels)
    (line,) = judges.judge(painted(), dark, drawn(), Nowhere(inverts=True), ("s", "p")).lines
    assert (line.dice_target, line.border_px) == (None, None)
    assert line.dice_back == line.dice_source == pytest.approx(1, abs=0.01)
    (line,) = judges.judge(painted(), dark, drawn(), Nowhere(), ("s", "p")).lines
    assert line.dice_back is None


def test_without_labels_the_source_model_says_what_is_expected(eye: Eye) -> None:
    judges = Judges(target=eye, source=eye)
    (line,) = judges.judge(painted(), painted(), None, Nowhere(), ("s", "p")).lines
    assert line.judged_by == "source model"
    assert line.dice_target == pytest.approx(1)
    assert line.dice_source is None
    (line,) = Judges().judge(painted(), painted(), None, Nowhere(), ("s", "p")).lines
    assert line.judged_by == "edges alone"
    assert line.moved_px == pytest.approx(0, abs=0.05)


def test_borders_are_apart_by_pixels_whatever_their_millimetres() -> None:
    square = np.zeros((1, *doors.SHAPE), np.uint8)
    square[0, 1, 10:20, 10:20] = Structure.LV_CAVITY
    seen, wanted = (
        Segmentation(np.roll(square, by, axis=3), GRID, ACDC.structures) for by in (2, 0)
    )
    # Of 36 border pixels each, 16 of the two sides across lie 2 away, or at corners a little less.
    found = border_px(seen, wanted, 0)
    assert found == pytest.approx(0.95, abs=0.2)
    assert border_px(wanted, wanted, 0) == 0
    nothing = seen.like(np.zeros_like(square))
    assert border_px(nothing, wanted, 0) is None


LINE = Line(study="s", patient="p", frame=0, judged_by="labels")


@pytest.mark.parametrize(
    ("found", "asked", "rejected"),
    [
        ({"dice_target": 0.69}, {}, True),
        ({"dice_target": 0.7}, {}, False),
        ({"dice_back": 0.69}, {}, True),
        ({"dice_target": 0.1}, {"least_dice": None}, False),
        ({"border_px": 9.0}, {}, False),
        ({"border_px": 1.6}, {"most_border_px": 1.5}, True),
        ({"moved_px": 1.6}, {}, True),
        ({"moved_px": 1.5}, {}, False),
        ({"moved_px": 1.6}, {"most_moved_px": None}, False),
        ({}, {}, False),
    ],
)
def test_the_line_is_drawn_at_the_thresholds(
    found: dict[str, float], asked: dict[str, float | None], rejected: bool
) -> None:
    assert bool(Thresholds(**asked).broken(replace(LINE, **found))) is rejected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [{"least_dice": 1.1}, {"most_border_px": 0}, {"most_moved_px": -1}]
)
def test_thresholds_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Thresholds(**wrong)
