"""What may be said of a fault that nobody foresaw."""

import traceback
from pathlib import Path

from heartseg.core.errors import HeartsegError

_PACKAGE = Path(__file__).parents[1]


def said_of(fault: BaseException) -> str:
    """A fault in words for a terminal, a log or a table.

    Messages of `HeartsegError` are written for that. Those of others may quote a path or what a
    file holds, and so identify a patient: of them only the kind and the place in the code are told.
    """
    if isinstance(fault, HeartsegError):
        return str(fault)
    kind = type(fault).__name__
    if isinstance(fault, OSError) and fault.strerror:
        kind = f"{kind} ({fault.strerror})"
    return f"{kind} in {_place(fault)}: a fault of heartseg's own, please report this line"


def _place(fault: BaseException) -> str:
    """The last line of heartseg's that was reached: `formats/nifti.py:12`."""
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_PACKAGE):
            return f"{file.relative_to(_PACKAGE).as_posix()}:{frame.lineno}"
    return "heartseg"
