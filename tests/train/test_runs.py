"""The runs of the project: every file can be used, and they do not leak."""

import re
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.config import from_table, load, to_table
from heartseg.models import architecture
from heartseg.models.architecture import per_axis
from heartseg.train.settings import RunSettings
from heartseg.train.shown import require_crops
from heartseg.train.translate.run import require_fit
from heartseg.train.translate.settings import TranslateSettings

ROOT = Path(__file__).resolve().parents[2]
GRIDS = ROOT / "runs" / "grids"
FILES = sorted(path for path in (ROOT / "runs").rglob("*.toml") if path.parent != GRIDS)


def is_translation(path: Path) -> bool:
    """Whether a file, or the one it is based on, says that it translates."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if "base" in table:
        return is_translation(path.parent / table["base"])
    return table.get("task") == "translate"


TRANSLATIONS = [path for path in FILES if is_translation(path)]
RUNS = [path for path in FILES if not is_translation(path)]
EVERYBODY = ("cine-mr-all.toml",)
"""Runs that train on all patients; nothing that they give is scored on one of them."""


def test_there_are_runs():
    assert RUNS
    assert TRANSLATIONS


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_a_run_loads_and_fits_its_network(path: Path):
    settings = load(RunSettings, path)
    described = architecture(settings.model)
    require_crops(described, settings.spatial.size_px, settings.stack)
    if not described.margin:
        strides = per_axis(described.stride, described.dimensions)
        assert settings.preparation.stride % max(strides[-2:]) == 0
    assert len(settings.classes()) == len(settings.structures) + 1
    assert ("test" in settings.train_on) == (path.name in EVERYBODY)
    assert from_table(RunSettings, to_table(settings)) == settings
    assert settings.training_data
    assert settings.licence != RunSettings.licence


@pytest.mark.parametrize("path", TRANSLATIONS, ids=lambda path: path.name)
def test_a_translation_loads_and_fits_its_networks(path: Path):
    settings = load(TranslateSettings, path)
    require_fit(settings)
    for side in (settings.source, settings.target):
        assert "test" not in {*side.train_on, *side.validate_on}
    assert settings.training_data
    assert settings.licence != RunSettings.licence
    assert len(path.read_text(encoding="utf-8").splitlines()) < 15


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_a_run_is_as_short_as_promised(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 15


PAGES = [
    ROOT / "docs" / "how-to" / "train-a-model.md",
    ROOT / "docs" / "tutorial" / "train-on-your-own-data.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_run_that_a_page_shows_is_one(page: Path):
    blocks = re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    for block in blocks:
        from_table(RunSettings, {"name": "shown", "folder": "hearts"} | tomllib.loads(block))


def test_what_the_page_of_translation_shows_can_be_said():
    page = ROOT / "docs" / "how-to" / "translate-images.md"
    blocks = re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    whole, more, trained, adversaries = (tomllib.loads(block) for block in blocks)
    settings = from_table(TranslateSettings, whole)
    require_fit(settings)
    method = {"cyclegan": more["cyclegan"], "anatomy": more["anatomy"]}
    assert from_table(TranslateSettings, whole | method).anatomy is not None
    assert from_table(TranslateSettings, whole | {"fastcut": more["fastcut"]}).fastcut is not None
    assert from_table(RunSettings, {"name": "shown"} | trained).assume_view
    assert from_table(RunSettings, {"name": "x", "folder": "x"} | adversaries).loss.hardened
