from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from heartseg.core.anatomy import Structure, ventricles_swapped
from heartseg.core.errors import FormatError, GeometryError, StudyError
from heartseg.core.study import Modality, Phases, View
from heartseg.read import find_studies, read_study

INFO = "ED: 9\nES: 2\nGroup: HCM\nHeight: 170.5\nNbFrame: 30\nWeight: 71.0\n"


def save(path: Path, array: np.ndarray, pixdim: tuple[float, ...] = (1.5, 1.25, 10)) -> None:
    """As ACDC does: the affine holds no spacing."""
    image = nib.Nifti1Image(array, np.diag([-1.0, -1, 1, 1]))
    image.header["pixdim"][1:4] = pixdim
    path.parent.mkdir(exist_ok=True)
    nib.save(image, path)


def patient(folder: Path, name: str = "patient007", info: str = INFO) -> Path:
    folder = folder / name
    for frame in (2, 9):
        values = np.arange(4 * 5 * 3).reshape(4, 5, 3).astype(np.int16) * frame
        save(folder / f"{name}_frame{frame:02d}.nii.gz", values)
        save(folder / f"{name}_frame{frame:02d}_gt.nii.gz", (values // frame % 4).astype(np.uint8))
    (folder / "Info.cfg").write_text(info)
    return folder


def test_patient_is_one_study_of_two_frames_with_its_phases(tmp_path):
    study = read_study(patient(tmp_path))
    image = study.images[View.SAX]
    assert (study.id, study.modality, study.group) == ("patient007", Modality.MR, "HCM")
    assert study.phases == {View.SAX: Phases(ed=1, es=0, how="given")}  # ED has the later number
    assert image.voxels.shape == (2, 3, 5, 4)
    assert image.voxels[:, 0, 0, 1].tolist() == [2 * 15, 9 * 15]
    assert image.geometry.spacing == (10, 1.25, 1.5)
    assert (study.body.height_cm, study.body.weight_kg) == (170.5, 71)
    assert any("pixdim" in note for note in study.notes)


def test_frame_file_of_several_frames_is_refused(tmp_path):
    """Else ED and ES would be other frames than those of `Info.cfg`."""
    folder = patient(tmp_path)
    cine = np.arange(4 * 5 * 3 * 2).reshape(4, 5, 3, 2).astype(np.int16)
    save(folder / "patient007_frame02.nii.gz", cine)
    with pytest.raises(GeometryError, match="3 frames in 2 files.*one frame a file"):
        read_study(folder)


def test_each_frame_knows_the_file_its_mask_goes_to(tmp_path):
    sources = read_study(patient(tmp_path)).sources[View.SAX]
    assert [(s.stem, s.frames, s.format) for s in sources] == [
        ("patient007_frame02", (0,), "nifti"),
        ("patient007_frame09", (1,), "nifti"),
    ]


def test_reference_lies_on_the_frames_of_the_image(tmp_path):
    (candidate,) = find_studies(patient(tmp_path))
    assert candidate.reference is not None
    labels = candidate.reference()[View.SAX].labels
    numbers = candidate.load().images[View.SAX].voxels[0] // 2 % 4
    assert np.array_equal(labels[0] == Structure.LV_CAVITY, numbers == 3)
    assert np.array_equal(labels[1] == Structure.RV_CAVITY, numbers == 1)


def test_folder_of_patients_gives_them_in_order_and_reads_no_pixels(tmp_path):
    for name in ("patient010", "patient002"):
        folder = patient(tmp_path, name)
        (folder / f"{name}_frame02.nii.gz").write_bytes(b"broken")
    found = find_studies(tmp_path)
    assert [candidate.id for candidate in found] == ["patient002", "patient010"]
    with pytest.raises(FormatError):
        found[0].load()


def test_labels_are_not_needed(tmp_path):
    folder = patient(tmp_path)
    for file in folder.glob("*_gt.nii.gz"):
        file.unlink()
    (candidate,) = find_studies(folder)
    assert candidate.reference is None
    assert candidate.load().images[View.SAX].frames == 2


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ("ED: 9\n", "ES: ''.*number of a frame"),
        ("ED: 9\nES: x\n", "ES: 'x'"),
        ("ED: 9\nES: 4\n", "frame 4 in Info.cfg but no image.*frames 2, 9"),
    ],
)
def test_info_that_does_not_fit_is_said(info, message, tmp_path):
    with pytest.raises(StudyError, match=message):
        read_study(patient(tmp_path, info=info))


