import numpy as np
import pytest

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError, GeometryError
from heartseg.core.study import Modality, Phases, View
from heartseg.read import find_studies
from heartseg.read.candidate import Options
from heartseg.read.copy_check import flaws, recognised
from heartseg.read.datasets import echonet
from tests.read import more_miniatures
from tests.read.more_miniatures import tracing


@pytest.fixture
def root(tmp_path):
    more_miniatures.echonet(tmp_path / "copy")
    return tmp_path / "copy"


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_videos_have_split_phases_and_published_values(root):
    found = find_studies(root)
    assert [(c.id, c.split) for c in found] == [
        ("0X1A", "train"),
        ("0X2B", "validate"),
        ("0X3C", "test"),
    ]
    assert found[1].published == pytest.approx(
        {"lv_ef": 0.615, "lv_edv_ml": 111.0, "lv_esv_ml": 40.0}
    )
    study = found[1].load()
    assert study.modality is Modality.US
    image = study.images[View.LAX_4CH]
    assert image.voxels.shape == (6, 1, 24, 20)
    assert image.geometry.unit == "px"
    assert study.phases == {View.LAX_4CH: Phases(ed=4, es=1, how="given")}


def test_outline_runs_up_one_side_and_down_the_other_without_the_axis():
    points = echonet.outline(np.array(tracing(6.0, lines=3)))
    _, *chords = tracing(6.0, lines=3)
    wanted = [c[:2] for c in chords] + [c[2:] for c in reversed(chords)]
    assert points.tolist() == [list(point) for point in wanted]


def test_labels_are_the_polygon_of_the_chords_at_the_traced_frames_only(root):
    skimage = pytest.importorskip("skimage.draw")
    one = find_studies(root)[0]
    seg = one.reference()[View.LAX_4CH]
    assert list(one.covered()[View.LAX_4CH]) == [1, 4]
    assert not seg.labels[[0, 2, 3, 5]].any()
    for frame, width in ((1, 4.0), (4, 7.0)):
        lines = np.array(tracing(width))[1:]
        x = np.concatenate([lines[:, 0], lines[::-1, 2]])
        y = np.concatenate([lines[:, 1], lines[::-1, 3]])
        foreign = skimage.polygon2mask((24, 20), np.stack([y, x], 1))
        mine = seg.labels[frame, 0] == Structure.LV_CAVITY
        assert mine.sum() > 20
        assert np.count_nonzero(mine != foreign) <= 2  # pixels whose centre lies on the outline


def test_two_tracings_of_one_size_tell_no_phases(root):
    lines = (root / "VolumeTracings.csv").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("0X2B")]
    for frame in (1, 4):
        kept += [f"0X2B.avi,{','.join(map(str, line))},{frame}" for line in tracing(5.0)]
    (root / "VolumeTracings.csv").write_text("\n".join(kept))
    assert find_studies(root)[1].load().phases == {}


def test_video_without_tracings_has_no_labels(root):
    text = (root / "VolumeTracings.csv").read_text().splitlines()
    kept = [line for line in text if not line.startswith("0X2B")]
    (root / "VolumeTracings.csv").write_text("\n".join(kept))
    found = find_studies(root)
    assert [c.reference is None for c in found] == [False, True, False]
    assert found[1].load().phases == {}


@pytest.mark.parametrize(
    "name", ["../secret", "..\\secret", "/etc/passwd", "=cmd()", "sub/0X9", "0X1A\\..\\..\\secret"]
)
def test_names_in_the_tables_never_leave_the_folder(name, root):
    (root.parent / "secret.avi").write_bytes(b"not yours")
    with (root / "FileList.csv").open("a") as stream:
        stream.write(f"{name},60,40,100,24,20,50,6,TRAIN\n")
    found = find_studies(root)
    assert [c.id for c in found] == ["0X1A", "0X2B", "0X3C"]
    assert all(c.path.resolve().is_relative_to(root.resolve()) for c in found)
    (line,) = echonet.missing(root)
    assert "in FileList.csv, not in Videos" in line


def test_lost_videos_and_tables_are_missing(root):
    (root / "Videos" / "0X2B.avi").unlink()
    assert echonet.missing(root) == ["0X2B.avi: in FileList.csv, not in Videos"]
    (root / "VolumeTracings.csv").unlink()
    assert echonet.missing(root)[0].startswith("no VolumeTracings.csv")


@pytest.mark.parametrize(
    ("old", "new", "fault", "said"),
    [
        ("0X1A.avi,5.5,3.0", "0X1A.avi,nan,3.0", FormatError, "without four numbers"),
        (",4\n", ",No Systolic\n", FormatError, "frame 'No Systolic'"),
        (",4\n", ",6\n", GeometryError, "frame 6 that the video does not hold.*6 frames"),
    ],
)
def test_tracings_that_cannot_be_are_said(old, new, fault, said, root):
    change(root / "VolumeTracings.csv", old, new)
    one = find_studies(root)[0]
    with pytest.raises(fault, match=said):
        one.reference()


def test_table_with_short_rows_is_refused(root):
    with (root / "VolumeTracings.csv").open("a") as stream:
        stream.write("0X1A.avi,1\n")
    with pytest.raises(FormatError, match="a row of 2 cells"):
        find_studies(root)


def test_other_tables_are_no_echonet(root):
    (root / "FileList.csv").write_text("FileName,Age\n0X1A,3\n")
    assert echonet.find(root, Options()) == []


def test_broken_video_is_found_and_named(root):
    (root / "Videos" / "0X2B.avi").write_bytes(b"RIFF" + bytes(40))
    (flaw,) = [flaw for flaw in flaws(root, *recognised(root)) if flaw.wrong]
    assert (flaw.kind, flaw.case) == ("unreadable", "0X2B")
