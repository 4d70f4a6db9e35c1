"""A small study in which nothing is symmetric, and a report with everything in it."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Code
from heartseg.core.finding import Finding, ModelUse, Quality, Report, SliceAreas
from heartseg.core.image import Image, Segmentation
from heartseg.core.provenance import Provenance
from heartseg.core.study import Body, Modality, Phases, Study, View
from tests.report.cases import ED, ES, FRAMES, LV, MYO, RV, labels_of, oblique_geometry


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
