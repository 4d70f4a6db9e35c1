import io
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from heartseg.core.errors import FormatError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import View
from heartseg.formats import dicom_directory
from heartseg.formats.dicom_directory import references
from heartseg.formats.dicom_file import quiet
from heartseg.formats.dicom_write import write_cine
from heartseg.read import find_studies, read_study
from heartseg.read.inspect import inspect
from tests import foreign


@pytest.fixture
def medium(tmp_path) -> Path:
    """A medium as pydicom writes it: a DICOMDIR and 10 images in folders of its own."""
    values = np.random.default_rng(1).integers(0, 900, (2, *foreign.SHAPE)).astype(np.int16)
    image = Image(values, Geometry(foreign.SHAPE, foreign.affine_lps()), (0.0, 50.0))
    files = FileSet()
    for number, file in enumerate(write_cine(tmp_path / "in", image), start=1):
        ds = pydicom.dcmread(file)
        ds.StudyDate, ds.StudyTime, ds.StudyID = "20200101", "120000", "1"
        ds.InstanceNumber = number
        files.add(ds)
    files.write(tmp_path / "out")
    files._stage["t"].cleanup()  # it would be said to be forgotten
    return tmp_path / "out"


def images(medium: Path) -> list[Path]:
    return sorted(f for f in medium.rglob("*") if f.is_file() and f.name != "DICOMDIR")


def directory(*names: object, erased: tuple[object, ...] = ()) -> bytes:
    """A DICOMDIR that lists these names, with offsets that point in a circle."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    records = []
    for name in names:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 400
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 400
        record.RecordInUseFlag = 0 if name in erased else 0xFFFF
        record.DirectoryRecordType = "IMAGE"
        with quiet():
            record.add_new("ReferencedFileID", "CS", name)
        records.append(record)
    ds.DirectoryRecordSequence = records
    stream = io.BytesIO()
    with quiet():  # pydicom does not like these names either
        ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_listed_files_are_the_study(medium):
    by_list, by_folder = read_study(medium / "DICOMDIR"), read_study(medium)
    assert by_list.images[View.SAX].voxels.shape == (2, *foreign.SHAPE)
    assert np.array_equal(by_list.images[View.SAX].voxels, by_folder.images[View.SAX].voxels)
    assert not [note for note in by_folder.notes if "DICOMDIR" in note]
    (seen,) = inspect(medium / "DICOMDIR")
    assert (seen.frames, seen.slices, seen.problem) == (2, 5, None)


def test_files_that_are_not_listed_are_not_read_by_the_list(medium):
    (extra := medium / "EXTRA").write_bytes(b"not dicom")
    assert extra.exists()
    assert len(find_studies(medium / "DICOMDIR")) == 1


def test_missing_files_are_said(medium):
    lost = [images(medium)[i] for i in (2, 7)]
    for file in lost:
        file.unlink()
    for path in (medium, medium / "DICOMDIR"):
        notes = read_study(path).notes
        said = next(note for note in notes if "DICOMDIR" in note)
        assert "2 of the 10 files that it lists are missing" in said
        assert lost[0].name in said


def test_small_letters_on_disk_are_found(medium):
    for path in sorted(medium.rglob("*"), key=lambda p: -len(p.parts)):
        if path.name != "DICOMDIR":
            path.rename(path.with_name(path.name.lower()))
    for path in (medium, medium / "DICOMDIR"):
        study = read_study(path)
        assert study.images[View.SAX].voxels.shape == (2, *foreign.SHAPE)
        assert not [note for note in study.notes if "missing" in note]


def test_zip_of_a_medium_is_read_and_its_gaps_are_said(medium, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(medium / "DICOMDIR", "cd/DICOMDIR")
        for file in images(medium)[:-1]:
            archive.write(file, f"cd/{file.relative_to(medium).as_posix()}")
    notes = read_study(tmp_path / "a.zip").notes
    assert any("1 of the 10 files that it lists are missing" in note for note in notes)


def test_references_that_lead_out_are_refused_and_said(medium, tmp_path):
    inside = images(medium)[0].relative_to(medium).as_posix().replace("/", "\\")
    secret = tmp_path / "SECRET"
    secret.write_bytes(images(medium)[0].read_bytes())
    (medium / "LINK").symlink_to(secret)
    (medium / "DICOMDIR").write_bytes(
        directory(inside, ["..", "SECRET"], str(secret), "C:\\X", "LINK")
    )
    (candidate,) = find_studies(medium / "DICOMDIR")
    study = candidate.load()
    assert study.images[View.SAX].voxels.shape[:2] == (1, 1)
    said = [note for note in study.notes if "DICOMDIR" in note]
    assert "3 references that lead out of its folder are not followed" in said[0]
    assert "1 of the 2 files that it lists are missing (LINK)" in said[1]
    assert str(tmp_path) not in " ".join(study.notes)


def test_erased_records_are_not_listed():
    """PS3.3 F.3.2.2: a record that is not in use says what was on the medium once."""
    listed = directory(["A", "ONE"], ["A", "OLD"], erased=(["A", "OLD"],))
    assert references(io.BytesIO(listed), "DICOMDIR") == (["A/ONE"], [])


def test_names_that_cannot_be_printed_are_not_followed():
    safe, notes = references(io.BytesIO(directory(["A", "ONE"], ["A", "B\x1bC"])), "DICOMDIR")
    assert safe == ["A/ONE"]
    assert "1 references that lead out" in notes[0]


def test_offsets_in_a_circle_are_not_followed():
    names, notes = references(io.BytesIO(directory("A", "B", "A")), "DICOMDIR")
    assert (names, notes) == (["A", "B"], [])


def test_list_of_nothing_that_is_there_says_what_to_copy(tmp_path):
    (tmp_path / "DICOMDIR").write_bytes(directory("A", "B"))
    with pytest.raises(FormatError, match="2 files, none of which is there; copy the whole"):
        find_studies(tmp_path / "DICOMDIR")


def test_huge_or_damaged_list_is_said_and_the_folder_is_read_all_the_same(medium, monkeypatch):
    path = medium / "DICOMDIR"
    monkeypatch.setattr(dicom_directory, "MAX_DIRECTORY_BYTES", 1000)
    with pytest.raises(FormatError, match="a DICOMDIR of"):
        find_studies(path)
    assert any("a DICOMDIR of" in note for note in read_study(medium).notes)
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:300])
    assert read_study(medium).images[View.SAX].voxels.shape == (2, *foreign.SHAPE)
