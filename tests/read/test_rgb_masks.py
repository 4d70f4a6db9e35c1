import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError, LabelError
from heartseg.core.study import View
from heartseg.read import find_studies
from heartseg.read.candidate import Options
from heartseg.read.datasets import rgb_masks
from tests import foreign
from tests.read import more_miniatures
from tests.read.more_miniatures import _tiff, rgb

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rgb")
    more_miniatures.rgb_masks(folder)
    return folder


@pytest.fixture
def patient(original, tmp_path):
    import shutil

    shutil.copytree(original / "subject01", tmp_path / "subject01")
    return tmp_path / "subject01"


def remade(patient, change):
    """Change every mask; `change` takes and gives an array."""
    for file in patient.glob("*.tif"):
        array = change(rgb(1, 0))
        _tiff(file, array, photometric="rgb" if array.ndim == 3 else "minisblack")


def test_anatomy_tells_the_channels_apart_in_their_places(patient):
    (one,) = find_studies(patient)
    study, seg = one.load(), one.reference()[View.SAX]
    assert study.images[View.SAX].voxels.shape == (4, *foreign.SHAPE)
    assert list(one.covered()[View.SAX]) == [0, 2]
    for frame in (0, 2):
        drawn = rgb(1, frame)
        assert np.array_equal(seg.labels[frame, 3] == LV, drawn[..., 0] > 0)
        assert np.array_equal(seg.labels[frame, 3] == MYO, drawn[..., 1] > 0)
        assert np.array_equal(seg.labels[frame, 3] == RV, drawn[..., 2] > 0)
    assert not seg.labels[[1, 3]].any()


@pytest.mark.parametrize(
    "change",
    [
        lambda mask: mask[..., [2, 0, 1]],  # other colours
        lambda mask: mask // 255,  # 0 and 1
        lambda mask: np.maximum(mask, (mask[..., :1] > 0) * np.uint8([0, 255, 0])),  # filled wall
        lambda mask: np.where(mask.any(-1, keepdims=True), mask, np.uint8([0, 255, 255])),
        lambda mask: (mask > 0) @ np.uint8([7, 9, 2]),  # one number a structure
    ],
    ids=["colours", "ones", "overlapping", "background", "grey"],
)
def test_plausible_codings_mean_the_same(change, patient):
    remade(patient, change)
    (one,) = find_studies(patient)
    labels = one.reference()[View.SAX].labels[0, 2]
    drawn = rgb(1, 0)
    assert np.array_equal(labels == LV, drawn[..., 0] > 0)
    assert np.array_equal(labels == MYO, drawn[..., 1] > 0)
    assert np.array_equal(labels == RV, drawn[..., 2] > 0)


def test_left_ventricle_alone_is_enough(patient):
    remade(patient, lambda mask: mask * np.uint8([1, 1, 0]))
    (one,) = find_studies(patient)
    assert one.reference()[View.SAX].structures == (LV, MYO)


@pytest.mark.parametrize(
    "change",
    [
        lambda mask: mask * np.uint8([1, 0, 1]),  # no ring
        lambda mask: mask * np.uint8([1, 0, 0]),
        lambda mask: np.roll(mask, 4, axis=0) * np.uint8([1, 0, 0]) | mask * np.uint8([0, 1, 1]),
        lambda mask: mask * np.uint8([0, 0, 0]),
    ],
    ids=["no wall", "one", "misplaced", "empty"],
)
def test_masks_without_a_clear_meaning_are_refused(change, patient):
    remade(patient, change)
    (one,) = find_studies(patient)
    with pytest.raises(LabelError, match="none clearly surrounds.*scheme as TOML"):
        one.reference()


def test_scheme_of_the_channels_wins(patient, tmp_path):
    toml = tmp_path / "mine.toml"
    toml.write_text('[labels]\n1 = "rv"\n2 = "la"\n4 = "lv"\n')
    (one,) = rgb_masks.find(patient, Options(scheme=str(toml)))
    labels = one.reference()[View.SAX].labels[0, 2]
    assert np.array_equal(labels == LV, rgb(1, 0)[..., 2] > 0)


def test_smoothed_masks_are_refused(patient):
    remade(patient, lambda mask: np.where(mask > 0, mask, np.uint8(3)))
    (one,) = find_studies(patient)
    with pytest.raises(LabelError, match=r"each channel on or off \(0 or 255\)"):
        one.reference()


def test_mask_of_another_size_or_kind_is_refused(patient):
    file = sorted(patient.glob("*.tif"))[0]
    _tiff(file, rgb(1, 0)[:-1], photometric="rgb")
    with pytest.raises(GeometryError, match="13 x 19 pixels"):
        find_studies(patient)[0].reference()
    _tiff(file, np.zeros((5, 14, 19), np.uint8), photometric="minisblack")
    with pytest.raises(FormatError, match="5 pages"):
        find_studies(patient)[0].reference()


def test_frame_with_a_slice_nobody_drew_is_not_covered(patient):
    sorted(patient.glob("*.tif"))[0].unlink()
    (one,) = find_studies(patient)
    assert list(one.covered()[View.SAX]) == [2]


def test_masks_may_lie_in_a_folder_of_their_own(patient):
    for part, suffix in (("dicom", ".dcm"), ("masks", ".tif")):
        (patient / part).mkdir()
        for file in list(patient.glob(f"*{suffix}")):
            file.rename(patient / part / file.name)
    (one,) = find_studies(patient)
    assert (one.layout, one.id) == ("dicom-tiff", "subject01")
    assert one.reference()[View.SAX].labels.any()


def test_a_mask_without_its_image_makes_no_such_patient(patient):
    _tiff(patient / "0999.tif", rgb(1, 0), photometric="rgb")
    assert rgb_masks.find(patient, Options()) == []


def test_two_cavities_in_one_ring_are_not_told_apart_by_guessing():
    """Either could be the left ventricle: the numbers have to be said."""
    mask = np.zeros((60, 90), np.uint8)
    mask[5:35, 5:55] = 2
    mask[10:30, 10:28] = 1
    mask[12:28, 34:48] = 4
    with pytest.raises(LabelError, match="none clearly surrounds one other"):
        rgb_masks.scheme_by_anatomy([mask], "x")
    mask[mask == 4] = 2
    assert rgb_masks.scheme_by_anatomy([mask], "x").numbers[1] is Structure.LV_CAVITY


def test_number_that_no_byte_holds_is_refused(tmp_path):
    mask = np.zeros((8, 9), np.uint16)
    mask[2:5, 3:6] = 256  # cut to a byte it would be background
    _tiff(tmp_path / "0001.tif", mask)
    with pytest.raises(LabelError, match="whole numbers up to 255"):
        rgb_masks._codes(tmp_path / "0001.tif")
