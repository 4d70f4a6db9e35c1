"""What a network sees becomes a set to learn from; where it is not sure, it does not."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.study import View
from heartseg.read import find_studies

pytest.importorskip("torch")
from heartseg.prepare import Preparation
from heartseg.train.self_training import write_seen
from heartseg.train.settings import RunSettings
from tests.benchmark.tiny import write_phantoms

SETTINGS = RunSettings(
    name="seen",
    folder="phantoms",
    structures=("lv", "myo"),
    preparation=Preparation(spacing_mm=4.0, stride=8, field_px=64),
)


@pytest.fixture
def phantoms(tmp_path: Path) -> list:
    write_phantoms(tmp_path / "phantoms", (2, 3, 5))
    found = find_studies(tmp_path / "phantoms")
    for file in (tmp_path / "phantoms").rglob("*_gt.nii.gz"):
        file.write_bytes(b"no label is read")
    return found


def sees(*shares: float) -> SimpleNamespace:
    """A network that finds a ring about the middle, as sure as it is told of each study."""
    left = [share for share in shares for _ in range(2)]

    def look(pixels: np.ndarray) -> np.ndarray:
        sure = left.pop(0)
        slices, _, rows, columns = pixels.shape
        y, x = np.mgrid[:rows, :columns]
        far = np.hypot(y - rows / 2, x - columns / 2)
        classes = np.select([far < 4, far < 8], [1, 2], 0)
        answer = np.full((slices, 3, rows, columns), (1 - sure) / 2, np.float32)
        for index in range(3):
            answer[:, index][:, classes == index] = sure
        return answer

    return SimpleNamespace(look=look)


def test_sure_masks_make_a_set_and_unsure_ones_lie_apart(phantoms: list, tmp_path: Path) -> None:
    seen = write_seen(sees(0.9, 0.6, 0.95), SETTINGS, phantoms, tmp_path / "set", least_sure=0.8)
    assert list(seen.kept) == [phantoms[0].id, phantoms[2].id]
    assert seen.kept[phantoms[0].id] == pytest.approx(0.9, abs=0.02)
    assert list(seen.left) == [phantoms[1].id]
    again = find_studies(tmp_path / "set", view=View.SAX)
    assert [one.id for one in again] == list(seen.kept)
    drawn = again[0].reference()[View.SAX]
    assert {one.key for one in drawn.structures} >= {"lv", "myo"}
    assert all((drawn.labels == one).any() for one in SETTINGS.classes())
    assert np.array_equal(
        again[0].load().images[View.SAX].voxels, phantoms[0].load().images[View.SAX].voxels
    )


def test_who_sees_nothing_teaches_nothing(phantoms: list, tmp_path: Path) -> None:
    nothing = SimpleNamespace(
        look=lambda pixels: (
            np.eye(3, dtype=np.float32)[0][None, :, None, None]
            + np.zeros((len(pixels), 3, *pixels.shape[2:]), np.float32)
        )
    )
    seen = write_seen(nothing, SETTINGS, phantoms, tmp_path / "set", least_sure=0.0)
    assert not seen.kept
    assert set(seen.left.values()) == {0.0}


def test_a_set_is_not_mixed_with_another(phantoms: list, tmp_path: Path) -> None:
    (tmp_path / "set" / "images").mkdir(parents=True)
    with pytest.raises(OutputError, match="mixed"):
        write_seen(sees(0.9), SETTINGS, phantoms[:1], tmp_path / "set")
    with pytest.raises(ConfigError, match="share"):
        write_seen(sees(0.9), SETTINGS, phantoms[:1], tmp_path / "other", least_sure=1.2)
