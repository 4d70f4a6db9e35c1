"""Identifiers of a DICOM study appear nowhere unless the user asked for them."""

import logging
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests import doors
from tests.cli.door import heartseg

MARK = "zzmark"
"""In every value, path and name below, in one case or another."""

TAGS = {
    "PatientName": "ZZMARK^Name",
    "PatientID": "ZZMARK-ID",
    "OtherPatientIDs": "zzmark-other",
    "PatientAddress": "ZZMARK street",
    "AccessionNumber": "ZZMARK17",
    "ReferringPhysicianName": "Dr^ZZMARK",
    "InstitutionName": "ZZMARK hospital",
    "StudyDescription": "ZZMARK study",
    "SeriesDescription": "cine SAX of ZZMARK",
    "ProtocolName": "ZZMARK protocol",
    "PatientComments": "ZZMARK comment",
    "StudyID": "ZZMARK-SID",
    "DeviceSerialNumber": "ZZMARK-DEV",
}


def marked(folder: Path, change: object = None) -> tuple[Path, set[str]]:
    """A DICOM study full of marks, and its identifiers that have no room for one."""
    doors.write_dicom(folder)
    uids: set[str] = set()
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        for name, value in TAGS.items():
            setattr(dataset, name, value)
        dataset.PatientBirthDate = "19610203"
        if callable(change):
            change(dataset)
        uids |= {
            str(dataset.StudyInstanceUID),
            str(dataset.SeriesInstanceUID),
            str(dataset.SOPInstanceUID),
            str(dataset.FrameOfReferenceUID),
        }
        dataset.save_as(file)
    return folder, uids | {"19610203"}


def written(out: Path) -> str:
    """All names and contents, as text and unpacked."""
    import gzip

    parts = []
    for file in out.rglob("*"):
        parts.append(file.name)
        if file.is_file():
            content = file.read_bytes()
            parts.append(
                (gzip.decompress(content) if file.suffix == ".gz" else content).decode("latin-1")
            )
    return "\n".join(parts)


def clean_of(text: str, secrets: set[str]) -> None:
    assert MARK not in text.lower()
    for secret in secrets:
        assert secret not in text


@pytest.fixture(autouse=True)
def _warnings_are_printed() -> object:
    """As for a user: pydicom's warnings about odd values quote the values."""
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.getLogger("pydicom").handlers.clear()
        yield


def odd(dataset: Dataset) -> None:
    """Values that are not legal, as archives hold them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in (
            ("PatientBirthDate", "zzmark"),
            ("StudyTime", "zzmark"),
            ("PatientAge", "ZZMARK-AGE"),
            ("PatientSex", "ZZMARK"),
            ("FrameOfReferenceUID", "1.2.zzmark"),
        ):
            element = pydicom.DataElement(name, pydicom.datadict.dictionary_VR(name), value)
            dataset.add(element)


@pytest.mark.parametrize("change", [None, odd], ids=["legal", "odd"])
def test_no_identifier_of_a_study_is_written_or_said(
    change: object, gauge: Path, tmp_path: Path
) -> None:
    folder, secrets = marked(tmp_path / "ZZMARK" / "zzmark_dicom", change)
    out = tmp_path / "out"
    done = heartseg("segment", folder, "-o", out, "--model", gauge)
    assert done.code == 0, done.err
    clean_of(done.out + done.err + written(out), secrets | {str(tmp_path)})
    again = heartseg("segment", folder, "-o", out, "--model", gauge, "--overwrite", "--json")
    clean_of(again.out + again.err, secrets | {str(tmp_path)})
    seen = heartseg("inspect", folder)
    clean_of(seen.out + seen.err, secrets | {str(tmp_path)})
    own = heartseg("measure", folder, "--labels-from", out, "-o", tmp_path / "measured")
    assert own.code == 0, own.err
    clean_of(own.out + own.err + written(tmp_path / "measured"), secrets | {str(tmp_path)})


def test_side_by_side_tells_no_more(gauge: Path, tmp_path: Path) -> None:
    folder, secrets = marked(tmp_path / "zzmark_a")
    other, more = marked(
        tmp_path / "zzmark_b", lambda d: setattr(d, "StudyInstanceUID", "1.2.3.99")
    )
    out = tmp_path / "out"
    done = heartseg("segment", folder, other, "-o", out, "--model", gauge, "--jobs", 2)
    assert done.code == 0, done.err
    assert len(list(out.glob("MR-*"))) == 2
    clean_of(done.out + done.err + written(out), secrets | more | {str(tmp_path)})


def test_a_study_that_fails_tells_no_identifier(gauge: Path, tmp_path: Path) -> None:
    folder, secrets = marked(tmp_path / "dicom")
    for number in range(5, 9):
        (folder / f"IM{number:04d}.dcm").unlink()
    out = tmp_path / "out"
    done = heartseg("segment", folder, "-o", out, "--model", gauge)
    assert done.code == 1
    clean_of(done.out + done.err + written(out), secrets | {str(tmp_path)})


def test_what_nobody_foresaw_in_a_study_tells_no_identifier(
    gauge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, secrets = marked(tmp_path / "dicom")

    def strange(*_: object, **__: object) -> None:
        raise RuntimeError(f"{TAGS['PatientName']} in {folder}")

    out = tmp_path / "out"
    monkeypatch.setattr("heartseg.pipeline.predict", strange)
    done = heartseg("segment", folder, "-o", out, "--model", gauge)
    assert done.code == 1
    assert "RuntimeError in pipeline.py" in done.err
    clean_of(done.out + done.err + written(out), secrets | {str(tmp_path)})
    monkeypatch.setattr("heartseg.read.inspect.find_studies", strange)
    done = heartseg("inspect", folder)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("heartseg: RuntimeError in read/inspect.py:")
    clean_of(done.err, secrets | {str(tmp_path)})


def test_the_names_of_files_are_kept_where_the_user_asked(gauge: Path, tmp_path: Path) -> None:
    folder, _ = marked(tmp_path / "ZZMARK_dicom")
    out = tmp_path / "out"
    done = heartseg("segment", folder, "-o", out, "--model", gauge, "--keep-identifiers")
    assert done.code == 0, done.err
    assert '"ZZMARK_dicom"' in next(out.glob("MR-*/report.json")).read_text()
    assert str(tmp_path) not in written(out)


def test_the_id_is_the_same_everywhere_and_another_for_another_study(
    gauge: Path, tmp_path: Path
) -> None:
    import re

    first, _ = marked(tmp_path / "a")
    (tmp_path / "b").mkdir()
    for file in first.iterdir():
        (tmp_path / "b" / f"{file.stem}-copy.dcm").write_bytes(file.read_bytes())
    other, _ = marked(tmp_path / "c", lambda d: setattr(d, "StudyInstanceUID", "1.2.3.99"))
    ids = [
        heartseg("inspect", path, "--json").json()[0]["study"]
        for path in (first, tmp_path / "b", other)
    ]
    assert ids[0] == ids[1] != ids[2]
    assert all(re.fullmatch(r"MR-[0-9a-f]{8}", one) for one in ids)
