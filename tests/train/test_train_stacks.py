"""From a folder of patients to a bundle and to masks, for networks that cannot see whole planes."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.core.study import View
from heartseg.read import read_study
from heartseg.segment import frames, load_bundle
from heartseg.segment.onnx_check import read_onnx
from heartseg.segment.openvino_runtime import OpenVinoRuntime
from tests.cli import door
from tests.train.test_train_model import PATIENTS, RUN, write_patient

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.api import segment_study  # noqa: E402
from heartseg.models.unet import UNet  # noqa: E402
from heartseg.segment.torch_runtime import TorchRuntime  # noqa: E402
from heartseg.train.artefact import train_model  # noqa: E402

THICK = """name = "unet-3d-anisotropic"
widths = [4, 6, 8]
spacing_mm = [4.0, 1.5, 1.5]
[stack]
slices = 4"""
CASES = {
    "thick": (THICK, 24),
    "valid": ('name = "unet-2015"\nwidths = [4, 6]', 36),
    "volume": ('name = "unet-3d"\nwidths = [4, 6]\n[stack]\nslices = 20', 34),
}
SHORT = [
    *("schedule.steps=8", "schedule.warm_up=0", "schedule.validate_every=8"),
    *("learning.batch=2", "learning.rate=0.02"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("data")
    for number in PATIENTS:
        write_patient(made / "patients", number)
    return made


def written(folder: Path, case: str, model: str, size: int) -> Path:
    text = RUN.replace("widths = [6, 12]", model).replace("size_px = 32", f"size_px = {size}")
    (folder / f"{case}.toml").write_text(text, encoding="utf-8")
    return folder / f"{case}.toml"


@pytest.fixture(scope="module", params=CASES)
def trained(request: Any, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("out") / request.param
    run = written(folder, request.param, *CASES[request.param])
    train_model(run, out, device="cpu", changes=SHORT)
    return request.param, run, out


def test_the_bundle_has_its_window_and_its_axes(trained):
    case, _, out = trained
    bundle = load_bundle(out / "bundle")
    axes = 2 if case == "valid" else 3
    assert bundle.window.axes == axes
    assert read_onnx(bundle.onnx).inputs == {"pixels": (None, 1, *(None,) * axes)}
    assert bundle.window.margin_px == ((0,) * 3 if case == "thick" else (8,) * axes)
    assert ("stack" in bundle.training) == (axes == 3)


def test_both_runtimes_say_the_same_of_a_study(trained, folder):
    """Two frames of 3 slices of 52 x 44 pixels, by no size of the network's own."""
    _, _, out = trained
    bundle = load_bundle(out / "bundle")
    image = read_study(folder / "patients" / "patient005").images[View.SAX]
    engine, mine = OpenVinoRuntime(bundle, precision="f32"), TorchRuntime(bundle, "cpu")
    for turns in (1, 8):
        found = list(frames(image, bundle, engine, turns=turns))
        assert [one.shape for one in found] == [(4, *image.geometry.shape)] * 2
        for one in found:
            np.testing.assert_allclose(one.sum(0), 1, atol=1e-4)
        again = list(frames(image, bundle, mine, turns=turns))
        np.testing.assert_allclose(found, again, atol=2e-4)
    assert np.ptp(found) > 0.02


def test_the_command_segments_with_it(trained, folder, tmp_path):
    _, _, out = trained
    patient = folder / "patients" / "patient005"
    door.heartseg("segment", patient, "-o", tmp_path, "--model", out / "bundle")
    mask = tmp_path / "patient005" / "patient005_frame01_seg.nii.gz"
    written_labels = np.asarray(nibabel.load(mask).dataobj)
    assert written_labels.shape == (52, 44, 3)
    study = read_study(patient)
    labels = segment_study(study, str(out / "bundle"), device="cpu")[View.SAX].labels
    assert labels.shape == (2, *study.images[View.SAX].geometry.shape)


def test_a_resumed_run_writes_the_same_model(trained):
    _, run, out = trained
    before = load_bundle(out / "bundle").sha256
    assert train_model(run, out, device="cpu", changes=SHORT, resume=True).sha256 == before


def test_a_network_of_one_size_is_looked_through_at_that_size(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(UNet, "free_export", False)
    monkeypatch.setattr(UNet, "native_size", (24, 40))
    run = written(folder, "one", "widths = [6, 12]", 32)
    bundle = train_model(run, tmp_path / "out", device="cpu", changes=SHORT)
    assert bundle.window.only_px == (24, 40)
    assert bundle.window.margin_px == (3, 5)
    assert read_onnx(bundle.onnx).inputs == {"pixels": (None, 1, 24, 40)}
    image = read_study(folder / "patients" / "patient005").images[View.SAX]
    found, again = (
        next(iter(frames(image, bundle, runtime)))
        for runtime in (OpenVinoRuntime(bundle, precision="f32"), TorchRuntime(bundle, "cpu"))
    )
    np.testing.assert_allclose(found, again, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("stack.slices=5", "stack.slices: got 5.*stride, 2"),
        ("spatial.size_px=30", "spatial.size_px: got 30.*stride, 4"),
        ("preparation.stride=10", "preparation.stride: got 10.*stride, 4"),
        ("stack.slcies=4", "did you mean 'slices'"),
    ],
)
def test_settings_that_do_not_fit_are_said_before_anything_is_written(
    folder, tmp_path, change, message
):
    run = written(folder, "wrong", *CASES["thick"])
    with pytest.raises(ConfigError, match=message):
        train_model(run, tmp_path / "run", device="cpu", changes=[*SHORT, change])
    assert not (tmp_path / "run" / "run.json").exists()
