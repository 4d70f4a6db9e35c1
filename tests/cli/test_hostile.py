"""Text from files commands no terminal, no spreadsheet and no browser; paths lead nowhere."""

import csv
import unicodedata
import zipfile
from pathlib import Path

import pytest

from tests import doors
from tests.cli.door import Done, heartseg

NAMES = {
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m\nheart",
    "spreadsheet": "=cmd()|calc!A1",
    "browser": "<script>alert(1)<",
    "reading direction": "\u202etxt.exe",
    "no text at all": "\udcff\udcfe heart",
}


def harmless(text: str) -> bool:
    """Printable but for the ends of lines."""
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text.replace("\n", ""))


def lines_of(done: Done) -> str:
    assert "Traceback" not in done.err
    assert harmless(done.out), repr(done.out)
    assert harmless(done.err), repr(done.err)
    return done.out + done.err


@pytest.mark.parametrize("kind", NAMES)
def test_a_good_file_with_a_hostile_name(kind: str, gauge: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{NAMES[kind]}.nii.gz"
    doors.save_nifti(tmp_path / "plain.nii.gz", doors.painted(doors.cine((8, 5)))).rename(path)
    out = tmp_path / "out"
    done = heartseg("segment", path, "-o", out, "--model", gauge)
    assert done.code == 0, done.err
    lines_of(done)
    everything_is_harmless(out)
    assert lines_of(heartseg("inspect", path))
    again = heartseg("segment", path, "-o", out, "--model", gauge, "--json")
    assert again.json()[0]["status"] == "skipped"
    assert again.out.isascii()


@pytest.mark.parametrize("kind", NAMES)
def test_a_bad_file_with_a_hostile_name(kind: str, gauge: Path, tmp_path: Path) -> None:
    path = tmp_path / f"{NAMES[kind]}.nii.gz"
    path.write_text("no image")
    out = tmp_path / "out"
    done = heartseg("segment", path, "-o", out, "--model", gauge)
    assert done.code == 1
    assert lines_of(done).count("\n") == 1
    everything_is_harmless(out)
    seen = heartseg("inspect", path)
    assert seen.code == 1
    lines_of(seen)
    assert heartseg("inspect", path, "--json").out.isascii()
    missing = heartseg("inspect", tmp_path / (NAMES[kind] + " missing"))
    assert missing.code == 1
    assert lines_of(missing).count("\n") == 1


def number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).replace("e-", "", 1).isdigit()


def everything_is_harmless(out: Path) -> None:
    for file in out.rglob("*"):
        assert file.name.isascii()
        assert file.name.isprintable()
    with (out / "summary.csv").open(encoding="utf-8", newline="") as table:
        cells = [cell for row in csv.reader(table) for cell in row]
    assert all(harmless(cell) and "\n" not in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r")) and not number(cell)]
    for page in out.rglob("report.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text
        assert harmless(text)
    for report in out.rglob("report.json"):
        assert harmless(report.read_text(encoding="utf-8"))


def test_hostile_words_inside_a_file(gauge: Path, tmp_path: Path) -> None:
    patient = doors.write_patient(tmp_path / "patient001")
    (patient / "Info.cfg").write_text(
        "ED: 1\nES: 9\nGroup: \x1b[31m<script>alert(1)</script>\x9b2J\nHeight: =1+1\nWeight: 80\n"
    )
    out = tmp_path / "out"
    done = heartseg("segment", patient, "-o", out, "--model", gauge)
    assert done.code == 0, done.err
    lines_of(done)
    everything_is_harmless(out)
    lines_of(heartseg("inspect", patient))
    (patient / "Info.cfg").write_text("ED: \x1b[31m\nES: 9\n")
    done = heartseg("segment", patient, "-o", out, "--model", gauge, "--overwrite")
    assert done.code == 1
    lines_of(done)


def test_members_of_a_zip_lead_nowhere(gauge: Path, tmp_path: Path) -> None:
    dicom = doors.write_dicom(tmp_path / "dicom")
    box = tmp_path / "in" / "deep" / "study.zip"
    box.parent.mkdir(parents=True)
    with zipfile.ZipFile(box, "w") as archive:
        for number, file in enumerate(sorted(dicom.iterdir())):
            name = ("../../escaped/", f"{tmp_path}/absolute/", "\x1b[31m/")[number % 3] + file.name
            archive.writestr(name, file.read_bytes())
    before = set(tmp_path.rglob("*"))
    out = tmp_path / "out"
    done = heartseg("segment", box, "-o", out, "--model", gauge)
    assert done.code == 0, done.err
    lines_of(done)
    new = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(out) for path in new)
    assert (next(out.glob("MR-*")) / "7_seg.nii.gz").is_file()
    everything_is_harmless(out)


def test_a_link_out_of_the_folder_is_not_followed(gauge: Path, tmp_path: Path) -> None:
    secret = doors.save_nifti(tmp_path / "secret.nii.gz", doors.painted(doors.cine((8, 5))))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.nii.gz").symlink_to(secret)
    done = heartseg("segment", tmp_path / "in", "-o", tmp_path / "out", "--model", gauge)
    assert done.code == 1
    assert "an empty folder" in done.err


def test_a_model_with_hostile_words_is_refused_in_one_harmless_line(
    gauge: Path, tmp_path: Path
) -> None:
    import shutil

    evil = tmp_path / "evil\x1b[31m"
    shutil.copytree(gauge, evil)
    text = (evil / "model.toml").read_text()
    (evil / "model.toml").write_text(text.replace('"CC0"', '"\\u001B[31mCC0"'))
    scan = doors.save_nifti(tmp_path / "scan.nii.gz", doors.painted(doors.heart()))
    done = heartseg("segment", scan, "-o", tmp_path / "out", "--model", evil)
    assert done.code == 1
    assert lines_of(done).count("\n") == 1
