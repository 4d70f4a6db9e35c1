import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES, Scheme, Structure, enclosure, scheme, ventricles_swapped
from heartseg.core.errors import LabelError

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


def heart() -> np.ndarray:
    labels = np.zeros((1, 1, 16, 20), np.uint8)
    labels[0, 0, 4:13, 6:15] = MYO
    labels[0, 0, 6:11, 8:13] = LV
    labels[0, 0, 5:12, 2:6] = RV
    return labels


@pytest.mark.parametrize("name", SCHEMES)
def test_scheme_returns_what_it_wrote(name):
    one = SCHEMES[name]
    if max(one.numbers) > 255:
        with pytest.raises(LabelError, match="up to 255"):
            one.write(np.array([LV], np.uint8))
        return
    labels = np.array(sorted(one.numbers.values()), np.uint8)
    assert np.array_equal(one.read(one.write(labels)), labels)


def test_acdc_and_mnms_number_the_ventricles_the_other_way_round():
    assert SCHEMES["acdc"].read(np.array([1, 2, 3])).tolist() == [RV, MYO, LV]
    assert SCHEMES["mnms"].read(np.array([1, 2, 3])).tolist() == [LV, MYO, RV]
    assert SCHEMES["camus"].read(np.array([1.0, 2.0, 3.0]))[2] == Structure.LEFT_ATRIUM


@pytest.mark.parametrize("values", [[0, 4], [0, 0.5], [np.nan], [-1], [256]])
def test_value_without_a_meaning_is_an_error_and_never_background(values):
    with pytest.raises(LabelError, match=r"mean nothing in scheme 'acdc'.*1 RV cavity"):
        SCHEMES["acdc"].read(np.array(values))


def test_structure_without_a_number_is_an_error():
    with pytest.raises(LabelError, match="left atrium"):
        SCHEMES["acdc"].write(np.array([Structure.LEFT_ATRIUM], np.uint8))


def test_users_own_scheme_is_read_from_toml(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[labels]\n7 = "lv"\n9 = "myo"\n')
    mine = scheme(str(file))
    assert mine.read(np.array([0, 7, 9])).tolist() == [0, LV, MYO]
    assert isinstance(mine, Scheme)


@pytest.mark.parametrize(
    "text", ["", "[labels]\n1 = 'heart'", "[labels]\nx = 'lv'", "][", "labels = 1"]
)
def test_scheme_file_that_makes_no_sense_is_said(text, tmp_path):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(LabelError, match=r"bad\.toml.*\[labels\]"):
        scheme(str(tmp_path / "bad.toml"))


def test_unknown_scheme_lists_the_known():
    with pytest.raises(LabelError, match="'acdv'.*acdc, mnms"):
        scheme("acdv")


def test_ring_encloses_the_left_ventricle_only():
    assert enclosure(heart(), LV) == 1
    right = enclosure(heart(), RV)
    assert right is not None
    assert 0.1 < right < 0.5
    assert enclosure(heart(), Structure.AORTA) is None


def test_swapped_ventricles_are_seen():
    labels = heart()
    assert not ventricles_swapped(labels)
    swapped = np.select([labels == LV, labels == RV], [RV, LV], labels).astype(np.uint8)
    assert ventricles_swapped(swapped)
    assert not ventricles_swapped(np.where(labels == RV, 0, labels).astype(np.uint8))


def test_every_structure_has_a_key_and_a_title_of_its_own():
    assert len({s.key for s in Structure}) == len({s.title for s in Structure}) == len(Structure)
    assert Structure.BACKGROUND.code is None
    assert LV.code is not None
    assert (LV.code.scheme, LV.code.value) == ("SCT", "87878005")


def test_membrane_is_the_background_of_cells():
    assert SCHEMES["isbi2012"].read(np.array([0, 255])).tolist() == [0, Structure.CELL]
    assert Structure.CELL.code is not None
    assert Structure.CELL.code.value == "4421005"
