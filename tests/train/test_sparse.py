"""Sparse annotation: what nobody said anything about is neither background nor structure."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.image import Segmentation, SparseSegmentation
from heartseg.core.study import View
from heartseg.read import Candidate, find_studies

torch = pytest.importorskip("torch")
from heartseg.augment import IntensityChange, SpatialChange, StackChange  # noqa: E402
from heartseg.config import load  # noqa: E402
from heartseg.losses import IGNORED  # noqa: E402
from heartseg.models import architecture  # noqa: E402
from heartseg.prepare import Preparation  # noqa: E402
from heartseg.train import run  # noqa: E402
from heartseg.train.batches import Planes  # noqa: E402
from heartseg.train.data import PreparedSet, prepared_frames  # noqa: E402
from heartseg.train.frames import frames_of  # noqa: E402
from heartseg.train.learning import Learning  # noqa: E402
from heartseg.train.objective import Objective  # noqa: E402
from heartseg.train.run import build_task  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402
from heartseg.train.sparse import Sparse  # noqa: E402
from heartseg.train.split import Split  # noqa: E402
from heartseg.train.stacks import batches_for  # noqa: E402
from tests.train import tiny  # noqa: E402
from tests.train.test_data import CLASSES, GRID, PREPARATION, labelled  # noqa: E402
from tests.train.test_train_model import PATIENTS, RUN, write_patient  # noqa: E402


@pytest.mark.parametrize("count", [4, 9, 10, 17])
@pytest.mark.parametrize("wanted", [1, 2, 3, 30])
def test_so_many_slices_are_kept_evenly(count, wanted):
    sparse = Sparse(slices=wanted)
    for patient in range(20):
        places = np.flatnonzero(sparse.kept(f"patient{patient:03}/0", count))
        assert len(places) == min(wanted, count)
        gaps = np.diff([*places, places[0] + count])  # all the way round
        assert gaps.max() - gaps.min() <= 1


def test_every_slice_has_its_chance_and_a_seed_repeats_it():
    names = [f"patient{number:03}/1" for number in range(200)]
    kept = np.array([Sparse(slices=1).kept(name, 5) for name in names])
    assert kept.sum(0).min() > 25
    assert np.array_equal(kept, [Sparse(slices=1).kept(name, 5) for name in names])
    assert not np.array_equal(kept, [Sparse(slices=1, seed=1).kept(name, 5) for name in names])


def test_each_slice_is_left_out_by_one_fold():
    parts = [Sparse(folds=3, fold=fold) for fold in range(3)]
    for name, count in (("patient001/0", 10), ("patient002/0", 7), ("patient002/1", 2)):
        left = np.array([one.left_out(name, count) for one in parts])
        assert (left.sum(0) == 1).all()
        assert np.array_equal(left, [~one.kept(name, count) for one in parts])
    first = {int(parts[0].left_out(f"patient{n:03}/0", 3).argmax()) for n in range(30)}
    assert first == {0, 1, 2}  # apex and base are not always of the same part


def test_slices_are_chosen_among_those_that_are_not_left_out():
    both = Sparse(slices=2, folds=2, fold=1)
    for name in ("patient001/0", "patient007/1"):
        kept = both.kept(name, 8)
        assert kept.sum() == 2
        assert not (kept & both.left_out(name, 8)).any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "every voxel annotated"),
        ({"seed": 3}, "every voxel annotated"),
        ({"slices": 0}, "sparse.slices"),
        ({"folds": 1}, "sparse.fold"),
        ({"fold": 1}, "sparse.fold"),
        ({"folds": 3, "fold": 3}, "sparse.fold"),
    ],
)
def test_settings_that_say_nothing_or_nonsense_are_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        Sparse(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss": Objective(terms=(("dice-and-boundary", 1.0),))}, "loss.terms.*borders"),
        ({"learning": Learning(ends=0.5)}, "learning.ends"),
        ({"split": Split(slices=5)}, "sparse.slices"),
    ],
)
def test_a_run_does_not_ask_of_sparse_labels_what_they_cannot_say(wrong, message):
    with pytest.raises(ConfigError, match=message):
        RunSettings(name="x", folder="y", sparse=Sparse(slices=1), **wrong)


def test_slices_that_are_not_kept_count_nowhere():
    sparse = Sparse(slices=2)
    whole = prepared_frames(labelled(), PREPARATION, CLASSES, View.SAX)
    thin = prepared_frames(labelled(), PREPARATION, CLASSES, View.SAX, sparse=sparse)
    assert len(thin) == len(whole) == 2
    for one, other in zip(thin, whole, strict=True):
        kept = sparse.kept(f"{one.patient}/{one.phase}", len(one.classes))
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.classes[kept], other.classes[kept])
        assert (one.classes[~kept] == IGNORED).all()
        assert kept.sum() == 2


def scribbled() -> tuple[Candidate, np.ndarray]:
    """Of the labelled study, columns 4 to 9 of the slices 1 to 3 were looked at."""
    whole = labelled()
    truth = whole.reference()[View.SAX]
    annotated = np.zeros(truth.labels.shape, bool)
    annotated[:, 1:4, :, 4:10] = True
    drawn = Segmentation(np.where(annotated, truth.labels, 0), GRID, truth.structures)
    sparse = SparseSegmentation(drawn.like(drawn.labels.astype(np.uint8)), annotated)
    return replace(whole, scribbles=lambda: {View.SAX: sparse}), annotated


def test_scribbles_leave_the_rest_open():
    candidate, annotated = scribbled()
    native = Preparation(spacing_mm=None, stride=8, field_px=64)
    frames = prepared_frames(candidate, native, CLASSES, View.SAX, sparse=Sparse(drawn="scribbles"))
    whole = prepared_frames(candidate, native, CLASSES, View.SAX)
    sample = native.sample(candidate.load().images[View.SAX])
    assert [frame.phase for frame in frames] == [0, 2]
    for frame, other in zip(frames, whole, strict=True):
        seen = sample.frame_labels(annotated[frame.phase].astype(np.uint8)) == 1
        there = frame.classes != IGNORED
        assert 0.9 < there.sum() / seen.sum() < 1.1
        assert not (there & ~seen).any()
        assert (frame.classes[there] == other.classes[there]).mean() > 0.99
        assert set(np.unique(frame.classes)) == {0, CLASSES.index(Structure.LV_CAVITY), 2, IGNORED}


def test_a_data_set_without_scribbles_is_told_so():
    with pytest.raises(StudyError, match="no scribbled"):
        prepared_frames(
            labelled(), PREPARATION, CLASSES, View.SAX, sparse=Sparse(drawn="scribbles")
        )


def test_what_validates_stays_whole():
    keys = ("rv", "myo", "lv")
    settings = RunSettings(
        name="x", folder="y", preparation=PREPARATION, sparse=Sparse(slices=1), structures=keys
    )
    (first, _) = frames_of([labelled()], settings, settings.sparse)
    (whole, _) = frames_of([labelled()], settings)
    assert (first.classes == IGNORED).any()
    assert not (whole.classes == IGNORED).any()


def holed(number: int, planes: int = 5):
    """A frame of which only the slices 1 and 3 are annotated."""
    frame = tiny.frame(number, planes=planes)
    classes = frame.classes.copy()
    classes[::2] = IGNORED
    return replace(frame, classes=classes)


def test_only_annotated_planes_are_drawn_alone():
    prepared = PreparedSet([holed(1), holed(2)], tiny.CPU, ignored_as=3)
    assert prepared.annotated.tolist() == [False, True, False, True, False] * 2
    index = prepared.draw_planes(400, torch.Generator().manual_seed(0))
    assert index.unique().tolist() == [1, 3, 6, 8]


def test_nothing_annotated_is_nothing_to_learn_from():
    empty = replace(tiny.frame(1), classes=np.full((2, 32, 40), IGNORED, np.uint8))
    with pytest.raises(StudyError, match="no annotated voxel"):
        Planes(PreparedSet([empty], tiny.CPU))


THICK = {"name": "unet-3d-anisotropic", "widths": [4, 6], "spacing_mm": [4.0, 1.5, 1.5]}


def test_stacks_carry_unannotated_slices_as_such_beyond_the_image_too():
    batches = batches_for(
        architecture(THICK),
        [holed(1)],
        tiny.CPU,
        StackChange(slices=5, shift=0, flip=0.0),
        ignored_as=3,
    )
    far = SpatialChange(size_px=48, shift_px=12.0)  # wider than the image of 32 x 40
    _, truth = batches.draw(6, 0.5, far, 4, torch.Generator().manual_seed(1))
    assert truth.shape == (6, 5, 48, 48)
    found = [set(truth[:, z].unique().tolist()) for z in range(5)]
    assert found == [{3}, {0, 1, 2}, {3}, {0, 1, 2}, {3}]


def settings_of(model: dict, size: int) -> RunSettings:
    return RunSettings(
        name="x",
        folder="y",
        structures=("lv", "myo"),
        model=model,
        preparation=Preparation(stride=8, field_px=64),
        spatial=SpatialChange(size_px=size, shift_px=4.0),
        intensity=IntensityChange(),
        stack=StackChange(slices=4) if "3d" in model["name"] else None,
        learning=Learning(batch=2, rate=1e-2, average=0.5),
        sparse=Sparse(slices=1),
    )


def after_steps(settings: RunSettings, frames: list) -> dict[str, float]:
    task = build_task(settings, frames, frames[:1], tiny.CPU)
    for _ in range(3):
        numbers = task.step(1.0)
    assert np.isfinite(list(numbers.values())).all()
    return dict(numbers)


def test_planes_that_nobody_annotated_change_no_weight_of_a_network_of_planes():
    settings = settings_of({"name": "unet", "widths": [4, 6]}, 24)
    frames = [holed(number) for number in (1, 2, 3)]
    alone = [replace(f, pixels=f.pixels[1::2], classes=f.classes[1::2]) for f in frames]
    assert after_steps(settings, frames) == after_steps(settings, alone)


def test_a_network_of_volumes_learns_from_the_annotated_slices():
    settings = settings_of(THICK, 24)
    numbers = after_steps(settings, [holed(number) for number in (1, 2, 3)])
    whole = after_steps(settings, [tiny.frame(number, planes=5) for number in (1, 2, 3)])
    assert 0 < numbers["loss"] != whole["loss"]


def test_real_scribbles_are_learnt_from(real_data):
    (candidate,) = find_studies(real_data / "acdc" / "training" / "patient001")
    preparation = Preparation(spacing_mm=2.0, field_px=160)
    classes = (
        Structure.BACKGROUND,
        Structure.LV_CAVITY,
        Structure.LV_MYOCARDIUM,
        Structure.RV_CAVITY,
    )
    whole = prepared_frames(candidate, preparation, classes, View.SAX)
    drawn = prepared_frames(
        candidate, preparation, classes, View.SAX, sparse=Sparse(drawn="scribbles")
    )
    assert len(drawn) == len(whole) == 2
    for frame, other in zip(drawn, whole, strict=True):
        there = frame.classes != IGNORED
        assert 0.002 < there.mean() < 0.2
        assert set(np.unique(frame.classes[there])) == {0, 1, 2, 3}
        assert (frame.classes[there] == other.classes[there]).mean() > 0.95


def test_a_run_thins_what_trains_and_leaves_whole_what_validates(tmp_path, monkeypatch):
    for number in PATIENTS:
        write_patient(tmp_path / "patients", number)
    (tmp_path / "run.toml").write_text(RUN, encoding="utf-8")
    settings = replace(load(RunSettings, tmp_path / "run.toml"), sparse=Sparse(slices=1))
    tasks: list[Any] = []
    monkeypatch.setattr(run, "fit", lambda task, *_, **__: tasks.append(task))
    settings = replace(settings, log=replace(settings.log, curves=False))
    run.train(settings, tmp_path, tmp_path / "out", device=tiny.CPU)
    (task,) = tasks
    there = task._data._prepared.annotated
    assert 0 < there.sum() == len(task._data._prepared.stacks)
    assert not any((frame.classes == IGNORED).any() for frame in task._validation)
    assert task._validation
    numbers = task.step(1.0)
    assert np.isfinite(list(numbers.values())).all()
