"""What a GRID.toml means: its runs, their order, and what it may not say."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

pytest.importorskip("torch")
from heartseg.benchmark.axes import label_of
from heartseg.benchmark.grid import Grid, read_grid
from heartseg.core.errors import ConfigError
from tests.benchmark.tiny import GRID, RUN, write_grid

FULL = """
run = "run.toml"
[axes]
seed = [1, 2]
learning.rate = [1e-3, 1e-4]
[axes.network]
narrow = { model.widths = [4, 6] }
"fcn" = { model.name = "cmr-fcn", spatial.size_px = 64, preparation.stride = 16 }
wide = { model.widths = [6, 8] }
[[exclude]]
network = "fcn"
learning.rate = 1e-3
"""


def grid_of(folder: Path, text: str, run: str = RUN) -> Grid:
    return read_grid(write_grid(folder, text, run))


def test_the_runs_are_the_product_less_what_is_excluded(tmp_path):
    grid = grid_of(tmp_path, FULL)
    labels = [tuple(cell.labels.values()) for cell in grid.cells]
    assert len(labels) == len(set(labels)) == 2 * 2 * 3 - 2
    assert ("1", "0.001", "fcn") not in labels
    assert ("1", "0.0001", "fcn") in labels
    assert len({cell.run for cell in grid.cells}) == 10


def test_a_run_has_the_settings_of_its_labels_and_else_those_of_the_base(tmp_path):
    grid = grid_of(tmp_path, FULL)
    (cell,) = [
        one
        for one in grid.cells
        if one.labels == {"seed": "2", "learning.rate": "0.0001", "network": "wide"}
    ]
    assert cell.settings.seed == 2
    assert cell.settings.learning.rate == 1e-4
    assert cell.settings.learning.batch == 4  # of the base
    assert cell.settings.model == {"name": "unet", "widths": [6, 8]}


def test_another_network_does_not_inherit_the_settings_of_the_base_s(tmp_path):
    grid = grid_of(tmp_path, FULL)
    fcn = next(cell for cell in grid.cells if cell.labels["network"] == "fcn")
    assert fcn.settings.model == {"name": "cmr-fcn"}
    with pytest.raises(ConfigError, match=r"add model\.name to the base"):
        grid_of(tmp_path, FULL, RUN.replace('name = "unet"\n', ""))


def test_seeds_are_the_outermost_loop_wherever_they_stand(tmp_path):
    text = GRID.replace("seed = [1, 2]", "").replace(
        "[axes.network]", "[axes]\nlearning.rate = [1e-3, 1e-4]\nseed = [1, 2]\n[axes.network]"
    )
    grid = grid_of(tmp_path, text.replace("[axes]\n[axes]", "[axes]").replace("[axes]\n\n", ""))
    assert [cell.labels["seed"] for cell in grid.cells] == ["1"] * 4 + ["2"] * 4
    assert [cell.labels["network"] for cell in grid.cells[:2]] == ["narrow", "wide"]
    assert grid.compared == ("learning.rate", "network")


def test_any_prefix_is_balanced(tmp_path):
    """No method is ever more than one run ahead of another, nor a network more than one of its
    block."""
    text = """
run = "run.toml"
[axes]
seed = [1, 2, 3]
learning.batch = [4, 6]
[axes.network]
a = { model.widths = [4, 6] }
b = { model.widths = [4, 8] }
c = { model.widths = [4, 10] }
"""
    grid = grid_of(tmp_path, text)
    assert len(grid.cells) == 18
    methods = {tuple(c.labels[name] for name in grid.compared) for c in grid.cells}
    for end in range(len(grid.cells) + 1):
        prefix = grid.cells[:end]
        done = Counter(tuple(c.labels[name] for name in grid.compared) for c in prefix)
        networks = Counter(c.labels["network"] for c in prefix)
        for counted, names in ((done, methods), (networks, {"a", "b", "c"})):
            assert all(abs(counted[x] - counted[y]) <= 1 for x, y in combinations(names, 2)), end


def test_the_id_of_a_run_is_its_content_not_its_place(tmp_path):
    before = {cell.run for cell in grid_of(tmp_path / "a", GRID).cells}
    more = GRID.replace("seed = [1, 2]", "seed = [7, 1, 2]")
    after = {cell.run for cell in grid_of(tmp_path / "b", more).cells}
    words = RUN.replace('"CC0"', '"CC-BY"').replace("log_every = 2", "log_every = 3")
    assert before < after
    assert before == {cell.run for cell in grid_of(tmp_path / "c", GRID, words).cells}
    other = RUN.replace("steps = 6", "steps = 8")
    assert not before & {cell.run for cell in grid_of(tmp_path / "d", GRID, other).cells}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRID.replace("seed =", "sede ="), "axes.sede.*did you mean 'seed'"),
        (GRID.replace("seed = [1, 2]", "seed = [1, 1]"), "'1' twice"),
        (GRID.replace("seed = [1, 2]", "seed = []"), "no value"),
        (GRID.replace("seed = [1, 2]", "seed = 1"), "a list of values"),
        (GRID.replace("seed = [1, 2]", "schedule.stpes = [1, 2]"), "did you mean 'steps'"),
        (GRID.replace("wide = { model", "wide = { modle"), "did you mean 'model'"),
        (GRID.replace("model.widths = [6, 8]", "model.name = 'vnet'"), "network wide.*exclude"),
        (GRID.replace("model.widths = [6, 8]", "seed = 9"), "seed from two axes"),
        (GRID.replace("[6, 8]", "[4, 6]"), "the same run twice"),
        (GRID + "[[exclude]]\nnetwrk = 'wide'", "no such axis; allowed: seed, network"),
        (GRID + "[[exclude]]\nnetwork = 'large'", "'large'; allowed: narrow, wide"),
        (GRID + "[[exclude]]", "excludes everything"),
        (GRID + "[[exclude]]\nseed = [1, 2]", "leave no run"),
        (GRID + "[report]\ncurve = 'size'", "report.curve: got 'size'"),
        (GRID + "[report]\nmetrics = ['f1']", "report.metrics"),
        (GRID.replace("score_on = ['test']", ""), ""),
        ("run = 'run.toml'\naxes = {}", "nothing to vary"),
        ("run = 'gone.toml'\n[axes]\nseed = [1]", "gone.toml"),
        ("[axes]\nseed = [1]", "run.*no default"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(tmp_path, text, message):
    if not message:
        assert grid_of(tmp_path, text).score_on
        return
    with pytest.raises(ConfigError, match=message):
        grid_of(tmp_path, text)


def test_values_are_labelled_as_people_would():
    assert label_of({"name": "unet", "widths": [4, 6]}) == "unet, widths 4+6"
    assert label_of([]) == "none"
    assert label_of(True) == "true"
    assert label_of(["train", "validate"]) == "train+validate"
