"""From studies to tensors: everything in its place."""

import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import LabelError, StudyError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.prepare import Preparation
from heartseg.read import Candidate
from tests import foreign

torch = pytest.importorskip("torch")
from heartseg.train.data import PreparedFrame, PreparedSet, prepared_frames  # noqa: E402

LV, MYO, RV = Structure.LV_CAVITY, Structure.LV_MYOCARDIUM, Structure.RV_CAVITY
CLASSES = (Structure.BACKGROUND, RV, MYO, LV)
PREPARATION = Preparation(spacing_mm=1.0, stride=8, field_px=64)
CPU = torch.device("cpu")
GRID = Geometry(foreign.SHAPE, foreign.affine_lps())


def labelled(geometry=GRID, structures=(LV, MYO, RV), frames=3, covered=None) -> Candidate:
    """Three frames; the second has no labels."""
    voxels = np.stack([foreign.voxels()] * 3)
    labels = np.zeros((frames, *geometry.shape), np.uint8)
    for index, structure in enumerate(structures):
        labels[::2, 1:4, 2:11, 3 + 5 * index : 8 + 5 * index] = structure
    study = Study(
        id="patient007", modality=Modality.MR, images={View.SAX: Image(voxels, GRID)}, sources={}
    )
    truth = {View.SAX: Segmentation(labels, geometry, (LV, MYO, RV))}
    return Candidate(
        id="patient007",
        layout="test",
        path=None,  # type: ignore[arg-type]
        load=lambda: study,
        reference=lambda: truth,
        covered=None if covered is None else lambda: {View.SAX: covered},
    )


def test_labelled_frames_are_prepared_with_their_pixels():
    candidate = labelled()
    frames = prepared_frames(candidate, PREPARATION, CLASSES, View.SAX)
    sample = PREPARATION.sample(candidate.load().images[View.SAX])
    assert [(frame.patient, frame.phase) for frame in frames] == [
        ("patient007", 0),
        ("patient007", 2),
    ]
    for frame in frames:
        assert np.array_equal(frame.pixels, sample.frame(frame.phase))
        truth = sample.frame_labels(candidate.reference()[View.SAX].labels[frame.phase])
        for index, structure in enumerate(CLASSES):  # class indices, not structures
            assert np.array_equal(frame.classes == index, truth == structure)


def test_a_structure_that_is_not_trained_is_not_made_background():
    with pytest.raises(LabelError, match="patient007"):
        prepared_frames(labelled(), PREPARATION, CLASSES[:3], View.SAX)


def test_frames_where_not_everything_was_drawn_are_left_out():
    drawn = {0: (LV, MYO, RV), 2: (LV,)}
    frames = prepared_frames(labelled(covered=drawn), PREPARATION, CLASSES, View.SAX)
    assert [frame.phase for frame in frames] == [0]


@pytest.mark.parametrize("view", [View.LAX_2CH, View.SAX])
def test_a_study_without_such_labels_is_refused(view):
    candidate = labelled()
    if view is View.SAX:
        candidate = Candidate(id="patient007", layout="", path=candidate.path, load=candidate.load)
    with pytest.raises(StudyError, match="leave it out"):
        prepared_frames(candidate, PREPARATION, CLASSES, view)


@pytest.mark.parametrize("other", [{"frames": 2}, {"geometry": GRID.respaced((8.0, 1.5, 1.3))}])
def test_labels_that_do_not_fit_the_image_are_refused(other):
    with pytest.raises(StudyError, match="another grid"):
        prepared_frames(labelled(**other), PREPARATION, CLASSES, View.SAX)


def frame(rows, columns, mark, planes=2, patient="patient002") -> PreparedFrame:
    pixels = np.zeros((planes, rows, columns), np.float32)
    pixels[:, mark[0], mark[1]] = 1
    classes = (pixels * 3).astype(np.uint8)
    return PreparedFrame(patient=patient, phase=0, pixels=pixels, classes=classes)


def test_planes_of_all_sizes_are_padded_about_their_centre():
    prepared = PreparedSet([frame(16, 32, (3, 20)), frame(24, 8, (5, 1), planes=3)], CPU)
    assert prepared.planes.shape == prepared.classes.shape == (5, 32, 32)
    assert prepared.planes.dtype == torch.float16
    for plane, (y, x) in enumerate([(11, 20)] * 2 + [(9, 13)] * 3):
        assert (prepared.planes[plane] > 0).nonzero().tolist() == [[y, x]]
        assert (prepared.classes[plane] == 3).nonzero().tolist() == [[y, x]]
        assert prepared.centres[plane].tolist() == [y, x]


def test_the_centre_is_that_of_the_heart_in_the_whole_volume():
    classes = np.zeros((2, 16, 24), np.uint8)
    classes[0, 2:5, 10:12] = 1  # 6 pixels about (3, 10.5)
    classes[1, 8:10, 20:23] = 2  # 6 pixels about (8.5, 21)
    whole = PreparedFrame(
        patient="patient002", phase=0, pixels=classes.astype(np.float32), classes=classes
    )
    assert PreparedSet([whole], CPU).centres.tolist() == [[5.75 + 4, 15.75]] * 2


def test_what_is_drawn_belongs_together():
    frames = [frame(32, 32, (4 + n, 25 - 2 * n), planes=1) for n in range(6)]
    prepared = PreparedSet(frames, CPU)
    planes, classes, centres = prepared.draw(300, 0.0, torch.Generator().manual_seed(0))
    assert planes.shape == (300, 1, 32, 32)
    assert planes.dtype == torch.float32
    at = (planes[:, 0] > 0).nonzero()
    assert torch.equal(at, (classes == 3).nonzero())
    assert torch.equal(at[:, 1:].float(), centres)
    assert len(set(map(tuple, centres.tolist()))) == 6  # every plane has its turn


def test_some_crops_look_away_from_the_heart():
    prepared = PreparedSet([frame(100, 100, (10, 90))], CPU)
    centres = prepared.draw(2000, 0.25, torch.Generator().manual_seed(0))[2]
    at_heart = (centres == torch.tensor([10.0, 90.0])).all(1)
    assert 1 - at_heart.float().mean().item() == pytest.approx(0.25, abs=0.04)
    away = centres[~at_heart]
    assert away.min() >= 30
    assert away.max() <= 70
    assert away.std(0).min() > 9


def test_a_seed_repeats_the_draw():
    prepared = PreparedSet([frame(32, 32, (4, 25)), frame(32, 32, (9, 2))], CPU)
    one, same, other = (prepared.draw(20, 0.3, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[2], other[2])


def test_a_structure_may_be_taken_for_background_on_purpose():
    (first, _) = prepared_frames(labelled(), PREPARATION, CLASSES[:2], View.SAX, merged=(MYO, LV))
    (whole, _) = prepared_frames(labelled(), PREPARATION, CLASSES, View.SAX)
    assert np.array_equal(first.classes == 1, whole.classes == 1)
    assert set(np.unique(first.classes)) == {0, 1}
    assert set(np.unique(whole.classes)) == {0, 1, 2, 3}
