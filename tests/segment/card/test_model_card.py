"""A card says what the record holds, beside what is not recorded, and nothing else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from heartseg.core.study import Modality, View
from heartseg.measure.breakdown import Score
from heartseg.measure.worst import Failure
from heartseg.segment import Bundle, Description, load_bundle, shipped_bundles
from heartseg.segment.appraisal import Appraisal
from heartseg.segment.card import card_table, card_text, facts_of
from heartseg.segment.card.facts import Facts

TRAINING = {
    "data": "hearts of ours",
    "data_sets": {"acdc": 3},
    "groups": {"DCM": 2, "NOR": 1},
    "patients": 3,
    "planes": 61234,
    "hours": 1.5,
    "hardware": "a loom",
    "learning": {"batch": 16},
}


def score(measure: str, value: float, **where: Any) -> Score:
    return Score(
        **{
            "measure": measure,
            "statistic": "mean",
            "cases": 12,
            "value": value,
            "low": value - 0.1,
            "high": value + 0.01,
            **where,
        }
    )


def appraisal(**changes: Any) -> Appraisal:
    """RV at ES is the worst of the whole, the apex of all, NOR of the groups."""
    scores = [
        *(
            score("dice", value, structure=key, phase=phase)
            for key, phase, value in (
                *(("lv", "ED", 0.95), ("lv", "ES", 0.9), ("lv", "all", 0.925)),
                *(("rv", "ED", 0.85), ("rv", "ES", 0.7), ("rv", "all", 0.775)),
                ("all", "all", 0.85),
            )
        ),
        score("dice", 0.5, structure="rv", phase="ES", level="apex"),
        score("dice", 0.88, structure="lv", phase="all", group="DCM", cases=4),
        score("dice", 0.66, structure="lv", phase="all", group="NOR", cases=8),
        score("lv_ef", 0.03, statistic="mean_absolute_error"),
        score("lv_ef", -0.012, statistic="bias", low=-0.08, high=0.06),
    ]
    return Appraisal(
        **{
            "data": "ACDC",
            "data_set": "acdc",
            "split": "test",
            "cases": 12,
            "groups": {"DCM": 4, "NOR": 8},
            "date": "2026-01-02",
            "commit": "abc",
            "configuration": "turns 1",
            "hardware": "2 cores",
            "scores": tuple(scores),
            **changes,
        }
    )


@pytest.fixture
def facts(description: Description) -> Facts:
    described = replace(description, training=TRAINING, licence="CC BY-NC-SA 4.0")
    return Facts(description=described, sha256="aa", parameters=1234567, appraisals=(appraisal(),))


def test_the_parameters_are_those_that_torch_counts(network: Any, bundle: Bundle) -> None:
    trained = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    assert facts_of(bundle).parameters == trained


def test_the_record_is_told(facts: Facts) -> None:
    text = card_text(facts)
    for line in (
        *("| parameters | 1,234,567 |", "| data | hearts of ours |", "| patients | 3 |"),
        *("| planes | 61,234 |", "| groups (patients) | DCM 2, NOR 1 |", "| hours | 1.5 |"),
        *("| hardware | a loom |", "| batch | 16 |", "Siemens"),
        "| paper of acdc | Bernard et al., IEEE TMI 2018 |",
        "The weights are not for commercial use.",
    ):
        assert line in text, line


def test_silence_is_said(facts: Facts) -> None:
    bare = replace(facts, description=replace(facts.description, training={}), appraisals=())
    text = card_text(bare)
    for line in (
        *("| hours | not recorded |", "| groups (patients) | not recorded |"),
        *("| scanners | not stated in the files |", "No test on unseen patients is recorded."),
        *("No test on patients is recorded.", "No failure case is recorded."),
    ):
        assert line in text, line


def test_scores_stand_with_intervals_beside_readers(facts: Facts) -> None:
    text = card_text(facts)
    lv = "| lv | 0.950 (0.850 to 0.960) | 0.900 (0.800 to 0.910) | 0.925 (0.825 to 0.935) |"
    assert f"{lv} 0.92 to 0.94 |" in text
    assert "| DCM | 4 | 0.880 (0.780 to 0.890) |" in text
    assert "| rv | ES | - | - | 0.500 (0.400 to 0.510) |" in text
    assert "| -1.2 (-8.0 to 6.0) | 3.0 (-7.0 to 4.0) | - | 4.6 to 7.5 |" in text


def test_readers_of_cine_mr_stand_beside_no_other_image(facts: Facts) -> None:
    for change in ({"view": View.LAX_4CH}, {"modality": Modality.US}):
        other = replace(facts, description=replace(facts.description, **change))  # type: ignore[arg-type]
        assert "readers" not in card_text(other)


def test_the_weakest_parts_are_named(facts: Facts) -> None:
    text = card_text(facts)
    assert "over the whole stack: rv, ES, 0.700 (0.600 to 0.710) (12 patients)." in text
    assert "by level: rv, ES, apex, 0.500" in text
    assert "by group: lv, all, NOR, 0.660" in text


def test_what_the_test_cannot_tell_is_said(facts: Facts) -> None:
    text = card_text(facts)
    assert "of the same data set as those that trained it" in text
    assert "Groups with fewer than 10 test patients: DCM, NOR." in text
    assert "No test on patients of another place is recorded." in text
    elsewhere = appraisal(data="Elsewhere", data_set="files", split="external", cases=1, groups={})
    both = replace(facts, appraisals=(appraisal(data_set="mnms"), elsewhere))
    text = card_text(both)
    assert "of the same data set as those that trained it" not in text
    assert "Tested on 1 patient of another place." in text


def test_failures_are_listed_with_what_they_have_in_common_and_drawn(facts: Facts) -> None:
    def failure(case: str, phase: str) -> Failure:
        return Failure(
            case=case,
            phase=phase,
            frame=1,
            slice=2,
            slices=9,
            level="base",
            structure="rv",
            wrong_ml=7.25,
            missed_ml=1.0,
            added_ml=6.0,
            dice=0.5,
            how="drawn too large",
        )

    told = (failure("p7", "ES"), failure("p8", "ED"), failure("p9", "ES"))
    shown = replace(facts, appraisals=(appraisal(failures=told),), drawn=True)
    text = card_text(shown)
    assert "ACDC: Of the 3 worst slices 3 lie at the base, 2 are of ES." in text
    assert "| p7 | - | ES | 2 of 9 | base | 7.2 mL | rv: drawn too large, 1.0 mL" in text
    assert "](failures.svg)" in text
    assert "labels of ACDC (Bernard et al., IEEE TMI 2018), whose licence" in text
    assert "CC BY-NC-SA 4.0" in text.rpartition("whose licence")[2]
    assert "failures.svg" not in card_text(replace(shown, drawn=False))


def test_a_licence_that_allows_commerce_is_not_called_otherwise(facts: Facts) -> None:
    free = replace(facts.description, licence="CC0")
    assert "commercial" not in card_text(replace(facts, description=replace(free, training={})))


def test_text_of_a_record_breaks_no_table_and_is_no_html(facts: Facts) -> None:
    wild = {**TRAINING, "data": "a|b\n<script>"}
    text = card_text(replace(facts, description=replace(facts.description, training=wild)))
    assert "| data | a&#124;b &lt;script> |" in text


def test_machines_get_the_same_by_section(facts: Facts) -> None:
    table = card_table(facts)
    assert table["details"]["parameters"] == 1234567
    assert table["training_data"]["groups (patients)"] == "DCM 2, NOR 1"
    (lv, *_) = table["results_test"]["dice"]
    assert lv["ES"] == "0.900 (0.800 to 0.910)"


@pytest.mark.parametrize("name", shipped_bundles())
def test_the_card_of_a_shipped_model_is_what_its_record_says(name: str) -> None:
    bundle = load_bundle(name)
    card = (bundle.folder / "card.md").read_text(encoding="utf-8")
    fresh = card_text(facts_of(bundle))
    assert card == fresh, f"heartseg models {name} > {bundle.folder.name}/card.md"
    assert np.isfinite(facts_of(bundle).parameters)
