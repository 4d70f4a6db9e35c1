import subprocess
import sys

import numpy as np
import pytest

from heartseg.core.errors import MeasureError
from heartseg.core.image import Image
from heartseg.core.study import Body, Modality, Phases, Study, View
from heartseg.measure import Convention, measure_study
from tests.measure.hearts import beating, boxes, segmentation


def study(**known) -> Study:
    seen = segmentation(beating())
    image = Image(np.zeros(seen.labels.shape, np.int16), seen.geometry)
    settings = {"id": "s1", "modality": Modality.MR, "images": {View.SAX: image}, "sources": {}}
    return Study(**{**settings, **known})


def test_a_study_is_measured_with_its_body_and_phases():
    body = Body(height_cm=180, weight_kg=80, heart_rate_bpm=60)
    given = study(body=body, phases={View.SAX: Phases(ed=1, es=8, how="given")})

    measured = measure_study(given, {View.SAX: segmentation(beating())})

    assert measured.phases == {View.SAX: Phases(ed=1, es=8, how="given", rv_es=9)}
    edv, indexed = measured.value("lv_edv_ml"), measured.value("lv_edv_ml_per_m2")
    assert edv is not None
    assert indexed == pytest.approx(edv / 2)
    assert measured.quality.verdict == "pass"
    assert len(measured.curves["lv_ml"]) == 20
    assert len(measured.slices) == 9


def test_the_studys_modality_decides_the_codes():
    ct = measure_study(study(modality=Modality.CT), {View.SAX: segmentation(beating())})

    (fraction,) = (f for f in ct.findings if f.key == "lv_ef")
    assert fraction.code is not None
    assert fraction.code.value == "8810-4"


def test_the_convention_reaches_the_page():
    with_tract = Convention(rv_outflow_tract=True)

    measured = measure_study(study(), {View.SAX: segmentation(beating())}, convention=with_tract)

    assert "The RV includes its outflow tract." in measured.conventions


def test_the_short_axis_comes_first_and_the_rest_is_named():
    views = {View.LATE_ENHANCEMENT: segmentation(boxes()[:1]), View.SAX: segmentation(beating())}

    measured = measure_study(study(), views)

    assert set(measured.phases) == {View.SAX}
    assert "Not measured: lge." in measured.conventions


def test_late_enhancement_alone_has_no_function():
    measured = measure_study(study(), {View.LATE_ENHANCEMENT: segmentation(boxes()[:1])})

    assert measured.value("lv_mass_g") is not None
    assert measured.value("lv_ef") is None


def test_an_unknown_view_is_measured_and_said():
    measured = measure_study(study(), {View.UNKNOWN: segmentation(beating())})

    assert measured.value("lv_ef") is not None
    assert any("view is not known" in said for said in measured.conventions)


def test_a_long_axis_view_is_left_alone_and_said():
    measured = measure_study(study(), {View.LAX_4CH: segmentation(boxes())})

    assert measured.findings == ()
    assert measured.quality.verdict == "review"
    assert "4ch" in measured.quality.reasons[0]


def test_an_empty_segmentation_is_a_result_not_a_crash():
    nothing = segmentation(np.zeros_like(boxes()))

    measured = measure_study(study(), {View.SAX: nothing})

    assert measured.quality.verdict == "reject"
    assert measured.phases == {}


def test_no_segmentation_is_an_error():
    with pytest.raises(MeasureError, match="no segmentation"):
        measure_study(study(), {})


def test_importing_the_measures_loads_numpy_only():
    heavy = ["torch", "nibabel", "pydicom", "SimpleITK", "scipy.ndimage", "scipy.spatial"]
    code = f"import sys, heartseg.measure; print([m for m in {heavy!r} if m in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"
