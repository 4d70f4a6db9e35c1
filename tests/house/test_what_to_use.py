"""The newcomer's page: what is recommended, by the rule that it states, from invented rows."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.house.scripts import ROOT, script
from tests.house.test_paper_tables import HEADS, row, write


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(ROOT / "docs" / "what_to_use.py")


def settings(scores: dict[str, float]) -> Iterator[dict[str, str]]:
    for name, value in scores.items():
        line = row(f"setting {name}", value, structure="mean")
        yield {**line, "low": str(value - 0.02), "high": str(value + 0.02)}


def answers(page: ModuleType, results: Path) -> dict[str, str]:
    """The question and what to use."""
    return {one.question: one.use for part in page.PARTS for one in part(results)}


@pytest.mark.parametrize(
    ("best", "wanted"), [(0.735, "`rate-3e-3`"), (0.715, "`base`"), (0.6, "`base`")]
)
def test_a_setting_takes_over_only_above_the_interval_of_the_usual_one(
    page: ModuleType, tmp_path: Path, best: float, wanted: str
) -> None:
    lines = list(settings({"base": 0.7, "rate-3e-3": best, "rate-1e-4": 0.5}))
    write(tmp_path / "settings" / "rate-acdc.csv", lines)
    assert answers(page, tmp_path)["Learning rate and patch, ACDC"] == wanted


def test_what_has_no_rows_is_said_to_be_not_run(page: ModuleType, tmp_path: Path) -> None:
    found = answers(page, tmp_path)
    assert len(found) == 2 + 3 + 9 + 6
    assert set(found.values()) == {page.NOT_RUN}


def test_one_value_alone_recommends_nothing(page: ModuleType, tmp_path: Path) -> None:
    write(tmp_path / "settings" / "rate-acdc.csv", list(settings({"base": 0.7})))
    assert answers(page, tmp_path)["Learning rate and patch, ACDC"] == page.NOT_RUN


def test_a_warm_start_is_compared_with_none_among_as_many_patients(
    page: ModuleType, tmp_path: Path
) -> None:
    lines = []
    for patients, source, value in (
        *(("2", "none", 0.5), ("2", "mr", 0.7)),
        *(("20", "none", 0.8), ("20", "mr", 0.79)),
    ):
        labels = f"split.patients {patients}, source {source}, learns full"
        line = row(labels, value, structure="mean")
        lines.append({**line, "low": str(value - 0.01), "high": str(value + 0.01)})
    write(tmp_path / "transfer" / "emidec.csv", lines)
    found = answers(page, tmp_path)
    assert found["2 patients of EMIDEC: begin with"] == "`mr, full`"
    assert found["20 patients of EMIDEC: begin with"] == "`none, full`"


def test_the_best_method_and_network_are_named_with_their_numbers(
    page: ModuleType, tmp_path: Path
) -> None:
    heads = (*HEADS, "phase")
    lines = [
        {"measure": "Dice", "structure": "lv", "phase": "all", "data": "ACDC", **one}
        for one in (
            {"model": "classical:otsu", "value": "0.7"},
            {"model": "classical:atlas", "value": "0.8"},
            {"model": "cine-mr 9", "value": "0.95"},
        )
    ]
    write(tmp_path / "classical" / "methods.csv", lines, heads)
    said = "LV Dice 0.950 (`cine-mr`); the best traditional method, 0.800 (`atlas`)"
    assert f"| Short-axis MR | `heartseg segment` | {said} |" in page.page(tmp_path)
    found = answers(page, tmp_path)  # an atlas is made of labels
    assert found["Short-axis MR, no labels to learn from"] == "`classical:otsu`"
