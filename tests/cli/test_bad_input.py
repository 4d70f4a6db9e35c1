"""The first dozen of bad inputs at the door: exit code 1, one line that says what to do."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests import doors
from tests.cli.door import Done, heartseg


def _nifti(folder: Path, change: Callable[[bytearray], None] | None = None) -> Path:
    path = doors.save_nifti(folder / "scan.nii", doors.painted(doors.heart()))
    if change is not None:
        content = bytearray(path.read_bytes())
        change(content)
        path.write_bytes(content)
    return path


def missing(folder: Path) -> Path:
    return folder / "scan.nii.gz"


def empty(folder: Path) -> Path:
    (folder / "scan.nii.gz").touch()
    return folder / "scan.nii.gz"


def truncated(folder: Path) -> Path:
    path = doors.save_nifti(folder / "scan.nii.gz", doors.painted(doors.heart()))
    path.write_bytes(path.read_bytes()[:-200])
    return path


def no_image(folder: Path) -> Path:
    (folder / "scan.nii.gz").write_text("dear colleague, please find enclosed " * 20)
    return folder / "scan.nii.gz"


def not_a_number(folder: Path) -> Path:
    values = doors.painted(doors.heart()).astype(np.float32)
    values[1, 2, 3] = np.nan
    return doors.save_nifti(folder / "scan.nii.gz", values)


def constant(folder: Path) -> Path:
    return doors.save_nifti(folder / "scan.nii.gz", np.full(doors.SHAPE, 7, np.int16))


def absurd_spacing(folder: Path) -> Path:
    def change(content: bytearray) -> None:
        struct.pack_into("<8f", content, 76, 1, 1.5, 4000, 9, 0, 0, 0, 0)
        struct.pack_into("<2h", content, 252, 0, 0)  # no sform, no qform

    return _nifti(folder, change)


def header_of_500_gb(folder: Path) -> Path:
    return _nifti(folder, lambda c: struct.pack_into("<8h", c, 40, 4, 8000, 8000, 400, 10, 1, 1, 1))


def five_axes(folder: Path) -> Path:
    return doors.save_nifti(folder / "scan.nii.gz", np.ones((2, 2, 3, 4, 5), np.int16))


def empty_folder(folder: Path) -> Path:
    return folder


def missing_slice(folder: Path) -> Path:
    doors.write_dicom(folder / "dicom")
    for number in range(5, 9):  # four frames of the second slice
        (folder / "dicom" / f"IM{number:04d}.dcm").unlink()
    return folder / "dicom"


DOZEN = {
    missing: "got no such file or folder; check the path",
    empty: "got an empty file; copy or export it again",
    truncated: "copy",
    no_image: "scan.nii.gz: got",
    not_a_number: "not numbers .NaN or infinite.*replace them",
    constant: "constant image .*export it again",
    absurd_spacing: "spacing .*4000.*--spacing-mm",
    header_of_500_gb: "claims 8000 x 8000 x 400.* GB; allowed: at most 4 GB",
    five_axes: "5 axes",
    empty_folder: "an empty folder; allowed: .nii",
    missing_slice: "distances of 18.00, 9.00 mm.*a slice may be missing.*send the whole series",
}


@pytest.mark.parametrize("case", DOZEN, ids=lambda case: case.__name__)
def test_bad_input_is_one_line_that_says_what_to_do(
    case: Callable[[Path], Path], gauge: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    path = case(tmp_path / "in")
    done = heartseg("segment", path, "-o", tmp_path / "out", "--model", gauge)
    one_line(done, DOZEN[case])
    assert str(tmp_path) not in done.err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["summary.csv"]
    again = heartseg("inspect", path)
    assert again.code == 1
    assert "Traceback" not in again.err


def one_line(done: Done, said: str) -> None:
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1, done.err
    assert re.search(said, done.err), done.err


def test_an_output_folder_that_cannot_be_written(gauge: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    done = heartseg("segment", _nifti(tmp_path), "-o", tmp_path / "taken", "--model", gauge)
    one_line(done, "output folder taken: got File exists; choose a folder that you may write to")


def other_grid(folder: Path) -> Path:
    return doors.save_nifti(folder / "labels.nii.gz", doors.heart()[:, 2:])


def unknown_number(folder: Path) -> Path:
    return doors.save_nifti(folder / "labels.nii.gz", doors.heart() * 2)


def swapped_scheme(folder: Path) -> Path:
    swapped = np.array([0, 3, 2, 1], np.uint8)
    return doors.save_nifti(folder / "labels.nii.gz", swapped[doors.heart()])


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (other_grid, "labels.nii.gz: got labels on another grid.*resample the labels"),
        (unknown_number, r"label values \[4, 6\] that mean nothing in scheme 'acdc'.*--scheme"),
        (swapped_scheme, "read as 'acdc', the myocardium surrounds the RV.*pass --scheme"),
    ],
)
def test_labels_that_do_not_fit(case: Callable[[Path], Path], said: str, tmp_path: Path) -> None:
    scan, labels = _nifti(tmp_path), case(tmp_path)
    out = tmp_path / "out"
    one_line(heartseg("measure", scan, "--labels-from", labels, "-o", out), said)
    assert [file.name for file in out.iterdir()] == ["summary.csv"]


def test_the_swapped_scheme_is_right_when_it_is_named(tmp_path: Path) -> None:
    scan, labels = _nifti(tmp_path), swapped_scheme(tmp_path)
    out = tmp_path / "out"
    done = heartseg("measure", scan, "--labels-from", labels, "-o", out, "--scheme", "mnms")
    assert done.code == 0, done.err
    assert "LV end-diastolic volume" in done.out
