"""The published volumes of CAMUS from its published contours (Leclerc et al., IEEE TMI 2019)."""

from pathlib import Path

import numpy as np
import pytest

from heartseg.core.study import View
from heartseg.measure.study import Measured, measure_study
from heartseg.read import find_studies


@pytest.fixture(scope="module")
def patients(real_data: Path) -> list[tuple[dict[str, float], Measured]]:
    folder = real_data / "camus_original"
    if not folder.is_dir():
        pytest.skip("no CAMUS as published among the real images")
    found = [one for one in find_studies(folder) if one.reference is not None]
    return [(dict(one.published), measure_study(one.load(), one.reference())) for one in found]


def test_the_published_ejection_fractions_within_half_a_point(patients):
    assert len(patients) == 3
    for published, measured in patients:
        assert measured.value("lv_ef") == pytest.approx(published["lv_ef"], abs=0.005)


def test_the_published_volumes_within_two_percent(patients):
    for published, measured in patients:
        for key in ("lv_edv_ml", "lv_esv_ml"):
            assert measured.value(key) == pytest.approx(published[key], rel=0.02)


def test_experts_contours_pass_and_unlike_long_axes_are_noted(patients):
    noted = []
    for _, measured in patients:
        assert measured.quality.verdict == "pass", measured.quality.reasons
        assert set(measured.phases) == {View.LAX_4CH, View.LAX_2CH}
        problems = {one.key: one.problem or "" for one in measured.findings}
        noted.append("foreshortening" in problems["lv_esv_ml"])
    assert noted == [False, True, True]  # 58 of 60, 61 of 71 and 66 of 78 mm


def test_the_picture_without_millimetres_has_the_same_single_plane_fraction(real_data: Path):
    """Patient 1's 2-chamber view as a picture: padded to a square, resized, labels a little off."""
    published = find_studies(real_data / "camus_original" / "patient0001")[0]
    (picture,) = (one for one in find_studies(real_data / "camus") if one.id == "patient0001")

    whole = measure_study(published.load(), published.reference())
    flat = measure_study(picture.load(), picture.reference())

    key = next(f"lv_ef_{view}" for view, phases in flat.phases.items() if phases.es is not None)
    assert flat.value(key) == pytest.approx(whole.value(key), abs=0.02)
    assert flat.value("lv_edv_ml") is None


def test_longitudinal_strain_is_that_of_hearts_and_follows_the_ejection_fraction(real_data: Path):
    """Of pictures of one view at both phases, drawn by experts: some, as reading takes a while."""
    whole = [one for one in find_studies(real_data / "camus") if len(one.files) > 2][::4]
    pairs = []
    for found in (measure_study(one.load(), one.reference()) for one in whole):
        for view in found.phases:
            strain = found.value(f"lv_gls_{view.value}")
            if strain is not None:
                pairs.append((strain, found.value(f"lv_ef_{view.value}")))
    strains, fractions = np.array(pairs).T

    assert len(strains) >= 5
    assert (strains > -0.30).all()
    assert (strains < -0.05).all()
    assert np.corrcoef(strains, fractions)[0, 1] < -0.85


def test_the_picture_without_millimetres_has_about_the_same_strain(real_data: Path):
    published = find_studies(real_data / "camus_original" / "patient0001")[0]
    (picture,) = (one for one in find_studies(real_data / "camus") if one.id == "patient0001")

    whole = measure_study(published.load(), published.reference())
    flat = measure_study(picture.load(), picture.reference())

    view = next(view for view, phases in flat.phases.items() if phases.es is not None)
    assert flat.value("lv_gls") == pytest.approx(whole.value(f"lv_gls_{view.value}"), abs=0.015)
