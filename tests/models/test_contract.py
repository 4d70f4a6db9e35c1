"""What every network keeps: goes through the table, so that a new one is tested on arrival."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.config import from_table, to_table, to_toml
from heartseg.core.errors import ConfigError
from heartseg.segment.onnx_check import read_onnx
from heartseg.segment.openvino_runtime import import_openvino

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from heartseg.models import ARCHITECTURES, architecture  # noqa: E402
from heartseg.models.answer import edges_of, regions_of  # noqa: E402
from heartseg.models.architecture import legal_size, output_size, takes  # noqa: E402
from heartseg.train.export import export_onnx  # noqa: E402
from tests.models.entries import chosen, description  # noqa: E402

every_network = pytest.mark.parametrize("name", chosen())

RATE = 1e-3
"""Of Adam, when a network shall learn two images by heart."""


@pytest.fixture(autouse=True)
def freed() -> Iterator[None]:
    """What one network took is free before the next one is built."""
    yield
    import gc

    gc.collect()


def seeded(name: str, channels: int = 1, classes: int = 4, seed: int = 3) -> Any:
    torch.manual_seed(seed)
    return description(name).build(channels, classes)


def pixels(count: int, channels: int, size: tuple[int, ...]) -> Any:
    noise = np.random.default_rng(1).random((count, channels, *size), dtype=np.float32)
    return torch.from_numpy(noise)


def settled(name: str, size: tuple[int, ...]) -> Any:
    """A network whose batch statistics matter, in evaluation mode."""
    network = seeded(name)
    with torch.no_grad():
        network(pixels(4, 1, size) * 3)
    return network.eval()


def all_outputs(answer: Any) -> tuple[Any, ...]:
    """Logits at every depth that is supervised, the finest first, and of the borders."""
    edges = edges_of(answer)
    return regions_of(answer) if edges is None else (*regions_of(answer), edges)


@every_network
@pytest.mark.parametrize(("channels", "classes"), [(1, 4), (3, 2), (2, 1)])
def test_logits_have_their_shape_for_odd_and_even_sizes(name, channels, classes):
    described = description(name)
    network = seeded(name, channels, classes).eval()
    for step in range(2):
        size = legal_size(described, [(axis + step) % 2 for axis in range(described.dimensions)])
        with torch.no_grad():
            logits = network(pixels(2, channels, size))
        assert logits.shape == (2, classes, *output_size(described, size))
        assert logits.dtype == torch.float32
        assert logits.isfinite().all()


@every_network
def test_a_gradient_reaches_every_weight(name):
    network, size = seeded(name).train(), description(name).smallest_size
    waiting = dict(network.named_parameters())
    for _ in range(8):  # some networks leave out blocks at random
        network.zero_grad()
        outputs = all_outputs(network(pixels(2, 1, size)))
        sum((torch.cos(logits * 7 + 1)).sum() for logits in outputs).backward()
        for weight, value in list(waiting.items()):
            if value.grad is not None and value.grad.abs().max() > 0:
                assert value.grad.isfinite().all(), weight
                del waiting[weight]
    assert not waiting


@every_network
def test_only_what_says_so_draws_edges_and_only_in_training(name):
    described = description(name)
    network, planes = seeded(name), pixels(2, 1, description(name).smallest_size)
    answer = network(planes)
    edges = edges_of(answer)
    assert (edges is not None) == described.draws_edges
    if edges is not None:
        assert edges.shape == regions_of(answer)[0].shape
    with torch.no_grad():
        assert isinstance(network.eval()(planes), torch.Tensor)
    assert not described.deployed.draws_edges


@every_network
def test_same_seed_same_weights(name):
    one, same, other = (seeded(name, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


@every_network
def test_weights_are_saved_and_loaded(name, tmp_path: Path):
    size = description(name).smallest_size
    network, fresh = settled(name, size), seeded(name, seed=9).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    fresh.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    with torch.no_grad():
        assert torch.equal(network(pixels(1, 1, size)), fresh(pixels(1, 1, size)))


@every_network
def test_an_answer_is_the_same_again_and_does_not_depend_on_its_neighbours(name):
    size = description(name).smallest_size
    network, planes = settled(name, size), pixels(3, 1, size)
    with torch.no_grad():
        logits = network(planes)
        assert torch.equal(logits, network(planes))
        alone = network(planes[1:2])
    torch.testing.assert_close(alone, logits[1:2], rtol=0, atol=float(1e-4 * logits.abs().max()))


@every_network
def test_the_exported_file_answers_the_same(name):
    described = description(name)
    size = legal_size(described, (1,) * described.dimensions)
    network = settled(name, size)
    onnx = export_onnx(network, 1, size, free=described.free_export)
    if len(onnx) < 400_000_000:  # a bundle holds the half, in float16
        read_onnx(onnx)  # standard operators alone
    steps = range(described.dimensions) if described.free_export else (1,) * described.dimensions
    planes = pixels(3, 1, legal_size(described, tuple(steps)))  # not the exporter's number or size
    with torch.no_grad():
        wanted = network(planes).numpy()
    core = import_openvino().Core()
    compiled = core.compile_model(core.read_model(onnx), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled({"pixels": planes.numpy()})[0]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


@every_network
def test_two_images_are_learnt(name):
    described = description(name)
    planes, truth = two_images(described.smallest_size, described)
    network = seeded(name, 1, 3).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    losses: list[float] = []
    assert described.overfit_steps <= 200
    for _ in range(described.overfit_steps + 1):
        losses.append(learnt_a_step(network, optimiser, planes, truth))
        if len(losses) > 3 and sum(losses[-3:]) / 3 < losses[0] / 2:  # dropout makes noise
            return
    pytest.fail(f"from {losses[0]:.3f} to {losses[-3:]} in {len(losses) - 1} steps")


def two_images(size: tuple[int, ...], described: Any) -> tuple[Any, Any]:
    """One bright on its far side along the last axis, one along the axis before, with noise."""
    places = np.indices(size)
    bright = np.stack([places[-1] >= size[-1] // 2, places[-2] > size[-2] // 2])
    noise = np.random.default_rng(2).normal(0, 0.05, bright.shape)
    planes = torch.from_numpy((0.2 + 0.6 * bright + noise).astype(np.float32)[:, None])
    left = output_size(described, size)
    margins = [(whole - kept) // 2 for whole, kept in zip(size, left, strict=True)]
    kept = tuple(slice(m, m + length) for m, length in zip(margins, left, strict=True))
    return planes, torch.from_numpy(bright[(slice(None), *kept)].astype(np.int64))


def learnt_a_step(network: Any, optimiser: Any, planes: Any, truth: Any) -> float:
    optimiser.zero_grad()
    finest = all_outputs(network(planes))[0]
    loss = torch.nn.functional.cross_entropy(finest, truth)
    loss.backward()
    optimiser.step()
    return float(loss.item())


@every_network
def test_no_smaller_input_is_legal_and_the_paper_s_is(name):
    described = ARCHITECTURES[name]
    smallest = tuple(described.smallest_size)
    assert takes(described, smallest)
    assert takes(described, described.native_size)
    assert min(output_size(described, smallest)) >= 1
    smaller = legal_size(described, (-1,) * described.dimensions)
    assert not takes(described, smaller)


@every_network
def test_a_description_survives_a_settings_file(name):
    described = ARCHITECTURES[name]
    table = tomllib.loads(to_toml(to_table(described)))
    assert from_table(type(described), table) == described
    assert architecture({"name": name, **table}) == described


@every_network
def test_a_description_does_not_change(name):
    described = ARCHITECTURES[name]
    with pytest.raises((AttributeError, TypeError)):  # a class without fields raises the second
        setattr(described, next(iter(to_table(described)), "paper"), None)
    assert hash(described) == hash(architecture({"name": name}))
    assert described.paper


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "vnet"}, "did you mean .*unet"),
        ({"name": ["unet"]}, "heartseg networks"),
        ({"name": "unet", "widht": [4]}, "did you mean 'widths'"),
        ({"name": "unet", "widths": []}, "at least 1"),
        ({"name": "unet", "widths": [4, 0]}, "at least 1"),
        ({"name": "unet-2015", "dropout": 1.0}, "dropout in"),
        ({"name": "cmr-unet", "dropout": -0.1}, "a share"),
        ({"name": "fcn-8s", "finest": 4}, "32, 16, 8"),
    ],
)
def test_a_wrong_description_is_answered_with_the_right_one(table, message):
    with pytest.raises(ConfigError, match=message):
        architecture(table)
