"""DICOMDIR: the list of files on a medium, and which of them are there.

Standard: DICOM PS3.3 F (Basic Directory), PS3.10 8.2 (File IDs). Its records also point at each
other by byte offsets; these are not followed, the records are read in their stored order, so that
loops and wild offsets do no harm. A file that it names is opened only inside the folder of the
DICOMDIR.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from heartseg.core.errors import FormatError
from heartseg.formats.box import MAX_FILES, Box
from heartseg.formats.dicom_file import DAMAGED, quiet, read, tags_of
from heartseg.formats.dicom_values import items, number, printable

DIRECTORY_STORAGE = "1.2.840.10008.1.3.10"
MAX_DIRECTORY_BYTES = 64 * 2**20
"""A record has some hundred bytes: enough for more files than are read."""

_TAGS = tags_of("DirectoryRecordSequence")
_INACTIVE = 0
_SHOWN = 5


def listed(path: Path, only: Sequence[str] | None) -> tuple[Path, Sequence[str] | None, list[str]]:
    """Where to look and for which names, and what to say: for a DICOMDIR, the files it lists.

    Any other path is given back as it is.

    Raises:
        FormatError: a DICOMDIR that is damaged, or that lists nothing that is there.
    """
    if only is not None or not path.is_file() or not _is_directory(path):
        return path, only, []
    with path.open("rb") as stream:
        names, notes = references(stream, path.name)
    here = [name for name in names if _inside(path.parent, name)]
    found = [real for name in here if (real := _found(path.parent, name)) is not None]
    if not found:
        raise FormatError(
            path.name,
            got=f"a list of {len(names)} files, none of which is there",
            do="copy the whole medium, the folders beside this file included",
        )
    lost = [name for name in names if name not in here or _found(path.parent, name) is None]
    return path.parent, found, [*notes, *_lost(path.name, lost, len(names))]


def missing(box: Box) -> list[str]:
    """What to say of the indexes in a box: files that they list and that are not in it."""
    indexes = box.indexes()
    if not indexes:
        return []
    names = {name.lower() for name in box.names()}
    notes = []
    for index in indexes:
        base = printable(index.rpartition("/")[2])
        folder = PurePosixPath(index).parent
        try:
            with box.open(index) as stream:
                wanted, said = references(stream, base)
        except FormatError as fault:
            notes.append(f"not used: {fault}")
            continue
        lost = [name for name in wanted if (folder / name).as_posix().lower() not in names]
        notes += [*said, *_lost(base, lost, len(wanted))]
    return notes


def references(stream: BinaryIO, where: str) -> tuple[list[str], list[str]]:
    """The files that a DICOMDIR lists, with forward slashes, and what to say of the others.

    Raises:
        FormatError: damaged, or too long.
    """
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > MAX_DIRECTORY_BYTES:
        raise FormatError(
            where,
            got=f"a DICOMDIR of {size / 2**20:.0f} MB",
            allowed=f"at most {MAX_DIRECTORY_BYTES / 2**20:.0f} MB",
            do="name the folder of one study instead",
        )
    try:
        with quiet():
            ds, _ = read(stream, _TAGS)
            names = list(dict.fromkeys(_names(ds)))
    except DAMAGED as fault:
        raise FormatError(
            where,
            got=f"a damaged DICOMDIR ({type(fault).__name__})",
            do="name the folder of the images instead",
        ) from fault
    safe = [name for name in names if _confined(name)]
    outside = len(names) - len(safe)
    notes = []
    if outside:
        notes.append(f"{where}: {outside} references that lead out of its folder are not followed")
    return safe, notes


def _names(ds: Any) -> Iterator[str]:
    for record in items(ds, "DirectoryRecordSequence")[: 2 * MAX_FILES]:
        if number(record, "RecordInUseFlag") == _INACTIVE:
            continue
        parts = record.get("ReferencedFileID")
        if parts:
            many = [parts] if isinstance(parts, str) else [str(part) for part in parts]
            yield "/".join(many).replace("\\", "/")


def _confined(name: str) -> bool:
    """Whether a reference is a plain path downwards, whatever system reads it."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") and part.isprintable() for part in parts) and (
        ":" not in name
    )


def _is_directory(path: Path) -> bool:
    """By name, or by what the file says that it is."""
    with path.open("rb") as stream:
        start = stream.read(512)
    return start[128:132] == b"DICM" and (
        path.name.upper() == "DICOMDIR" or DIRECTORY_STORAGE.encode() + b"\0" in start
    )


def _inside(folder: Path, name: str) -> bool:
    """Whether a name leads to a place in the folder, links included."""
    return (folder / name).resolve().is_relative_to(folder.resolve())


def _found(folder: Path, name: str) -> str | None:
    """The name as it is on this disk: media are written in capitals and copied in small letters."""
    for variant in (name, name.lower(), name.upper()):
        if (folder / variant).is_file() and _inside(folder, variant):
            return variant
    return None


def _lost(where: str, lost: Sequence[str], total: int) -> list[str]:
    if not lost:
        return []
    shown = ", ".join(printable(name.rpartition("/")[2]) for name in lost[:_SHOWN])
    more = ", ..." if len(lost) > _SHOWN else ""
    return [f"{where}: {len(lost)} of the {total} files that it lists are missing ({shown}{more})"]
