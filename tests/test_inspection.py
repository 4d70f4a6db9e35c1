import sys

import numpy as np

from heartseg.core.study import View
from heartseg.inspection import inspected
from heartseg.read import inspect
from tests import doors


def noisy():
    """A heart in more grey values than labels have."""
    grey = doors.painted(doors.heart())
    return grey + np.random.default_rng(2).integers(0, 90, grey.shape).astype(np.int16)


def only(path, **known):
    ((_, (seen,)),) = inspected(path, **known)
    return seen


def test_the_model_that_would_be_chosen_is_said_with_the_reason(tmp_path):
    seen = only(doors.write_patient(tmp_path / "patient001"))
    assert (seen.model, seen.model_reason) == ("cine-mr", "cine-mr: the shipped one for MR sax")


def test_no_model_is_said_with_what_there_is(tmp_path):
    scan = doors.save_nifti(tmp_path / "x.nii", noisy())
    seen = only(scan, view=View.LAX_2CH)
    assert seen.model is None
    assert seen.model_reason.startswith("the shipped ones are for MR sax")
    assert seen.view_reason == "given"


def test_label_numbers_are_not_segmented(tmp_path):
    seen = only(doors.save_nifti(tmp_path / "x.nii", doors.heart()))
    assert seen.model is None
    assert seen.model_reason == "label numbers are measured, not segmented"


def test_no_weights_are_loaded(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "heartseg.segment", None)  # importing it would fail
    one = doors.save_nifti(tmp_path / "x_sax.nii", noisy())
    assert only(one).model == "cine-mr"


def test_studies_are_counted_without_being_read_and_looked_for_once(tmp_path, monkeypatch):
    for name in ("a.nii", "b.nii"):
        doors.save_nifti(tmp_path / name, noisy())
    calls = []
    find = inspect.find_studies

    def counted(*args, **known):
        calls.append(args)
        return find(*args, **known)

    monkeypatch.setattr(inspect, "find_studies", counted)
    found = inspected(tmp_path)
    (tmp_path / "a.nii").write_bytes(b"rubbish")  # after it was counted, before it is read
    assert (len(found), len(calls)) == (2, 1)
    (_, (bad,)), (_, (good,)) = found
    assert (bad.study, bad.problem is None, good.problem) == ("a", False, None)
    assert len(calls) == 1
