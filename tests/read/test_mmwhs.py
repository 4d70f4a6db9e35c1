import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.study import Modality, View
from heartseg.read import find_studies
from tests import doors
from tests.read import more_miniatures


@pytest.fixture
def root(tmp_path):
    more_miniatures.mmwhs(tmp_path)
    return tmp_path


def test_modality_and_split_come_from_the_name(root):
    found = find_studies(root)
    assert [(c.id, c.patient, c.split, c.group, c.reference is None) for c in found] == [
        ("ct_test_2001", "ct_test_2001", "test", "ct", True),
        ("ct_train_1001", "ct_train_1001", "train", "ct", False),
        ("ct_train_1002", "ct_train_1002", "train", "ct", False),
        ("mr_train_1001", "mr_train_1001", "train", "mr", False),
    ]
    assert [c.load().modality for c in found[2:]] == [Modality.CT, Modality.MR]
    assert set(found[0].load().images) == {View.VOLUME}


def test_numbers_are_the_challenges_own(root):
    truth = find_studies(root / "mr_train")[0].reference()[View.VOLUME].labels[0]
    assert np.array_equal(truth == Structure.RV_CAVITY, doors.heart(5) == 1)
    assert np.array_equal(truth == Structure.LV_CAVITY, doors.heart(5) == 3)


def test_published_slip_of_421_is_the_left_atrium(root):
    drawn = more_miniatures.MMWHS[doors.heart(7)]
    drawn[0, 0, 0], drawn[0, 0, 1] = 421, 420
    doors.save_nifti(root / "ct_train" / "ct_train_1001_label.nii.gz", drawn)
    truth = find_studies(root / "ct_train")[0].reference()[View.VOLUME]
    assert truth.labels[0, 0, 0, :2].tolist() == [Structure.LEFT_ATRIUM] * 2
    assert len(truth.structures) == len(set(truth.structures)) == 7


def test_images_and_labels_in_folders_of_their_own_belong_together(tmp_path):
    doors.save_nifti(tmp_path / "imagesTr" / "ct_train_1001_image.nii.gz", doors.heart(5))
    drawn = more_miniatures.MMWHS[doors.heart(5)]
    doors.save_nifti(tmp_path / "labelsTr" / "ct_train_1001_label.nii.gz", drawn)
    (one,) = find_studies(tmp_path)
    assert one.layout == "mmwhs"
    assert one.reference is not None
