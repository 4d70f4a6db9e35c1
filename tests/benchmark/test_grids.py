"""The grids of the project: every one can be read, and is as short as promised."""

from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.grid import read_grid
from heartseg.models import ARCHITECTURES
from heartseg.models.architecture import per_axis

GRIDS = sorted((Path(__file__).resolve().parents[2] / "runs" / "grids").glob("*.toml"))


def test_there_are_grids():
    assert GRIDS


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
def test_a_grid_can_be_read_and_its_networks_trained(path: Path):
    grid = read_grid(path)
    assert len(grid.cells) > 1
    for cell in grid.cells:
        described = ARCHITECTURES[cell.settings.model["name"]]
        assert described.dimensions == 2
        assert cell.settings.spatial.size_px % max(per_axis(described.stride, 2)) == 0
        assert "test" not in cell.settings.train_on
    assert "test" not in grid.score_on  # choices are made on what validates


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
def test_a_grid_is_as_short_as_promised(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 15
