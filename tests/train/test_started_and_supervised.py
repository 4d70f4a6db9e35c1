"""Runs whose networks begin with a file of weights, or have outputs for training alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ConfigError
from heartseg.segment.openvino_runtime import OpenVinoRuntime
from tests.train.test_train_model import PATIENTS, RUN, write_patient

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.models import build_network  # noqa: E402
from heartseg.segment.torch_runtime import TorchRuntime  # noqa: E402
from heartseg.train.artefact import train_model  # noqa: E402

SHORT = [
    *("schedule.steps=2", "schedule.warm_up=0", "schedule.validate_every=2"),
    *("preparation.stride=32", "spatial.size_px=64", "learning.batch=2"),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for number in PATIENTS:
        write_patient(tmp_path / "patients", number)
    (tmp_path / "run.toml").write_text(RUN, encoding="utf-8")
    return tmp_path / "run.toml"


def with_model(run: Path, model: str) -> Path:
    text = run.read_text(encoding="utf-8").replace("widths = [6, 12]", model)
    run.write_text(text, encoding="utf-8")
    return run


def assert_runtimes_agree(bundle: Any) -> None:
    planes = np.random.default_rng(2).random((2, 1, 64, 96), dtype=np.float32)
    mine = TorchRuntime(bundle, "cpu").infer(planes)
    np.testing.assert_allclose(
        OpenVinoRuntime(bundle, precision="f32").infer(planes), mine, atol=1e-4
    )


def test_weights_lie_beside_the_run_and_the_bundle_needs_them_no_more(run, tmp_path, monkeypatch):
    torch.manual_seed(8)
    encoder = build_network("fpn-plain", 3, 2).encoder  # of colours
    torch.save(encoder.state_dict(), tmp_path / "colours.pt")
    with_model(run, 'name = "pspnet-plain"\nweights = "colours.pt"')
    monkeypatch.chdir(tmp_path.parent)  # not where the file lies
    bundle = train_model(run, tmp_path / "out", changes=SHORT)
    assert "weights" not in bundle.architecture
    assert bundle.training["encoder_from"] == "colours.pt"
    (tmp_path / "colours.pt").unlink()
    assert_runtimes_agree(bundle)


def test_weights_that_are_not_there_are_said_before_training(run, tmp_path):
    with_model(run, 'name = "pspnet-plain"\nweights = "gone.pt"')
    with pytest.raises(ConfigError, match="gone.pt") as told:
        train_model(run, tmp_path / "out", changes=SHORT)
    assert str(tmp_path) not in str(told.value)


def test_a_supervised_network_is_deployed_with_one_output(run, tmp_path):
    model = 'name = "unetplusplus-supervised"\nwidths = [4, 6, 8]\npruned_to = 2'
    bundle = train_model(with_model(run, model), tmp_path / "out", changes=SHORT)
    assert bundle.architecture["supervised"] is False
    assert_runtimes_agree(bundle)


@pytest.mark.parametrize("name", ["edge-attention", "edge-attention-edges"])
def test_borders_are_drawn_in_training_and_the_bundle_answers_regions_alone(run, tmp_path, name):
    with_model(run, f'name = "{name}"\nwidths = [4, 6, 8]\nedge_channels = 4')
    changes = [*SHORT, "loss.edges.width_px=3", "schedule.log_every=1"]
    bundle = train_model(run, tmp_path / "out", changes=changes)
    assert bundle.architecture["supervised"] is False
    assert bundle.architecture.get("edges_supervised", False) is False
    assert bundle.training["loss"]["edges"] == {"width_px": 3, "weight": 0.5}
    assert "width_px" in (bundle.folder / "card.md").read_text(encoding="utf-8")
    assert "edge_loss" in (tmp_path / "out" / "log.jsonl").read_text(encoding="utf-8")
    assert_runtimes_agree(bundle)


def test_settings_for_borders_of_a_network_that_draws_none_are_refused(run, tmp_path):
    with_model(run, 'name = "edge-attention-fusion"\nwidths = [4, 6, 8]')
    with pytest.raises(ConfigError, match="loss.edges: got settings .* edge-attention-edges"):
        train_model(run, tmp_path / "out", changes=[*SHORT, "loss.edges.weight=1"])


def test_a_batch_that_cannot_be_normalised_is_refused(run, tmp_path):
    with_model(run, 'name = "deeplabv3-plain"')
    with pytest.raises(ConfigError, match="at least 2"):
        train_model(run, tmp_path / "out", changes=[*SHORT, "learning.batch=1"])
