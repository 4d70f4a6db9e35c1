"""The checklists have every item of the standards, and answer from the record or say why not."""

from dataclasses import replace

import pytest

from heartseg.core.errors import ConfigError
from heartseg.segment import Bundle
from heartseg.segment.card import facts_of
from heartseg.segment.card.checklist import STANDARDS, checklist_rows, checklist_text
from heartseg.segment.card.facts import NOT_RECORDED, Facts

TRIPOD = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15"
    " 16 17 18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
)
NUMBERS = {"claim": [str(n) for n in range(1, 45)], "tripod-ai": TRIPOD.split()}
"""As published: 44 items, and 52 parts of 27."""


@pytest.fixture
def facts(bundle: Bundle) -> Facts:
    return facts_of(bundle)


def answers(name: str, facts: Facts) -> dict[str, dict[str, str]]:
    return {row["item"]: row for row in checklist_rows(name, facts)}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_item_of_the_standard_is_there_once_in_order(name: str, facts: Facts) -> None:
    assert [row["item"] for row in checklist_rows(name, facts)] == NUMBERS[name]
    assert set(STANDARDS) == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_an_answer_says_where_it_is_found_or_that_there_is_none(name: str, facts: Facts) -> None:
    for row in checklist_rows(name, facts):
        without = row["answer"] == NOT_RECORDED or row["answer"].startswith("not applicable: ")
        assert bool(row["where"]) != without, row
        assert row["asks"]


def test_answers_come_from_the_record(facts: Facts) -> None:
    training = {
        "data": "ours",
        "data_sets": {"acdc": 3},
        "groups": {"DCM": 3},
        "patients": 3,
        "planes": 60,
        "seed": 7,
        "torch": "2.9",
        "split": {"by": "fold"},
        "learning": {"average": 0.9},
        "steps": 5,
    }
    told = answers(
        "claim", replace(facts, description=replace(facts.description, training=training))
    )
    assert "DCM 3" in told["36"]["answer"]
    assert "trained 3" in told["19"]["answer"]
    assert "by fold" in told["19"]["answer"]
    assert "Siemens" in told["13"]["answer"]
    assert told["24"]["answer"] == "random, seed 7"
    assert "torch 2.9" in told["23"]["answer"]
    assert "moving average" in told["26"]["answer"]
    assert "published data" in told["5"]["answer"]
    bare = answers("claim", replace(facts, description=replace(facts.description, training={})))
    for item in ("5", "13", "19", "23", "25", "26", "36"):
        assert bare[item]["answer"] == NOT_RECORDED, item


def test_the_text_is_a_table_under_the_name_of_the_standard(facts: Facts) -> None:
    text = checklist_text("tripod-ai", facts)
    assert text.startswith("# TRIPOD+AI 2024: tiny 0.0.1\n")
    assert "| 27c | discussion |" in text


def test_an_unknown_checklist_names_those_that_there_are(facts: Facts) -> None:
    with pytest.raises(ConfigError, match="claim, tripod-ai"):
        checklist_rows("stard", facts)
