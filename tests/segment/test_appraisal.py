"""What a model did belongs to its weights, survives a rewrite, and is refused when it is broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from heartseg.core.errors import ModelError
from heartseg.measure.breakdown import Score
from heartseg.measure.worst import Failure
from heartseg.segment import Bundle, Description, load_bundle, write_bundle
from heartseg.segment.appraisal import APPRAISALS, Appraisal, read_appraisals, write_appraisals

FAILURE = Failure(
    case="p9",
    group="DCM",
    phase="ES",
    frame=1,
    slice=3,
    slices=9,
    level="base",
    structure="rv",
    wrong_ml=7.123456789,
    missed_ml=0.0,
    added_ml=7.0,
    dice=0.25,
    how="drawn too large",
)
APPRAISAL = Appraisal(
    data="ACDC",
    data_set="acdc",
    split="test",
    cases=20,
    groups={"DCM": 4, "NOR": 16},
    date="2026-01-02",
    commit="abc",
    configuration="turns 1",
    hardware="2 cores",
    scores=(
        Score(
            measure="dice",
            statistic="mean",
            structure="lv",
            phase="all",
            cases=20,
            value=0.93,
            low=0.9,
            high=0.95,
        ),
        Score(
            measure="dice",
            statistic="mean",
            structure="lv",
            phase="all",
            group="DCM",
            cases=4,
            value=0.8,
        ),
    ),
    failures=(FAILURE,),
)


@pytest.fixture
def bundle(tmp_path: Path, onnx_f16: bytes, description: Description) -> Bundle:
    return write_bundle(tmp_path / "mine", onnx_f16, description)


def test_what_is_written_is_read_back_with_five_digits(tmp_path: Path) -> None:
    write_appraisals(tmp_path, "aa", [APPRAISAL, APPRAISAL])
    first, second = read_appraisals(tmp_path, "aa")
    rounded = replace(APPRAISAL, failures=(replace(FAILURE, wrong_ml=7.1235),))
    assert first == second == rounded


def test_nothing_is_told_of_other_weights(tmp_path: Path) -> None:
    assert read_appraisals(tmp_path, "aa") == ()
    write_appraisals(tmp_path, "aa", [APPRAISAL])
    assert read_appraisals(tmp_path, "ab") == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"sha256": "aa", "appraisals": [{"data": 1}]}'])
def test_another_kind_of_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / APPRAISALS).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"appraisal\.json"):
        read_appraisals(tmp_path, "aa")


def test_a_place_that_was_not_scored_has_no_score() -> None:
    whole = APPRAISAL.score("dice", "mean", structure="lv", phase="all")
    assert whole is not None
    assert whole.value == 0.93
    part = APPRAISAL.score("dice", "mean", structure="lv", phase="all", group="DCM")
    assert part is not None
    assert part.value == 0.8
    assert APPRAISAL.score("dice", "mean", structure="lv", phase="all", level="apex") is None


def test_writing_a_bundle_again_keeps_what_its_weights_did_and_tells_it(bundle: Bundle) -> None:
    write_appraisals(bundle.folder, bundle.sha256, [APPRAISAL])
    write_bundle(bundle.folder, bundle.onnx, replace(bundle, scores={"dice": 0.5}))
    assert read_appraisals(bundle.folder, bundle.sha256)
    assert "p9" in (bundle.folder / "card.md").read_text(encoding="utf-8")


def test_other_weights_drop_it(bundle: Bundle, onnx_f32: bytes) -> None:
    write_appraisals(bundle.folder, bundle.sha256, [APPRAISAL])
    write_bundle(bundle.folder, onnx_f32, bundle)
    assert not (bundle.folder / APPRAISALS).exists()
    assert "p9" not in (bundle.folder / "card.md").read_text(encoding="utf-8")
    assert load_bundle(bundle.folder).sha256 != bundle.sha256
