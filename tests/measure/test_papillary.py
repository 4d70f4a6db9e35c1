import numpy as np
import pytest

from heartseg.core.errors import GeometryError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Modality, Study, View
from heartseg.measure.choices import Choices
from heartseg.measure.papillary import papillary_as_wall, papillary_muscles
from heartseg.measure.study import measure_study
from heartseg.phantom import Acquisition, Heart, Truth, labels, render, truth
from tests.measure.hearts import LV, MYO, SPACING_MM, oblique, segmentation

SCANS = (
    (Heart(), Acquisition(frames=2, seed=11)),
    (Heart(papillary_ml=12.0), Acquisition(frames=2, seed=12, slices=9, slice_distance_mm=11.0)),
    (
        Heart(papillary_ml=4.5, tilt=(0.2, -0.1, 0.3), lv_edv_ml=120.0),
        Acquisition(frames=2, seed=13, spacing_mm=(1.25, 1.45), matrix=(170, 150)),
    ),
)


@pytest.fixture(scope="module", params=SCANS, ids=["usual", "large", "small and tilted"])
def scanned(request) -> tuple[Study, Truth]:
    heart, scan = request.param
    images = {View.SAX: render(heart, scan)}
    study = Study(id="p", modality=Modality.MR, images=images, sources={})
    return study, truth(heart, scan.phases.tolist()), labels(heart, scan)


def test_the_phantoms_papillary_mass_within_fifteen_percent(scanned):
    study, exact, drawn = scanned

    cavity = measure_study(study, {View.SAX: drawn})
    mass = measure_study(study, {View.SAX: drawn}, choices=Choices(papillary="mass"))

    gained_g = mass.value("lv_mass_g") - cavity.value("lv_mass_g")
    lost_ml = cavity.value("lv_edv_ml") - mass.value("lv_edv_ml")
    assert gained_g == pytest.approx(1.05 * exact.papillary_ml, rel=0.15)
    assert lost_ml == pytest.approx(exact.papillary_ml, rel=0.15)
    assert mass.value("lv_ef") > cavity.value("lv_ef")
    assert mass.value("lv_wall_max_mm") == cavity.value("lv_wall_max_mm")


def test_the_change_is_printed(scanned):
    study, _, drawn = scanned

    cavity = measure_study(study, {View.SAX: drawn})
    mass = measure_study(study, {View.SAX: drawn}, choices=Choices(papillary="mass"))

    (said,) = (one for one in mass.conventions if "moved from cavity to mass" in one)
    edv = f"EDV {cavity.value('lv_edv_ml'):.1f} to {mass.value('lv_edv_ml'):.1f} mL"
    grams = f"mass {cavity.value('lv_mass_g'):.1f} to {mass.value('lv_mass_g'):.1f} g"
    assert edv in said
    assert grams in said
    assert "Papillary muscles and trabeculae count as LV mass." in mass.conventions
    assert all(finding.reference is None for finding in mass.findings)


def ring(blood: float = 400.0, wall: float = 120.0):
    """One slice, a square cavity in a square wall, with a muscle of 6 x 5 pixels and a thread."""
    drawn = np.zeros((1, 1, 46, 54), np.uint8)
    drawn[..., 8:38, 8:46] = MYO
    drawn[..., 14:32, 14:40] = LV
    voxels = np.where(drawn == LV, blood, np.where(drawn == MYO, wall, 60.0))
    voxels[..., 18:24, 17:22] = wall
    voxels[..., 28, 15:38] = wall  # 1.5 mm thick: a trabecula
    return voxels, drawn


def test_a_muscle_is_found_and_a_thread_is_left():
    voxels, drawn = ring()

    (found,) = papillary_muscles(voxels, drawn, SPACING_MM)

    assert found[0, 19:23, 18:21].all()
    assert not found[0, 28].any()
    assert found.sum() <= 30


def test_where_blood_is_not_brighter_nothing_is_moved():
    for blood, wall in ((100.0, 120.0), (120.0, 120.0), (0.0, 0.0)):
        voxels, drawn = ring(blood, wall)
        assert not papillary_muscles(voxels, drawn, SPACING_MM).any()


def test_each_slice_has_its_own_threshold():
    voxels, drawn = ring()
    two = np.concatenate([voxels, 0.2 * voxels], axis=1), np.concatenate([drawn, drawn], axis=1)

    (found,) = papillary_muscles(*two, SPACING_MM)

    assert (found[0] == found[1]).all()
    assert found.any()


def test_without_millimetres_thickness_cannot_be_told():
    voxels, drawn = ring()
    flat = segmentation(drawn, Geometry.from_pixels((1, 46, 54)))
    study = Study(
        id="p", modality=Modality.MR, images={View.SAX: Image(voxels, flat.geometry)}, sources={}
    )

    measured = measure_study(study, {View.SAX: flat}, choices=Choices(papillary="mass"))

    assert any("not applied, there are no millimetres" in said for said in measured.conventions)
    assert "Papillary muscles and trabeculae count as LV cavity." in measured.conventions
    with pytest.raises(GeometryError):
        papillary_as_wall(flat, study.images[View.SAX])


def test_every_frame_is_treated_and_the_given_labels_stay():
    voxels, drawn = ring()
    grid = oblique((1, 46, 54), SPACING_MM)
    both = segmentation(np.concatenate([drawn, drawn]), grid)
    image = Image(np.concatenate([voxels, voxels]), grid)

    after = papillary_as_wall(both, image)

    counts = [int((frame == LV).sum()) for frame in after.labels]
    assert counts[0] == counts[1] < int((drawn == LV).sum())
    assert (both.labels[0] == drawn[0]).all()


def test_a_frame_whose_wall_nobody_drew_loses_the_muscle_and_gains_no_mass():
    """As in Sunnybrook, where the wall is drawn at end-diastole only."""
    voxels, drawn = ring()
    bare = np.where(drawn == MYO, 0, drawn).astype(np.uint8)
    seen = segmentation(np.concatenate([drawn, bare]), oblique((1, 46, 54), SPACING_MM))
    image = Image(np.concatenate([voxels, voxels]), seen.geometry)

    after = papillary_as_wall(seen, image).labels

    assert ((after[0] == LV) == (after[1] == LV)).all()
    assert (after[1] == LV).sum() < (bare == LV).sum()
    assert not (after[1] == MYO).any()
