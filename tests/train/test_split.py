"""Patients, not images, are divided."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from heartseg.core.errors import ConfigError
from heartseg.read.candidate import Candidate

pytest.importorskip("torch")
from heartseg.train.split import PARTS, Split, part_of, parts_of, smaller


def study(name: str, patient: str | None = None, **known: str) -> Candidate:
    def load():
        raise AssertionError("no pixels are read to divide patients")

    given = {"layout": "acdc", **known}
    return Candidate(id=name, patient=patient, path=Path(), load=load, **given)


GROUPS = ("DCM", "HCM", "MINF", "NOR", "RV")
ACDC = [
    study(f"patient{n:03}", f"patient{n:03}", group=GROUPS[(n - 1) // 20]) for n in range(1, 101)
]


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
    parts = list(parts_of(ACDC, Split()).values())
    assert [parts.count(p) for p in PARTS] == [60, 20, 20]


def test_an_id_without_a_number_is_refused():
    with pytest.raises(ConfigError, match="'anonymous'.*split.by"):
        part_of("anonymous")


def folds(**settings):
    return [parts_of(ACDC, Split(by="fold", fold=fold, **settings)) for fold in range(5)]


def test_every_patient_tests_once_validates_once_and_trains_else():
    for name in folds()[0]:
        said = Counter(parts[name] for parts in folds())
        assert said == {"train": 3, "validate": 1, "test": 1}
    # 99 examinations: one of them was drawn twice
    for parts in folds():
        assert 19 <= sum(part == "test" for part in parts.values()) <= 21


def test_what_validates_in_one_fold_tests_in_the_next():
    turns = folds()
    for now, then in zip(turns, turns[1:] + turns[:1], strict=True):
        mine = {name for name, part in now.items() if part == "validate"}
        assert mine == {name for name, part in then.items() if part == "test"}


def test_every_fold_has_its_share_of_every_group():
    for parts in folds():
        counts = Counter(one.group for one in ACDC if parts[one.id] == "test")
        assert set(counts) == set(GROUPS)
        assert all(3 <= count <= 5 for count in counts.values()), counts


def test_without_strata_chance_alone_decides():
    apart = folds(stratified=False)
    assert apart != folds()
    spread = [
        Counter(one.group for one in ACDC if parts[one.id] == "test").values() for parts in apart
    ]
    assert min(map(min, spread)) < 3 or max(map(max, spread)) > 5


@pytest.mark.parametrize("seed", range(8))
def test_an_examination_that_was_drawn_twice_stays_in_one_fold(seed):
    for parts in folds(seed=seed, stratified=bool(seed % 2)):
        assert parts["patient074"] == parts["patient076"]
    others = [study("patient074", layout="pairs"), study("patient076", layout="pairs")]
    others += [study(f"patient{n}", layout="pairs") for n in range(200, 208)]
    apart = {
        p["patient074"] == p["patient076"]
        for s in range(9)
        for p in [parts_of(others, Split(by="fold", seed=s))]
    }
    assert apart == {True, False}  # elsewhere these are but names


def test_studies_of_a_patient_stay_together():
    found = [study(f"{who}-{visit}", who) for who in "abcdefghij" for visit in (1, 2, 3)]
    for fold in range(5):
        parts = parts_of(found, Split(by="fold", fold=fold))
        for who in "abcdefghij":
            assert len({parts[f"{who}-{visit}"] for visit in (1, 2, 3)}) == 1
        assert sum(part == "test" for part in parts.values()) == 6


def test_chance_depends_on_the_seed_and_not_on_the_order():
    split = Split(by="fold", seed=3)
    assert parts_of(ACDC[::-1], split) == parts_of(ACDC, split)
    assert parts_of(ACDC, Split(by="fold", seed=4)) != parts_of(ACDC, split)


def test_the_folds_are_the_same_on_every_machine():
    parts = parts_of(ACDC, Split(by="fold"))
    tested = sorted(int(name[-3:]) for name, part in parts.items() if part == "test")
    assert tested[:5] == FIRST_TESTED


FIRST_TESTED = [8, 14, 16, 20, 27]


def test_a_group_is_left_out_and_the_others_are_divided():
    parts = parts_of(ACDC, Split(by="group", group="HCM", folds=4))
    tested = {one.id for one in ACDC if one.group == "HCM"}
    assert {name for name, part in parts.items() if part == "test"} == tested
    counts = Counter(parts.values())
    assert (counts["validate"], counts["train"]) in {(20, 60), (19, 61), (21, 59)}
    with pytest.raises(ConfigError, match="split.group: got 'ARV'; allowed: DCM, HCM"):
        parts_of(ACDC, Split(by="group", group="ARV"))


def test_the_data_set_s_own_split():
    found = [study("a", split="test"), study("b", split="train"), study("c", split="validate")]
    parts = parts_of(found, Split(by="data-set"))
    assert parts == {"a": "test", "b": "train", "c": "validate"}
    with pytest.raises(ConfigError, match="d: got no split"):
        parts_of([*found, study("d")], Split(by="data-set"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.toml", 'train = ["a", "b"]\nvalidate = ["c"]'),
        ("s.json", json.dumps({"train": ["a", "b"], "validate": ["c"], "trained_on": ["a"]})),
        ("s.csv", "patient,split\na,train\nc,validate\nb,train\n"),
    ],
)
def test_a_file_says_who_trains(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = [study("a-1", "a"), study("a-2", "a"), study("b"), study("c"), study("d")]
    parts = parts_of(found, Split(by="file", file=name), tmp_path)
    assert parts == {"a-1": "train", "a-2": "train", "b": "train", "c": "validate"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.toml", 'train = ["a"]\ntest = ["a"]', "a in train and test"),
        ("s.toml", "train = 3", "split file s.toml"),
        ("s.json", "[1]", "split file s.json"),
        ("s.csv", "patient,split\na,traim\n", "none of train"),
        ("s.csv", "name\na\n", "split file s.csv"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        parts_of([study("a")], Split(by="file", file=name), tmp_path)
    with pytest.raises(ConfigError, match=r"split file gone\.toml"):
        parts_of([study("a")], Split(by="file", file="gone.toml"), tmp_path)


def test_few_patients_are_among_more_and_groups_keep_their_shares():
    patients = {one.id: one.group for one in ACDC}
    sizes = [5, 20, 50, 99, 100]
    chosen = [set(smaller(patients, Split(patients=n))) for n in sizes]
    assert [len(one) for one in chosen] == sizes
    for few, more in pairwise(chosen):
        assert few < more
    for n, one in zip(sizes[:3], chosen, strict=False):
        assert set(Counter(patients[name] for name in one).values()) == {n // 5}
    assert smaller(patients, Split()) == sorted(patients)
    assert set(smaller(patients, Split(patients=5, seed=1))) != chosen[0]
    with pytest.raises(ConfigError, match="split.patients: got 101; allowed: at most 100"):
        smaller(patients, Split(patients=101))


def test_a_large_group_gives_more_of_the_few():
    patients = dict.fromkeys((f"a{n}" for n in range(30)), "A")
    patients |= dict.fromkeys((f"b{n}" for n in range(10)), "B")
    chosen = smaller(patients, Split(patients=8))
    assert Counter(patients[name] for name in chosen) == {"A": 6, "B": 2}


def test_too_few_patients_for_the_folds_are_said():
    with pytest.raises(ConfigError, match="got 2 patients; allowed: at least 5"):
        parts_of([study("a"), study("b")], Split(by="fold"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "fold", "fold": 5},
        {"by": "fold", "folds": 2},
        {"by": "file"},
        {"file": "x.toml"},
        {"by": "group"},
        {"patients": 0},
        {"slices": 0},
    ],
)
def test_a_split_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match="split"):
        Split(**wrong)
