"""What every network keeps: iterates the table, so that a new one is tested on arrival."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.config import from_table, to_table, to_toml
from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.segment import Description, write_bundle
from heartseg.segment.openvino_runtime import OpenVinoRuntime

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.models import ARCHITECTURES, architecture, build_network  # noqa: E402
from heartseg.train.export import export_onnx  # noqa: E402

PARAMETERS = {"unet": 2_846_692}
"""Of the default network with one channel and four classes: it changes only on purpose."""

ANSWERS = {"unet": (-0.757826, 1.804859, -1.212080)}
"""Of the default network with weights by rule: mean, deviation and one of its logits. Bundles and
checkpoints hold weights by name, so the same names must go on meaning the same arithmetic."""

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def seeded(name: str, channels: int = 1, classes: int = 4, seed: int = 3) -> Any:
    torch.manual_seed(seed)
    return build_network(name, channels, classes)


def pixels(count: int, channels: int, rows: int, columns: int) -> Any:
    noise = np.random.default_rng(1).random((count, channels, rows, columns), dtype=np.float32)
    return torch.from_numpy(noise)


def test_every_architecture_has_its_frozen_numbers():
    assert set(PARAMETERS) == set(ANSWERS) == set(ARCHITECTURES)


@every_architecture
@pytest.mark.parametrize(("channels", "classes"), [(1, 4), (3, 2)])
def test_logits_lie_on_the_pixels_grid(name, channels, classes):
    stride = ARCHITECTURES[name].stride
    network = seeded(name, channels, classes).eval()
    for rows, columns in [(1, 3), (5, 1)]:  # odd multiples, never square
        planes = pixels(2, channels, rows * stride, columns * stride)
        with torch.no_grad():
            logits = network(planes)
        assert logits.shape == (2, classes, rows * stride, columns * stride)
        assert logits.dtype == torch.float32
        assert logits.isfinite().all()


@every_architecture
def test_every_weight_receives_a_gradient(name):
    network, side = seeded(name), 2 * ARCHITECTURES[name].stride
    logits = network(pixels(2, 1, side, side))
    (logits * pixels(2, 4, side, side)).sum().backward()
    for weight, value in network.named_parameters():
        assert value.grad is not None, weight
        assert value.grad.isfinite().all(), weight
        assert value.grad.abs().max() > 0, weight


@every_architecture
def test_same_seed_same_weights(name):
    one, same, other = (seeded(name, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


@every_architecture
def test_the_number_of_parameters_is_frozen(name):
    assert sum(weight.numel() for weight in seeded(name).parameters()) == PARAMETERS[name]


@every_architecture
def test_the_same_weights_keep_giving_the_same_answer(name):
    network, side = seeded(name).eval(), ARCHITECTURES[name].stride
    with torch.no_grad():
        for number, (_, weight) in enumerate(sorted(network.named_parameters())):
            rule = torch.sin(torch.arange(weight.numel(), dtype=torch.float64) * 0.7 + number)
            spread = (2 / max(1, weight[0].numel())) ** 0.5
            weight.copy_((rule * spread).float().view_as(weight))
        ramp = torch.arange(side * 2 * side, dtype=torch.float64).view(1, 1, side, 2 * side)
        logits = network(torch.sin(ramp * 0.01).float())
    found = (logits.mean().item(), logits.std().item(), logits[0, 2, 5, 9].item())
    assert found == pytest.approx(ANSWERS[name], abs=1e-3)


@every_architecture
def test_a_plane_s_answer_does_not_depend_on_the_others(name):
    network, side = seeded(name).eval(), ARCHITECTURES[name].stride
    planes = pixels(3, 1, side, 2 * side)
    with torch.no_grad():
        torch.testing.assert_close(network(planes)[1:2], network(planes[1:2]), rtol=0, atol=1e-4)


@every_architecture
def test_weights_are_saved_and_loaded(name, tmp_path: Path):
    network, fresh = seeded(name).eval(), seeded(name, seed=9).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    fresh.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    planes = pixels(1, 1, *[ARCHITECTURES[name].stride] * 2)
    with torch.no_grad():
        assert torch.equal(network(planes), fresh(planes))


@every_architecture
def test_the_exported_file_answers_the_same(name, tmp_path: Path):
    network, stride = seeded(name), ARCHITECTURES[name].stride
    with torch.no_grad():
        network(pixels(4, 1, 2 * stride, 2 * stride) * 3)  # batch statistics that matter
    network.eval()
    description = Description(
        name="contract",
        version="0",
        licence="CC0",
        modality=Modality.MR,
        view=View.SAX,
        structures=tuple(Structure)[:4],
        architecture={"name": name},
        preparation=Preparation(stride=stride),
    )
    bundle = write_bundle(
        tmp_path / "contract", export_onnx(network, 1, (stride, 2 * stride)), description
    )
    planes = pixels(3, 1, 3 * stride, stride)  # another size than the exporter's example
    with torch.no_grad():
        wanted = network(planes).softmax(1).numpy()
    found = OpenVinoRuntime(bundle, precision="f32").infer(planes.numpy())
    np.testing.assert_allclose(found, wanted, atol=2e-5)


@every_architecture
def test_a_description_survives_a_settings_file(name):
    described = ARCHITECTURES[name]
    table = tomllib.loads(to_toml(to_table(described)))
    assert from_table(type(described), table) == described
    assert architecture({"name": name, **table}) == described


@every_architecture
def test_a_description_does_not_change(name):
    described = ARCHITECTURES[name]
    with pytest.raises(AttributeError):
        setattr(described, next(iter(to_table(described))), None)
    assert hash(described) == hash(ARCHITECTURES[name])
    assert described.paper


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "vnet"}, "unet"),
        ({"name": ["unet"]}, "heartseg networks"),
        ({"name": "unet", "widht": [4]}, "did you mean 'widths'"),
        ({"name": "unet", "widths": []}, "at least 1"),
        ({"name": "unet", "widths": [4, 0]}, "at least 1"),
    ],
)
def test_a_wrong_description_is_answered_with_the_right_one(table, message):
    with pytest.raises(ConfigError, match=message):
        architecture(table)
