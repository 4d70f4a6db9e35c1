"""The files of a folder or the members of a .zip, by name; nothing outside of it is ever opened.

A .zip is read member by member into memory: nothing is extracted, so no member's path, link or
nesting can reach the disk.
"""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from heartseg.core.errors import FormatError, StudyError
from heartseg.formats.bounds import MAX_BYTES, MAX_INFLATION

MAX_FILES = 50_000
_IGNORED = ("__MACOSX", "Thumbs.db")
_INDEX = "DICOMDIR"


class Box:
    """Use as a context; names are relative, with forward slashes, in natural order."""

    def __init__(self, path: Path, only: Sequence[str] | None = None) -> None:
        """`path`: a folder, a .zip, or one file; `only`: these names and no others."""
        self.path = path
        self._only = only
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> Self:
        if self.path.is_file() and zipfile.is_zipfile(self.path):
            self._zip = _opened(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def names(self) -> list[str]:
        """All names but those of indexes; for one file, its own.

        Raises:
            StudyError: more files than any study has.
        """
        if self._only is not None:
            return list(self._only)
        if self._zip is None and self.path.is_file():
            return [self.path.name]
        return [name for name in self._all() if not _is_index(name)]

    def indexes(self) -> list[str]:
        """Names of the DICOMDIR files: they list images and are none."""
        if self._zip is None and self.path.is_file():
            return []
        return [name for name in self._all() if _is_index(name)]

    def _all(self) -> list[str]:
        if self._zip is not None:
            return _members(self.path, self._zip)
        return sorted(_files(self.path), key=natural)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """The content of a file, for reading from its start.

        Raises:
            FormatError: damaged or encrypted.
        """
        try:
            if self._zip is not None:
                yield io.BytesIO(_unpacked(self._zip, name))
            else:
                folder = self.path if self.path.is_dir() else self.path.parent
                with (folder / name).open("rb") as stream:
                    yield stream
        except (
            OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, UnicodeDecodeError,
        ) as fault:  # fmt: skip
            raise FormatError(
                name.rpartition("/")[2],
                got=f"a file that cannot be read ({_said(fault)})",
                do="copy or export it again",
            ) from fault


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `2.dcm` before `10.dcm`."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for letter in name.lower():
        if letter.isdecimal() and letter.isascii():
            digits += letter
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, letter))
    if digits:
        parts.append((0, int(digits), ""))
    return tuple(parts)


def _said(fault: BaseException) -> str:
    """The fault without a path."""
    return (fault.strerror or "") if isinstance(fault, OSError) else str(fault)[:100]


def _files(folder: Path) -> Iterator[str]:
    """Regular files below a folder; links are followed only where they stay inside."""
    inside = folder.resolve()
    count = 0
    for where, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in files:
            count += 1
            if count > MAX_FILES:
                raise _too_many(folder, count)
            file = Path(where, name)
            if name.startswith(".") or name in _IGNORED or not file.is_file():
                continue
            if file.is_symlink() and not file.resolve().is_relative_to(inside):
                continue
            yield file.relative_to(folder).as_posix()


def _too_many(path: Path, count: int) -> StudyError:
    return StudyError(
        path.name,
        got=f"more than {count - 1} files",
        allowed=f"at most {MAX_FILES}",
        do="name the folder of one study, or of fewer",
    )


def _is_index(name: str) -> bool:
    return name.rpartition("/")[2].upper() == _INDEX


_PIECE = 2**16


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's content, never more of it in memory than its directory entry says."""
    pieces = []
    with archive.open(name) as member:
        while piece := member.read(_PIECE):
            pieces.append(piece)
    return b"".join(pieces)


_END, _END_BYTES = b"PK\5\6", 22
_MAX_DIRECTORY = MAX_FILES * 512
"""Bytes of an archive's own directory: names of 466 letters each."""


def _require_short_directory(path: Path) -> None:
    """Refuse an archive whose directory alone would take the time and memory of many studies."""
    with path.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, end - _END_BYTES - 2**16))
        tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        return  # zipfile says what is wrong with it
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if size == 2**32 - 1:  # zip64: the size stands in a record of its own, 56 bytes before
        size = int.from_bytes(tail[max(0, at - 36) : max(0, at - 28)], "little")
    if size > _MAX_DIRECTORY:
        raise _too_many(path, MAX_FILES + 1)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        _require_short_directory(path)
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as fault:
        raise FormatError(
            path.name, got=f"a damaged .zip ({_said(fault)})", do="copy or export it again"
        ) from fault


def _members(path: Path, archive: zipfile.ZipFile) -> list[str]:
    infos = [info for info in archive.infolist() if _wanted(info)]
    if len(infos) > MAX_FILES:
        raise _too_many(path, MAX_FILES + 1)
    total = sum(info.file_size for info in infos)
    packed = max(1, path.stat().st_size)
    if total > MAX_BYTES or total > MAX_INFLATION * packed:
        raise FormatError(
            path.name,
            got=f"a .zip of {packed / 2**20:.1f} MB that unpacks to {total / 2**20:.0f} MB",
            allowed=f"{MAX_BYTES / 2**30:.0f} GB and {MAX_INFLATION} times its size",
            do="send the images of one study only",
        )
    return sorted((info.filename for info in infos), key=natural)


def _wanted(info: zipfile.ZipInfo) -> bool:
    name = info.filename.rpartition("/")[2]
    kind = stat.S_IFMT(info.external_attr >> 16)
    regular = name != "" and kind in (0, stat.S_IFREG)  # a folder's name ends in its slash
    hidden = name.startswith(".") or name in _IGNORED or "__MACOSX/" in info.filename
    return regular and not hidden and not name.lower().endswith(".zip")
