"""A small heart that is scanned once for all tests of the traditional methods."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES, Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.formats.nifti import write_image, write_labels
from heartseg.phantom import Acquisition, Torso, draw_heart, labels, render

Drawn = tuple[Image, Segmentation]


def scanned(seed: int) -> Drawn:
    """End-diastole of a normal heart in three middle slices, and its true labels."""
    rng = np.random.default_rng(seed)
    heart, torso = draw_heart(rng, "normal"), Torso.random(rng)
    scan = Acquisition(
        slices=3, frames=1, matrix=(150, 132), spacing_mm=(2.0, 2.1), seed=seed, bias=0.3
    )
    centre = tuple(scan.geometry(heart).point((0.2, 74.5, 65.5)).tolist())
    scan = replace(scan, centre_mm=centre)  # lower than usual: all three planes show the cavity
    return render(heart, scan, torso=torso), labels(heart, scan)


@pytest.fixture(scope="session")
def heart() -> Drawn:
    return scanned(11)


@pytest.fixture(scope="session")
def study(heart: Drawn) -> Study:
    return Study(id="p", modality=Modality.MR, images={View.SAX: heart[0]}, sources={View.SAX: ()})


@pytest.fixture(scope="session")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two other hearts that were drawn on."""
    folder = tmp_path_factory.mktemp("atlas")
    (folder / "labels.toml").write_text('[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n')
    for seed in (3, 5):
        image, truth = scanned(seed)
        write_image(folder / f"heart{seed}_sax.nii.gz", image)
        write_labels(folder / f"heart{seed}_sax_gt.nii.gz", truth, SCHEMES["acdc"])
    return folder


@pytest.fixture(scope="session")
def echo() -> Drawn:
    """A dark cavity with a bright wall in a fan of speckle, without millimetres."""
    random = np.random.default_rng(2)
    rows, columns = np.mgrid[:256, :280]
    fan = (np.abs(columns - 140) < rows * 0.8) & (np.hypot(rows, columns - 140) < 250)
    inside = np.hypot((rows - 105) / 52, (columns - 148) / 30) < 1
    speckle = np.where(inside, 0.1, 0.6) * random.rayleigh(0.8, fan.shape)
    grey = (255 * speckle.clip(0.03, 1) * fan).astype(np.uint8)
    geometry = Geometry.from_pixels((1, *fan.shape))
    cavity = np.where(inside, np.uint8(Structure.LV_CAVITY), np.uint8(0))
    truth = Segmentation(cavity[None, None], geometry, (Structure.LV_CAVITY,))
    return Image(grey[None, None], geometry), truth
