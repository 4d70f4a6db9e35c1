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
from heartseg.formats.bounds import MAX_BYTES

MAX_FILES = 50_000
_LONG_READ = 2**20
"""Bytes; Python takes the memory of a longer read before it sees that the file is shorter."""

MAX_RATIO = 200
"""A .zip that grows by more than this as a whole is a bomb; medical images stay below 20."""

_IGNORED = ("__MACOSX", "DICOMDIR", "Thumbs.db")


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
        """All names; for one file, its own.

        Raises:
            StudyError: more files than any study has.
        """
        if self._only is not None:
            return list(self._only)
        if self._zip is not None:
            return _members(self.path, self._zip)
        if self.path.is_file():
            return [self.path.name]
        return sorted(_files(self.path), key=natural)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """The content of a file, for reading from its start.

        Raises:
            FormatError: damaged or encrypted.
        """
        try:
            if self._zip is not None:
                yield io.BytesIO(self._zip.read(name))
            else:
                folder = self.path if self.path.is_dir() else self.path.parent
                with _Sober(io.FileIO(folder / name)) as stream:
                    yield stream
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as fault:
            raise FormatError(
                name.rpartition("/")[2],
                got=f"a file that cannot be read ({_said(fault)})",
                do="copy or export it again",
            ) from fault


class _Sober(io.BufferedReader):
    """A file that takes no more memory for a read than it can fill, whatever a header claims."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes."""
        if size is not None and size > _LONG_READ:
            here = self.tell()
            size = max(0, min(size, self.seek(0, os.SEEK_END) - here))
            self.seek(here)
        return super().read(size)


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


def _opened(path: Path) -> zipfile.ZipFile:
    try:
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
    if total > MAX_BYTES or total > MAX_RATIO * packed:
        raise FormatError(
            path.name,
            got=f"a .zip of {packed / 2**20:.1f} MB that unpacks to {total / 2**20:.0f} MB",
            allowed=f"{MAX_BYTES / 2**30:.0f} GB and {MAX_RATIO} times its size",
            do="send the images of one study only",
        )
    return sorted((info.filename for info in infos), key=natural)


def _wanted(info: zipfile.ZipInfo) -> bool:
    name = info.filename.rpartition("/")[2]
    kind = stat.S_IFMT(info.external_attr >> 16)
    regular = not info.is_dir() and kind in (0, stat.S_IFREG)
    hidden = name.startswith(".") or name in _IGNORED or "__MACOSX/" in info.filename
    return regular and not hidden and not name.lower().endswith(".zip")
