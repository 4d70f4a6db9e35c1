"""The house: imports point down, and the contract says what is built."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

DOWN, CIRCLES = "imports point down", "no circles"
PLAIN = "the vocabulary and the measures are plain numpy and scipy"


@pytest.fixture(scope="module")
def contracts(project: Path) -> dict[str, dict[str, Any]]:
    """By their names."""
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    found = settings["tool"]["importlinter"]["contracts"]
    return {one["name"]: one for one in found}


def built(project: Path) -> set[str]:
    package = project / "src" / "heartseg"
    folders = {folder.parent.name for folder in package.glob("*/__init__.py")}
    return folders | {file.stem for file in package.glob("*.py")} - {"__init__"}


def test_every_import_points_down(project: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_layers_in_parentheses_are_those_not_built(
    project: Path, contracts: dict[str, dict[str, Any]]
) -> None:
    layers = " | ".join(contracts[DOWN]["layers"])
    waiting = set(re.findall(r"\((\w+)\)", layers))
    standing = set(re.findall(r"\w+", layers)) - waiting
    assert standing == built(project), "move the parentheses in pyproject.toml"


def test_the_plain_parts_are_kept_plain_once_they_are_built(
    project: Path, contracts: dict[str, dict[str, Any]]
) -> None:
    plain = {source.removeprefix("heartseg.") for source in contracts[PLAIN]["source_modules"]}
    assert plain == {"core", "measure"} & built(project), "add it to the contract"


def test_the_contract_is_exhaustive(contracts: dict[str, dict[str, Any]]) -> None:
    assert contracts[DOWN]["exhaustive"] is True


def test_no_folder_may_have_a_circle(contracts: dict[str, dict[str, Any]]) -> None:
    circles = contracts[CIRCLES]
    assert circles["type"] == "acyclic_siblings"
    assert set(circles["ancestors"]) == {"heartseg", "heartseg.**"}
    assert not {"ignore_imports", "skip_descendants", "depth"} & set(circles)
