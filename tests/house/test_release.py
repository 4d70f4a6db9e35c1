"""What is said of the version, and what the package holds, agree."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

import heartseg


def test_the_changelog_begins_with_the_version(project: Path) -> None:
    changelog = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## \[(.+?)\] - (\S+)$", changelog, re.MULTILINE)
    assert heading is not None
    assert heading[1] == heartseg.__version__
    assert heading[2] == "Unreleased" or re.fullmatch(r"\d{4}-\d\d-\d\d", heading[2])


def test_the_citation_names_the_version(project: Path) -> None:
    citation = (project / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {heartseg.__version__}\n" in citation


def test_the_version_has_one_home(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["hatch"]["version"]["path"] == "src/heartseg/core/version.py"


def test_what_is_installed_is_this_version() -> None:
    try:
        installed = importlib.metadata.version("heartseg")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("heartseg runs from its source folder: nothing is installed")
    assert installed == heartseg.__version__


def test_the_licence_is_complete(project: Path) -> None:
    text = (project / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_core_needs_no_torch(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    core = " ".join(settings["project"]["dependencies"]).lower()
    for heavy in ("torch", "monai", "simpleitk", "matplotlib", "scikit-image", "pylibjpeg-libjpeg"):
        assert heavy not in core
