"""Labels that are given: a data set's own go before the numbers of a scheme, and who made them."""

from pathlib import Path

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import HeartsegError
from heartseg.core.study import View
from heartseg.given import GivenLabels, given
from heartseg.read import read_study
from tests import doors


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    return doors.write_patient(tmp_path / "patient008")


def test_published_labels_go_by_their_data_set_whatever_scheme_is_named(patient: Path) -> None:
    for scheme in ("acdc", "mnms"):  # which swap the ventricles' numbers
        masks, strategy, _ = given(read_study(patient), GivenLabels(patient, scheme))
        ed = masks[View.SAX].labels[0]
        assert np.count_nonzero(ed == Structure.LV_CAVITY) == np.count_nonzero(doors.heart(8) == 3)
        assert strategy["segmentation"].endswith("scheme its data set's own")


def test_the_report_says_whose_labels_they_are_and_claims_no_weights(patient: Path) -> None:
    _, _, model = given(read_study(patient), GivenLabels(patient, "acdc"))
    assert (model.name, model.licence) == ("labels from patient008", "that of the labels")
    assert (model.sha256, model.precision) == (None, None)


def test_a_folder_without_labels_of_the_study_is_refused(patient: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(HeartsegError, match="empty"):
        given(read_study(patient), GivenLabels(tmp_path / "empty", "acdc"))
