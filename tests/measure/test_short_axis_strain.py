"""Geometric circumferential and radial strain of the short axis, on rings of known radii."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.measure.short_axis_strain import short_axis_strain
from heartseg.measure.study import measure_study

LV, MYO = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM
PAIR = Phases(ed=0, es=1, how="given")
SPACING_MM = (9.0, 1.1, 0.9)
ED, ES = (24.0, 33.0), (17.0, 30.0)
"""Radii of cavity and wall in mm."""

OPEN = 4
"""A slice whose wall is open on one side."""


def slices(inner: float, outer: float, open_slices: tuple[int, ...] = (OPEN,)) -> Labels:
    """(5, y, x): tapering rings off the middle of the picture, some of them open."""
    y, x = np.indices((88, 100))
    far = np.hypot((y - 41.3) * SPACING_MM[1], (x - 52.6) * SPACING_MM[2])
    labels = np.zeros((5, 88, 100), np.uint8)
    for z in range(5):
        labels[z][far < outer * (1 - 0.05 * z)] = MYO
        labels[z][far < inner * (1 - 0.05 * z)] = LV
    for z in open_slices:
        labels[z][:38][labels[z][:38] == MYO] = 0
    return labels


def stack(*frames: Labels, mm: bool = True) -> Segmentation:
    grid = Geometry.from_pixels(frames[0].shape, SPACING_MM if mm else None)
    return Segmentation(np.stack(frames), grid, (LV, MYO))


def values(seen: Segmentation, phases: Phases | None = PAIR) -> dict[str, float | None]:
    return {one.key: one.value for one in short_axis_strain(seen, phases).findings}


@pytest.mark.parametrize("mm", [True, False])
def test_both_strains_are_known_from_the_radii(mm):
    found = values(stack(slices(*ED), slices(*ES), mm=mm))

    assert found["lv_gcs"] == pytest.approx(sum(ES) / sum(ED) - 1, abs=0.004)
    assert found["lv_grs"] == pytest.approx((30 - 17) / (33 - 24) - 1, abs=0.02)


def test_a_slice_counts_where_its_ring_is_closed_both_times():
    """The slices that open at end-systole would look thin."""
    opened = slices(*ES, open_slices=(1, 2, OPEN))

    found = values(stack(slices(*ED), opened))

    assert found["lv_grs"] == pytest.approx(13 / 9 - 1, abs=0.03)


def test_every_frame_has_its_strains():
    middle = (20.0, 31.5)
    seen = stack(slices(*ED), slices(*middle), slices(*ES), slices(*middle))

    found = short_axis_strain(seen, Phases(ed=0, es=2, how="given")).curves
    partly = short_axis_strain(replace(seen, covered=(0, 2)), PAIR).curves

    around = [sum(one) / sum(ED) - 1 for one in (ED, middle, ES, middle)]
    thick = [(one[1] - one[0]) / 9 - 1 for one in (ED, middle, ES, middle)]
    assert found["lv_gcs"] == pytest.approx(around, abs=0.005)
    assert found["lv_grs"] == pytest.approx(thick, abs=0.02)
    assert partly["lv_gcs"][1] is None
    assert short_axis_strain(stack(slices(*ED), slices(*ES)), PAIR).curves == {}


def test_why_there_are_none():
    seen = stack(slices(*ED), slices(*ES))
    open_everywhere = stack(slices(*ED, open_slices=(0, 1, 2, 3, 4)), slices(*ES))
    for labels, phases, why in (
        (seen, None, "no LV cavity"),
        (seen, Phases(ed=0, es=None, how="given"), "single phase"),
        (replace(seen, structures=(LV,)), PAIR, "LV myocardium was not looked for"),
        (open_everywhere, PAIR, "no slice in which myocardium rings"),
    ):
        for one in short_axis_strain(labels, phases).findings:
            assert one.value is None
            assert why in str(one.problem)


def test_a_study_has_them_with_their_words():
    study = Study(id="a", modality=Modality.MR, images={}, sources={}, phases={View.SAX: PAIR})

    found = measure_study(study, {View.SAX: stack(slices(*ED), slices(*ES))})

    strains = [one for one in found.findings if one.key in ("lv_gcs", "lv_grs")]
    assert len(strains) == 2
    for one in strains:
        assert "geometric" in one.name
        assert one.reference is None
        assert one.value is not None
    assert any("Geometric circumferential and radial strain" in said for said in found.conventions)
