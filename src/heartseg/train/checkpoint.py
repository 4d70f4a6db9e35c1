"""Checkpoints: whole or not at all.

A file is written beside its place, flushed to the disk and then renamed over it, so that a kill
at any moment leaves the last whole one.
"""

import os
import pickle
import struct
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from heartseg.core.errors import ModelError, OutputError

CONTENT = {"step", "best", "task"}
"""What a checkpoint holds: steps done, highest score so far, the task's state."""

COURSE = {"course"}
"""What newer ones hold too: the rest of where the run stands, see `schedule.Course`."""

_BROKEN = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    struct.error,
    pickle.UnpicklingError,
)
"""What torch raises on files that are cut, foreign or hostile."""


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
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise OutputError(
            f"checkpoint {path.name}", got=_said(fault), do="free some space, then --resume"
        ) from fault


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read tensors and plain values only, never code.

    Raises:
        ModelError: not a whole checkpoint.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's thoughts on files that are refused anyway
            state = torch.load(path, map_location="cpu", weights_only=True)
    except _BROKEN as fault:
        raise ModelError(f"checkpoint {path.name}", got=_said(fault)) from fault
    if not isinstance(state, dict) or set(state) - COURSE != CONTENT:
        raise ModelError(
            f"checkpoint {path.name}",
            got="another kind of file",
            allowed="what heartseg train writes",
        )
    return state


def _said(fault: BaseException) -> str:
    """The first line of a message, which may have none."""
    return next(iter(str(fault).splitlines()), type(fault).__name__)
