"""Encoders that start from a file: by each library's names, for grey and for colours."""

import time
from pathlib import Path
from typing import Any

import pytest

from heartseg.core.errors import ConfigError, ModelError
from heartseg.models.grid import Grid

torch = pytest.importorskip("torch")
smp = pytest.importorskip("segmentation_models_pytorch")
timm = pytest.importorskip("timm")
torchvision = pytest.importorskip("torchvision")
from safetensors.torch import save_file  # noqa: E402

from heartseg.models import pretrained  # noqa: E402
from heartseg.models.pretrained import for_channels, load_encoder, read_weights  # noqa: E402


def shaken(network: Any) -> Any:
    """With statistics and scales that matter."""
    torch.manual_seed(5)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
    return network.eval()


def written(folder: Path, kind: str, weights: dict[str, Any]) -> str:
    path = folder / f"weights{kind}"
    if kind == ".safetensors":
        save_file({name: value.contiguous() for name, value in weights.items()}, path)
    else:
        torch.save(weights, path)
    return str(path)


@pytest.fixture(scope="module")
def colours() -> Any:
    """An encoder of three colours whose weights stand for ImageNet's."""
    return shaken(smp.encoders.get_encoder("resnet18", in_channels=3, weights=None))


@pytest.mark.parametrize("kind", [".safetensors", ".pt", ".pth"])
def test_a_grey_network_answers_as_the_colours_do_for_grey(kind, colours, tmp_path):
    path = written(tmp_path, kind, colours.state_dict())
    grey = Grid(decoder="unet", encoder="resnet18", weights=path).build(1, 2).eval().encoder
    planes = torch.rand(2, 1, 64, 96)
    with torch.no_grad():
        for mine, theirs in zip(
            grey(planes)[1:], colours(planes.repeat(1, 3, 1, 1))[1:], strict=True
        ):
            torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_equal_channels_give_the_answer_of_equal_colours(channels):
    kernel, plane = torch.rand(4, 3, 3, 3), torch.rand(1, 1, 8, 9)
    wanted = torch.nn.functional.conv2d(plane.repeat(1, 3, 1, 1), kernel)
    found = torch.nn.functional.conv2d(
        plane.repeat(1, channels, 1, 1), for_channels(kernel, channels)
    )
    torch.testing.assert_close(found, wanted)
    assert torch.equal(for_channels(kernel, 3), kernel)


@pytest.mark.parametrize(
    ("encoder", "library", "name"),
    [
        ("resnet34", "torchvision", "resnet34"),
        ("resnet50", "timm", "resnet50"),
        ("mobilenet_v2", "torchvision", "mobilenet_v2"),
        ("mobilenet_v2", "timm", "mobilenetv2_100"),
        ("efficientnet-b0", "timm", "tf_efficientnet_b0"),
        ("efficientnet-b1", "torchvision", "efficientnet_b1"),
    ],
)
def test_the_names_of_each_library_mean_the_same_layers(encoder, library, name, tmp_path):
    make = torchvision.models.get_model if library == "torchvision" else timm.create_model
    theirs = shaken(make(name, **({} if library == "timm" else {"weights": None})))
    mine = smp.encoders.get_encoder(encoder, in_channels=3, weights=None).eval()
    weights = read_weights(Path(written(tmp_path, ".pt", theirs.state_dict())))
    load_encoder(mine, weights, encoder=encoder, source="theirs")
    given = [v for k, v in weights.items() if not k.startswith(("fc.", "classifier."))]
    own = list(mine.state_dict().values())
    # the libraries do not register the layers in one order: compare what is there, whole
    sums = [sorted(round(v.double().sum().item(), 6) for v in values) for values in (given, own)]
    assert sums[0] == sums[1]
    if library == "timm" or encoder != "efficientnet-b1":  # torchvision's pads otherwise
        planes = torch.rand(1, 3, 224, 224)
        with torch.no_grad():
            wanted = last_features(theirs, planes)
            found = mine(planes)[-1]
            if hasattr(mine, "_conv_head"):
                found = mine._swish(mine._bn1(mine._conv_head(found)))
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


def last_features(network: Any, planes: Any) -> Any:
    if hasattr(network, "forward_features"):
        return network.forward_features(planes)
    if hasattr(network, "features"):
        return network.features(planes)
    x = network.maxpool(network.relu(network.bn1(network.conv1(planes))))
    return network.layer4(network.layer3(network.layer2(network.layer1(x))))


def test_vgg_16_loads_without_its_classifier():
    theirs = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"])
    mine = smp.encoders.get_encoder("vgg16", in_channels=1, weights=None)
    weights = {f"features.{name}": value for name, value in theirs.state_dict().items()}
    weights |= {"classifier.0.weight": torch.rand(2, 2), "classifier.6.bias": torch.rand(2)}
    load_encoder(mine, weights, encoder="vgg16", source="vgg16.pth")
    first = mine.state_dict()["features.0.weight"]
    torch.testing.assert_close(first, weights["features.0.weight"].sum(1, keepdim=True))


def test_pspnet_does_not_miss_the_stages_that_it_has_not(colours, tmp_path):
    path = written(tmp_path, ".safetensors", colours.state_dict())
    network = Grid(decoder="pspnet", encoder="resnet18", weights=path).build(3, 2)
    assert torch.equal(network.encoder.layer2[0].conv1.weight, colours.layer2[0].conv1.weight)


def test_a_whole_network_of_the_library_gives_its_encoder(colours, tmp_path):
    whole = {f"encoder.{name}": value for name, value in colours.state_dict().items()}
    path = written(tmp_path, ".pt", {"state_dict": {**whole, "decoder.x.weight": torch.rand(2)}})
    network = Grid(decoder="fpn", encoder="resnet18", weights=path).build(3, 2)
    assert torch.equal(network.encoder.conv1.weight, colours.conv1.weight)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("layer1.0.conv1.weight"), "no layer1.0.conv1.weight"),
        (lambda w: w.update(layer9=torch.rand(2)), "unknown layer9"),
        (lambda w: w.update({"bn1.bias": torch.rand(3)}), "another shape of bn1.bias"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_changes(change, said, colours):
    weights = dict(colours.state_dict())
    change(weights)
    network = smp.encoders.get_encoder("resnet18", in_channels=1, weights=None)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ModelError, match=said):
        load_encoder(network, weights, encoder="resnet18", source="broken.pt")
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_pickle_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"weight": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(ModelError, match="no plain state dict"):
        read_weights(tmp_path / "trap.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("gone.pt", None, ConfigError),
        ("weights.npz", b"x", ConfigError),
        ("broken.safetensors", b"\xff" * 40, ModelError),
        ("broken.pth", b"nothing", ModelError),
        ("empty.pt", b"", ModelError),
    ],
)
def test_a_file_that_is_none_is_said(name, content, error, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=name.split(".")[0]):
        read_weights(tmp_path / name)


def test_imagenet_out_of_reach_is_one_message_and_no_half_cache(tmp_path, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    def unreachable(*_: object, **__: object) -> Any:
        raise OSError("Name or service not known")

    monkeypatch.setattr(pretrained.urllib.request, "urlopen", unreachable)
    began = time.monotonic()
    with pytest.raises(ModelError, match="path/to/file.safetensors"):
        Grid(decoder="unet", encoder="resnet18", weights="imagenet").build(1, 2)
    assert time.monotonic() - began < 5
    assert not (tmp_path / "cache").exists()


def test_there_is_no_imagenet_for_the_plain_encoder():
    with pytest.raises(ConfigError, match="imagenet"):
        Grid(decoder="fpn", encoder="plain", weights="imagenet").build(1, 2)
