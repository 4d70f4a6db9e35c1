"""From a folder of labelled patients to a model that anyone can run, and what it says of itself."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from heartseg.api import segment_study
from heartseg.core.errors import ConfigError, FormatError, ModelError, OutputError, StudyError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, Study, View
from heartseg.segment import load_bundle
from heartseg.segment.onnx_check import read_onnx
from heartseg.segment.openvino_runtime import OpenVinoRuntime

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.config import load  # noqa: E402
from heartseg.train import record  # noqa: E402
from heartseg.train.artefact import train_model, trained_network, write_artefact  # noqa: E402
from heartseg.train.checkpoint import load_checkpoint  # noqa: E402
from heartseg.train.device import choose_device  # noqa: E402
from heartseg.train.run import train  # noqa: E402
from heartseg.train.settings import RunSettings  # noqa: E402

RUN = """
name = "tiny"
version = "0.3.0"
folder = "patients"
training_data = "drawn discs"
licence = "CC0"
seed = 4
[model]
widths = [6, 12]
[preparation]
stride = 8
field_px = 64
[spatial]
size_px = 32
shift_px = 6.0
[learning]
batch = 6
rate = 5e-3
average = 0.9
[schedule]
steps = 45
warm_up = 4
validate_every = 20
log_every = 5
"""
PATIENTS = (1, 2, 3, 5)  # one validates, two train, one is never looked at


def write_patient(folder: Path, number: int) -> None:
    """Two labelled frames of a ring with a crescent beside it, as ACDC stores them."""
    name, random = f"patient{number:03}", np.random.default_rng(number)
    home = folder / name
    home.mkdir(parents=True)
    for frame, radius in ((1, 9.0), (7, 6.0)):
        x, y, z = np.mgrid[:52, :44, :3]
        distance = np.hypot(x - 28 - number % 3, y - 20) + z
        beside = (np.hypot(x - 14, y - 20) < 8) & (distance > radius + 5)
        labels = np.select([distance < radius, distance < radius + 4, beside], [3, 2, 1], 0)
        voxels = np.choose(labels, [60, 190, 110, 200]) + random.normal(0, 8, labels.shape)
        for suffix, array, kind in (("", voxels, "int16"), ("_gt", labels, "uint8")):
            image = nibabel.Nifti1Image(array.astype(kind), np.diag([1.6, 1.45, 8, 1]))
            nibabel.save(image, home / f"{name}_frame{frame:02}{suffix}.nii.gz")
    (home / "Info.cfg").write_text("ED: 1\nES: 7\nGroup: NOR\nHeight: 170.0\nNbFrame: 12\n")


@pytest.fixture(scope="module")
def run_toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for number in PATIENTS:
        write_patient(folder / "patients", number)
    (folder / "run.toml").write_text(RUN)
    return folder / "run.toml"


@pytest.fixture(scope="module")
def out(run_toml: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run; the commit moves on after it began."""
    folder, commits = tmp_path_factory.mktemp("out") / "run", iter(["1f" * 20] + ["2e" * 20] * 9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "source_commit", lambda: next(commits))
        train_model(run_toml, folder, device="cpu")
    return folder


@pytest.fixture(scope="module")
def planes() -> Any:
    return np.random.default_rng(0).random((3, 1, 40, 56), dtype=np.float32)


def test_the_bundle_loads_and_answers_as_the_network_did(run_toml, out, planes):
    bundle = load_bundle(out / "bundle")
    settings = load(RunSettings, run_toml)
    network = trained_network(settings, out / "best.pt")
    with torch.no_grad():
        wanted = network(torch.from_numpy(planes)).softmax(1).numpy()
    found = OpenVinoRuntime(bundle, precision="f32").infer(planes)
    np.testing.assert_allclose(found, wanted, atol=5e-3)  # its kernels are float16
    assert wanted.std() > 0.05


def test_the_bundle_holds_the_average_weights_in_half_precision(out):
    weights = read_onnx(load_bundle(out / "bundle").onnx).weights
    task = load_checkpoint(out / "best.pt")["task"]
    for name, value in task["average"].items():
        if not name.endswith("num_batches_tracked"):
            assert weights[name].dtype == (np.float16 if value.ndim >= 2 else np.float32), name
            assert np.array_equal(weights[name], value.numpy().astype(weights[name].dtype)), name
    assert not torch.equal(task["average"]["output.bias"], task["network"]["output.bias"])


