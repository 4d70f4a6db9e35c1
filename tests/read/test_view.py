import numpy as np
import pytest

from heartseg.core.geometry import Geometry
from heartseg.core.study import Modality, View
from heartseg.read.view import view_of
from tests import foreign

SAX = Geometry(foreign.SHAPE, foreign.affine_lps())


def facing(*normal: float) -> Geometry:
    z = np.array(normal) / np.linalg.norm(normal)
    x = np.cross(z, (0.3, 0.5, 0.8))
    x /= np.linalg.norm(x)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([z, np.cross(z, x), x], 1) * (8, 1.5, 1.5)
    return Geometry((9, 20, 30), affine)


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
        ("PSIR sax", View.LATE_ENHANCEMENT),
    ],
)
def test_words_come_first(words, view):
    found, why = view_of(
        modality=Modality.MR, geometry=facing(0, 0, 1), frames=20, words=words, placed=True
    )
    assert found is view
    assert "name says" in why


@pytest.mark.parametrize("words", ["sagittal", "12ch coil", "saxon", "localizer"])
def test_words_inside_other_words_say_nothing(words):
    found, _ = view_of(
        modality=Modality.MR, geometry=facing(0, 0, 1), frames=20, words=words, placed=True
    )
    assert found is View.UNKNOWN


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0.3, 1), (0.7, 0.7, 0.1)])
def test_stacks_along_the_patient_or_the_heart_are_not_short_axis(normal):
    assert cine_view(facing(*normal))[0] is View.UNKNOWN


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
