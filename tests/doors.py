"""What tests of the doors share: a model that reads anatomy from grey values, and small studies.

The shipped model may become better or worse; these tests must not. `write_gauge` makes a bundle of
one 1x1 convolution whose likeliest class is the nearest of four grey values, so that a study
painted with those values has an exactly known segmentation.
"""

from pathlib import Path

import nibabel as nib
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Body, Modality, View
from heartseg.formats.dicom_write import CineTags, write_cine
from heartseg.prepare import Preparation
from heartseg.segment import Description, write_bundle

STRUCTURES = (
    Structure.BACKGROUND,
    Structure.RV_CAVITY,
    Structure.LV_MYOCARDIUM,
    Structure.LV_CAVITY,
)
"""In this order grey values rise, and ACDC numbers too."""

SPACING_MM = (9.0, 1.5, 1.5)
SHAPE = (4, 38, 46)
"""Even, so that padding moves nothing by half a pixel."""


def write_gauge(
    folder: Path,
    *,
    name: str = "gauge",
    steepness: float = 400.0,
    spacing_mm: float = 1.5,
    view: View = View.SAX,
) -> Path:
    """The bundle `gauge`; the less steep, the less sure."""
    classes = np.arange(4, dtype=np.float32)
    # Lines of rising slope: each is the highest between its neighbours' crossings at odd sixths.
    kernel = (steepness * classes).reshape(4, 1, 1, 1)
    offset = -steepness * np.cumsum([0, 1 / 6, 3 / 6, 5 / 6]).astype(np.float32)
    node = helper.make_node("Conv", ["pixels", "kernel", "offset"], ["logits"])
    free = ["n", 1, "h", "w"]
    graph = helper.make_graph(
        [node],
        "gauge",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, free)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4, "h", "w"])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(offset, "offset")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    description = Description(
        name=name,
        version="1",
        licence="CC0",
        modality=Modality.MR,
        view=view,
        structures=STRUCTURES,
        architecture={"name": "gauge"},
        preparation=Preparation(spacing_mm=spacing_mm, stride=4, percentiles=(0.0, 100.0)),
    )
    write_bundle(folder, model.SerializeToString(), description)
    return folder


def heart(radius: int = 6) -> np.ndarray:
    """(z, y, x) ACDC numbers: an LV of this radius in a ring of 3 pixels, an RV beside it."""
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    labels = np.zeros(SHAPE, np.uint8)
    for z in range(3):  # the last slice shows none
        to_lv = np.hypot(y - 20, x - 27)
        to_rv = np.hypot(y - 18, x - 17)
        labels[z][to_rv <= 7 - z] = 1
        labels[z][to_lv <= radius - z + 3] = 2
        labels[z][to_lv <= radius - z] = 3
    return labels


def painted(labels: np.ndarray) -> np.ndarray:
    """Grey values from which `gauge` reads these ACDC numbers."""
    return labels.astype(np.int16) * 300


def affine(spacing_mm: tuple[float, float, float] = SPACING_MM) -> np.ndarray:
    """RAS affine of (x, y, z) voxels, away from the origin."""
    z, y, x = spacing_mm
    matrix = np.diag([-x, -y, z, 1.0])
    matrix[:3, 3] = (31.0, -17.0, 5.5)
    return matrix


def save_nifti(path: Path, zyx: np.ndarray, *, description: str = "") -> Path:
    """Write (z, y, x) or (t, z, y, x) with nibabel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.moveaxis(zyx, range(zyx.ndim), range(zyx.ndim)[::-1]), affine())
    image.header.set_xyzt_units("mm", "msec")
    image.header["descrip"] = description.encode()
    if zyx.ndim == 4:
        image.header["pixdim"][4] = 40.0
    nib.save(image, path)
    return path


def write_patient(folder: Path, *, radii: tuple[int, int] = (8, 5), labels: bool = True) -> Path:
    """An ACDC patient's folder; ED is frame 1, ES frame 9."""
    name = folder.name
    folder.mkdir(parents=True)
    (folder / "Info.cfg").write_text(
        "ED: 1\nES: 9\nGroup: DCM\nHeight: 180.0\nNbFrame: 30\nWeight: 80.0\n", encoding="utf-8"
    )
    for number, radius in zip((1, 9), radii, strict=True):
        drawn = heart(radius)
        save_nifti(folder / f"{name}_frame{number:02d}.nii.gz", painted(drawn))
        if labels:
            save_nifti(folder / f"{name}_frame{number:02d}_gt.nii.gz", drawn)
    return folder


def cine(radii: tuple[int, ...] = (8, 6, 5, 7)) -> np.ndarray:
    """(t, z, y, x) ACDC numbers of a beating heart."""
    return np.stack([heart(radius) for radius in radii])


def write_dicom(folder: Path, **tags: object) -> Path:
    """A DICOM cine of `cine()`, series 7, oblique."""
    turned = -np.array(
        [[0.0, 0.8, 0.6], [0.28, -0.576, 0.768], [0.96, 0.168, -0.224]], np.float64
    ).T
    matrix = np.eye(4)
    matrix[:3, :3] = turned * np.array(SPACING_MM)
    matrix[:3, 3] = (-40.0, 22.0, 11.0)
    geometry = Geometry(SHAPE, matrix)
    image = Image(painted(cine()), geometry, (0.0, 210.0, 400.0, 650.0))
    said = {"series_number": 7, "body": Body(height_cm=170.0, weight_kg=70.0), **tags}
    write_cine(folder, image, CineTags(**said))  # type: ignore[arg-type]
    return folder


def volume_ml(labels: np.ndarray, number: int) -> float:
    """Volume of the voxels of that number."""
    return float((labels == number).sum() * np.prod(SPACING_MM) / 1000)


ACDC = SCHEMES["acdc"]
