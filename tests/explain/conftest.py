"""A model of torch that reads anatomy from grey values exactly, and a patient painted for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from heartseg.core.study import Modality, View
from heartseg.models import build_network
from heartseg.prepare import Preparation
from heartseg.segment import Description, write_bundle
from heartseg.train.export import export_onnx
from tests import doors

WriteModel = Callable[..., Path]


@pytest.fixture(scope="session")
def write_model(tmp_path_factory: pytest.TempPathFactory) -> WriteModel:
    """Writes the bundle of a U-Net of one level whose likeliest class is the nearest grey value."""

    def write(name: str = "torch-gauge", steepness: float = 60.0) -> Path:
        network = build_network("unet", 1, 4, widths=(2,)).eval()
        classes = torch.arange(4.0)
        with torch.no_grad():
            for number in (0, 3):
                kernel = network.encoder[0][number].weight  # type: ignore[index, union-attr]
                kernel.zero_()
                kernel[:, 0, 1, 1] = 1.0
            network.output.weight.zero_()  # type: ignore[operator, union-attr]
            network.output.weight[:, 0, 0, 0] = steepness * classes  # type: ignore[index, union-attr]
            offset = -steepness * torch.tensor([0, 1 / 6, 3 / 6, 5 / 6]).cumsum(0)
            network.output.bias.copy_(offset)  # type: ignore[operator, union-attr]
        description = Description(
            name=name,
            version="1",
            licence="CC0",
            modality=Modality.MR,
            view=View.SAX,
            structures=doors.STRUCTURES,
            architecture={"name": "unet", "widths": [2]},
            preparation=Preparation(spacing_mm=1.5, stride=4, percentiles=(0.0, 100.0)),
        )
        folder = tmp_path_factory.mktemp("models") / name
        write_bundle(folder, export_onnx(network, 1, (8, 12)), description)
        return folder

    return write


@pytest.fixture(scope="session")
def model(write_model: WriteModel) -> Path:
    """The bundle."""
    return write_model()


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ACDC patient: ED is frame 1 of the files, ES frame 9; the last slice is empty."""
    return doors.write_patient(tmp_path_factory.mktemp("acdc") / "patient011")


@pytest.fixture(scope="session")
def lv() -> np.ndarray:
    """(2, z, y, x) where the LV is at ED and ES."""
    return doors.cine((8, 5)) == 3
