"""Geometric longitudinal strain and segmental motion, against curves of known length."""

from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.geometry import BASE_LPS, Geometry, Orientation
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.measure.apical_walls import NAMES
from heartseg.measure.endocardium import FEWEST_STEPS, endocardium
from heartseg.measure.simpson import chamber
from heartseg.measure.study import Measured, measure_study
from tests.measure.hearts import beating, segmentation
from tests.measure.long_axes import LA, LV, MYO, RV, SPACING_MM, Ventricle, drawn, loop

FOUR, TWO, THREE = View.LAX_4CH, View.LAX_2CH, View.LAX_3CH
PAIR = Phases(ed=0, es=1, how="given")
ED, ES = Ventricle(82, 21, 27), Ventricle(68, 19, 16)
"""The left wall moves little, the right one much."""

NEUTRAL = [f"{level}_{side}" for side, levels in (("left", ("basal", "mid", "apical")),
           ("right", ("apical", "mid", "basal"))) for level in levels]  # fmt: skip


def measured(
    views: dict[View, Segmentation], phases: Phases | None = PAIR, modality: Modality = Modality.US
) -> Measured:
    given = dict.fromkeys(views, phases) if phases else {}
    study = Study(id="a", modality=modality, images={}, sources={}, phases=given)
    return measure_study(study, views)


def finding(found: Measured, key: str):
    return next(one for one in found.findings if one.key == key)


def motions(found: Measured, view: View, names) -> list[float | None]:
    return [found.segments[f"{view.value}_{name}_motion_mm"] for name in names]


def length_mm(ventricle: Ventricle, spacing: tuple[float, float]) -> float:
    plane = drawn(ventricle, (1.0, *spacing))[0]
    return endocardium(plane, chamber(plane, LV, LA, spacing), spacing).length


@pytest.mark.parametrize(
    ("spacing", "within"),
    [((0.4, 0.4), 0.006), ((0.62, 0.31), 0.006), ((0.5, 0.8), 0.008), ((1.5, 1.25), 0.014)],
)
def test_the_contour_is_as_long_as_the_elliptic_integral(spacing, within):
    """However the heart is turned and lies between the pixels; steps alone are 5 to 10 % long."""
    wrong = [
        length_mm(replace(one, slant=slant, shift=(0.13 * k, 0.29 * k)), spacing) / one.arc_mm - 1
        for one in (ED, ES)
        for k, slant in enumerate((-0.55, 0.0, 0.21, 0.5))
    ]

    assert np.abs(wrong).max() < within
    assert np.mean(wrong) == pytest.approx(0, abs=0.004)


def test_strain_at_end_systole_of_each_view_and_their_mean():
    thinner = Ventricle(84, 20, 22), Ventricle(74, 15, 19)
    views = {FOUR: loop(drawn(ED), drawn(ES)), TWO: loop(*(drawn(one) for one in thinner))}

    found = measured(views)

    known = [ES.arc_mm / ED.arc_mm - 1, thinner[1].arc_mm / thinner[0].arc_mm - 1]
    assert found.value("lv_gls_4ch") == pytest.approx(known[0], abs=0.005)
    assert found.value("lv_gls_2ch") == pytest.approx(known[1], abs=0.005)
    assert found.value("lv_gls") == pytest.approx(np.mean(known), abs=0.005)
    assert finding(found, "lv_gls").problem == "mean of the 4-chamber and 2-chamber views"
    for one in found.findings:
        if "gls" in one.key:
            assert "geometric" in one.name
            assert one.reference is None
            assert one.code is None
            assert one.unit == "1"


def test_two_phases_have_no_peak_and_no_curves_and_the_page_says_what_is_measured():
    found = measured({FOUR: loop(drawn(ED), drawn(ES))})

    assert found.value("lv_gls_peak_4ch") is None
    assert found.value("lv_gls_peak") is None
    assert "2 frames with a contour" in finding(found, "lv_gls_peak").problem
    assert finding(found, "lv_gls").problem == "4-chamber view only"
    assert not [key for key in found.curves if "gls" in key or key.endswith("_step_mm")]
    said = " ".join(found.conventions)
    assert "Geometric longitudinal strain" in said
    assert "speckle tracking do not apply" in said


SHARES = (0.0, 0.03, 0.08, 0.14, 0.17, 0.18, 0.16, 0.11, 0.06, 0.01)
"""By how much the whole ventricle is smaller in each frame: so much is its strain."""


@pytest.fixture(scope="module")
def cine() -> Measured:
    frames = [drawn(replace(ED.scaled(1 - share), shift=(0.4 * k, 0.0)))
              for k, share in enumerate(SHARES)]  # fmt: skip
    seen = loop(*frames, times_ms=tuple(40.0 * k for k in range(len(SHARES))))
    return measured({FOUR: seen}, Phases(ed=0, es=4, how="given"))


