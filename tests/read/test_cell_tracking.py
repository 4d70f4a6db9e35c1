import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import GeometryError
from heartseg.core.study import Modality, View
from heartseg.read import find_studies
from heartseg.read.copy_check import flaws, recognised
from heartseg.read.datasets import cell_tracking
from tests.read import more_miniatures
from tests.read.more_miniatures import _tiff


@pytest.fixture
def root(tmp_path):
    more_miniatures.cell_tracking(tmp_path)
    return tmp_path


def test_sequences_are_studies_of_their_frames(root):
    found = find_studies(root)
    assert [(c.id, c.group) for c in found] == [
        ("PhC-C2DH-U373_01", "PhC-C2DH-U373"),
        ("PhC-C2DH-U373_02", "PhC-C2DH-U373"),
    ]
    study = found[0].load()
    assert study.modality is Modality.OTHER
    assert study.images[View.UNKNOWN].voxels.shape == (4, 1, 17, 23)
    assert [s.stem for s in study.sources[View.UNKNOWN]] == ["t000", "t001", "t002", "t003"]


def test_gold_truth_is_sparse_and_all_cells_are_one_structure(root):
    first, second = find_studies(root / "PhC-C2DH-U373")
    assert list(first.covered()[View.UNKNOWN]) == [1, 3]
    labels = first.reference()[View.UNKNOWN].labels
    wanted = np.zeros((17, 23), bool)
    wanted[2:6, 3:9] = wanted[9:14, 12:16] = wanted[0, 0] = True
    assert np.array_equal(labels[1, 0] == Structure.CELL, wanted)
    assert not labels[[0, 2]].any()
    assert list(second.covered()[View.UNKNOWN]) == [0, 1, 2]  # silver, where there is no gold


def test_truth_is_not_needed_where_the_name_is_the_challenges(root):
    for part in ("01_GT", "01_ST", "02_ST"):
        for file in (root / "PhC-C2DH-U373" / part).rglob("*.tif"):
            file.unlink()
    found = find_studies(root)
    assert [c.reference for c in found] == [None, None]
    (root / "PhC-C2DH-U373").rename(root / "mine")
    assert cell_tracking.LAYOUT.name not in {c.layout for c in find_studies(root)}


def test_skipped_frames_and_masks_alone_are_missing(root):
    (root / "PhC-C2DH-U373" / "01" / "t001.tif").unlink()
    assert cell_tracking.missing(root) == [
        "PhC-C2DH-U373_01: no frame 1",
        "PhC-C2DH-U373_01: a mask of frame 1, which is not there",
    ]


def test_mask_of_another_size_is_refused(root):
    _tiff(root / "PhC-C2DH-U373" / "01_GT" / "SEG" / "man_seg003.tif", np.ones((17, 22), np.uint16))
    with pytest.raises(GeometryError, match="man_seg003.tif: got another grid"):
        find_studies(root)[0].reference()


@pytest.mark.parametrize("name", ["01/t002.tif", "01_GT/SEG/man_seg001.tif"])
def test_broken_file_is_found_and_named(name, root):
    file = root / "PhC-C2DH-U373" / name
    file.write_bytes(file.read_bytes()[:40])
    (flaw,) = [flaw for flaw in flaws(root, *recognised(root)) if flaw.wrong]
    assert (flaw.kind, flaw.case) == ("unreadable", "PhC-C2DH-U373_01")
    assert file.name in flaw.said
