from dataclasses import replace

import numpy as np
import pytest

from heartseg.core.anatomy import Labels
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Segmentation
from heartseg.core.study import Modality, Phases, Study, View
from heartseg.measure.aha import segments
from heartseg.measure.study import measure_study
from heartseg.measure.wall import ring_slices
from heartseg.phantom import Acquisition, Heart, labels
from heartseg.phantom.heart import State
from tests.measure.hearts import (
    LV,
    MYO,
    RV,
    VENTRICLES,
    beating,
    segmentation,
    short_axis,
)

SHAPE, SPACING_MM = (9, 92, 104), (8.0, 1.25, 1.1)
PAIR = Phases(ed=0, es=1, how="given")
BEAT = Phases(ed=0, es=7, how="given")
ANTERIOR = np.deg2rad(128.0)
"""Of the RV's anterior insertion, against the clock from the picture's right."""

SEPTUM = np.deg2rad(112.0)
THICK_MM = {1: 7.0, 2: 8.0, 3: 9.0, 4: 10.0, 5: 11.0, 6: 12.0}
APICAL_MM = {14: 6.0, 15: 8.0, 16: 10.0, 13: 12.0}


def polar() -> tuple[np.ndarray, np.ndarray]:
    """Distance from the LV's axis and angle against the clock, of a plane's pixels."""
    y, x = np.indices(SHAPE[1:])
    up, right = (48 - y) * SPACING_MM[1], (x - 55) * SPACING_MM[2]
    return np.hypot(up, right), np.arctan2(up, right)


def wall_mm(z: int) -> np.ndarray:
    """(y, x) thickness of the wall in the direction of a pixel, apical quarters below slice 3."""
    _, angle = polar()
    if z >= 3:
        sixth = np.floor(np.mod(angle - ANTERIOR, 2 * np.pi) / (np.pi / 3)).astype(int)
        return np.array([THICK_MM[n] for n in (2, 3, 4, 5, 6, 1)])[sixth]
    first = ANTERIOR + SEPTUM / 2 - np.pi / 4
    quarter = np.floor(np.mod(angle - first, 2 * np.pi) / (np.pi / 2)).astype(int)
    return np.array(list(APICAL_MM.values()))[quarter]


def heart(radius_mm: float, thicker: float = 1.0) -> Labels:
    """(z, y, x): slices 1 to 7 hold a ring, 7 the base; wall and cavity about one axis."""
    distance, angle = polar()
    labels = np.zeros(SHAPE, np.uint8)
    for z in range(1, 8):
        radius = radius_mm * (0.75 if z < 3 else 1.0)
        outer = radius + thicker * wall_mm(z)
        septal = np.mod(angle - ANTERIOR, 2 * np.pi) < SEPTUM
        labels[z][septal & (distance >= outer) & (distance < outer + 14)] = RV
        labels[z][distance < outer] = MYO
        labels[z][distance < radius] = LV
    return labels


def stack(*frames: Labels) -> Segmentation:
    return Segmentation(np.stack(frames), short_axis(SHAPE, SPACING_MM), VENTRICLES)


@pytest.fixture(scope="module")
def measured() -> dict[str, float | None]:
    return segments(stack(heart(24.0), heart(16.0, thicker=1.4)), PAIR).values


def test_the_fixture_is_stored_as_it_is_shown():
    assert short_axis(SHAPE, SPACING_MM).canonical() == Orientation()


@pytest.mark.parametrize("number", range(1, 13))
def test_basal_and_mid_segments_have_the_thickness_they_were_drawn_with(measured, number):
    known = THICK_MM[(number - 1) % 6 + 1]

    assert measured[f"{number}_wall_ed_mm"] == pytest.approx(known, abs=0.7)
    assert measured[f"{number}_wall_es_mm"] == pytest.approx(1.4 * known, abs=0.9)


@pytest.mark.parametrize("number", range(13, 17))
def test_apical_quarters_are_about_the_middle_of_the_septum(measured, number):
    assert measured[f"{number}_wall_ed_mm"] == pytest.approx(APICAL_MM[number], abs=0.7)