def test_the_strain_of_every_frame_and_its_peak(cine):
    assert cine.curves["lv_gls_4ch"] == pytest.approx([-share for share in SHARES], abs=0.006)
    assert cine.curves["time_ms_4ch"][3] == 120
    assert cine.value("lv_gls_4ch") == pytest.approx(-0.17, abs=0.006)
    assert cine.value("lv_gls_peak_4ch") == pytest.approx(-0.18, abs=0.006)
    problem = finding(cine, "lv_gls_peak_4ch").problem
    assert problem == "at frame 6, 1 frame after end-systole"


def test_motion_since_end_diastole_and_from_frame_to_frame(cine):
    known = np.outer(SHARES, ED.widths_mm())  # a smaller copy moves by its share of its width

    for place, name in enumerate(NEUTRAL):
        moved = np.array(cine.curves[f"4ch_{name}_motion_mm"])
        steps = cine.curves[f"4ch_{name}_step_mm"]
        assert moved == pytest.approx(known[:, place], abs=0.35), name
        assert steps[0] is None
        assert steps[1:] == pytest.approx(np.diff(moved)), name
        assert cine.segments[f"4ch_{name}_motion_mm"] == moved[4]


def test_segments_move_as_the_curves_formula_says_and_the_whole_heart_does_not_count():
    known = ED.widths_mm() - ES.widths_mm()
    moved = replace(ES, slant=ES.slant + 0.15, shift=(-5.0, 4.0))
    for after in (ES, moved):
        found = measured({FOUR: loop(drawn(ED), drawn(after))})

        assert motions(found, FOUR, NEUTRAL) == pytest.approx(list(known), abs=0.4)
    assert known[4] > known[1] + 2


def test_without_orientation_the_walls_have_no_names():
    found = measured({FOUR: loop(drawn(ED), drawn(ES))})

    assert motions(found, FOUR, NAMES[FOUR]) == [None] * 6
    assert None not in motions(found, FOUR, NEUTRAL)
    assert any("the walls are not named" in said and "inferoseptal wall on the left" in said
               for said in found.conventions)  # fmt: skip


@pytest.mark.parametrize(
    ("view", "side", "first_left"),
    [(FOUR, -1, True), (FOUR, 1, False), (THREE, 1, True), (THREE, -1, False)],
)
def test_the_right_ventricle_shows_the_septum(view, side, first_left):
    structures = (LV, MYO, LA, RV, Structure.AORTA)
    seen = loop(drawn(ED, rv=side), drawn(ES, rv=side), structures=structures)

    found = measured({view: seen})

    known = list(ED.widths_mm() - ES.widths_mm())
    names = NAMES[view] if first_left else NAMES[view][::-1]
    assert motions(found, view, names) == pytest.approx(known, abs=0.4)
    assert f"{view.value}_mid_left_motion_mm" not in found.segments
    assert any("beside the septum" in said for said in found.conventions)


TO_RIGHT = {FOUR: (1.0, 1.0, 0.0), TWO: (0.0, -1.0, 1.0), THREE: (-1.0, -2.0, 1.0)}
"""Left and back lies the lateral wall, in front and up the anterior, in front and right the
anteroseptal one: what a usual display has on the right."""


def placed(view: View, mirrored: bool = False) -> Geometry:
    """Rows run to the base of a usual heart, columns to the wall on the right."""
    columns = np.array(TO_RIGHT[view]) / np.linalg.norm(TO_RIGHT[view])
    columns = -columns if mirrored else columns
    affine = np.eye(4)
    axes = np.stack([np.cross(columns, BASE_LPS), BASE_LPS, columns], axis=1)
    affine[:3, :3] = axes * np.array(SPACING_MM)
    return Geometry(drawn(ED).shape, affine)


@pytest.mark.parametrize("view", [FOUR, TWO])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_place_in_the_patient_names_the_walls(view, mirrored):
    seen = loop(drawn(ED), drawn(ES), geometry=placed(view, mirrored))

    found = measured({view: seen}, modality=Modality.MR)
    as_echo = measured({view: seen})

    known = list(ED.widths_mm() - ES.widths_mm())
    names = NAMES[view][::-1] if mirrored else NAMES[view]
    assert motions(found, view, names) == pytest.approx(known, abs=0.4)
    assert motions(as_echo, view, NAMES[view]) == [None] * 6


STORED = (
    Orientation((0, 1, 2), (False, True, True)),
    Orientation((0, 2, 1), (True, False, False)),
)


@pytest.mark.parametrize("stored", STORED)
def test_segments_do_not_depend_on_how_the_file_stores_them(stored):
    seen = loop(drawn(ED), drawn(ES), geometry=placed(FOUR))
    other = Segmentation(stored.apply(seen.labels), seen.geometry.oriented(stored), seen.structures)

    found = [measured({FOUR: one}, modality=Modality.MR) for one in (seen, other)]

    assert found[1].segments == pytest.approx(found[0].segments, abs=0.1)
    assert found[1].value("lv_gls") == pytest.approx(found[0].value("lv_gls"), abs=0.003)


