"""A patient's name, from the bytes of a DICOM file to the text of the PDF."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from heartseg.api import measure_study
from heartseg.core.anatomy import Structure
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Patient, View
from heartseg.formats.dicom_write import CineTags, write_cine
from heartseg.pipeline import Analysis, Settings, save
from heartseg.read import read_study
from heartseg.read.dicom_patient import patient_of, person_name
from tests.report.pdf_reading import pages_of

SHAPE = (2, 3, 24, 20)


def cine(folder: Path) -> list[Path]:
    voxels = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    affine = np.diag([9.0, 1.5, 1.25, 1.0])
    image = Image(voxels, Geometry(SHAPE[1:], affine), (0.0, 40.0))
    return write_cine(folder, image, CineTags(patient_id="4711-B"))


def named(folder: Path, character_set: str | list[str], name: bytes) -> Path:
    """A cine whose files hold these very bytes as the patient's name."""
    padded = name + b" " * (len(name) % 2)
    holder = b"#" * len(padded)  # written in ASCII, then exchanged for the bytes themselves
    for file in cine(folder):
        ds = pydicom.dcmread(file)
        ds.SpecificCharacterSet = character_set
        ds.PatientName = holder.decode()
        ds.PatientBirthDate = "19610203"
        ds.save_as(file)
        content = file.read_bytes()
        assert content.count(holder) == 1
        file.write_bytes(content.replace(holder, padded))
    return folder


def printed(folder: Path, out: Path, *, keep: bool) -> str:
    """The text of the PDF and of all other files."""
    study = read_study(folder)
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, :, 5:15, 5:12] = Structure.LV_CAVITY
    view = next(iter(study.images))
    masks = {view: Segmentation(labels, study.images[view].geometry, (Structure.LV_CAVITY,))}
    report = measure_study(study, masks)
    settings = Settings(formats=("json", "html", "pdf"), keep_identifiers=keep, language="zh")
    save(Analysis(study, masks, report), settings, out)
    pages = " ".join(pages_of((out / "report.pdf").read_bytes()))
    return pages + (out / "report.html").read_text("utf-8")


NAMES = [
    ("GB18030", "王^小东".encode("gb18030"), "王小东"),
    ("GB18030", "Wang^XiaoDong=王^小東=".encode("gb18030"), "王小東 (Wang, XiaoDong)"),
    ("GBK", "欧阳^修".encode("gbk"), "欧阳修"),
    ("ISO_IR 192", "Wáng^Xiǎodōng=王^小東".encode(), "王小東 (Wáng, Xiǎodōng)"),
    ("ISO_IR 192", "Соколова-Ёж^Анна^Львовна".encode(), "Соколова-Ёж, Анна Львовна"),
    ("ISO_IR 144", "Люкceмбypг".encode("iso8859_5"), "Люкceмбypг"),
    ("ISO_IR 126", "Διονυσιος".encode("iso8859_7"), "Διονυσιος"),
    ("ISO_IR 100", "Äneas^Rüdiger^^Dr^jun.".encode("latin-1"), "Äneas, Dr Rüdiger, jun."),
    (
        ["", "ISO 2022 IR 87"],
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        "山田太郎 (Yamada, Tarou)",
    ),
    (
        ["", "ISO 2022 IR 58"],
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
        "张小东 (Zhang, XiaoDong)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("character_set", "name", "said"), NAMES)
def test_a_name_comes_through_where_it_is_asked_for(
    character_set: str | list[str], name: bytes, said: str, tmp_path: Path
) -> None:
    folder = named(tmp_path / "exam", character_set, name)
    text = printed(folder, tmp_path / "out", keep=True)
    assert text.count(said) >= 2
    assert "4711-B" in text
    assert "1961-02-03" in text


def test_nobody_is_named_unasked(tmp_path: Path) -> None:
    folder = named(tmp_path / "exam", "GB18030", "王^小东".encode("gb18030"))
    text = printed(folder, tmp_path / "out", keep=False)
    assert not any(part in text for part in ("王", "小东", "4711-B", "1961"))
    assert "患者：匿名" in text
    study = read_study(folder)
    assert study.patient == Patient(
        name="王小东", number="4711-B", birth_date="1961-02-03", examined="2020-01-01"
    )
    assert "王" not in repr(study)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", ""),
        ("^", ""),
        ("Smith", "Smith"),
        ("Smith^John^Q^Dr^MD", "Smith, Dr John Q, MD"),
        ("^John", "John"),
        ("=王^小东", "王小东"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "洪吉洞 (Hong, Gildong)"),
        ("a^b^c^d^e^f=g^h=i=j", "g, h (a, d b c, e)"),
    ],
)
def test_a_name_is_said_as_people_say_it(value: str, said: str) -> None:
    assert person_name(value) == said


def test_a_header_without_name_and_number_is_anonymous() -> None:
    assert patient_of({"PatientBirthDate": "19610203", "StudyDate": "20200101"}) is None
    assert patient_of({"PatientName": " ^", "PatientID": " "}) is None
    found = patient_of({"PatientID": "7", "PatientBirthDate": "1961", "StudyDate": "20200131"})
    assert found == Patient(number="7", examined="2020-01-31")


def test_the_view_does_not_matter(tmp_path: Path) -> None:
    assert View.SAX in read_study(named(tmp_path / "exam", "ISO_IR 192", b"A^B")).images
