import nibabel as nib
import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image as Pictures

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError, LabelError, StudyError
from heartseg.core.study import View
from heartseg.read import find_studies
from heartseg.read.candidate import Options
from heartseg.read.datasets import pairs
from heartseg.read.plain import patient_of
from tests import doors
from tests.read import more_miniatures

ACDC = '[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n'


@pytest.fixture
def root(tmp_path):
    more_miniatures.pairs(tmp_path)
    return tmp_path


def png(path, seed=0, values=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(seed).integers(1, 255, (9, 13)).astype(np.uint8)
    Pictures.fromarray(grey if values is None else values).save(path)


def test_table_says_whose_images_they_are(root):
    found = find_studies(root)
    assert [(c.id, c.patient, c.split) for c in found] == [
        ("p1_slice1", "Anna", "train"),
        ("p1_slice2", "Anna", "train"),
        ("p2_slice1", "Ben", "validate"),
    ]
    seg = found[1].reference()[View.SAX]
    assert np.array_equal(seg.labels[0] == Structure.LV_CAVITY, doors.heart(7) == 3)
    assert found[1].load().images.keys() == {View.SAX}


def test_names_say_whose_images_they_are_without_a_table(root):
    (root / "split.csv").unlink()
    assert [(c.patient, c.split) for c in find_studies(root)] == [
        ("p1", None),
        ("p1", None),
        ("p2", None),
    ]


@pytest.mark.parametrize(
    ("stem", "patient"),
    [
        ("patient007_frame01", "patient007"),
        ("P3-ED", "P3"),
        ("P3_ED_slice4", "P3"),
        ("p_12_2CH_ES", "p_12"),
        ("s1_z004", "s1"),
        ("scan_edited", "scan_edited"),
        ("heart_slices", "heart_slices"),
        ("12", "12"),
    ],
)
def test_patient_is_the_name_up_to_a_part_of_a_study(stem, patient):
    assert patient_of(stem) == patient


def test_numbers_are_never_guessed(root):
    (root / "labels.toml").unlink()
    found = find_studies(root)
    assert [c.layout for c in found] == ["pairs"] * 3
    assert [c.reference for c in found] == [None] * 3
    assert any("write what its numbers mean" in note for note in found[0].load().notes)
    assert pairs.missing(root)[0].startswith("no labels.toml")
    one = pairs.find(root, Options(scheme="mnms"))[0]
    labels = one.reference()[View.SAX].labels[0]
    assert np.array_equal(labels == Structure.RV_CAVITY, doors.heart(8) == 3)


@pytest.mark.parametrize(("images", "labels"), [("Images", "masks"), ("img", "groundtruth")])
def test_folders_have_many_names_and_labels_many_endings(images, labels, tmp_path):
    for stem, ending in (("a", ""), ("b", "_mask"), ("c_image", ""), ("d", "_label")):
        png(tmp_path / images / f"{stem}.png", len(stem))
        drawn = np.full((9, 13), 2, np.uint8)
        png(tmp_path / labels / f"{stem.removesuffix('_image')}{ending}.png", values=drawn)
    (tmp_path / "scheme.toml").write_text(ACDC)
    found = find_studies(tmp_path)
    assert [c.id for c in found] == ["a", "b", "c", "d"]
    assert all((c.reference()[View.UNKNOWN].labels == Structure.LV_MYOCARDIUM).all() for c in found)


def test_labels_cut_by_3d_slicer_lie_on_their_image(tmp_path):
    doors.save_nifti(tmp_path / "images" / "a.nii.gz", doors.heart(8))
    whole = SimpleITK.ReadImage(str(doors.save_nifti(tmp_path / "whole.nii.gz", doors.heart(8))))
    (tmp_path / "labels").mkdir()
    cut = SimpleITK.RegionOfInterest(whole, (40, 34, 3), (3, 2, 0))
    SimpleITK.WriteImage(cut, str(tmp_path / "labels" / "a.seg.nrrd"))
    (tmp_path / "labels.toml").write_text(ACDC)
    (one,) = find_studies(tmp_path)
    (seg,) = one.reference().values()
    assert np.array_equal(seg.labels[0] == Structure.LV_CAVITY, doors.heart(8) == 3)
    assert seg.geometry.same_grid(one.load().images[View.SAX].geometry)


def test_picture_takes_its_place_from_its_image_in_another_format(tmp_path):
    doors.save_nifti(tmp_path / "images" / "a.nii.gz", doors.heart(8)[:1])
    png(tmp_path / "labels" / "a.png", values=doors.heart(8)[0])
    (tmp_path / "labels.toml").write_text(ACDC)
    (one,) = find_studies(tmp_path)
    (seg,) = one.reference().values()
    (image,) = one.load().images.values()
    assert seg.geometry.same_grid(image.geometry)
    assert seg.geometry.unit == "mm"


def test_tiff_with_millimetres_takes_its_place_from_an_image_as_large(tmp_path):
    """A TIFF has a spacing and no place: a mask of the same voxels lies where its image does."""
    affine = np.diag([1.25, 1.5, 8.0, 1.0])
    affine[:3, 3] = 30, 20, 10
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    values = np.random.default_rng(1).integers(0, 900, (5, 6, 3)).astype(np.int16)  # x, y, z
    labels = (np.arange(90).reshape(3, 6, 5) % 4).astype(np.uint8)
    for name, step in (("a", 8.0), ("b", 7.0)):
        nib.save(nib.Nifti1Image(values, affine), tmp_path / "images" / f"{name}.nii.gz")
        said = {"unit": "mm", "axes": "ZYX", "spacing": step}
        tifffile.imwrite(
            tmp_path / "labels" / f"{name}.tif",
            labels,
            imagej=True,
            resolution=(1 / 1.25, 1 / 1.5),
            metadata=said,
        )
    (tmp_path / "labels.toml").write_text('[labels]\n1 = "rv"\n2 = "myo"\n3 = "lv"\n')
    a, b = find_studies(tmp_path)
    (seg,) = a.reference().values()
    (image,) = a.load().images.values()
    assert seg.geometry.same_grid(image.geometry)
    assert np.array_equal(seg.labels[0] == Structure.LV_CAVITY, labels == 3)
    with pytest.raises(GeometryError, match="another grid"):
        b.reference()


def test_side_by_side_needs_to_be_told_what_the_numbers_mean(tmp_path):
    doors.save_nifti(tmp_path / "deep" / "x.nii.gz", more_miniatures.noise(doors.SHAPE, 1))
    doors.save_nifti(tmp_path / "deep" / "x_gt.nii.gz", doors.heart(8))
    assert [c.layout for c in find_studies(tmp_path)] == ["files"]
    (tmp_path / "labels.toml").write_text(ACDC)
    (one,) = find_studies(tmp_path)
    assert (one.layout, one.patient) == ("pairs", "deep")
    assert one.reference()[View.SAX].labels.any()
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")  # perhaps a study: leave it to `files`
    assert pairs.find(tmp_path, Options()) == []


def test_folders_below_are_splits_or_patients(tmp_path):
    for place in ("train/anna", "train/ben", "test/carl"):
        for part in ("images", "labels"):
            png(tmp_path / part / place / "1.png", seed=len(place))
    (tmp_path / "labels.toml").write_text(ACDC)
    found = [(c.id, c.patient, c.split) for c in find_studies(tmp_path)]
    assert found == [("1", "carl", "test"), ("1-2", "anna", "train"), ("1-3", "ben", "train")]


def test_what_has_no_partner_is_said(root):
    (root / "labels" / "p1_slice2_gt.nii.gz").rename(root / "labels" / "p1_slyce2_gt.nii.gz")
    found = find_studies(root)
    assert found[1].reference is None
    assert "p1_slice2.nii.gz has no label file" in found[1].load().notes
    assert pairs.missing(root) == ["p1_slyce2_gt.nii.gz: a label file without an image"]


def test_two_label_files_of_an_image_are_refused(root):
    doors.save_nifti(root / "labels" / "p1_slice1.nii.gz", doors.heart(8))
    with pytest.raises(StudyError, match="of the same stem.*leave one out"):
        find_studies(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [("name,split\na,train\n", "no column file"), ("file,split\na,all\n", "split 'all'")],
)
def test_table_that_is_none_is_refused(text, message, root):
    (root / "split.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        find_studies(root)


def test_paths_in_the_table_lead_nowhere(root):
    text = "file,patient,split\n../../p1_slice1.nii.gz,Eve,train\n=1+1,=HYPERLINK(),test\n"
    (root / "split.csv").write_text(text)
    assert [c.patient for c in find_studies(root)] == ["Eve", "p1", "p2"]


def test_scheme_that_makes_no_sense_is_said(root):
    (root / "labels.toml").write_text('[labels]\n1 = "liver"\n')
    with pytest.raises(LabelError, match=r"labels\.toml"):
        find_studies(root)


def test_membranes_and_cells_are_read_with_their_scheme(real_data):
    found = find_studies(real_data / "isbi2012_em", scheme="isbi2012")
    assert len(found) == 30
    assert {c.layout for c in found} == {"pairs"}
    labels = found[0].reference()[View.UNKNOWN].labels
    assert labels.shape == (1, 1, 512, 512)
    assert 0.7 < (labels == Structure.CELL).mean() < 0.85
