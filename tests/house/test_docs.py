"""Documentation that runs: pages are fresh, links lead somewhere, examples do what they say."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.house.scripts import ROOT, script

WRITTEN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")])
VERBS = ("read", "prepare", "segment", "refine", "measure", "report")


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return script(ROOT / "docs" / "generate.py")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    return script(ROOT / "benchmarks" / "tables.py")


def fences(text: str) -> Iterator[tuple[str, str]]:
    """(what stands behind the opening fence, the block) of every fenced block."""
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield match[1].strip(), match[2]


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(\s*([^)\s]+)\s*\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            yield target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_reference_is_what_the_code_says(generate: ModuleType) -> None:
    assert not list(generate.not_fresh(ROOT / "docs" / "reference")), "run make docs"


def test_a_stale_a_missing_and_a_left_over_page_are_seen(
    generate: ModuleType, tmp_path: Path
) -> None:
    for name, text in generate.pages().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert not list(generate.not_fresh(tmp_path))
    (tmp_path / "errors.md").write_text("old", encoding="utf-8")
    (tmp_path / "labels.md").unlink()
    (tmp_path / "gone.md").write_text("", encoding="utf-8")
    assert list(generate.not_fresh(tmp_path)) == ["errors.md", "gone.md", "labels.md"]


def test_the_numbers_of_the_pages_are_the_rows_of_the_results(tables: ModuleType) -> None:
    every = tables.newest()
    for page, rows in ((tables.README, tables.headlines(every)), (tables.EVERYTHING, every)):
        text = page.read_text(encoding="utf-8")
        assert all(mark in text for mark in MARKS)
        assert tables.with_tables(text, rows) == text, "run make docs"


def test_the_readme_has_what_a_user_gets_who_asks_for_nothing(tables: ModuleType) -> None:
    time = {"unit": "s", "split": "-"}
    rows = [
        result(tables, "Dice", "0.9", structure="lv"),
        result(tables, "Dice", "0.91", structure="lv", configuration="turns 8"),
        result(tables, "time", "1", **time, configuration="segment, bf16", date="2026-01-01"),
        result(tables, "time", "2", **time, configuration="segment, int8"),
        result(tables, "time", "3", **time, configuration="segment, f32"),
        result(tables, "size", "4", **time, configuration="the only one, f32"),
    ]
    assert [row.value for row in tables.headlines(rows)] == ["0.9", "2", "4"]


def result(tables: ModuleType, measure: str, value: str, **where: str) -> Any:
    """A row of results that differs from nothing in particular but in what is given."""
    usual = {"date": "2026-01-02", "commit": "abc", "unit": "1", "data": "ACDC", "split": "test"}
    made = {"configuration": "turns 1", "hardware": "2 cores", "runs": "20", "statistic": "mean"}
    edges = {"low": "0.81", "high": "0.97", "model": "m 1, sha256 0123456789abcdef", "seed": "7"}
    return tables.Row(**{**usual, **made, **edges, "measure": measure, "value": value, **where})


MARKS = ("<!-- written by benchmarks/tables.py -->", "<!-- end of table -->")


def shown(tables: ModuleType, rows: list[Any]) -> str:
    text: str = tables.with_tables(f"a\n{MARKS[0]}\nold\n{MARKS[1]}\nz\n", rows)
    assert "old" not in text
    assert text.startswith("a\n")
    assert text.endswith(f"{MARKS[1]}\nz\n")
    return text


def test_a_dice_stands_beside_its_interval_and_the_human_limit(tables: ModuleType) -> None:
    rows = [
        result(tables, "Dice", "0.931", structure="lv", phase="ED"),
        result(tables, "Dice", "0.911", structure="lv", phase="ES"),
        result(tables, "Dice", "0.921", structure="lv", phase="all"),
        result(tables, "HD95", "4.25", structure="lv", phase="all", unit="mm"),
    ]
    text = shown(tables, rows)
    interval, human = "0.810 to 0.970", ".92 to .94"
    line = f"| LV cavity | 0.931 | 0.911 | **0.921** | {interval} | {human} | 4.25 mm | - |"
    assert line in text
    assert "20 patients: m 1 (weights 0123456789ab, seed 7), turns 1, commit abc" in text


def test_a_fraction_of_volumes_is_shown_in_points(tables: ModuleType) -> None:
    rows = [
        result(tables, "lv_ef, MAE", "0.0214", low="0.0112", high="0.031"),
        result(tables, "lv_ef, bias", "-0.004", low="-0.05", high="0.042"),
    ]
    assert "| **2.1 points** | 1.1 points to 3.1 points |" in shown(tables, rows)


def test_what_was_not_measured_on_unseen_patients_is_not_shown(tables: ModuleType) -> None:
    row = result(tables, "Dice", "0.99", structure="lv", phase="all", split="train")
    assert tables.NOTHING in shown(tables, [row])


def test_other_numbers_are_shown_with_their_conditions(tables: ModuleType) -> None:
    row = result(tables, "time", "2.5", unit="s", split="-", configuration="a|b", runs="5")
    line = "| time | **2.5 s** | 0.81 s to 0.97 s | mean of 5 | a\\|b | 2 cores | abc |"
    assert line in shown(tables, [row])


def test_every_results_file_has_the_columns_of_the_protocol(tables: ModuleType) -> None:
    protocol = (ROOT / "benchmarks" / "protocol.md").read_text(encoding="utf-8")
    columns = [
        name
        for cell in re.findall(r"^\| (`[^|]+) \|", protocol, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    ]
    assert columns == [*tables.Row.__dataclass_fields__]
    for path in tables.RESULTS.glob("*.csv"):
        heading = path.read_text(encoding="utf-8").partition("\n")[0]
        assert heading.split(",") == columns, path.name
        assert all(row.commit and row.hardware and row.value for row in tables.read(path))


@pytest.mark.parametrize("page", WRITTEN, ids=page_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("page", WRITTEN, ids=page_name)
def test_every_python_example_runs_or_says_why_not(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = ModuleType(page.stem.replace("-", "_"))
    monkeypatch.setitem(sys.modules, module.__name__, module)  # dataclasses look it up
    for kind, block in fences(page.read_text(encoding="utf-8")):
        if kind == "python":
            exec(compile(block, page_name(page), "exec"), vars(module))
        elif kind.startswith("python"):
            assert re.fullmatch(r"python prose: \S.*", kind), f"{kind}: say why it cannot run"


@pytest.mark.parametrize("page", WRITTEN, ids=page_name)
def test_every_block_says_what_it_is(page: Path) -> None:
    for kind, block in fences(page.read_text(encoding="utf-8")):
        assert kind.partition(" ")[0] in {"python", "console", "toml", "text"}, block


@pytest.mark.parametrize("page", WRITTEN, ids=page_name)
def test_every_command_in_the_pages_exists(generate: ModuleType, page: Path) -> None:
    known = generate.command_page.commands()
    for kind, block in fences(page.read_text(encoding="utf-8")):
        if kind != "console":
            continue
        for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            words = shlex.split(line)
            if Path(words[0]).name == "heartseg" and known:
                check_command(known, words[1:], line)
            elif words[0] == "make":
                makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
                assert f"\n{words[1]}:" in makefile, line


def check_command(known: dict[str, object], words: list[str], line: str) -> None:
    name = words[0] if words[0] in known else " ".join(words[:2])  # one of a group
    assert name in known, line
    parameters = getattr(known[name], "params", [])
    options = {option for parameter in parameters for option in parameter.opts}
    given = {word for word in words[1:] if word.startswith("-")}
    assert given <= options, f"{line}: no such option {given - options}"


def test_the_readme_shows_the_six_verbs_on_its_first_screen() -> None:
    screen = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert screen.count("\n") <= 30
    verbs = " → ".join(rf"\*\*{verb}\*\*[^→]*" for verb in VERBS)
    assert re.search(verbs, screen)
    assert "Research use only" in screen
    assert "docs/images/overview.png" in screen
    assert screen.count("\n$ ") == 2
