"""A batch of everything that is broken or malicious, and one good study: it is done, nothing else
happens, and each of the others is a line that says why."""

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from tests import doors
from tests.cli.door import heartseg
from tests.cli.test_hostile import everything_is_harmless, lines_of

WORDS = (
    "<script>alert(1)</script>",
    "<img src=http://127.0.0.1:9/x>",
    "=cmd|'/c calc'!A1",
    "\x1b[2J",
)


def scan(path: Path) -> bytes:
    return doors.save_nifti(path, doors.painted(doors.cine((8, 5)))).read_bytes()


# Each writes one input into a folder of its own, and names what is said of it.


def a_truncated_gzip(folder: Path) -> str:
    path = folder / "cut.nii.gz"
    path.write_bytes(scan(path)[:-300])
    return "damaged or truncated"


def complex_voxels(folder: Path) -> str:
    nib.save(nib.Nifti1Image(np.ones((4, 5, 3), np.complex64), np.eye(4)), folder / "c.nii.gz")
    return "colour or complex"


def rgb_voxels(folder: Path) -> str:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 3), kind), np.eye(4)), folder / "rgb.nii.gz")
    return "colour or complex"


def a_gzip_bomb(folder: Path) -> str:
    header = bytearray(scan(folder / "small.nii.gz"))
    (folder / "small.nii.gz").unlink()
    plain = bytearray(gzip.decompress(header))
    struct.pack_into("<8h", plain, 40, 4, 4000, 4000, 120, 2, 1, 1, 1)
    (folder / "bomb.nii.gz").write_bytes(gzip.compress(bytes(plain)))
    return "claims|fewer bytes"


def a_zip_that_grows(folder: Path) -> str:
    with zipfile.ZipFile(folder / "grows.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(300_000_000))
    return "unpacks to"


def a_zip_of_very_many(folder: Path) -> str:
    one = zipfile.ZipInfo("x")
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(50_001):
            one = zipfile.ZipInfo(f"{number:x}")
            archive.writestr(one, b"")
    return "more than 50000 files"


def a_zip_in_a_zip(folder: Path) -> str:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(1000))
    with zipfile.ZipFile(folder / "nested.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    return "no DICOM image in this .zip|no image among them"


def a_header_that_points_outside(folder: Path) -> str:
    (folder.parent / "secret.raw").write_bytes(bytes(range(256)) * 6)
    (folder / "out.mhd").write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 16 12 8\nElementType = MET_UCHAR\n"
        "ElementSpacing = 1 1 1\nElementDataFile = ../secret.raw\n"
    )
    return r"out.mhd: .*(outside|its folder|beside)"


def a_nrrd_that_points_outside(folder: Path) -> str:
    (folder.parent / "secret.raw").write_bytes(bytes(range(256)) * 6)
    (folder / "out.nhdr").write_text(
        "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 16 12 8\nencoding: raw\n"
        f"data file: {folder.parent}/secret.raw\n"
    )
    return r"out.nhdr: .*(outside|its folder|beside)"


def a_picture_beyond_all_bounds(folder: Path) -> str:
    def chunk(kind: bytes, content: bytes) -> bytes:
        rest = kind + content
        return struct.pack(">I", len(content)) + rest + struct.pack(">I", zlib.crc32(rest))

    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return "huge.png: .*(claims|pixels)"


def a_syntax_that_cannot_be_read(folder: Path) -> str:
    doors.write_dicom(folder / "film")
    for file in (folder / "film").iterdir():
        dataset = pydicom.dcmread(file)
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"  # MPEG-4
        dataset.PixelData = pydicom.encaps.encapsulate([bytes(64)])
        dataset["PixelData"].VR = "OB"
        dataset.save_as(file)
    return "MPEG"


def mixed_orientations(folder: Path) -> str:
    """Half of a stack turned: two stacks of one series, neither of which is a heart's."""
    doors.write_dicom(folder / "mixed")
    for number, file in enumerate(sorted((folder / "mixed").iterdir())):
        if number % 8 < 4:
            dataset = pydicom.dcmread(file)
            dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            dataset.save_as(file)
    return ""


