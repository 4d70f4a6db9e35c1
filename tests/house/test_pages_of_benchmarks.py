"""Tables of the benchmarks in the pages: where they go, and how they are written."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.house.scripts import ROOT, script

PAGE = "a\n<!-- written by benchmarks/x.py{} -->\nold\n<!-- end of table -->\nz\n"


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    return script(ROOT / "benchmarks" / "pages.py")


def test_a_table_takes_the_place_of_the_last_one(pages: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(""), encoding="utf-8")
    for _ in range(2):  # the second time nothing changes
        pages.write_table(page, "x.py", "| new |")
        assert page.read_text(encoding="utf-8") == (
            "a\n<!-- written by benchmarks/x.py -->\n\n| new |\n\n<!-- end of table -->\nz\n"
        )


def test_each_of_several_tables_has_its_place(pages: ModuleType) -> None:
    text = PAGE.format(": one") + PAGE.format(": two")
    text = pages.with_table(text, "x.py: two", "second")
    assert text.count("old") == 1
    assert text.index("old") < text.index("second")
    assert "old" not in pages.with_table(text, "x.py: one", "first")


@pytest.mark.parametrize("text", ["", PAGE.format(": other"), PAGE.format("").partition("old")[0]])
def test_a_page_without_a_place_is_not_written(pages: ModuleType, text: str) -> None:
    with pytest.raises(ValueError, match=r"it needs '<!-- written by benchmarks/x\.py -->'"):
        pages.with_table(text, "x.py", "table")


def test_with_check_a_stale_page_is_told_and_kept(
    pages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("old", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["x.py", "--check"])
    with pytest.raises(SystemExit, match=r"page\.md is not fresh: run make docs"):
        pages.write_or_check(page, lambda _: "new", "make docs")
    assert page.read_text(encoding="utf-8") == "old"
    pages.write_or_check(page, lambda now: now, "make docs")
    monkeypatch.setattr("sys.argv", ["x.py"])
    pages.write_or_check(page, lambda _: "new", "make docs")
    assert page.read_text(encoding="utf-8") == "new"


def test_a_bar_does_not_end_a_cell(pages: ModuleType) -> None:
    assert pages.markdown_table(("a", "b"), [("1|2", "3")]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| 1\\|2 | 3 |",
    ]


def test_values_have_ends_where_there_are_some(pages: ModuleType) -> None:
    row = {"value": "0.81234", "low": "0.7", "high": "0.9"}
    assert pages.value(row) == "0.812"
    assert pages.with_ends(row, 2) == "0.81 (0.70 to 0.90)"
    assert pages.with_ends({**row, "low": "-"}) == "0.812"
    assert pages.with_ends(None) == pages.value(None) == "not run"
