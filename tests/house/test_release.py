"""What is said of the version, and what the package holds, agree."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import heartseg

LARGEST_WHEEL_BYTES = 40_000_000


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


def test_the_wheel_holds_models_templates_and_types(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="no hatchling: it comes with heartseg[dev]")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("heartseg-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    package = project / "src" / "heartseg"
    kinds = (
        "*.py",
        "*.j2",
        "py.typed",
        "model.onnx",
        "model.toml",
        "card.md",
        "appraisal.json",
        "*.svg",
    )
    wanted = {path.relative_to(package.parent) for kind in kinds for path in package.rglob(kind)}
    assert {path.as_posix() for path in wanted} <= set(names)
    assert any(name.endswith("cine-mr/model.onnx") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]
    assert wheel.stat().st_size < LARGEST_WHEEL_BYTES
