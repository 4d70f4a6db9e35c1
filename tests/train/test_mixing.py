"""Two data sets share every batch, whatever their sizes, kinds and label numbers."""

import json
from pathlib import Path

import pytest

from heartseg.core.errors import ConfigError

torch = pytest.importorskip("torch")
from heartseg.augment import SpatialChange  # noqa: E402
from heartseg.config import load  # noqa: E402
from heartseg.train.batches import Planes  # noqa: E402
from heartseg.train.data import PreparedSet  # noqa: E402
from heartseg.train.frames import frames_beside  # noqa: E402
from heartseg.train.mixing import Also, Mixed, mixed  # noqa: E402
from heartseg.train.run import train  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402
from tests.benchmark.tiny import RUN, write_phantoms  # noqa: E402
from tests.train import tiny  # noqa: E402

STILL = SpatialChange(
    size_px=16, rotation_degrees=0, scaling=(1, 1), stretch=0, shift_px=0, flip=0, elastic_px=0
)
TWO = """
[also]
folder = "few"
share = 0.25
as_background = ["rv"]
taken_for = { scar = "myo" }
split = { patients = 1 }
"""


def planes(value: float) -> Planes:
    frame = tiny.frame(2)
    frame.pixels[:] = value
    return Planes(PreparedSet([frame], tiny.CPU))


@pytest.mark.parametrize(
    ("share", "count", "theirs"), [(0.5, 8, 4), (0.25, 8, 2), (0.01, 8, 1), (0.99, 4, 3)]
)
def test_each_set_has_its_share_of_every_batch(share: float, count: int, theirs: int) -> None:
    both = Mixed(planes(0.25), planes(0.75), share)
    generator = torch.Generator().manual_seed(0)
    crops, truth = both.draw(count, 0.0, STILL, 3, generator)
    assert crops.shape == (count, 1, 16, 16)
    assert truth.shape == (count, 16, 16)
    whose = crops.mean((1, 2, 3))
    torch.testing.assert_close(whose[count - theirs :], torch.full((theirs,), 0.75))
    torch.testing.assert_close(whose[: count - theirs], torch.full((count - theirs,), 0.25))


def test_one_image_cannot_be_shared() -> None:
    both = mixed(planes(0.25), [planes(0.75)], 0.5)
    with pytest.raises(ConfigError, match="2 or more"):
        both.draw(1, 0.0, STILL, 3, torch.Generator())


def test_without_another_set_batches_are_what_they_were() -> None:
    own = planes(0.25)
    assert mixed(own, [], 0.0) is own


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="share"):
        Also(folder="other", share=share)


def test_a_run_learns_from_both_and_says_whom(tmp_path: Path) -> None:
    write_phantoms(tmp_path / "phantoms", (2, 3, 5))
    write_phantoms(tmp_path / "few", (13, 17, 20))
    labels = '[labels]\n1 = "rv"\n2 = "scar"\n3 = "lv"\n'
    (tmp_path / "few" / "labels.toml").write_text(labels, encoding="utf-8")
    run = RUN.replace(
        'name = "tiny"', 'name = "tiny"\nvalidate_on = []\nstructures = ["lv", "myo"]'
    )
    run = run.replace("[model]", 'as_background = ["rv"]\n[model]')
    (tmp_path / "run.toml").write_text(run + TWO, encoding="utf-8")
    settings = load(RunSettings, tmp_path / "run.toml")
    beside = frames_beside(settings, tmp_path)
    assert len({frame.patient for frame in beside}) == 1
    assert {0, 1, 2} == {int(v) for frame in beside for v in set(frame.classes.ravel().tolist())}
    train(settings, tmp_path, tmp_path / "out", device=tiny.CPU)
    kept = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    patients = kept["data"]["training"]["patients"]
    assert len(patients) == 3
    assert any("13" in one or "17" in one for one in patients)


@pytest.mark.parametrize("wrong", ["taken_for.myo=lv", "taken_for.scar=la", "taken_for.rv=myo"])
def test_what_is_learnt_or_background_is_not_taken_for_another(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "run.toml").write_text(RUN, encoding="utf-8")
    changes = ["structures=['lv', 'myo']", "as_background=['rv']", wrong]
    with pytest.raises(ConfigError, match="taken for"):
        load(RunSettings, tmp_path / "run.toml", changes)
