"""Training images take the histograms of another data set, and nothing of its labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.study import View

pytest.importorskip("torch")
from heartseg.prepare import Preparation
from heartseg.prepare.histogram import quantiles_of
from heartseg.train.matching import Matched, with_histograms
from heartseg.train.split import Split
from tests.benchmark.tiny import write_phantoms
from tests.train import tiny

PREPARATION = Preparation(spacing_mm=4.0, stride=8, field_px=64)
OTHER = Matched(folder="other", view=View.SAX, frames=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matching")
    write_phantoms(folder / "other", (2, 3, 5))
    for file in (folder / "other").rglob("*_gt.nii.gz"):
        file.write_bytes(b"no label is read")
    return folder


def test_frames_look_like_frames_of_the_other_and_keep_their_labels(root: Path) -> None:
    frames = [tiny.frame(number) for number in range(2, 10)]
    out = with_histograms(frames, OTHER, PREPARATION, root)
    assert [one.patient for one in out] == [one.patient for one in frames]
    for before, after in zip(frames, out, strict=True):
        assert np.array_equal(before.classes, after.classes)
        assert not np.array_equal(before.pixels, after.pixels)
    middles = {round(float(quantiles_of(one.pixels)[128]), 3) for one in out}
    assert len(middles) == 2  # two patients of theirs train, each is taken by some


def test_who_takes_whose_is_the_seeds(root: Path) -> None:
    frames = [tiny.frame(number) for number in range(2, 10)]
    one, same, other = (
        [f.pixels.tobytes() for f in with_histograms(frames, OTHER, PREPARATION, root, seed)]
        for seed in (0, 0, 1)
    )
    assert one == same
    assert one != other


def test_only_the_parts_that_are_named_are_looked_at(root: Path) -> None:
    frames = [tiny.frame(number) for number in range(2, 10)]
    few = replace(OTHER, split=Split(patients=1))
    out = with_histograms(frames, few, PREPARATION, root)
    middles = {round(float(quantiles_of(one.pixels)[128]), 3) for one in out}
    assert len(middles) == 1
