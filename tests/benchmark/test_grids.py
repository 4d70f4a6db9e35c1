"""The grids of the project: every one can be read, and is as short as promised."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.grid import read_grid
from heartseg.models import architecture
from heartseg.models.architecture import per_axis
from heartseg.train.shown import require_crops

CHOICES = {"architectures", "levers-begun", "levers-learnt", "levers-shown"} | {
    path.stem for path in Path(__file__).resolve().parents[2].glob("runs/grids/settings-*.toml")
}
"""Grids by which something is chosen: their best weights are those that validate best."""

REPORTS = {"thesis", "isbi2012", "study003", "edges-phantom"}
"""Grids by which nothing is chosen: what they say is told as it is."""

GRIDS = sorted((Path(__file__).resolve().parents[2] / "runs" / "grids").glob("*.toml"))


def test_there_are_grids():
    assert GRIDS


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
def test_a_grid_can_be_read_and_its_networks_trained(path: Path):
    grid = read_grid(path)
    assert len(grid.cells) > 1
    for cell in grid.cells:
        settings, described = cell.settings, architecture(cell.settings.model)
        require_crops(described, settings.spatial.size_px, settings.stack)
        if not described.margin:
            strides = per_axis(described.stride, described.dimensions)
            assert settings.preparation.stride % max(strides[-2:]) == 0
        assert settings.learning.batch >= described.smallest_batch
        assert "test" not in settings.train_on
        assert not set(grid.score_on) & set(settings.validate_on) or path.stem in CHOICES
    # Choices are made on what validates; the test part is for what a paper reported.
    assert ("test" in grid.score_on) == (path.stem in REPORTS)


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
def test_a_grid_is_as_short_as_promised(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 15
