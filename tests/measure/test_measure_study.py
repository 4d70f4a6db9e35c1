import subprocess
import sys

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import MeasureError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Body, Modality, Phases, Study, View
from heartseg.measure.conventions import Convention
from heartseg.measure.study import measure_study
from tests.measure.echoes import frame, half_ellipsoid_ml, view
from tests.measure.hearts import BOX_SHAPE, LV, MYO, VENTRICLES, beating, boxes, segmentation


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


def infarcted(frames: int = 1):
    """Of the 416 voxels of wall 60 are scar and 18 obstructed."""
    labels = boxes()[:frames]
    labels[0, 1:4, 8:10, 6:16] = Structure.SCAR
    labels[0, 1:4, 8, 16:22] = Structure.NO_REFLOW
    return segmentation(labels, structures=(LV, MYO, Structure.SCAR, Structure.NO_REFLOW))


@pytest.mark.parametrize("frames", [1, 2])
def test_late_enhancement_has_scar_and_mass_but_no_function(frames):
    measured = measure_study(study(), {View.LATE_ENHANCEMENT: infarcted(frames)})

    assert measured.value("lv_scar_fraction") == pytest.approx(78 / 416)
    assert measured.value("lv_mass_g") == pytest.approx(416 * 0.015 * 1.05)
    problems = {finding.key: finding.problem for finding in measured.findings}
    for key in ("lv_ef", "lv_esv_ml", "lv_sv_ml"):
        assert measured.value(key) is None
        assert problems[key] == "a single phase: there is no end-systole to compare with"
    assert any("Late enhancement shows one phase" in said for said in measured.conventions)


def test_scar_needs_no_millimetres_and_is_not_zero_where_nobody_looked():
    pixels = infarcted()
    flat = Segmentation(pixels.labels, Geometry.from_pixels(BOX_SHAPE), pixels.structures)

    measured = measure_study(study(), {View.LATE_ENHANCEMENT: flat})
    cine = measure_study(study(), {View.SAX: segmentation(boxes())})

    assert measured.value("lv_scar_fraction") == pytest.approx(78 / 416)
    (stroke,) = (one for one in measured.findings if one.key == "lv_sv_ml")
    assert "single phase" in stroke.problem
    (scar,) = (one for one in cine.findings if one.key == "lv_scar_fraction")
    assert (scar.value, scar.problem) == (None, "myocardial scar was not looked for")


def test_an_unknown_view_is_measured_and_said():
    measured = measure_study(study(), {View.UNKNOWN: segmentation(beating())})

    assert measured.value("lv_ef") is not None
    assert any("view is not known" in said for said in measured.conventions)


def test_a_view_without_a_measure_is_left_alone_and_said():
    measured = measure_study(study(), {View.LAX_3CH: segmentation(boxes())})

    assert measured.findings == ()
    assert measured.quality.verdict == "review"
    assert "3ch" in measured.quality.reasons[0]


def test_long_axis_views_are_measured_where_there_is_no_stack():
    views = {View.LAX_4CH: view(frame(80, 50), frame(66, 36)), View.LAX_3CH: segmentation(boxes())}

    measured = measure_study(study(modality=Modality.US), views)

    assert measured.value("lv_edv_ml") == pytest.approx(half_ellipsoid_ml(80, 50), rel=0.02)
    assert measured.phases == {View.LAX_4CH: Phases(ed=0, es=1, how="detected")}
    assert "4ch_ed_apex" in measured.landmarks
    assert "Not measured: 3ch." in measured.conventions


def test_the_atrium_of_a_stack_is_that_of_its_long_axis_views():
    body = Body(height_cm=180, weight_kg=80)
    long = view(frame(80, 50), frame(66, 42, atrium_mm=40))
    views = {View.SAX: segmentation(beating()), View.LAX_2CH: long}

    measured = measure_study(study(body=body), views)

    by_hand = half_ellipsoid_ml(40, 42)
    assert measured.value("la_esv_ml") == pytest.approx(by_hand, rel=0.04)
    assert measured.value("la_esv_ml_per_m2") == pytest.approx(by_hand / 2, rel=0.04)
    assert any("LA volume is that of the long-axis views" in said for said in measured.conventions)
    assert not any(said.startswith("Not measured") for said in measured.conventions)
    assert [f.key for f in measured.findings].count("la_esv_ml") == 1


def test_a_stack_that_shows_the_atrium_measures_it_at_end_systole():
    labels = boxes()
    labels[1, 5, 8:14, 6:15] = Structure.LEFT_ATRIUM
    seen = segmentation(labels, structures=(*VENTRICLES, Structure.LEFT_ATRIUM))

    measured = measure_study(study(), {View.SAX: seen})

    assert measured.value("la_esv_ml") == pytest.approx(54 * 0.015)


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
