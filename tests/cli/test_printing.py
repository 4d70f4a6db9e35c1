"""`--formats pdf`, `--language`, `--font` and `--keep-identifiers` through the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.door import Done, heartseg
from tests.read.miniatures import camus
from tests.read.test_dicom_patient import SHAPE, named
from tests.report.pdf_reading import pages_of


def measured(tmp_path: Path, *more: object) -> Done:
    camus(tmp_path / "camus")
    patient = tmp_path / "camus" / "training" / "patient0002"
    return heartseg(
        *("measure", patient, "--labels-from", patient, "--scheme", "camus"),
        *("-o", tmp_path / "out", "--formats", "pdf,html", *more),
    )


def test_a_report_is_printed_in_the_language_asked_for(tmp_path: Path) -> None:
    done = measured(tmp_path, "--language", "ru")
    assert done.code == 0, done.err
    folder = tmp_path / "out" / "patient0002"
    assert {file.name for file in folder.iterdir()} == {"report.pdf", "report.html", "report.json"}
    said = pages_of((folder / "report.pdf").read_bytes())[0]
    assert "Фракция выброса" in said
    assert "Пациент: обезличено" in said
    assert '<html lang="ru">' in (folder / "report.html").read_text("utf-8")
    names = [
        one["name"] for one in json.loads((folder / "report.json").read_text("utf-8"))["findings"]
    ]
    assert "LV ejection fraction" in names


def test_a_language_of_ones_own_is_a_path(tmp_path: Path) -> None:
    own = tmp_path / "de.toml"
    own.write_text("code = 'de'\n[sentences]\n'Left ventricle' = 'Linke Kammer'\n", "utf-8")
    assert measured(tmp_path, "--language", own).code == 0
    said = pages_of((tmp_path / "out" / "patient0002" / "report.pdf").read_bytes())[0]
    assert "Linke Kammer" in said


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--language", "klingon", "allowed: en, ru, zh, or a .toml file"),
        ("--font", "pyproject.toml", "got a file that is no TrueType font"),
        ("--font", "nowhere.ttf", "got no such file"),
    ],
)
def test_what_cannot_be_used_is_heard_of_before_the_work(
    option: str, value: str, complaint: str, tmp_path: Path
) -> None:
    done = measured(tmp_path, option, value)
    assert done.code == 2
    assert complaint in done.err
    assert not (tmp_path / "out").exists()


def test_a_name_without_a_font_fails_its_study_and_says_what_to_do(tmp_path: Path) -> None:
    import numpy as np

    from heartseg.core.anatomy import SCHEMES, Structure
    from heartseg.core.image import Segmentation
    from heartseg.formats.nifti import write_labels
    from heartseg.read import read_study

    folder = named(tmp_path / "exam", "ISO_IR 192", "朴^한".encode())
    (image,) = read_study(folder).images.values()
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, :, 5:15, 5:12] = Structure.LV_CAVITY
    drawn = Segmentation(labels, image.geometry, (Structure.LV_CAVITY,))
    write_labels(tmp_path / "masks.nii.gz", drawn, SCHEMES["acdc"])
    command = ("measure", folder, "--labels-from", tmp_path / "masks.nii.gz", "--formats", "pdf")

    done = heartseg(*command, "-o", tmp_path / "out", "--keep-identifiers")
    assert done.code == 1
    assert "'한' (U+D55C HANGUL SYLLABLE HAN), which no font at hand can print" in done.err
    assert "--font FILE.ttf" in done.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["summary.csv"]

    assert heartseg(*command, "-o", tmp_path / "unnamed").code == 0
