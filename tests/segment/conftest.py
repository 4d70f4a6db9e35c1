"""A tiny network with random weights, as a bundle."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.segment import Bundle, Description, write_bundle

TABLE = {"name": "unet", "widths": [4, 6, 10]}
STRUCTURES = (
    Structure.BACKGROUND,
    Structure.RV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.LV_CAVITY,
)


@pytest.fixture(scope="session")
def network() -> Any:
    """A U-Net with batch statistics that matter, in evaluation mode."""
    torch = pytest.importorskip("torch")
    from heartseg.models import architecture

    torch.manual_seed(5)
    net = architecture(TABLE).build(1, len(STRUCTURES))
    with torch.no_grad():
        for _ in range(3):
            net(torch.rand(4, 1, 16, 24) * 2)
        for weight in net.parameters():
            weight += 0.05 * torch.randn_like(weight)
    return net.eval()


@pytest.fixture(scope="session")
def onnx_f32(network: Any) -> bytes:
    """That network exported, weights in float32."""
    from heartseg.train.export import export_onnx

    return export_onnx(network, 1, (8, 12))


@pytest.fixture(scope="session")
def onnx_f16(onnx_f32: bytes) -> bytes:
    """That network exported, kernels in float16."""
    from heartseg.train.export import compress_to_float16

    return compress_to_float16(onnx_f32)


@pytest.fixture(scope="session")
def description() -> Description:
    """What the bundle says of it."""
    return Description(
        name="tiny",
        version="0.0.1",
        licence="CC0",
        modality=Modality.MR,
        view=View.SAX,
        structures=STRUCTURES,
        architecture=TABLE,
        preparation=Preparation(spacing_mm=2.0, stride=4, field_px=64),
        training={"data": "none", "seeds": [5]},
        scores={"dice": 0.25},
    )


@pytest.fixture(scope="session")
def bundle(
    tmp_path_factory: pytest.TempPathFactory, onnx_f16: bytes, description: Description
) -> Bundle:
    """The bundle, written."""
    folder: Path = tmp_path_factory.mktemp("bundles") / "tiny"
    return write_bundle(folder, onnx_f16, description)


@pytest.fixture
def planes() -> np.ndarray:
    """(5, 1, 20, 28) pixels in [0, 1]; no two axes alike."""
    return np.random.default_rng(3).random((5, 1, 20, 28), dtype=np.float32)