def test_the_bundle_holds_the_best_weights_not_the_last(run_toml, out):
    best, last = (load_checkpoint(out / f"{name}.pt") for name in ("best", "last"))
    training, scores = load_bundle(out / "bundle").training, load_bundle(out / "bundle").scores
    assert last["step"] == 45
    assert training["steps"] == best["step"]
    assert scores["validation_dice"] == round(best["best"], 4)
    logged = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert best["best"] == pytest.approx(max(x["score"] for x in logged if "score" in x), abs=1e-6)


def test_the_bundle_says_whence_it_is(run_toml, out):
    bundle, settings = load_bundle(out / "bundle"), load(RunSettings, run_toml)
    said = bundle.training
    assert (bundle.name, bundle.version, bundle.licence) == ("tiny", "0.3.0", "CC0")
    assert [structure.key for structure in bundle.structures] == ["background", "lv", "myo", "rv"]
    assert bundle.preparation == settings.preparation
    assert bundle.architecture == {"name": "unet", "widths": [6, 12], "supervised": False}
    assert said["data"] == "drawn discs"
    assert said["parts"] == ["train"]
    assert (said["patients"], said["planes"]) == (2, 12)
    assert said["seed"] == 4
    assert said["images"] == 6 * said["steps"]
    assert said["learning"]["rate"] == 5e-3
    assert said["spatial"]["size_px"] == 32
    assert said["schedule"]["warm_up"] == 4
    assert said["data_sets"] == {"acdc": 2}
    assert (said["volumes"], said["validation_patients"], said["test_patients"]) == (4, 1, 1)
    assert said["split"]["by"] == settings.split.by
    assert said["hardware"]
    assert 0 < said["hours"] < 1


def test_the_card_of_a_run_tells_who_trained_it(out):
    card = (out / "bundle" / "card.md").read_text(encoding="utf-8")
    for line in ("| patients | 2 |", "| volumes | 4 |", "| patients that validated | 1 |"):
        assert line in card
    assert "Bernard et al., IEEE TMI 2018" in card
    assert "No test on unseen patients is recorded." in card


def test_the_commit_is_that_of_the_start_not_of_the_export(out):
    assert load_bundle(out / "bundle").training["commit"] == "1f" * 20


def test_the_run_keeps_what_it_was_started_with(run_toml, out):
    begun = json.loads((out / "run.json").read_text())
    assert begun["settings"]["learning"]["batch"] == 6
    assert begun["settings"]["schedule"]["warm_up"] == 4
    assert begun["data"]["training"]["patients"] == ["patient002", "patient003"]
    assert begun["data"]["validation"] == {"patients": ["patient001"], "frames": 2, "planes": 6}
    assert begun["started"] <= load_bundle(out / "bundle").training["exported"]


def test_half_precision_is_measured_before_it_is_allowed(out):
    bundle = load_bundle(out / "bundle")
    measured = bundle.scores.get("bf16_label_difference")
    assert measured is None or 0 <= measured < 0.05


def test_resuming_a_finished_run_writes_the_same_model(run_toml, out):
    before = load_bundle(out / "bundle").sha256
    again = train_model(run_toml, out, device="cpu", resume=True)
    assert again.sha256 == before
    assert again.training["commit"] == "1f" * 20


def test_starting_again_does_not_overwrite_a_run(run_toml, out):
    with pytest.raises(OutputError, match="--resume"):
        train_model(run_toml, out, device="cpu")


@pytest.mark.parametrize("change", ["learning.rate=0.001", "seed=5", "schedule.steps=90"])
def test_resuming_with_other_settings_is_refused(run_toml, out, change):
    with pytest.raises(
        ConfigError, match=f"resume: {change.split('=')[0]}.*as the run was started"
    ):
        train_model(run_toml, out, device="cpu", resume=True, changes=[change])


def test_resuming_with_other_words_is_not(run_toml, out):
    bundle = train_model(run_toml, out, device="cpu", resume=True, changes=["version=0.3.1"])
    assert bundle.version == "0.3.1"


