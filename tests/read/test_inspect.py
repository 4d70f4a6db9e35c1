import json

import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.study import Body
from heartseg.formats.dicom_write import CineTags, write_cine
from heartseg.read.inspect import as_dict, as_rows, guess_schemes, inspect, orientation_letters
from tests.read.test_acdc import patient
from tests.read.test_bad_input import heart, save
from tests.read.test_dicom_study import cine


def test_a_cine_is_described_with_the_reason_for_its_view(tmp_path):
    write_cine(tmp_path / "a", cine(), CineTags(description="x", body=Body(sex="M", height_cm=180)))
    (seen,) = inspect(tmp_path / "a")
    assert (seen.modality, seen.view, seen.frames, seen.slices, seen.size) == (
        "MR",
        "sax",
        4,
        5,
        (14, 19),
    )
    assert seen.spacing == (8.0, 1.5, 1.25)
    assert seen.times_ms == (0, 150)
    assert seen.orientation == "RFL"
    assert any("degrees off the long axis" in note for note in seen.notes)
    rows = dict(as_rows(seen))
    assert rows["grid"] == "5 slices of 14 x 19, 8 x 1.5 x 1.25 mm"
    assert rows["frames"] == "4, 0 to 150 ms"
    assert "height_cm 180" in rows["body"]
    json.dumps(as_dict(seen))


def test_letters_say_where_axes_grow():
    affine = np.eye(4)[:, [2, 1, 0, 3]]  # z to the head, y to the back, x to the left
    assert orientation_letters(Geometry((2, 3, 4), affine)) == "HPL"
    assert orientation_letters(Geometry((2, 3, 4), affine * [-1, 1, -1, 1])) == "FPR"


def test_phases_group_and_reference_of_a_data_set_are_shown(tmp_path):
    (seen,) = inspect(patient(tmp_path))
    assert seen.phases == {"ed": 1, "es": 0, "how": "given"}
    assert (seen.scheme, seen.group, seen.files) == ("acdc", "HCM", 2)


def test_one_bad_study_does_not_hide_the_others(tmp_path):
    save(tmp_path / "good.nii")
    (tmp_path / "bad.nii").write_bytes(b"rubbish" * 100)
    bad, good = inspect(tmp_path)
    assert "does not begin like a NIfTI" in dict(as_rows(bad))["problem"]
    assert good.problem is None


def test_label_image_is_recognised_and_its_scheme_guessed(tmp_path):
    (seen,) = inspect(save(tmp_path / "x.nii", heart()))
    assert seen.scheme is not None
    assert seen.scheme.startswith("looks like labels: acdc")
    assert "mnms" not in seen.scheme
    (seen,) = inspect(save(tmp_path / "y.nii", heart(swapped=True)))
    assert "acdc" not in seen.scheme
    assert "mnms" in seen.scheme


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0, 500, 205), ("mmwhs",)), ((0, 9), ()), ((0, 4), ("emidec", "totalsegmentator"))],
)
def test_schemes_are_those_that_know_every_number(values, expected):
    assert guess_schemes(values) == expected
