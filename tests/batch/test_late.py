"""What a study wants late is loaded without what nobody here asks of it."""

import subprocess
import sys

import numpy as np
import pytest

from heartseg.batch import late

LOADED = """
import sys
from heartseg.batch.late import load_late
load_late()
import numpy, scipy.ndimage
from scipy._lib import _array_api, _docscrape
print(*[name for name in ("scipy.ndimage", "PIL.Image", "numpy.f2py", "numpy.testing", "numpy.ma")
        if name in sys.modules])
print(scipy.ndimage.zoom.__doc__.split("\\n")[0])
print("array_like" in scipy.ndimage.zoom.__doc__)
print(_array_api.FunctionDoc is _docscrape.FunctionDoc)
print(numpy.testing.__name__, numpy.ma.__name__, "f2py" in vars(numpy))
"""


def told(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_nothing_is_loaded_for_the_manuals_and_everything_is_as_it_was() -> None:
    assert told(LOADED) == [
        "scipy.ndimage PIL.Image",
        "Zoom an array.",
        "True",
        "True",
        "numpy.testing numpy.ma False",
    ]


def test_a_scipy_that_is_made_otherwise_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "_ARRAYS", "scipy._lib.no_such_layer")

    late.load_late()

    assert "scipy.ndimage" in sys.modules
    assert all(vars(np).get(name, np) is not None for name in late._UNASKED)
