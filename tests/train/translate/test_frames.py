"""Frames of a side: labels of the source alone, patients by their names."""

from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import StudyError
from heartseg.core.study import View
from heartseg.losses import IGNORED
from heartseg.prepare import Preparation
from heartseg.read import find_studies
from heartseg.train.translate.frames import frames_of_side
from heartseg.train.translate.settings import Side
from tests import doors

CLASSES = (Structure.BACKGROUND, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
SIDE = Side(folder="x", preparation=Preparation(stride=4))


def test_labels_are_read_where_they_are_wanted_and_nowhere_else(tmp_path: Path) -> None:
    doors.write_patient(tmp_path / "patient001")
    found = find_studies(tmp_path)
    named = frames_of_side(found, SIDE, CLASSES, (Structure.RV_CAVITY,))
    assert [frame.phase for frame in named] == [0, 1]
    assert {frame.patient for frame in named} == {"patient001"}
    assert set(np.unique(named[0].classes)) == {0, 1, 2, IGNORED}
    bare = frames_of_side(found, SIDE)
    assert [frame.phase for frame in bare] == [0, 1]
    assert all((frame.classes == IGNORED).all() for frame in bare)
    np.testing.assert_array_equal(bare[0].pixels, named[0].pixels)


def test_a_cine_without_labels_gives_a_few_frames_evenly(tmp_path: Path) -> None:
    doors.save_nifti(tmp_path / "cine_sax.nii.gz", doors.painted(doors.cine((8, 6, 5, 7, 9))))
    found = find_studies(tmp_path, view=View.SAX)
    side = Side(folder="x", frames=2, preparation=Preparation(stride=4))
    assert [frame.phase for frame in frames_of_side(found, side, CLASSES)] == [0, 2]


def test_another_view_is_said(tmp_path: Path) -> None:
    doors.write_patient(tmp_path / "patient001")
    with pytest.raises(StudyError, match="no lge image, but sax"):
        frames_of_side(find_studies(tmp_path), Side(folder="x", view=View.LATE_ENHANCEMENT), ())
