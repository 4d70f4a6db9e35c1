"""A small study in which nothing is symmetric, and a report with everything in it."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Code, Structure
from heartseg.core.finding import Finding, ModelUse, Quality, Report, SliceAreas
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.provenance import Provenance
from heartseg.core.study import Body, Modality, Phases, Study, View

SHAPE = (5, 60, 44)
SPACING_MM = (9.0, 1.25, 1.75)
FRAMES = 4
ED, ES = 1, 3

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


def oblique_geometry() -> Geometry:
    """A short axis as scanners make it: planes tilted, slices stored from base to apex."""
    down = np.array([0.2, 0.6, -0.8])
    right = np.array([0.8, 0.35, 0.45])
    down /= np.linalg.norm(down)
    right -= down * (right @ down)
    right /= np.linalg.norm(right)
    to_apex = np.cross(down, right)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([to_apex, down, right], axis=1) * SPACING_MM
    affine[:3, 3] = (31.0, -17.0, 55.0)
    return Geometry(SHAPE, affine)


def labels_of(frame: int) -> np.ndarray:
    """A ventricle below and right of the middle, the other to its left; smaller at the apex."""
    z, y, x = np.indices(SHAPE)
    size = (1.0 - 0.13 * z) * (0.7 if frame == ES else 1.0)
    from_lv = np.hypot((y - 34) * SPACING_MM[1], (x - 26) * SPACING_MM[2])
    from_rv = np.hypot((y - 29) * SPACING_MM[1], (x - 13) * SPACING_MM[2])
    labels = np.zeros(SHAPE, np.uint8)
    labels[from_rv < 11 * size] = RV
    labels[from_lv < 16 * size + 5] = MYO
    labels[from_lv < 16 * size] = LV
    labels[4] = 0
    return labels


@pytest.fixture
def segmentation() -> Segmentation:
    labels = np.stack([labels_of(frame) for frame in range(FRAMES)])
    times = (0.0, 40.0, 85.0, 130.0)
    return Segmentation(labels, oblique_geometry(), (LV, MYO, RV), times)


@pytest.fixture
def study(segmentation: Segmentation) -> Study:
    # Nearly black: bright pixels of a picture are then lines and letters.
    voxels = np.zeros(segmentation.labels.shape, np.int16)
    voxels[:, :, 0, 0] = 1000
    image = Image(voxels, segmentation.geometry, segmentation.times_ms)
    return Study(id="case-7", modality=Modality.MR, images={View.SAX: image}, sources={})


def finding(key: str, value: float | None, unit: str, **more: object) -> Finding:
    return replace(Finding(key=key, name=f"LV {key}", value=value, unit=unit), **more)


@pytest.fixture
def report() -> Report:
    return Report(
        study="case-7",
        modality=Modality.MR,
        views=(View.SAX,),
        model=ModelUse(
            name="cine-mr", version="1.2", sha256="0f" * 32, licence="CC BY 4.0", precision="bf16"
        ),
        phases={View.SAX: Phases(ed=ED, es=ES, how="detected", rv_es=2)},
        findings=(
            finding("lv_edv_ml", 152.44, "mL", interval=(148.0, 157.0), reference=(80.0, 140.0)),
            finding("lv_edv_ml_per_m2", None, "mL/m2", problem="height not known"),
            finding(
                "lv_ef",
                0.5432,
                "1",
                interval=(0.52, 0.561),
                code=Code("LN", "8811-2", "Left ventricular ejection fraction by MR"),
            ),
            finding("sv_difference_ml", -7.25, "mL", problem="look at the base"),
        ),
        quality=Quality(verdict="review", reasons=("the base is uncertain",)),
        strategy={"model": "cine-mr: a short-axis cine"},
        body=Body(sex="F", age_years=61.0),
        conventions=("Papillary muscles count as cavity.",),
        provenance=Provenance(
            version="0.1.0",
            created="2026-11-20T10:00:00Z",
            commit="abc1234",
            inputs=("case-7.nii.gz",),
            settings={"flips": True, "preparation": {"spacing_mm": 1.5}},
        ),
        curves={
            "time_ms": (0.0, 40.0, 85.0, 130.0),
            "lv_ml": (150.0, 152.44, 110.0, 69.6),
            "rv_ml": (140.0, 141.0, None, 80.0),
        },
        slices=(SliceAreas(position_mm=0.0, areas_mm2={"lv_ed": 812.5}),),
        landmarks={"rv_insertion": (1.0, -2.5, 3.0)},
        segments={"1": 9.5, "17": None},
        interval_level=0.9,
        interval_covers="segmentation interval; reader and rescan variation not included",
    )
