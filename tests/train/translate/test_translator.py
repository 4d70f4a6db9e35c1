"""A translator loads as it was written, and not when anything was changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from heartseg.core.errors import ModelError  # noqa: E402
from heartseg.core.study import Modality, View  # noqa: E402
from heartseg.models.generators import generator  # noqa: E402
from heartseg.prepare import Preparation  # noqa: E402
from heartseg.segment import load_bundle  # noqa: E402
from heartseg.train.export import compress_to_float16, export_onnx  # noqa: E402
from heartseg.train.translate.engine import Engine  # noqa: E402
from heartseg.train.translate.translator import (  # noqa: E402
    BACK_ONNX,
    OUTPUT,
    THERE_ONNX,
    TOML,
    KindOfImage,
    TranslatorText,
    load_translator,
    write_translator,
)

SIDES = {
    name: KindOfImage(modality=Modality.MR, view=view, preparation=Preparation(stride=8))
    for name, view in (("source", View.SAX), ("target", View.LATE_ENHANCEMENT))
}
TEXT = TranslatorText(
    name="a-to-b", version="1", licence="CC0", method="cyclegan", stride=4, **SIDES
)
KINDS = {"resnet": {"widths": (3, 4, 4), "blocks": 1}, "unet": {"widths": (3, 4)}}


@pytest.fixture(scope="module")
def networks() -> dict[str, torch.nn.Module]:
    torch.manual_seed(3)
    return {name: generator({"name": name, **more}).build(1).eval() for name, more in KINDS.items()}


@pytest.fixture(scope="module")
def onnx(networks: dict[str, torch.nn.Module]) -> dict[str, bytes]:
    return {name: export_onnx(one, 1, (12, 16), answer=OUTPUT) for name, one in networks.items()}


@pytest.fixture
def folder(tmp_path: Path, onnx: dict[str, bytes]) -> Path:
    write_translator(tmp_path / "t", onnx["resnet"], onnx["unet"], TEXT)
    return tmp_path / "t"


def test_it_loads_as_it_was_written(folder: Path, onnx: dict[str, bytes]) -> None:
    found = load_translator(folder)
    assert found.text == TEXT
    assert (found.there, found.back) == (onnx["resnet"], onnx["unet"])


def test_one_without_a_way_back_has_none(tmp_path: Path, onnx: dict[str, bytes]) -> None:
    (tmp_path / BACK_ONNX).write_bytes(b"of an older one")
    write_translator(tmp_path, onnx["unet"], None, replace(TEXT, method="fastcut"))
    assert load_translator(tmp_path).back is None
    assert not (tmp_path / BACK_ONNX).exists()


@pytest.mark.parametrize("name", KINDS)
def test_the_engine_answers_as_torch_does(
    name: str, networks: dict[str, torch.nn.Module], onnx: dict[str, bytes]
) -> None:
    pixels = np.random.default_rng(1).random((3, 1, 20, 28), np.float32)  # not the exported size
    with torch.no_grad():
        wanted = networks[name](torch.from_numpy(pixels)).numpy()
    found = Engine(onnx[name], 4, "t").translated(pixels)
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    halved = Engine(compress_to_float16(onnx[name]), 4, "t").translated(pixels)
    np.testing.assert_allclose(halved, wanted, atol=2e-3)


def test_sizes_beside_the_stride_are_refused(onnx: dict[str, bytes]) -> None:
    with pytest.raises(ModelError, match="multiples of 4"):
        Engine(onnx["unet"], 4, "t").translated(np.zeros((1, 1, 18, 20), np.float32))


def test_it_is_no_model_of_segmentation(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"no folder with a model\.toml"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("stride = 4", "stride = 5", "multiples of 5"),
        ("stride = 4", "stride = 0", "stride 0"),
        ('name = "a-to-b"', 'name = "../b"', "name"),
        ('licence = "CC0"', 'licence = ""', "licence"),
        ('method = "cyclegan"', 'method = "magic"', "fastcut"),
        ('version = "1"', 'vresion = "1"', "did you mean 'version'"),
        ("neighbours = 0", "neighbours = 1", "input of shape"),
        ('version = "1"', "version = ", "no TOML"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(folder: Path, old: str, new: str, match: str) -> None:
    text = (folder / TOML).read_text(encoding="utf-8")
    assert old in text
    (folder / TOML).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelError, match=match):
        load_translator(folder)


@pytest.mark.parametrize("name", [THERE_ONNX, BACK_ONNX])
def test_changed_or_missing_weights_are_refused(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match="SHA-256"):
        load_translator(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match="beside"):
        load_translator(folder)


def test_networks_of_another_kind_are_refused(tmp_path: Path, onnx: dict[str, bytes]) -> None:
    network = generator({"name": "unet", **KINDS["unet"]}).build(2)
    for wrong, match in (
        (export_onnx(network, 2, (12, 16), answer=OUTPUT), "input of shape"),
        (export_onnx(network, 2, (12, 16)), "output 'translated'"),
    ):
        with pytest.raises(ModelError, match=match):
            write_translator(tmp_path, wrong, None, TEXT)
    assert not (tmp_path / TOML).exists()
    with pytest.raises(ModelError, match="no folder"):
        load_translator(tmp_path)
