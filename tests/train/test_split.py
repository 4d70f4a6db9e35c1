"""Patients, not images, are divided."""

import pytest

from heartseg.core.errors import ConfigError

pytest.importorskip("torch")
from heartseg.train.split import part_of


@pytest.mark.parametrize(
    ("patient", "part"),
    [
        ("patient001", "validate"),
        ("patient002", "train"),
        ("patient003", "train"),
        ("patient004", "train"),
        ("patient005", "test"),
        ("patient100", "test"),
        ("patient101", "validate"),
        ("SC-HF-I-10", "test"),
        ("patient002-5", "train"),  # an id made unique stays with its patient
        ("patient004_frame01", "train"),
    ],
)
def test_the_number_decides(patient, part):
    assert part_of(patient) == part


def test_a_hundred_patients_are_60_20_20():
    parts = [part_of(f"patient{number:03}") for number in range(1, 101)]
    assert [parts.count(p) for p in ("train", "validate", "test")] == [60, 20, 20]


def test_an_id_without_a_number_is_refused():
    with pytest.raises(ConfigError, match="'anonymous'"):
        part_of("anonymous")
