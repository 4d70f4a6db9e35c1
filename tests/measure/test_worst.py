"""The worst slices are those with the most wrong tissue, and they are told rightly."""

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.worst import (
    DISPLACED,
    MISSED,
    NONE_HERE,
    TOO_LARGE,
    TOO_SMALL,
    failures_of,
    worst,
)

STRUCTURES = SCHEMES["acdc"].structures


def segmentation(labels: np.ndarray, unit: str = "mm") -> Segmentation:
    affine = np.diag([10.0, 2.0, 1.0, 1.0])
    affine[:3, :3] = affine[:3, :3][:, ::-1]
    return Segmentation(labels, Geometry(labels.shape[1:], affine, unit), STRUCTURES)


def heart() -> np.ndarray:
    """(2, 5, 12, 16): a disc-like LV that tapers towards the last slice; the last shows none."""
    labels = np.zeros((2, 5, 12, 16), np.uint8)
    for z, side in enumerate((8, 7, 5, 3)):
        labels[:, z, 2 : 2 + side, 3 : 3 + side] = _value("lv")
    return labels


def _value(key: str) -> int:
    return int(next(s for s in STRUCTURES if s.key == key))


PHASES = Phases(ed=0, es=1, how="given")


def test_equal_masks_have_no_failures() -> None:
    truth = segmentation(heart())
    assert failures_of(truth, truth, phases=PHASES) == ()


def test_a_slice_is_told_with_its_place_volume_and_kind() -> None:
    ours = heart()
    ours[1, 0, 2:5, 3:11] = 0  # 24 of 64 pixels, each 0.02 mL
    (one,) = failures_of(
        segmentation(ours), segmentation(heart()), case="p7", group="DCM", phases=PHASES
    )
    assert (one.case, one.group, one.phase, one.frame) == ("p7", "DCM", "ES", 1)
    assert (one.slice, one.slices, one.level, one.structure) == (1, 5, "base", "lv")
    assert one.wrong_ml == pytest.approx(24 * 0.02)
    assert (one.missed_ml, one.added_ml) == (pytest.approx(24 * 0.02), 0)
    assert one.dice == pytest.approx(2 * 40 / (40 + 64))
    assert one.how == TOO_SMALL


@pytest.mark.parametrize(
    ("z", "rows", "columns", "value", "how"),
    [
        (4, slice(2, 5), slice(3, 6), "lv", NONE_HERE),
        (3, slice(0, 12), slice(0, 16), None, MISSED),
        (2, slice(2, 9), slice(3, 9), "lv", TOO_LARGE),
        (2, slice(2, 7), slice(8, 12), "lv", TOO_LARGE),
    ],
)
def test_what_went_wrong_is_said_in_words(
    z: int, rows: slice, columns: slice, value: str | None, how: str
) -> None:
    ours = heart()
    ours[0, z, rows, columns] = _value(value) if value else 0
    (one,) = failures_of(segmentation(ours), segmentation(heart()), phases=PHASES)
    assert one.how == how


@pytest.mark.parametrize(
    ("missed", "added", "how"), [(2, 7, TOO_LARGE), (2, 5, DISPLACED), (7, 2, TOO_SMALL)]
)
def test_an_outline_is_too_large_or_small_when_most_of_its_fault_is(
    missed: int, added: int, how: str
) -> None:
    ours = heart()
    ours[0, 1, 2, 3 : 3 + missed] = 0
    ours[0, 1, 10, 3 : 3 + added] = _value("lv")
    (one,) = failures_of(segmentation(ours), segmentation(heart()), phases=PHASES)
    assert one.how == how


def test_a_shifted_outline_is_displaced() -> None:
    ours = heart()
    ours[0, 1] = np.roll(heart()[0, 1], 2, axis=1)
    (one,) = failures_of(segmentation(ours), segmentation(heart()), phases=PHASES)
    assert one.how == DISPLACED


def test_the_structure_with_the_most_wrong_tissue_is_named_and_voxels_count_once() -> None:
    ours = heart()
    ours[0, 0, 2:10, 3:6] = _value("rv")  # 24 voxels: LV missed, RV added
    ours[0, 0, 0, 0] = _value("rv")
    (one,) = failures_of(segmentation(ours), segmentation(heart()), phases=PHASES)
    assert one.structure == "rv"
    assert one.wrong_ml == pytest.approx(25 * 0.02)
    assert one.added_ml == pytest.approx(25 * 0.02)


def test_the_worst_slice_of_each_of_the_worst_cases_is_chosen() -> None:
    found = []
    for case, pixels in (("a", 5), ("b", 9), ("c", 2)):
        ours = heart()
        ours[0, 0, 11, :pixels] = _value("rv")
        ours[1, 2, 11, 0] = _value("rv")
        found += failures_of(segmentation(ours), segmentation(heart()), case=case, phases=PHASES)
    assert [(one.case, one.phase) for one in worst(found, 2)] == [("b", "ED"), ("a", "ED")]
    assert len(worst(found, 9)) == 3


def test_only_the_frames_that_the_reference_covers_count() -> None:
    ours = heart()
    ours[:, 0] = 0
    truth = segmentation(heart())
    drawn = Segmentation(truth.labels, truth.geometry, STRUCTURES, covered=(1,))
    (one,) = failures_of(segmentation(ours), drawn)
    assert (one.frame, one.phase) == (1, "")


def test_what_the_reference_does_not_show_is_no_failure() -> None:
    ours = heart()
    ours[:, 0, 11, :9] = _value("rv")
    ours[0, 1, 2:4, 3:10] = 0
    lv = next(s for s in STRUCTURES if s.key == "lv")
    found = failures_of(
        segmentation(ours), segmentation(heart()), phases=PHASES, covered={0: (lv,), 1: ()}
    )
    assert [(one.frame, one.slice, one.structure) for one in found] == [(0, 2, "lv")]


def test_other_grids_and_pixels_are_refused() -> None:
    truth = segmentation(heart())
    with pytest.raises(GeometryError, match="grid"):
        failures_of(segmentation(heart()[:, :4]), truth)
    pixels = segmentation(heart(), "px")
    with pytest.raises(GeometryError, match="millimetres"):
        failures_of(pixels, pixels)
