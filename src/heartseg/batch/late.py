"""What a study wants late, loaded while the engine makes a network ready.

`scipy.ndimage` takes half of its time for what nobody asks here: numpy's Fortran compiler, masked
arrays and test tools, since it takes over all of numpy's names, and a table of other array
libraries in the docstring of each function, which it parses for that. This process does without;
results are the same.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

LATE = (
    *("scipy.ndimage", "PIL.ImageFont", "PIL.JpegImagePlugin", "PIL.PngImagePlugin"),
    *("heartseg.segment.looks", "heartseg.measure.doubts", "heartseg.measure.intervals"),
    *("heartseg.report.outputs", "heartseg.report.text"),
)
"""With what these load themselves: all that a study wants once the network has answered."""

_UNASKED = ("f2py", "testing", "ma", "polynomial", "ctypeslib")
"""Parts of numpy that are loaded when somebody takes all its names, or is asked for them."""

_ARRAYS = "scipy._lib._array_api"


def load_late() -> None:
    """Load them; what is loaded already costs nothing."""
    with _without_manuals():
        for name in LATE:
            import_module(name)


@contextmanager
def _without_manuals() -> Iterator[None]:
    """SciPy writes nothing into docstrings meanwhile; a SciPy that is made otherwise is let be."""
    arrays: Any = _array_layer()
    if not hasattr(arrays, "FunctionDoc"):
        yield
        return
    reader, arrays.FunctionDoc = arrays.FunctionDoc, _AsItIs
    try:
        yield
    finally:
        arrays.FunctionDoc = reader


def _array_layer() -> object:
    """SciPy's own layer of array libraries; None where this SciPy has none."""
    if _ARRAYS in sys.modules:  # other threads may be using numpy's names by now
        return sys.modules[_ARRAYS]
    absent = [name for name in _UNASKED if name not in vars(np)]
    for name in absent:
        setattr(np, name, None)
    try:
        return import_module(_ARRAYS)
    except ImportError:
        return None
    finally:
        for name in absent:
            if vars(np).get(name) is None:  # nobody loaded it on purpose
                delattr(np, name)


class _AsItIs:
    """A docstring that is left alone, in the words of `scipy._lib._docscrape.FunctionDoc`."""

    def __init__(self, function: object) -> None:
        self._text = function.__doc__ or ""

    def __getitem__(self, section: str) -> list[str]:
        return []

    def __str__(self) -> str:
        return f"signature\n{self._text}"
