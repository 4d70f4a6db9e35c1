"""A run calls nobody, writes nothing, and loads no torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heartseg.segment import Bundle

RUN = """
import sys
seen = []
def watch(event, arguments):
    if event.startswith("socket.") or event in ("os.mkdir", "subprocess.Popen", "os.system"):
        seen.append((event, repr(arguments)[:200]))
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & 3:
        seen.append((event, repr(arguments)[:200]))
sys.addaudithook(watch)
sys.dont_write_bytecode = True
import numpy as np
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.segment import choose_runtime, frames, load_bundle
bundle = load_bundle(sys.argv[1])
still = np.arange(2 * 40 * 40.0).reshape(1, 2, 40, 40)
runtime = choose_runtime("cpu", bundle)
found = list(frames(Image(still, Geometry.from_pixels((2, 40, 40))), bundle, runtime, turns=4))
assert found[0].shape == (4, 2, 40, 40), found[0].shape
for module in ("torch", "onnx", "openvino.tools.ovc", "openvino_telemetry", "nibabel", "pydicom"):
    assert module not in sys.modules, module
print(seen)
"""


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """A home folder with nothing in it."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_a_run_is_quiet(bundle: Bundle, empty_home: Path) -> None:
    environment = {"HOME": str(empty_home), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", RUN, str(bundle.folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert not list(empty_home.iterdir())


def test_importing_the_stage_loads_no_engine() -> None:
    code = "import sys, heartseg.segment, heartseg.refine; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "heartseg.segment.bundle" in loaded
    assert not {"openvino", "torch", "scipy", "onnx"} & set(loaded)