def test_resuming_on_other_patients_is_refused(run_toml, out, tmp_path):
    for number in (1, 2):
        write_patient(tmp_path / "patients", number)
    (tmp_path / "run.toml").write_text(RUN)
    with pytest.raises(ConfigError, match="the patients"):
        train_model(tmp_path / "run.toml", out, device="cpu", resume=True)


def test_a_run_from_before_records_were_kept_is_exported_without_claims(run_toml, out, tmp_path):
    (tmp_path / "best.pt").write_bytes((out / "best.pt").read_bytes())
    settings = load(RunSettings, run_toml)
    bundle = write_artefact(settings, run_toml.parent, tmp_path / "best.pt", tmp_path / "bundle")
    assert bundle.training["commit"] == "unknown"


def test_the_export_of_another_network_is_refused(run_toml, out, tmp_path):
    settings = load(RunSettings, run_toml, ["model.widths=[6, 14]"])
    with pytest.raises(ModelError, match="another network"):
        write_artefact(settings, run_toml.parent, out / "best.pt", tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_final_run_without_validation_takes_the_last_weights(run_toml, tmp_path):
    changes = ["validate_on=[]", "train_on=['train', 'validate']", "schedule.steps=3"]
    settings = load(RunSettings, run_toml, changes)
    checkpoint = train(settings, run_toml.parent, tmp_path / "run", device=torch.device("cpu"))
    assert checkpoint.name == "last.pt"
    bundle = write_artefact(settings, run_toml.parent, checkpoint, tmp_path / "bundle")
    assert "validation_dice" not in bundle.scores
    assert bundle.training["patients"] == 3
    assert bundle.training["steps"] == 3


def test_the_same_seed_trains_the_same_weights(run_toml, tmp_path):
    settings = load(RunSettings, run_toml, ["schedule.steps=2"])
    other = load(RunSettings, run_toml, ["schedule.steps=2", "seed=9"])
    weights = [
        load_checkpoint(train(s, run_toml.parent, tmp_path / n, device=torch.device("cpu")))
        for n, s in (("a", settings), ("b", settings), ("c", other))
    ]
    one, same, third = (w["task"]["average"]["output.weight"] for w in weights)
    assert torch.equal(one, same)
    assert not torch.equal(one, third)
    draws, _, others = (w["task"]["generator"] for w in weights)
    assert not torch.equal(draws, others)  # of batches and augmentation, too


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("spatial.size_px=33", "spatial.size_px.*multiples of the network's stride, 2"),
        ("preparation.stride=9", "preparation.stride"),
        ("train_on=['train', 'validate']", "validate in both"),
        ("train_on=[]", "nothing to train on"),
        ("structures=['lv', 'heart']", "'heart'"),
        ("model.name=vnet", "unet"),
        ("schedule.stpes=3", "did you mean 'steps'"),
    ],
)
def test_settings_that_do_not_fit_are_said_before_anything_is_written(
    run_toml, tmp_path, change, message
):
    with pytest.raises(ConfigError, match=message):
        train_model(run_toml, tmp_path / "run", device="cpu", changes=[change])
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_part_without_patients_is_said(run_toml, tmp_path):
    with pytest.raises(StudyError, match="no patient of tset"):
        train_model(run_toml, tmp_path, device="cpu", changes=["train_on=['tset']"])


def test_devices_are_chosen_by_name():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ConfigError, match="'tpu'"):
        choose_device("tpu")


def study_of(voxels: Any) -> Study:
    geometry = Geometry(voxels.shape[1:], np.diag([8.0, 1.5, 1.25, 1.0])[:, [2, 1, 0, 3]])
    images = {View.SAX: Image(voxels, geometry)}
    return Study(id="hand-made", modality=Modality.MR, images=images, sources={})


def test_one_voxel_that_is_no_number_stops_python_users_too(out):
    voxels = np.random.default_rng(0).random((2, 3, 40, 48)).astype("float32")
    model = str(out / "bundle")
    assert segment_study(study_of(voxels), model)[View.SAX].labels.shape == voxels.shape
    voxels[1, 2, 33, 17] = np.nan
    with pytest.raises(FormatError, match="1 of 11520 voxels that are not numbers"):
        segment_study(study_of(voxels), model)
