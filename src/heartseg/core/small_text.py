"""Small text files that people write: settings, schemes, tables. Never a device or a pipe."""

from pathlib import Path

LARGEST = 4_000_000
"""Bytes; a table of ten thousand patients has less than one million."""


def read_small_text(path: Path) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    A settings file may name another one, so what is read here is not always what its reader chose:
    `/dev/zero` has no end, and a pipe none that comes.

    Raises:
        OSError: no such file, no regular file, or more than `LARGEST` bytes.
        UnicodeDecodeError: not UTF-8.
    """
    if path.exists() and not path.is_file():
        raise OSError(0, "not a regular file")
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(0, f"a file of more than {LARGEST / 1e6:g} MB")
    return content.decode("utf-8-sig")
