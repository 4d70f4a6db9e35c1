"""What a run learns from is chosen before pixels are read; slices are nested."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, LabelError

pytest.importorskip("torch")
from heartseg.read.candidate import Candidate
from heartseg.train.frames import fewer_slices, frames_of
from heartseg.train.objective import Objective
from heartseg.train.selection import select
from heartseg.train.settings import RunSettings
from heartseg.train.split import Split
from tests.train import tiny
from tests.train.test_data import PREPARATION, labelled


def _unread():
    raise AssertionError("no pixels are read to choose studies")


STUDIES = [
    Candidate(id=f"{who}-{visit}", patient=who, layout="pairs", path=Path(), load=_unread)
    for who in "abcdefghij"
    for visit in (1, 2)
]
FRAMES = [tiny.frame(number, planes=number) for number in (3, 4, 5)]


def planes_of(frames):
    """Each plane by its patient and pixels."""
    return {(one.patient, plane.tobytes()) for one in frames for plane in one.pixels}


def test_every_study_is_in_the_part_that_is_asked_for():
    split = Split(by="fold", patients=3)
    settings = RunSettings(name="a", folder="nowhere", split=split)
    chosen = select(settings, Path(), STUDIES)
    parts = [chosen.of([part]) for part in ("train", "validate", "test")]
    assert [len(one) for one in parts] == [12, 4, 4]
    assert chosen.of(["train", "validate", "test"]) == STUDIES
    assert len(chosen.training) == 6  # two studies of each of three patients
    assert all(one in parts[0] for one in chosen.training)
    assert list(chosen.validation) == parts[1]
    table = chosen.table()
    assert table["test"] == sorted({one.patient for one in parts[2]})
    assert len(table["trained_on"]) == 3


def test_few_slices_are_among_more():
    chosen = [planes_of(fewer_slices(FRAMES, Split(slices=n))) for n in (1, 5, 9, 12)]
    assert [len(one) for one in chosen] == [1, 5, 9, 12]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3] == planes_of(FRAMES)
    assert chosen[1] != planes_of(fewer_slices(FRAMES, Split(slices=5, seed=1)))


def test_a_slice_keeps_its_classes_and_its_order():
    for one in fewer_slices(FRAMES, Split(slices=7)):
        (whole,) = [frame for frame in FRAMES if frame.patient == one.patient]
        places = [
            next(z for z, plane in enumerate(whole.pixels) if np.array_equal(plane, mine))
            for mine in one.pixels
        ]
        assert places == sorted(places)
        assert np.array_equal(one.classes, whole.classes[places])


def test_all_slices_are_the_frames_themselves():
    assert fewer_slices(FRAMES, Split()) == FRAMES


def test_more_slices_than_there_are_is_said():
    with pytest.raises(ConfigError, match="split.slices: got 13; allowed: at most 12"):
        fewer_slices(FRAMES, Split(slices=13))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ({"as_background": ("lv",)}, "as_background: got lv"),
        ({"as_background": ("la",), "loss": Objective(ignored=("la",))}, "as_background: got la"),
        ({"loss": Objective(ignored=("lv",))}, "loss.ignored: got lv"),
    ],
)
def test_a_structure_has_one_use(use, message):
    with pytest.raises(ConfigError, match=message):
        RunSettings(name="a", folder="nowhere", structures=("lv",), **use)


def test_what_is_taken_for_background_has_to_exist():
    keys = ("la", "myo")
    settings = RunSettings(name="a", folder="x", structures=("lv",), as_background=keys)
    assert settings.merged == (Structure.LEFT_ATRIUM, Structure.LV_MYOCARDIUM)
    with pytest.raises(ConfigError, match="as_background.*liver"):
        replace(settings, as_background=("liver",))


def test_what_is_taken_for_background_is_so_in_what_is_learnt():
    settings = RunSettings(
        name="a",
        folder="nowhere",
        preparation=PREPARATION,
        structures=("rv",),
        as_background=("myo", "lv"),
    )
    (first, _) = frames_of([labelled()], settings)
    assert set(np.unique(first.classes)) == {0, 1}
    with pytest.raises(LabelError, match="as_background"):
        frames_of([labelled()], replace(settings, as_background=("myo",)))