@pytest.mark.parametrize("number", range(1, 17))
def test_thickening_motion_and_strain_are_known(measured, number):
    apical = number > 12
    known = APICAL_MM[number] if apical else THICK_MM[(number - 1) % 6 + 1]
    scale = 0.75 if apical else 1.0
    middle = (16 * scale + 0.7 * known) / (24 * scale + 0.5 * known) - 1

    assert measured[f"{number}_thickening"] == pytest.approx(0.4, abs=0.1)
    assert measured[f"{number}_motion_mm"] == pytest.approx(8 * scale, abs=0.6)
    assert measured[f"{number}_circumferential_strain"] == pytest.approx(middle, abs=0.025)


def test_the_apex_is_null(measured):
    seventeen = {key: value for key, value in measured.items() if key.startswith("17_")}

    assert len(seventeen) == 5
    assert set(seventeen.values()) == {None}
    assert len(measured) == 85


@pytest.mark.parametrize(
    "stored",
    [
        Orientation((0, 2, 1), (True, False, True)),
        Orientation((0, 1, 2), (True, True, False)),
        Orientation((0, 1, 2), (False, False, True)),
    ],
)
def test_segments_do_not_depend_on_how_the_file_stores_them(measured, stored):
    seen = stack(heart(24.0), heart(16.0, thicker=1.4))
    other = Segmentation(stored.apply(seen.labels), seen.geometry.oriented(stored), VENTRICLES)

    assert segments(other, PAIR).values == pytest.approx(measured)


def test_one_phase_has_thickness_only():
    found = segments(stack(heart(24.0)), Phases(ed=0, es=None, how="given")).values

    assert found["4_wall_ed_mm"] == pytest.approx(10.0, abs=0.7)
    assert {found[f"4_{name}"] for name in ("wall_es_mm", "thickening", "motion_mm")} == {None}


RADII_MM = (24.0, 22.0, 17.0, 16.0, 21.0)


def test_motion_of_every_frame_of_a_cine_and_from_frame_to_frame():
    frames = [heart(radius) for radius in RADII_MM]
    seen = stack(*frames)

    found = segments(seen, Phases(ed=0, es=3, how="given"))
    partly = segments(replace(seen, covered=(0, 3, 4)), Phases(ed=0, es=3, how="given"))

    assert len(found.curves) == 2 * 16
    for number in (2, 9, 15):
        scale = 0.75 if number > 12 else 1.0
        moved = found.curves[f"{number}_motion_mm"]
        steps = found.curves[f"{number}_step_mm"]
        known = scale * (24.0 - np.array(RADII_MM))
        assert moved == pytest.approx(list(known), abs=0.6)
        assert steps[0] is None
        assert steps[1:] == pytest.approx(list(np.diff(known)), abs=0.6)
        assert found.values[f"{number}_motion_mm"] == moved[3]
        assert partly.curves[f"{number}_motion_mm"] == (0.0, None, None, *moved[3:])
        assert partly.curves[f"{number}_step_mm"] == (None, None, None, None, steps[4])
    assert segments(stack(*frames[:2]), PAIR).curves == {}


def test_why_there_are_none():
    seen = stack(heart(24.0), heart(16.0))
    flat = Geometry.from_pixels(SHAPE, SPACING_MM)
    bare = np.where(seen.labels == RV, 0, seen.labels)
    few = seen.labels.copy()
    few[:, :6] = 0
    for drawn, geometry, structures, why in (
        (seen.labels, flat, VENTRICLES, "does not tell how the patient lies"),
        (seen.labels, Geometry.from_pixels(SHAPE), VENTRICLES, "no spacing"),
        (seen.labels, seen.geometry, (LV, MYO), "RV cavity was not looked for"),
        (bare, seen.geometry, VENTRICLES, "RV does not touch"),
        (few, seen.geometry, VENTRICLES, "fewer than three slices"),
    ):
        found = segments(Segmentation(drawn, geometry, structures), PAIR)
        assert found.values == {}
        assert why in found.said
    assert segments(seen, None).values == {}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Orientation((0, 1, 2), (True, False, False)), "the heart tapers against"),
        (Orientation((0, 1, 2), (False, False, True)), "the RV lies against"),
        (Orientation((0, 1, 2), (False, True, True)), "the RV lies against"),
        (Orientation((0, 1, 2), (True, False, True)), "the heart tapers against"),
    ],
)
def test_no_wall_is_named_where_the_heart_lies_otherwise_than_the_file_says(wrong, why):
    turned = wrong.apply(beating()[..., ::-1])

    found = segments(segmentation(turned, short_axis(turned.shape[1:])), BEAT)

    assert found.values == {}
    assert why in found.said


