"""Checkpoints: whole or not at all.

A file is written beside its place, flushed to the disk and then renamed over it, so that a kill
at any moment leaves the last whole one.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from heartseg.core.errors import ModelError, OutputError


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write atomically.

    Raises:
        OutputError: the disk is full or the folder cannot be written; the last file stays.
    """
    unfinished = path.with_suffix(".tmp")
    try:
        with unfinished.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except (OSError, RuntimeError) as fault:
        unfinished.unlink(missing_ok=True)
        raise OutputError(
            f"checkpoint {path.name}", got=str(fault), do="free some space, then --resume"
        ) from fault


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read tensors and plain values only, never code.

    Raises:
        ModelError: not a whole checkpoint.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError) as fault:
        raise ModelError(f"checkpoint {path.name}", got=str(fault).splitlines()[0]) from fault
    return state
