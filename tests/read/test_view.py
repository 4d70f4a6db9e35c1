import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.study import Modality, View
from heartseg.read.view import long_axis_of, view_of
from tests import foreign

SAX = Geometry(foreign.SHAPE, foreign.affine_lps())


def facing(*normal: float, slices: int = 9) -> Geometry:
    z = np.array(normal) / np.linalg.norm(normal)
    x = np.cross(z, (0.3, 0.5, 0.8))
    x /= np.linalg.norm(x)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([z, np.cross(z, x), x], 1) * (8, 1.5, 1.5)
    return Geometry((slices, 20, 30), affine)


def cine_view(geometry: Geometry, words: str = "") -> tuple[View, str]:
    return view_of(modality=Modality.MR, geometry=geometry, frames=20, words=words, placed=True)


@pytest.mark.parametrize(
    ("words", "view"),
    [
        ("cine_SAX_stack", View.SAX),
        ("TRUFI short axis", View.SAX),
        ("patient003_4CH_ED", View.LAX_4CH),
        ("cine 2-chamber", View.LAX_2CH),
        ("tf2d LVOT", View.LAX_3CH),
        ("Kurzachse", View.SAX),
        ("petit axe", View.SAX),
        ("Vierkammerblick 4-Kammer", View.LAX_4CH),
        ("PSIR sax", View.LATE_ENHANCEMENT),
    ],
)
def test_words_decide_where_directions_do_not_contradict(words, view):
    frames = 1 if view is View.LATE_ENHANCEMENT else 20
    found, why = view_of(
        modality=Modality.MR, geometry=facing(0, 0, 1), frames=frames, words=words, placed=True
    )
    assert found is view
    assert "name says" in why


@pytest.mark.parametrize("words", ["sagittal", "12ch coil", "saxon", "localizer"])
def test_words_inside_other_words_say_nothing(words):
    found, _ = view_of(
        modality=Modality.MR, geometry=facing(0, 0, 1), frames=20, words=words, placed=True
    )
    assert found is View.OTHER


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0.7, 0.7, 0.1)])
def test_stacks_along_the_patient_or_the_heart_are_something_else(normal):
    assert cine_view(facing(*normal))[0] is View.OTHER


def test_a_stack_in_between_stays_unknown():
    assert cine_view(facing(0, 0.3, 1))[0] is View.UNKNOWN


@pytest.mark.parametrize(
    ("geometry", "words", "view", "said"),
    [
        (facing(0.7, 0.7, 0.1, slices=1), "SAX planning", None, "runs along the heart"),
        (facing(-1, 1, 1), "4ch", View.SAX, "9 slices cut across"),
        (facing(-1, 1, 1), "sax post LGE", View.SAX, "it has 20 phases"),
    ],
)
def test_directions_win_over_words_and_it_is_said(geometry, words, view, said):
    found, why = cine_view(geometry, words)
    assert found is (view or found)
    assert view or found in (View.LAX_2CH, View.LAX_3CH, View.LAX_4CH)
    assert "the name says" in why
    assert said in why


def test_a_heart_on_the_right_is_found_by_its_own_long_axis():
    axis = np.array([1.0, 1.0, 1.0]) / np.sqrt(3)  # dextrocardia: base to the left
    mirrored = facing(1, 1, 1)
    assert cine_view(mirrored)[0] is not View.SAX
    across = [np.cross(axis, (0.0, 0.0, 1.0)), np.cross(axis, (1.0, 0.0, 0.0))]
    own = long_axis_of([one / np.linalg.norm(one) for one in across])
    assert abs(np.dot(own, axis)) == pytest.approx(1)
    view, why = view_of(modality=Modality.MR, geometry=mirrored, frames=20, placed=True, axis=own)
    assert view is View.SAX
    assert "that the long-axis cines show" in why


def test_planes_without_a_common_line_show_no_axis():
    assert long_axis_of(list(np.eye(3))) is None
    assert long_axis_of([np.array([1.0, 0, 0])] * 2) is None
    assert long_axis_of([np.array([1.0, 0, 0])]) is None


@pytest.mark.parametrize(
    "normal", [(-0.67, 0.67, 0.32), (0.67, -0.67, -0.32), (-0.4, 0.5, 0.77), (-0.7, 0.7, 0.1)]
)
def test_stacks_across_hearts_are_short_axis_in_either_direction(normal):
    found, why = cine_view(facing(*normal))
    assert found is View.SAX
    assert "9 slices x 20 phases" in why
    assert "degrees" in why


def test_without_directions_thick_slices_are_short_axis():
    thick = Geometry((9, 20, 30), np.diag([1.5, 1.5, 8, 1])[:, [2, 1, 0, 3]])
    thin = Geometry((90, 20, 30), np.diag([1.0, 1, 1.2, 1])[:, [2, 1, 0, 3]])
    assert view_of(modality=None, geometry=thick, frames=2, placed=False)[0] is View.SAX
    assert view_of(modality=None, geometry=thin, frames=1, placed=False)[0] is View.VOLUME
    flat = Geometry.from_pixels((1, 20, 30))
    assert view_of(modality=None, geometry=flat, frames=1, placed=False)[0] is View.UNKNOWN


def test_ct_is_a_volume_and_echo_is_not_guessed():
    assert view_of(modality=Modality.CT, geometry=SAX, frames=1, placed=True)[0] is View.VOLUME
    assert view_of(modality=Modality.US, geometry=SAX, frames=30, placed=False)[0] is View.UNKNOWN