def test_few_slices_do_not_speak_against_the_file():
    """A middle part of a heart may widen towards the apex."""
    seen = stack(heart(24.0), heart(16.0, thicker=1.4))
    part = seen.labels.copy()
    part[:, [0, 1, 2, 3, 7, 8]] = 0
    widening = part.copy()
    widening[:, 5][widening[:, 5] == RV] = 0
    widening[:, 6][widening[:, 6] == RV] = 0

    for drawn in (part, widening):
        assert segments(Segmentation(drawn, seen.geometry, VENTRICLES), PAIR).values


def test_a_study_has_its_segments_and_their_words():
    seen = stack(heart(24.0), heart(16.0, thicker=1.4))
    study = Study(id="a", modality=Modality.MR, images={}, sources={}, phases={View.SAX: PAIR})

    found = measure_study(study, {View.SAX: seen})

    assert found.segments["1_wall_ed_mm"] == pytest.approx(7.0, abs=0.7)
    assert any("are geometric, from areas" in said for said in found.conventions)


def test_a_beating_heart_without_symmetry_thickens_everywhere():
    labels = beating()[..., ::-1]  # seen from the apex: the RV lies left
    seen = segmentation(labels, short_axis(labels.shape[1:]))

    found = segments(seen, BEAT).values

    thickening = [found[f"{n}_thickening"] for n in range(1, 17)]
    assert all(value is not None and value > 0.1 for value in thickening)


def test_the_phantom_has_the_walls_and_strains_of_its_closed_forms():
    """A round heart: r = sqrt(A / pi) of its profiles, in each slice and at each phase."""
    heart = Heart(
        endocardium=(), epicardium=(), septal_shift_mm=(0, 0), bend_mm=(0, 0), tilt=(0.2, -0.1, 0.3)
    )
    scan = Acquisition.clean(slices=14, slice_distance_mm=7.0, frames=3, matrix=(150, 160))
    seen = labels(heart, scan)

    found = segments(seen, Phases(ed=0, es=1, how="given")).values

    states = [State.at(heart, float(phase)) for phase in scan.phases[:2]]
    levels = np.array_split(np.array(ring_slices(seen.labels[0]))[::-1], 3)
    assert len(levels[2]) >= 3
    for numbers, slices in zip((range(1, 7), range(7, 13), range(13, 17)), levels, strict=True):
        from_middle = [seen.geometry.point((z, 74.5, 79.5)) for z in slices]
        along = np.array(from_middle) @ heart.directions[:, 2] + heart.length_mm / 2
        inner, outer = (
            np.array([np.sqrt(getattr(state, wall).area(along) / np.pi) for state in states])
            for wall in ("endocardium", "epicardium")
        )
        wall, middle = (outer - inner).mean(axis=1), (outer + inner) / 2
        for n in numbers:
            assert found[f"{n}_wall_ed_mm"] == pytest.approx(wall[0], abs=0.6), n
            if n <= 12 and (along < states[1].endocardium.base_mm).all():
                assert found[f"{n}_wall_es_mm"] == pytest.approx(wall[1], abs=0.8), n
                strain = (middle[1] / middle[0] - 1).mean()
                assert found[f"{n}_circumferential_strain"] == pytest.approx(strain, abs=0.02), n
                motion = (inner[0] - inner[1]).mean()
                assert found[f"{n}_motion_mm"] == pytest.approx(motion, abs=0.5), n
