import shutil

import numpy as np
import pytest
import SimpleITK

from heartseg.core.anatomy import Structure
from heartseg.core.errors import StudyError
from heartseg.core.study import Modality, Phases, View
from heartseg.read import find_studies
from tests.read import miniatures

CHAMBERS_2, CHAMBERS_4 = View.LAX_2CH, View.LAX_4CH


def test_patient_is_one_study_of_two_views_with_both_phases(tmp_path):
    miniatures.camus(tmp_path)
    found = find_studies(tmp_path)
    assert [(c.id, c.layout, c.split) for c in found] == [
        ("patient0001", "camus", "train"),
        ("patient0002", "camus", "train"),
        ("patient0451", "camus", "test"),
    ]
    (candidate,) = find_studies(tmp_path / "training" / "patient0002")
    study = candidate.load()
    assert (study.modality, study.group) == (Modality.US, "Medium")  # the worse of both views
    assert study.phases == dict.fromkeys((CHAMBERS_2, CHAMBERS_4), Phases(ed=0, es=1, how="given"))
    assert (study.body.sex, study.body.age_years) == ("F", 56)
    image = study.images[CHAMBERS_4]
    assert image.geometry.spacing == pytest.approx((1.54, 0.154, 0.308))
    stored = SimpleITK.ReadImage(
        str(tmp_path / "training" / "patient0002" / "patient0002_4CH_ES.mhd")
    )
    assert np.array_equal(image.voxels[1], SimpleITK.GetArrayFromImage(stored))
    assert [s.stem for s in study.sources[CHAMBERS_2]] == [
        "patient0002_2CH_ED",
        "patient0002_2CH_ES",
    ]


def test_published_volumes_are_kept_for_measurements(tmp_path):
    miniatures.camus(tmp_path)
    assert find_studies(tmp_path)[0].published == pytest.approx(
        {"lv_edv_ml": 94.0, "lv_esv_ml": 34.6, "lv_ef": 0.632}
    )


def test_labels_are_camus_numbers_on_the_frames_of_the_image(tmp_path):
    miniatures.camus(tmp_path)
    truth = find_studies(tmp_path)[0].reference()
    labels = truth[CHAMBERS_2].labels
    assert labels[0, 0, 10, 7] == labels[1, 0, 10, 8] == Structure.LV_CAVITY
    assert labels[0, 0, 10, 4] == Structure.LV_MYOCARDIUM
    assert labels[0, 0, 20, 8] == Structure.LEFT_ATRIUM
    assert labels[1, 0, 10, 4] == Structure.BACKGROUND


def test_labelled_sequence_is_read_with_its_own_phases(tmp_path):
    miniatures.camus_nifti(tmp_path)
    found = find_studies(tmp_path)
    assert [(c.layout, c.split) for c in found] == [
        ("camus-nifti", "train"),
        ("camus-nifti", "validate"),
        ("camus-nifti", "test"),
    ]
    study = found[1].load()
    assert study.phases[CHAMBERS_2] == Phases(ed=0, es=3, how="given")
    assert study.phases[CHAMBERS_4] == Phases(ed=3, es=0, how="given")  # systole comes first
    assert study.images[CHAMBERS_4].voxels.shape == (4, 1, 31, 23)
    assert study.images[CHAMBERS_4].times_ms == (0, 20, 40, 60)  # 50 frames a second
    assert found[1].reference()[CHAMBERS_4].frames == 4
    assert found[1].published == {"lv_ef": 0.63}


def test_sequence_without_labels_gives_way_to_labelled_stills(tmp_path):
    miniatures.camus_nifti(tmp_path)
    folder = tmp_path / "database_nifti" / "patient0002"
    (folder / "patient0002_4CH_half_sequence_gt.nii.gz").unlink()
    study = find_studies(folder)[0].load()
    assert study.images[CHAMBERS_4].frames == 2
    assert study.phases[CHAMBERS_4] == Phases(ed=0, es=1, how="given")
    assert study.images[CHAMBERS_2].frames == 4


def test_frame_that_the_sequence_lacks_is_said(tmp_path):
    miniatures.camus_nifti(tmp_path)
    folder = tmp_path / "database_nifti" / "patient0001"
    (folder / "Info_2CH.cfg").write_text("ED: 1\nES: 9\n", encoding="ascii")
    with pytest.raises(StudyError, match=r"2CH_half_sequence.*4 frames, without frame 9"):
        find_studies(folder)[0].load()


def test_pictures_that_are_absent_stay_absent(tmp_path):
    miniatures.camus_png(tmp_path)
    found = find_studies(tmp_path)
    assert [c.id for c in found] == ["patient0001", "patient0006", "patient0007"]
    one, six, seven = (c.load() for c in found)
    assert {view: image.frames for view, image in one.images.items()} == {
        CHAMBERS_2: 1,
        CHAMBERS_4: 2,
    }
    assert one.phases == {CHAMBERS_4: Phases(ed=0, es=1, how="given")}
    assert six.phases == {CHAMBERS_2: Phases(ed=0, es=None, how="given")}
    assert seven.phases == {}
    assert any("end-systole only" in note for note in seven.notes)
    assert one.images[CHAMBERS_4].geometry.unit == "px"


def test_still_without_labels_is_not_covered(tmp_path):
    miniatures.camus_png(tmp_path)
    (tmp_path / "labels" / "patient0001_4CH_ES.png").unlink()
    candidate = find_studies(tmp_path)[0]
    assert set(candidate.covered()[CHAMBERS_4]) == {0}
    assert not candidate.reference()[CHAMBERS_4].labels[1].any()


def test_folder_of_labels_is_no_reference_of_its_own(tmp_path):
    miniatures.camus_png(tmp_path)
    shutil.rmtree(tmp_path / "labels")
    assert all(c.reference is None for c in find_studies(tmp_path))


def test_published_patients_are_read_in_both_forms(real_data):
    found = find_studies(real_data / "camus_original")
    assert [round(c.published["lv_ef"], 3) for c in found] == [0.632, 0.494, 0.554]
    study, truth = found[1].load(), found[1].reference()
    for view in (CHAMBERS_2, CHAMBERS_4):
        cavity = (truth[view].labels == Structure.LV_CAVITY).sum(axis=(1, 2, 3))
        assert cavity[study.phases[view].ed] > cavity[study.phases[view].es] > 0
    pictures = find_studies(real_data / "camus")
    assert (len(pictures), sum(len(c.files) for c in pictures)) == (224, 600)