def nothing_but_copies(folder: Path) -> str:
    """Every image twice, under another name: the study is what it was."""
    doors.write_dicom(folder / "twice", seed="copies")
    for file in sorted((folder / "twice").iterdir()):
        (folder / "twice" / f"copy of {file.name}").write_bytes(file.read_bytes())
    return ""


CASES: tuple[Callable[[Path], str], ...] = (
    a_truncated_gzip,
    complex_voxels,
    rgb_voxels,
    a_gzip_bomb,
    a_zip_that_grows,
    a_zip_of_very_many,
    a_zip_in_a_zip,
    a_header_that_points_outside,
    a_nrrd_that_points_outside,
    a_picture_beyond_all_bounds,
    a_syntax_that_cannot_be_read,
    mixed_orientations,
    nothing_but_copies,
)


def test_the_good_study_is_done_whatever_lies_beside_it(gauge: Path, tmp_path: Path) -> None:
    inputs, expected = [], {}
    for case in CASES:
        folder = tmp_path / "in" / case.__name__
        folder.mkdir(parents=True)
        expected[case.__name__] = case(folder)
        inputs.append(folder)
    good = tmp_path / "in" / "good.nii.gz"
    scan(good)
    before = set(tmp_path.rglob("*"))
    out = tmp_path / "out"
    done = heartseg("segment", *inputs, good, "-o", out, "--model", gauge)
    assert done.code == 1
    said = lines_of(done)
    assert (out / "good" / "good_seg.nii.gz").is_file()
    for name, words in expected.items():
        assert re.search(words, said), f"{name}: {words!r} is not said in\n{done.err}"
    assert str(tmp_path) not in said
    assert all(path.is_relative_to(out) for path in set(tmp_path.rglob("*")) - before)
    everything_is_harmless(out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_inspecting_it_is_harmless_too(case: Callable[[Path], str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    words = case(tmp_path / "in")
    done = heartseg("inspect", tmp_path / "in")
    if words:
        assert done.code == 1
        assert re.search(words, lines_of(done)), lines_of(done)
    else:
        lines_of(done)


def hostile_study(folder: Path) -> Path:
    """A DICOM study with hostile words in every text that may be shown."""
    doors.write_dicom(folder)
    texts = ("PatientName", "PatientID", "StudyDescription", "SeriesDescription", "ProtocolName",
             "InstitutionName", "Manufacturer", "PatientComments", "ImageComments", "StudyID",
             "ReferringPhysicianName", "StationName", "SoftwareVersions")  # fmt: skip
    uid = generate_uid(entropy_srcs=["hostile"])
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        for number, keyword in enumerate(texts):
            setattr(dataset, keyword, WORDS[number % len(WORDS)] + " SAX cine")
        dataset.PatientAge, dataset.PatientSex = "=1+1", "<b>"
        dataset.SeriesNumber, dataset.StudyInstanceUID = "7", uid
        dataset.save_as(file)
    return folder


@pytest.mark.filterwarnings("ignore:(Invalid value for VR|The value length|The PN component)")
def test_hostile_words_in_dicom_reach_no_output(gauge: Path, tmp_path: Path) -> None:
    study = hostile_study(tmp_path / "study")
    out = tmp_path / "out"
    done = heartseg("segment", study, "-o", out, "--model", gauge)
    assert done.code == 0, done.err
    lines_of(done)
    lines_of(heartseg("inspect", study))
    assert heartseg("inspect", study, "--json").out.isascii()
    everything_is_harmless(out)
    for page in out.rglob("report.html"):
        text = page.read_text(encoding="utf-8")
        assert "http://127" not in text
        assert "<img src=h" not in text
    written = [file for file in out.rglob("*") if file.is_file()]
    assert {file.suffix for file in written} >= {".html", ".json", ".png", ".gz", ".csv"}
    again = heartseg("segment", study, "-o", out, "--model", gauge, "--json")
    assert again.json()[0]["status"] == "skipped"
