"""Pictures show planes where they belong."""

import io

import numpy as np
import pytest
from PIL import Image as Pictures

pytest.importorskip("torch")
from heartseg.train.translate.looks import rows_of
from heartseg.train.translate.pictures import GAP_PX, grid, picture_watcher
from tests.train.translate import small


def test_a_grid_holds_each_plane_in_its_place() -> None:
    rows = [[np.full((4, 6), value) for value in row] for row in ((0.0, 1.0), (0.5, 2.0))]
    picture = np.asarray(Pictures.open(io.BytesIO(grid(rows))))
    assert picture.shape == (8 + GAP_PX, 12 + GAP_PX)
    corners = [picture[y, x] for y in (0, -1) for x in (0, -1)]
    assert corners == [0, 255, 128, 255]
    assert (picture[4 : 4 + GAP_PX] == 255).all()


def test_every_validation_is_drawn_and_no_step(tmp_path) -> None:
    task = small.task()
    watch = picture_watcher(task, tmp_path)
    watch(3, {"loss": 1.0})
    assert not list(tmp_path.iterdir())
    watch(20, task.validate())
    picture = np.asarray(Pictures.open(tmp_path / "pictures" / "000020.png"))
    rows = rows_of(task.look(), 4)
    count = sum(map(len, rows.values()))
    assert {len(row) for row in rows["source"]} == {3}
    assert picture.shape == (count * 20 - GAP_PX, 3 * 20 - GAP_PX)
    before = (rows["source"][0][0].clip(0, 1) * 255 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(picture[:16, :16], before)


def test_fastcut_has_no_way_back_to_draw() -> None:
    rows = rows_of(small.task(*small.FASTCUT).look(), 1)
    assert [len(rows[kind][0]) for kind in ("source", "target")] == [2, 2]
