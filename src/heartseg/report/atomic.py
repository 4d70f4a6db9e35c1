"""Files appear whole or not at all."""

import os
import secrets
from pathlib import Path

from heartseg.core.errors import OutputError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader never sees half of it; its folder is made when missing.

    The content goes to a hidden neighbour first, reaches the disk, and then takes the name.

    Raises:
        OutputError: it could not be written; no partial file is left, an older one is untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(temporary, content)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as fault:
        raise OutputError(
            path.name,
            got=fault.strerror or type(fault).__name__,
            do="free some space there, or choose another folder with -o",
        ) from fault


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
