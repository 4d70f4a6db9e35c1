import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from heartseg.core.errors import FormatError, StudyError
from heartseg.formats import box
from heartseg.formats.box import Box, natural


def test_names_sort_by_their_numbers():
    assert sorted(["10.dcm", "2.dcm", "1.dcm", "a10", "a9"], key=natural) == [
        "1.dcm", "2.dcm", "10.dcm", "a9", "a10",
    ]  # fmt: skip


def test_zip_is_read_and_nothing_is_extracted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escape.dcm", b"outside")
        archive.writestr("in/1.dcm", b"one")
        archive.writestr("inner.zip", b"PK")
        archive.writestr("__MACOSX/in/._1.dcm", b"rubbish")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with Box(path) as opened:
        assert opened.names() == ["../../escape.dcm", "in/1.dcm"]
        with opened.open("../../escape.dcm") as stream:
            assert stream.read() == b"outside"
    assert list(tmp_path.iterdir()) == [path]
    assert not (tmp_path.parent.parent / "escape.dcm").exists()


def test_member_without_a_name_is_left_out(tmp_path):
    """A name ends at its first zero byte: one that begins with it is empty."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("?.dcm", b"nameless")
        archive.writestr("in/", b"")
        archive.writestr("1.dcm", b"one")
    path.write_bytes(path.read_bytes().replace(b"?.dcm", b"\0.dcm"))
    with Box(path) as opened:
        assert opened.names() == ["1.dcm"]


def test_zip_bomb_is_refused_by_its_directory(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(20_000_000))
    with Box(tmp_path / "a.zip") as opened, pytest.raises(FormatError, match="200 times"):
        opened.names()


def test_member_that_grows_beyond_its_entry_takes_no_memory(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(64_000_000))
    data = path.read_bytes()
    path.write_bytes(data.replace((64_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    tracemalloc.start()
    with (
        Box(path) as opened,
        pytest.raises(FormatError, match=r"a\.dcm.*cannot be read"),
        opened.open("a.dcm"),
    ):
        pass
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("large", [False, True])
def test_directory_of_an_archive_is_measured_before_it_is_read(large, tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}", b"")
    if large:  # the same in zip64
        data = bytearray(path.read_bytes())
        size = int.from_bytes(data[-10:-6], "little")
        data[-10:-6] = b"\xff" * 4
        start = len(data) - 22
        record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 300, 300, size, 0)
        locator = struct.pack("<4sIQI", b"PK\6\7", 0, start, 1)
        path.write_bytes(data[:start] + record + locator + data[start:])
    monkeypatch.setattr(box, "_MAX_DIRECTORY", 1000)
    with pytest.raises(StudyError, match="more than 50000 files"), Box(path):
        pass


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(box, "MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}").write_bytes(b"x")
    with Box(tmp_path) as opened, pytest.raises(StudyError, match="more than 3 files"):
        opened.names()


def test_link_that_leaves_the_folder_is_not_followed(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (inside / "a").write_bytes(b"x")
    (inside / "same").symlink_to(inside / "a")
    (inside / "leak").symlink_to(tmp_path / "secret")
    (inside / "up").symlink_to(tmp_path)
    with Box(inside) as opened:
        assert opened.names() == ["a", "same"]


def test_damaged_member_is_said(tmp_path):
    path: Path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.dcm", b"abcdefgh" * 50)
    data = bytearray(path.read_bytes())
    data[60] ^= 255
    path.write_bytes(data)
    with (
        Box(path) as opened,
        pytest.raises(FormatError, match=r"1\.dcm.*cannot be read"),
        opened.open("1.dcm"),
    ):
        pass
