"""A few small phantoms, and grids over them that take seconds."""

from pathlib import Path

from heartseg.phantom import Acquisition, make_study, write_study

RUN = """
name = "tiny"
folder = "phantoms"
training_data = "phantoms"
licence = "CC0"
[model]
name = "unet"
widths = [4, 8]
[preparation]
spacing_mm = 4.0
stride = 8
field_px = 64
[spatial]
size_px = 32
[learning]
batch = 4
rate = 5e-3
average = 0.9
[schedule]
steps = 6
warm_up = 1
validate_every = 3
log_every = 2
"""

GRID = """
run = "run.toml"
score_on = ["test"]
[axes]
seed = [1, 2]
[axes.network]
narrow = { model.widths = [4, 6] }
wide = { model.widths = [6, 8] }
"""

LABELS = '[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n'
"""Beside phantoms: what makes a labelled data set of them."""


def write_phantoms(folder: Path, numbers: tuple[int, ...] = (1, 2, 3, 5, 10)) -> None:
    """One validates, two train, two test."""
    scan = Acquisition(
        slices=4, frames=2, matrix=(48, 48), spacing_mm=(4.0, 4.0), slice_distance_mm=18.0
    )
    for number in numbers:
        write_study(folder, make_study(number, acquisition=scan))
    (folder / "labels.toml").write_text(LABELS, encoding="utf-8")


def write_grid(folder: Path, grid: str = GRID, run: str = RUN) -> Path:
    """A GRID.toml beside its RUN.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.toml").write_text(run, encoding="utf-8")
    (folder / "grid.toml").write_text(grid, encoding="utf-8")
    return folder / "grid.toml"