def test_implausible_body_is_noted_and_not_used(tmp_path):
    study = read_study(patient(tmp_path, info=INFO.replace("170.5", "1.705")))
    assert study.body.height_cm is None
    assert any("height 1.705 cm" in note for note in study.notes)


def test_frames_on_different_grids_are_refused(tmp_path):
    folder = patient(tmp_path)
    save(folder / "patient007_frame09.nii.gz", np.arange(48, dtype=np.int16).reshape(4, 4, 3))
    with pytest.raises(GeometryError, match="frame09.*another grid: 3 x 4 x 4"):
        read_study(folder)


def test_labels_on_another_grid_than_the_image_are_refused(tmp_path):
    folder = patient(tmp_path)
    for frame in ("02", "09"):
        save(folder / f"patient007_frame{frame}_gt.nii.gz", np.ones((4, 5, 3), np.uint8), (2, 2, 9))
    (candidate,) = find_studies(folder)
    with pytest.raises(GeometryError, match="another grid"):
        candidate.reference()


def test_folders_of_the_archive_decide_the_split(tmp_path):
    for part, name in (("training", "patient002"), ("testing", "patient101")):
        (tmp_path / "database" / part).mkdir(parents=True)
        patient(tmp_path / "database" / part, name)
    for root in (tmp_path, tmp_path / "database"):
        found = find_studies(root)
        assert [(c.patient, c.split, c.group) for c in found] == [
            ("patient002", "train", "HCM"),
            ("patient101", "test", "HCM"),
        ]
    assert [c.split for c in find_studies(tmp_path / "database" / "testing")] == ["test"]
    assert len(found[0].files) == 5


def test_scribbles_say_where_somebody_drew(tmp_path):
    (tmp_path / "training").mkdir()
    folder = patient(tmp_path / "training")
    (candidate,) = find_studies(tmp_path)
    assert candidate.scribbles is None
    drawn = np.full((4, 5, 3), 4, np.uint8)
    drawn[1, 2, 0], drawn[3, 4, 2], drawn[2, 0, 1] = 3, 1, 0
    for frame in ("02", "09"):
        save(tmp_path / "scribbles" / f"patient007_frame{frame}_scribble.nii.gz", drawn)
        drawn = drawn[:, ::-1]
    for place in (tmp_path, tmp_path / "training", folder):
        (candidate,) = find_studies(place)
        sparse = candidate.scribbles()[View.SAX]
        assert sparse.annotated.sum() == 6
        labels = sparse.segmentation.labels
        assert labels[0, 0, 2, 1] == labels[1, 0, 2, 1] == Structure.LV_CAVITY
        assert labels[0, 2, 4, 3] == labels[1, 2, 0, 3] == Structure.RV_CAVITY
        assert sparse.annotated[0, 1, 0, 2]  # background that somebody saw
        assert np.count_nonzero(labels) == 4


def test_published_scribbles_are_sparse_and_lie_in_their_structures(real_data):
    found = {c.id: c for c in find_studies(real_data / "acdc")}
    assert len(found) == 100
    candidate = found["patient031"]
    sparse, whole = candidate.scribbles()[View.SAX], candidate.reference()[View.SAX]
    assert 0.01 < sparse.annotated.mean() < 0.2
    agree = (sparse.segmentation.labels == whole.labels)[sparse.annotated]
    assert agree.mean() > 0.95


def test_published_patients_are_read_with_plausible_hearts(real_data):
    found = find_studies(real_data / "acdc" / "training")
    assert [c.id for c in found] == [f"patient{n:03d}" for n in range(1, 101)]
    for candidate in found[4::20]:
        study, seg = candidate.load(), candidate.reference()[View.SAX]
        image, phases = study.images[View.SAX], study.phases[View.SAX]
        assert image.geometry.same_grid(seg.geometry)
        assert not ventricles_swapped(seg.labels)
        ml = [
            np.sum(seg.labels[f] == Structure.LV_CAVITY) * image.geometry.voxel_ml for f in (0, 1)
        ]
        assert 50 < ml[phases.ed] < 450
        assert ml[phases.es] < ml[phases.ed]
    study = found[4].load()
    assert study.images[View.SAX].geometry.spacing == (10, 1.40625, 1.40625)
    assert (study.body.height_cm, study.body.weight_kg, study.group) == (165, 77, "DCM")
