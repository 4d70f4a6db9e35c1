"""Training on data of one's own, from Python."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import heartseg as hs
from heartseg.core.errors import ConfigError, GeometryError, LabelError, StudyError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.core.geometry import Geometry  # noqa: E402
from heartseg.core.image import Image  # noqa: E402
from heartseg.core.study import Modality, Study, View  # noqa: E402
from heartseg.train.examples import candidates_of, name_of  # noqa: E402

QUICK = [
    *("model.widths=[4, 6]", "preparation.stride=8", "spatial.size_px=16", "learning.batch=2"),
    *("schedule.steps=2", "schedule.warm_up=0", "log.curves=false"),
]
SPACING_MM = (8.0, 1.5, 1.4)


def drawn(number: int, shape: tuple[int, int, int] = (2, 36, 28)) -> tuple[Any, Any]:
    """A bright disc with a grey ring, in noise: intensities and numbers of ACDC."""
    random = np.random.default_rng(number)
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    distance = np.hypot(y - 16 - number % 3, x - 15) + z
    labels = np.select([distance < 5, distance < 8], [3, 2], 0).astype(np.int16)
    return np.choose(labels, [60, 0, 110, 190]) + random.normal(0, 6, shape), labels


def example(number: int, **known: Any) -> hs.Example:
    image, labels = drawn(number)
    given = {"spacing_mm": SPACING_MM, "patient": f"no {number}", **known}
    return hs.Example(image=image, labels=labels, **given)


def test_arrays_become_a_model_that_segments(tmp_path: Path) -> None:
    examples = [example(number) for number in range(3)]
    bundle = hs.train_model(examples, tmp_path / "My hearts", changes=QUICK, device="cpu")
    assert bundle.name == "my-hearts"
    assert [one.key for one in bundle.structures] == ["background", "rv", "myo", "lv"]
    split = json.loads((tmp_path / "My hearts" / "split.json").read_text())
    assert sorted(len(split[part]) for part in ("train", "validate", "test")) == [1, 1, 1]
    voxels = drawn(7)[0][None].astype(np.float32)
    images = {View.SAX: Image(voxels, Geometry.from_pixels(voxels.shape[1:], SPACING_MM))}
    study = Study(id="mine", modality=Modality.MR, images=images, sources={})
    masks = hs.segment_study(study, model=str(tmp_path / "My hearts" / "bundle"))
    assert masks[View.SAX].labels.shape == voxels.shape
    with pytest.raises(hs.HeartsegError, match="--resume"):
        hs.train_model(examples, tmp_path / "My hearts", changes=QUICK, device="cpu")


def test_a_folder_of_pairs_needs_no_run_toml(tmp_path: Path) -> None:
    from PIL import Image as Picture

    for number in range(3):
        image, labels = drawn(number)
        for kind, array in (("images", image), ("labels", labels)):
            (tmp_path / "own" / kind).mkdir(parents=True, exist_ok=True)
            picture = Picture.fromarray(array[0].clip(0, 255).astype(np.uint8))
            picture.save(tmp_path / "own" / kind / f"heart{number}.png")
    meaning = '[labels]\n0 = "background"\n2 = "myo"\n3 = "lv"\n'
    (tmp_path / "own" / "labels.toml").write_text(meaning, encoding="utf-8")
    changes = [*QUICK, "structures=['lv', 'myo']"]
    bundle = hs.train_model(tmp_path / "own", tmp_path / "out", changes=changes, device="cpu")
    assert [one.key for one in bundle.structures] == ["background", "lv", "myo"]
    assert bundle.training["patients"] == 1
    record = (tmp_path / "out" / "run.json").read_text()
    assert json.loads(record)["settings"]["split"]["folds"] == 3


def test_fewer_axes_are_one_frame_or_one_plane() -> None:
    image, labels = drawn(1)
    given = {"spacing_mm": SPACING_MM, "patient": "a"}
    stack = hs.Example(image=image, labels=labels, **given)
    plane = hs.Example(image=image[1], labels=labels[1], **given)
    frames = hs.Example(image=image[None].repeat(3, 0), labels=labels[None].repeat(3, 0), **given)
    found = candidates_of([stack, plane, frames], Modality.MR, View.SAX)
    shapes = [one.load().images[View.SAX].voxels.shape for one in found]
    assert shapes == [(1, 2, 36, 28), (1, 1, 36, 28), (3, 2, 36, 28)]
    assert len({one.id for one in found}) == 3
    geometry = found[0].load().images[View.SAX].geometry
    assert geometry.spacing == pytest.approx(SPACING_MM)
    assert found[0].reference is not None
    (reference,) = found[0].reference().values()
    assert np.count_nonzero(reference.labels == 1) == np.count_nonzero(labels == 3)  # the LV


def test_examples_that_cannot_be_learnt_from_are_refused(tmp_path: Path) -> None:
    image, labels = drawn(1)
    given = {"spacing_mm": SPACING_MM, "patient": "a"}
    with pytest.raises(GeometryError, match=r"\(2, 36, 28\) and labels of \(36, 28\)"):
        hs.Example(image=image, labels=labels[0], **given)
    with pytest.raises(GeometryError, match="labels of type float64"):
        hs.Example(image=image, labels=image, **given)
    with pytest.raises(StudyError, match="got none"):
        hs.train_model([], tmp_path)
    with pytest.raises(StudyError, match="schemes acdc, camus"):
        hs.train_model([example(1), example(2, scheme="camus")], tmp_path)
    with pytest.raises(ConfigError, match="got 2 patients; allowed: at least 3"):
        hs.train_model([example(1), example(2)], tmp_path, changes=QUICK, device="cpu")
    spoilt = hs.Example(image=image, labels=labels + 9, **given)
    found = candidates_of([spoilt], Modality.MR, View.SAX)
    assert found[0].reference is not None
    with pytest.raises(LabelError, match="9"):
        found[0].reference()


def test_a_folder_s_name_becomes_a_model_s() -> None:
    assert name_of(Path("out/Über Herz 3")) == "ber-herz-3"
    assert name_of(Path("out/--")) == "model"
