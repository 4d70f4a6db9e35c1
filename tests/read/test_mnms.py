import numpy as np
import pytest

from heartseg.core.anatomy import Structure, ventricles_swapped
from heartseg.core.errors import FormatError, GeometryError, LabelError
from heartseg.core.study import Modality, Phases, View
from heartseg.read import find_studies
from heartseg.read.datasets import mnms, mnms2
from tests import doors
from tests.read import more_miniatures
from tests.read.more_miniatures import MNMS_TABLE

LV, RV = Structure.LV_CAVITY, Structure.RV_CAVITY


@pytest.fixture
def root(tmp_path):
    more_miniatures.mnms(tmp_path)
    return tmp_path


def case(root, code):
    return next(c for c in find_studies(root) if c.patient == code)


def test_cine_has_its_phases_body_vendor_and_split(root):
    one = case(root, "A0S9V9")
    study = one.load()
    assert (one.split, one.group, study.group) == ("train", "Philips", "HCM")
    assert study.modality is Modality.MR
    assert study.images[View.SAX].voxels.shape == (5, *doors.SHAPE)
    assert study.images[View.SAX].times_ms == (0, 40, 80, 120, 160)
    assert study.phases == {View.SAX: Phases(ed=3, es=1, how="given")}
    body = study.body
    assert (body.sex, body.age_years, body.height_cm, body.weight_kg) == ("F", 50, 170, 70)


def test_one_is_the_left_ventricle_and_only_drawn_frames_are_covered(root):
    one = case(root, "B9G4U2")
    seg = one.reference()[View.SAX]
    assert list(one.covered()[View.SAX]) == [1, 3]
    assert np.array_equal(seg.labels[3] == LV, doors.heart(8) == 3)
    assert np.array_equal(seg.labels[1] == RV, doors.heart(5) == 1)
    assert not ventricles_swapped(seg.labels)


def test_parts_of_the_challenge_are_the_splits(root):
    splits = {c.patient: c.split for c in find_studies(root)}
    assert splits == {
        "A0S9V9": "train",
        "B9G4U2": "train",
        "C1K8P5": "train",
        "D0R0R9": "validate",
        "E5F5V7": "test",
    }


def test_patient_whom_nobody_drew_has_no_phases_and_is_no_flaw(root):
    one = case(root, "C1K8P5")
    assert one.reference is None
    assert not one.labels_published
    study = one.load()
    assert study.phases == {}
    assert any("gives no phases" in note for note in study.notes)


@pytest.mark.parametrize("below", ["Training", "Training/Labeled", "Training/Labeled/A0S9V9"])
def test_part_of_the_copy_still_finds_the_table_above(below, root):
    first = find_studies(root / below)[0]
    assert (first.id, first.split, first.group) == ("A0S9V9", "train", "Philips")


def test_flat_parts_are_read_too(root):
    for file in list((root / "Validation" / "D0R0R9").iterdir()):
        file.rename(root / "Validation" / file.name)
    assert case(root, "D0R0R9").reference is not None


@pytest.mark.parametrize(
    ("ed", "es"), [("5", "1"), ("1", "5"), ("x", "1"), ("2", "2"), ("-1", "1")]
)
def test_phases_that_cannot_be_are_said_and_not_used(ed, es, root):
    table = root / MNMS_TABLE
    table.write_text(table.read_text().replace("Philips,A,1,3,1", f"Philips,A,1,{ed},{es}"))
    study = case(root, "A0S9V9").load()
    assert study.phases == {}
    assert any(f"ED '{ed}', ES '{es}'" in note for note in study.notes)


def test_copy_without_its_table_is_read_and_says_so(root):
    (root / MNMS_TABLE).unlink()
    study = case(root, "A0S9V9").load()
    assert any("does not name this patient" in note for note in study.notes)
    assert mnms.missing(root) == ["no table *M&Ms*.csv: phases and vendors are not known"]


def test_patient_of_the_table_without_images_is_missing(root):
    (root / "Testing" / "E5F5V7" / "E5F5V7_sa.nii.gz").unlink()
    assert mnms.missing(root) == ["E5F5V7: in the table, but there is no E5F5V7_sa.nii.gz"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"External code,ED,ES\n\xff\xfe\x00", "not UTF-8"),
        (b"External code,Vendor\nA0S9V9,A\n", "no column External code, ED, ES"),
        (b"External code,ED,ES\n" + b'"' + b"x" * 200_000 + b'",1,2\n', "cannot be read"),
    ],
)
def test_table_that_is_none_is_refused(content, said, root):
    (root / MNMS_TABLE).write_bytes(content)
    with pytest.raises(FormatError, match=said):
        find_studies(root)


def test_table_with_semicolons_and_a_mark_in_front_is_read(root):
    table = root / MNMS_TABLE
    text = table.read_text().replace(",", ";")
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert case(root, "A0S9V9").group == "Philips"


def test_labels_of_another_number_of_frames_or_grid_are_refused(root):
    file = root / "Training" / "Labeled" / "A0S9V9" / "A0S9V9_sa_gt.nii.gz"
    doors.save_nifti(file, doors.heart()[None].repeat(4, 0))
    with pytest.raises(GeometryError, match="4 frames of labels.*5, as A0S9V9_sa"):
        case(root, "A0S9V9").reference()
    doors.save_nifti(file, np.zeros((5, 4, 38, 45), np.uint8))
    with pytest.raises(GeometryError, match="another grid: 4 x 38 x 45"):
        case(root, "A0S9V9").reference()
    doors.save_nifti(file, np.full((5, *doors.SHAPE), 4, np.uint8))
    with pytest.raises(LabelError, match=r"\[4\].*scheme 'mnms'"):
        case(root, "A0S9V9").reference()


def test_second_challenge_has_both_axes_and_its_split(tmp_path):
    more_miniatures.mnms2(tmp_path)
    found = find_studies(tmp_path)
    assert [(c.id, c.split, c.group) for c in found] == [
        ("mnms2_001", "train", "SIEMENS"),
        ("mnms2_002", "train", "GE MEDICAL SYSTEMS"),
        ("mnms2_201", "test", "Philips"),
    ]
    study, truth = found[2].load(), found[2].reference()
    assert set(study.images) == set(truth) == {View.SAX, View.LAX_4CH}
    assert study.group == "TRI"
    assert study.phases[View.SAX] == Phases(ed=0, es=1, how="given")
    assert np.array_equal(truth[View.SAX].labels[1] == LV, doors.heart(5) == 3)
    assert np.array_equal(truth[View.LAX_4CH].labels[0] == RV, doors.heart(7) == 1)
    stems = [source.stem for source in study.sources[View.LAX_4CH]]
    assert stems == ["201_LA_ED", "201_LA_ES"]


def test_lost_labels_of_one_phase_are_missing_and_that_phase_is_not_covered(tmp_path):
    more_miniatures.mnms2(tmp_path)
    (tmp_path / "dataset" / "002" / "002_SA_ES_gt.nii.gz").unlink()
    one = find_studies(tmp_path / "dataset" / "002")[0]
    assert list(one.covered()[View.SAX]) == [0]
    assert not one.reference()[View.SAX].labels[1].any()
    assert mnms2.missing(tmp_path) == ["002: no 002_SA_ES_gt.nii.gz"]


@pytest.mark.parametrize(
    ("number", "part"),
    [(1, "train"), (160, "train"), (161, "validate"), (200, "validate"), (201, "test")],
)
def test_patients_of_the_second_challenge_are_split_by_their_number(number, part):
    assert mnms2._split_of(number) == part
