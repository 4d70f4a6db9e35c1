"""The cohort counts patients, not studies, by what the data set says of them."""

from pathlib import Path

from heartseg.read import Candidate
from heartseg.train.cohort import cohort_of
from heartseg.train.selection import Selection


def study(name: str, patient: str, group: str | None) -> Candidate:
    def load() -> object:
        raise AssertionError("no pixels are read")

    return Candidate(
        id=name,
        layout="camus" if name.startswith("c") else "acdc",
        path=Path(name),
        load=load,  # type: ignore[arg-type]
        patient=patient,
        group=group,
    )


def test_patients_are_counted_once_by_data_set_and_group() -> None:
    found = (
        study("a1", "p1", "DCM"),
        study("a2", "p1", "DCM"),
        study("c3", "p2", "NOR"),
        study("a4", "p3", None),
        study("a5", "p4", "NOR"),
        study("a6", "p5", "NOR"),
        study("a7", "p6", "NOR"),
    )
    parts = dict(zip(("a1", "a2", "c3", "a4"), ("train",) * 4, strict=True))
    parts |= {"a5": "validate", "a6": "test", "a7": "test"}
    counted = cohort_of(Selection(found, parts, found[:4], found[4:5]))  # type: ignore[arg-type]
    assert counted == {
        "patients": 3,
        "data_sets": {"acdc": 2, "camus": 1},
        "groups": {"DCM": 1, "NOR": 1},
        "validation_patients": 1,
        "test_patients": 2,
    }


def test_what_the_data_set_does_not_say_is_left_out_and_who_trains_is_not_kept() -> None:
    found = (study("a1", "p1", None), study("a2", "p2", None))
    parts = {"a1": "test", "a2": "test"}
    counted = cohort_of(Selection(found, parts, found[:1], ()))  # type: ignore[arg-type]
    assert "groups" not in counted
    assert counted["test_patients"] == 1