def test_a_plane_that_does_not_lie_as_hearts_do_names_nothing():
    """Once its walls lie in front and behind, once its apex is where hearts have their base."""
    usual = placed(FOUR).affine
    upside_down = usual * np.array([1.0, -1.0, 1.0, 1.0])
    for affine in (usual[:, [0, 2, 1, 3]], upside_down):
        seen = loop(drawn(ED), drawn(ES), geometry=replace(placed(FOUR), affine=affine))

        found = measured({FOUR: seen}, modality=Modality.MR)

        assert motions(found, FOUR, NAMES[FOUR]) == [None] * 6


def test_pixels_have_strain_and_no_motion():
    square = (3.0, 0.7, 0.7)
    frames = [drawn(one, square) for one in (ED, ES)]

    found = measured({FOUR: loop(*frames, geometry=Geometry.from_pixels(frames[0].shape))})

    assert found.value("lv_gls") == pytest.approx(ES.arc_mm / ED.arc_mm - 1, abs=0.006)
    assert set(found.segments.values()) == {None}
    assert any("no motion (the image has no spacing)" in said for said in found.conventions)


def test_the_aorta_is_part_of_a_three_chamber_views_opening():
    structures = (LV, MYO, LA, Structure.AORTA)
    frames = [drawn(one, outflow_mm=14.0) for one in (ED, ES)]

    alone = measured({THREE: loop(*frames, structures=structures)})
    beside = measured(
        {THREE: loop(*frames, structures=structures), FOUR: loop(drawn(ED), drawn(ED))}
    )

    known = ES.arc_mm / ED.arc_mm - 1
    assert alone.value("lv_gls_3ch") == pytest.approx(known, abs=0.006)
    assert alone.quality.verdict == "review"
    assert alone.phases == {THREE: PAIR}
    assert beside.value("lv_gls") == pytest.approx(known / 2, abs=0.006)
    assert beside.phases[THREE] == PAIR
    assert not any(said.startswith("Not measured") for said in beside.conventions)


def test_a_stack_has_the_strain_of_its_long_axis_views():
    views = {View.SAX: segmentation(beating()), TWO: loop(drawn(ED), drawn(ES))}
    study = Study(id="a", modality=Modality.MR, images={}, sources={}, phases={TWO: PAIR})

    found = measure_study(study, views)

    assert found.value("lv_gls") == pytest.approx(ES.arc_mm / ED.arc_mm - 1, abs=0.005)
    assert found.value("lv_gcs") < 0 < found.value("lv_grs")
    assert "2ch_mid_left_motion_mm" in found.segments
    assert "lv_ml" in found.curves


def test_what_is_missing_is_said():
    empty = np.zeros_like(drawn(ED))
    absent = measured({FOUR: loop(drawn(ED), empty)})
    nothing = measured({FOUR: loop(empty, empty)}, None)
    single = measured({FOUR: loop(drawn(ED))}, None)

    assert finding(absent, "lv_gls").problem == "4ch: no LV cavity at frame 2"
    assert finding(nothing, "lv_gls").problem == "no LV cavity at frame 1"
    assert "single phase" in finding(single, "lv_gls").problem
    for found in (absent, nothing, single):
        assert found.value("lv_gls") is None
        assert set(found.segments.values()) == {None}


def test_a_view_that_is_cut_off_is_minded():
    frames = [drawn(one)[:, 60:] for one in (ED, ES)]

    found = measured({FOUR: loop(*frames)})

    assert "picture's edge" in finding(found, "lv_gls_4ch").problem


def test_a_handful_of_pixels_is_no_contour():
    plane = np.zeros((1, 14, 12), np.uint8)
    plane[0, 3:8, 4:8], plane[0, 8:11, 4:8] = LV, LA

    found = measured({FOUR: loop(plane, plane)})

    problem = finding(found, "lv_gls").problem
    assert problem.endswith(f"too coarse: it takes {FEWEST_STEPS} at frame 1")


def test_a_cavity_wider_than_long_has_strain_and_no_walls():
    flat = Ventricle(8, 25, 25, slant=0.0)

    found = measured({FOUR: loop(drawn(flat), drawn(flat.scaled(0.9)))})

    assert found.value("lv_gls") == pytest.approx(-0.1, abs=0.05)
    assert set(found.segments.values()) == {None}


def test_every_beat_has_its_own_strain():
    shares = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(33) / 16)
    depths = np.where(np.arange(33) < 16, 0.18, 0.12) * shares
    coarse = (3.0, 1.5, 1.25)
    frames = [drawn(ED.scaled(1 - share), coarse) for share in depths]
    grid = Geometry.from_pixels(frames[0].shape, coarse)

    found = measured({FOUR: loop(*frames, geometry=grid)}, None)

    assert found.value("lv_gls") == pytest.approx(-0.15, abs=0.01)
    assert found.value("lv_gls_peak_4ch") == pytest.approx(-0.15, abs=0.01)
    assert finding(found, "lv_gls_4ch").problem == "mean of 2 beats"
