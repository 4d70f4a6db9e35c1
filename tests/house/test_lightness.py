"""Starting up costs nothing that is not needed."""

import importlib.util
import subprocess
import sys

import pytest

HEAVY = (
    *("torch", "nibabel", "openvino", "scipy", "pydicom", "SimpleITK", "matplotlib"),
    *("highdicom", "reportlab", "jinja2", "PIL", "nrrd", "tifffile", "onnx", "skimage"),
)

STARTS = {
    "import heartseg": "import heartseg",
    "heartseg --help": (
        "import sys\nsys.argv = ['heartseg', '--help']\n"
        "from heartseg.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
    ),
}


def loaded_by(code: str) -> set[str]:
    tell = "\nimport sys\nprint('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code + tell], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("start", STARTS)
def test_starting_loads_nothing_heavy(start: str) -> None:
    if "cli" in STARTS[start] and importlib.util.find_spec("heartseg.cli") is None:
        return  # there is no command line yet
    assert not loaded_by(STARTS[start]) & set(HEAVY)


def test_the_check_itself_sees_a_heavy_import() -> None:
    assert "scipy" in loaded_by("import scipy.ndimage")


READY = "import heartseg.batch.one_process, heartseg.segment.openvino_runtime"
"""All that a run needs to begin to compile its model."""

AFTERWARDS = ("heartseg.measure.study", "heartseg.measure.function", "heartseg.report.outputs")


def test_a_model_is_made_ready_without_what_measures_and_writes() -> None:
    there = loaded_by(READY)
    assert "heartseg.segment.bundle_folder" in there
    assert not there & set(AFTERWARDS)


def test_what_comes_afterwards_is_loaded_while_the_engine_compiles() -> None:
    assert set(AFTERWARDS) <= loaded_by("from heartseg.batch.late import load_late; load_late()")
