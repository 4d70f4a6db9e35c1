"""What a RUN.toml chooses reaches the weights, the run's folder and the bundle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.core.errors import ConfigError, MissingExtraError, ModelError
from heartseg.segment.openvino_runtime import OpenVinoRuntime
from tests.train.test_train_model import RUN, write_patient

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.config import load  # noqa: E402
from heartseg.segment.torch_runtime import TorchRuntime  # noqa: E402
from heartseg.train import curves  # noqa: E402
from heartseg.train.artefact import train_model, trained_network  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint  # noqa: E402
from heartseg.train.run import train  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402

SHORT = ["schedule.steps=2", "schedule.warm_up=0", "schedule.validate_every=2"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("choices")
    for number in (1, 2, 3, 5, 74, 76):
        write_patient(folder / "patients", number)
    (folder / "run.toml").write_text(RUN, encoding="utf-8")
    return folder / "run.toml"


def trained(run: Path, out: Path, *changes: str, short: bool = True, **others: Any) -> dict:
    """The last checkpoint of a run with these changes."""
    settings = load(RunSettings, run, [*(SHORT if short else []), *changes])
    train(settings, run.parent, out, device=CPU, **others)
    return load_checkpoint(out / "last.pt")


def test_sigmoid_channels_become_a_bundle_that_answers_as_they_do(run, tmp_path):
    changes = [*SHORT, "loss.activation=sigmoid", "loss.terms=[['cross-entropy', 1], ['dice', 1]]"]
    bundle = train_model(run, tmp_path, changes=[*changes, "log.curves=false"], device="cpu")
    assert bundle.activation == "sigmoid"
    assert 'activation = "sigmoid"' in (tmp_path / "bundle" / "model.toml").read_text()
    planes = np.random.default_rng(2).random((2, 1, 40, 56), dtype=np.float32)
    found = OpenVinoRuntime(bundle, precision="f32").infer(planes)
    assert found.shape == (2, 4, 40, 56)
    np.testing.assert_allclose(TorchRuntime(bundle, "cpu").infer(planes), found, atol=1e-4)
    network = trained_network(load(RunSettings, run, changes), tmp_path / "best.pt")
    with torch.no_grad():
        channels = network(torch.from_numpy(planes))[:, 1:]
    assert channels.shape[1] == 3
    sure = (channels.abs().amin(1) > 0.05).numpy()  # float16 kernels may decide the rest
    over = (channels.sigmoid() > 0.5).any(1).numpy()
    assert ((found.argmax(1) > 0) == over)[sure].all()
    assert 0.01 < over.mean() < 0.99


def test_what_is_ignored_is_in_no_class(run, tmp_path):
    with pytest.raises(Exception, match="name it in loss.ignored"):
        trained(run, tmp_path / "a", "structures=['lv', 'myo']")
    state = trained(run, tmp_path / "b", "structures=['lv', 'myo']", "loss.ignored=['rv']")
    assert state["task"]["average"]["output.bias"].shape == (3,)
    with pytest.raises(ConfigError, match="rv.*not learnt"):
        trained(run, tmp_path / "c", "loss.ignored=['rv']")


def test_the_loss_reaches_the_weights(run, tmp_path):
    weights = [
        trained(run, tmp_path / str(i), *changes)["task"]["network"]["output.weight"]
        for i, changes in enumerate(
            [[], ["loss.terms=[['focal', 1]]"], ["loss.class_weights=balanced"]]
        )
    ]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_patient_drawn_twice_stays_together_and_the_split_is_written(run, tmp_path):
    changes = ["split.by=fold", "split.folds=3", "train_on=['train']", "log.curves=false"]
    parts = []
    for fold in range(3):
        trained(run, tmp_path / str(fold), *changes, f"split.fold={fold}")
        written = json.loads((tmp_path / str(fold) / "split.json").read_text())
        assert sorted(written["train"] + written["validate"] + written["test"]) == [
            f"patient{n:03}" for n in (1, 2, 3, 5, 74, 76)
        ]
        twice = [part for part, names in written.items() if "patient074" in names]
        assert twice == [part for part, names in written.items() if "patient076" in names]
        parts.append(set(written["test"]))
    assert set.union(*parts) == {f"patient{n:03}" for n in (1, 2, 3, 5, 74, 76)}
    assert sum(map(len, parts)) == 6


def test_the_split_of_one_run_can_be_that_of_another(run, tmp_path):
    fold = ["split.by=fold", "split.folds=3", "split.fold=1", "split.patients=2"]
    first = trained(run, tmp_path / "a", *fold)
    path = tmp_path / "a" / "split.json"
    written = json.loads(path.read_text())
    assert len(written["trained_on"]) == 2
    again = [f"split.file={path}", "split.by=file", "split.patients=2"]
    second = trained(run, tmp_path / "b", *again)
    assert json.loads((tmp_path / "b" / "split.json").read_text()) == written
    assert torch.equal(
        first["task"]["network"]["output.weight"], second["task"]["network"]["output.weight"]
    )


def test_patience_without_validation_is_refused(run, tmp_path):
    with pytest.raises(ConfigError, match="nothing to validate on"):
        trained(run, tmp_path, "validate_on=[]", "schedule.patience=3")


def test_a_record_from_before_a_setting_existed_still_resumes(run, tmp_path):
    trained(run, tmp_path)
    begun = json.loads((tmp_path / "run.json").read_text())
    for new in ("loss", "split", "start", "log"):
        del begun["settings"][new]
    for new in ("optimiser", "accumulate", "momentum", "nesterov"):
        del begun["settings"]["learning"][new]
    for new in ("shape", "power", "drop_every", "drop_to", "plateau"):
        del begun["settings"]["schedule"][new]
    (tmp_path / "run.json").write_text(json.dumps(begun))
    trained(run, tmp_path, resume=True)
    with pytest.raises(ConfigError, match="resume: learning.optimiser.*adamw, as the run"):
        trained(run, tmp_path, "learning.optimiser=sgd", resume=True)


def test_the_end_draws_the_curves_unless_told_not_to(run, tmp_path):
    trained(run, tmp_path / "a", "schedule.log_every=1")
    assert (tmp_path / "a" / curves.CURVES).stat().st_size > 5_000
    trained(run, tmp_path / "b", "log.curves=false")
    assert not (tmp_path / "b" / curves.CURVES).exists()


def test_what_cannot_be_drawn_is_said_before_the_training(run, tmp_path, monkeypatch):
    monkeypatch.setattr(curves.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"log.curves.*heartseg\[train\]"):
        trained(run, tmp_path)
    assert not (tmp_path / "last.pt").exists()


def test_a_run_goes_on_from_a_bundle_with_another_head(run, tmp_path):
    first = train_model(run, tmp_path / "a", changes=[*SHORT, "log.curves=false"], device="cpu")
    begun = [f"start.weights_from={tmp_path / 'a' / 'bundle'}", "structures=['lv', 'myo']"]
    begun += ["loss.ignored=['rv']", "learning.average=0"]
    with pytest.raises(
        ModelError,
        match=r"output.weight is \(4, 6, 1, 1\) there and \(3, 6, 1, 1\) here.*start.fresh",
    ):
        trained(run, tmp_path / "b", *begun)
    fresh = [*begun, "start.fresh=['output.*']", "start.freeze=['encoder.*']"]
    state = trained(run, tmp_path / "b2", *fresh, "learning.rate=0.1")["task"]["network"]
    source = trained_network(load(RunSettings, run, SHORT), tmp_path / "a" / "best.pt")
    for name, value in source.state_dict().items():
        if name.startswith("encoder") and not name.endswith("num_batches_tracked"):
            half = value.half().float() if value.ndim >= 2 else value
            assert torch.equal(state[name], half), name
    assert state["output.weight"].shape[0] == 3
    assert first.training["seed"] == 4
