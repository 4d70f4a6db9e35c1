import numpy as np
import pytest
from PIL import Image as Pictures

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError, StudyError
from heartseg.core.study import View
from heartseg.read import find_studies
from tests import doors
from tests.read import miniatures

LGE = View.LATE_ENHANCEMENT


def test_published_case_has_its_group_body_and_infarct(tmp_path):
    miniatures.emidec(tmp_path)
    found = {c.id: c for c in find_studies(tmp_path)}
    assert {c.id: (c.group, c.split) for c in found.values()} == {
        "Case_N006": ("normal", "train"),
        "Case_P001": ("infarct", "train"),
        "Case_101": (None, "test"),
    }
    study, seg = found["Case_P001"].load(), found["Case_P001"].reference()[LGE]
    assert (study.body.sex, study.body.age_years) == ("F", 61)
    assert study.images[LGE].geometry.spacing == pytest.approx(doors.SPACING_MM)
    assert seg.labels[0, 0, 14, 27] == Structure.SCAR
    assert seg.labels[0, 0, 20, 27] == Structure.LV_CAVITY
    assert found["Case_101"].reference is None
    assert not found["Case_101"].labels_published


def test_pictures_are_stacked_in_the_order_of_their_numbers(tmp_path):
    miniatures.emidec_png(tmp_path)
    first, second = find_studies(tmp_path)
    assert [(c.id, c.group, len(c.files)) for c in (first, second)] == [
        ("Case_N037", "normal", 6),
        ("Case_P040", "infarct", 4),
    ]
    image = first.load().images[LGE]
    for z in range(3):
        file = tmp_path / "images" / f"Case_N037_slice{z:03d}.png"
        assert np.array_equal(image.voxels[0, z], np.array(Pictures.open(file)))
    assert image.geometry.unit == "px"
    assert first.reference()[LGE].labels.shape == (1, 3, 31, 23)
    (spaced, _) = find_studies(tmp_path, spacing_mm=(8.0, 1.5, 1.25))
    assert spaced.load().images[LGE].geometry.spacing == (8.0, 1.5, 1.25)


def test_slice_that_is_missing_between_others_is_said(tmp_path):
    miniatures.emidec_png(tmp_path)
    (tmp_path / "images" / "Case_N037_slice001.png").unlink()
    with pytest.raises(StudyError, match="Case_N037: got no slice 1"):
        find_studies(tmp_path)[0].load()


def test_slices_of_other_sizes_are_refused(tmp_path):
    miniatures.emidec_png(tmp_path)
    file = tmp_path / "images" / "Case_N037_slice002.png"
    Pictures.open(file).crop((0, 0, 20, 31)).save(file)
    with pytest.raises(GeometryError, match="slice002.png: got 31 x 20 pixels"):
        find_studies(tmp_path)[0].load()


def test_real_slices_make_whole_cases(real_data):
    found = find_studies(real_data / "emidec")
    assert (len(found), sum(len(c.files) for c in found)) == (85, 2 * 596)
    infarct = next(c for c in found if c.id == "Case_P039")
    assert Structure.SCAR in np.unique(infarct.reference()[LGE].labels)
