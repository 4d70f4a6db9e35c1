"""Every layout takes its own copies and nobody else's."""

import time

import numpy as np
import pytest

from heartseg.read.candidate import Options
from heartseg.read.copy_check import recognised
from heartseg.read.layouts import LAYOUTS
from tests import doors
from tests.read.miniatures import MINIATURES

SPECIFIC = [layout for layout in LAYOUTS.values() if layout.name != "files"]


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    root = tmp_path_factory.mktemp("copies")
    for name, make in MINIATURES.items():
        (root / name).mkdir()
        make(root / name)
    return root


@pytest.mark.parametrize("name", MINIATURES)
def test_copy_is_recognised_by_its_own_layout_and_no_other(name, copies):
    known = [layout.name for layout in SPECIFIC if layout.find(copies / name, Options())]
    # Pictures in `images` and `labels` are pairs too, whoever made them: the order decides.
    assert known in ([name], [name, "pairs"])


@pytest.mark.parametrize("name", MINIATURES)
def test_labels_lie_on_the_image_and_cover_what_they_say(name, copies):
    _, found = recognised(copies / name)
    for case in (one for one in found if one.reference):
        study, truth = case.load(), case.reference()
        covered = case.covered() if case.covered else {}
        for view, seg in truth.items():
            image = study.images[view]
            assert seg.frames == image.frames
            assert seg.geometry.same_grid(image.geometry)
            assert seg.labels.any()
            for t in range(seg.frames):
                drawn = not covered or t in covered[view]
                assert drawn or not seg.labels[t].any()


@pytest.mark.parametrize("layout", SPECIFIC, ids=lambda layout: layout.name)
def test_nothing_is_found_in_nothing_or_in_anything(layout, tmp_path):
    assert layout.find(tmp_path, Options()) == []
    doors.save_nifti(tmp_path / "a.nii.gz", np.zeros((2, 3, 4), np.int16))
    for name in ("notes.txt", "scan", "t000.tif", "dataset.json", "FileList.csv", "x_gt.nii.gz"):
        (tmp_path / name).write_bytes(b"\xff\xfe anything {]")
    (tmp_path / "Videos").mkdir()
    (tmp_path / "imagesTr").mkdir()
    (tmp_path / "01").mkdir()
    (tmp_path / "01" / "t000.tif").write_bytes(b"")
    assert layout.find(tmp_path, Options()) == []
    assert layout.find(tmp_path / "a.nii.gz", Options()) == []


def test_thousands_of_videos_are_found_in_a_second(tmp_path):
    (tmp_path / "Videos").mkdir()
    names = [f"0X{n:016X}" for n in range(2000)]
    for name in names:
        (tmp_path / "Videos" / f"{name}.avi").touch()
    rows = [f"{name},60,40,100,112,112,50,200,TRAIN" for name in names]
    head = "FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split"
    (tmp_path / "FileList.csv").write_text("\n".join([head, *rows]))
    lines = [f"{n}.avi,1,{y},9,{y},{f}" for n in names for f in (3, 7) for y in range(21)]
    (tmp_path / "VolumeTracings.csv").write_text("\n".join(["FileName,X1,Y1,X2,Y2,Frame", *lines]))
    start = time.process_time()
    assert len(recognised(tmp_path)[1]) == 2000
    assert time.process_time() - start < 5  # 0.4 s; a number for every cell took twenty times that
