"""The main job as a user starts it: calls nobody, leaves nothing but results, loads no torch."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests import doors


@dataclass(frozen=True)
class Place:
    """Inputs of two kinds, an empty home, and where the results go."""

    inputs: tuple[Path, ...]
    home: Path
    out: Path
    model: Path

    def run(
        self, command: Sequence[str], *more: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`command` in front of `heartseg segment`, in an environment with nothing in it."""
        arguments = ["segment", *map(str, self.inputs), "-o", str(self.out)]
        return subprocess.run(
            [*command, *arguments, "--model", str(self.model), *more],
            cwd=self.home,
            env={
                "HOME": str(self.home),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def place(gauge: Path, tmp_path: Path) -> Place:
    (tmp_path / "home").mkdir()
    inputs = doors.write_patient(tmp_path / "patient001"), doors.write_dicom(tmp_path / "dicom")
    return Place(inputs, tmp_path / "home", tmp_path / "out", gauge)


HEARTSEG = (sys.executable, "-m", "heartseg")
WRITING = re.compile(
    r'(?:open|openat|creat)\((?:[^"]*)"([^"]*)", [A-Z_|]*(?:O_WRONLY|O_RDWR|O_CREAT)'
)
MAKING = re.compile(r'(?:mkdir|mkdirat|rename|renameat2?|link|symlink)\([^"]*"([^"]*)"')


def finished(out: Path) -> int:
    return len(list(out.glob("*/report.json")))


LOOKS_FOR_IPV6 = re.compile(r"socket\(AF_INET6, |bind\(\d+, .*sin6_port=htons\(0\).*\"::1\"")
"""What importing requests asks of the system, which pydicom does where somebody has it."""


def test_a_traced_run_calls_nobody_and_writes_results_only(place: Place, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: .ci/run installs it")
    log = tmp_path / "trace"
    calls = "network,open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,symlink"
    trace = ["strace", "-f", "-qq", "-s", "300", "-o", str(log), "-e", f"trace={calls}"]
    done = place.run([*trace, *HEARTSEG])
    if "ptrace" in done.stderr and not log.stat().st_size:
        pytest.skip("this machine allows no tracing")
    assert done.returncode == 0, done.stderr
    assert finished(place.out) == 2
    text = log.read_text(errors="replace")
    assert "report.json" in text  # the trace did see the run
    asked = [line for line in text.splitlines() if re.search(r"\b(AF_INET6?|connect\()", line)]
    network = [line for line in asked if not LOOKS_FOR_IPV6.search(line)]
    assert network == []
    written = {Path(name) for name in WRITING.findall(text) + MAKING.findall(text)}
    allowed = (place.out, Path("/dev/null"), Path("/dev/shm"), Path("/proc/self"))
    strays = [one for one in written if not any(one.is_relative_to(home) for home in allowed)]
    assert strays == []
    assert not list(place.home.iterdir())


def test_it_works_with_the_network_removed(place: Place) -> None:
    alone = ["unshare", "-rn"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("this machine allows no namespaces without a network")
    done = place.run([*alone, *HEARTSEG])
    assert done.returncode == 0, done.stderr
    assert finished(place.out) == 2
    assert not list(place.home.iterdir())


END = """
import sys
from heartseg.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sys.modules)
"""


def test_segmenting_on_the_processor_loads_no_torch(place: Place) -> None:
    done = place.run([sys.executable, "-W", "error", "-c", END], "--device", "cpu")
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert {"openvino", "pydicom", "heartseg.report.html"} <= loaded  # it did the job
    heavy = {"torch", "onnx", "matplotlib", "SimpleITK", "highdicom", "openvino.tools.ovc"}
    assert not heavy & loaded


NEEDLESS = {
    "formats that the files do not have": {"pydicom", "nibabel", "nrrd", "tifffile", "gdcm"},
    "data sets": {"heartseg.read.layouts", "heartseg.read.dicom_study"},
    "what compares segmentations": {"heartseg.measure.agreement", "heartseg.measure.statistics"},
    "cards of models": {"heartseg.segment.card", "heartseg.segment.appraisal"},
    "outputs that nobody asked for": {"heartseg.report.surface", "heartseg.report.points"},
    "more than one process": {"multiprocessing.context", "heartseg.batch.machines", "ray"},
    "more of scipy than images": {"scipy.optimize", "scipy.spatial", "scipy.stats", "scipy.linalg"},
    "terminal pictures": {"rich.console"},
}
"""What a volume can be segmented, measured and reported without; each costs start-up."""


def test_a_nifti_volume_loads_nothing_that_it_does_not_need(place: Place) -> None:
    volume = place.inputs[0] / "patient001_frame01.nii.gz"
    done = replace(place, inputs=(volume,)).run([sys.executable, "-c", END], "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert finished(place.out) == 1
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert {"scipy.ndimage", "heartseg.report.html", "heartseg.report.overview"} <= loaded
    assert not {why: found for why, names in NEEDLESS.items() if (found := names & loaded)}


def test_a_terminal_without_letters_stops_nothing(place: Place) -> None:
    done = place.run(HEARTSEG, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert "LV ejection fraction" in done.stdout


def test_a_reader_that_goes_away_leaves_no_traceback(place: Place) -> None:
    done = place.run(["sh", "-c", '"$@" | true', "sh", *HEARTSEG])
    assert "Traceback" not in done.stderr


def test_odd_values_are_not_quoted_on_the_terminal(place: Place, tmp_path: Path) -> None:
    """Warnings of libraries quote the value that they warn of."""
    from tests.cli.test_private import MARK, marked, odd

    folder, _ = marked(tmp_path / "odd", odd)
    shutil.rmtree(place.inputs[1])
    folder.rename(place.inputs[1])
    done = place.run([sys.executable, "-W", "always", "-m", "heartseg"])
    assert done.returncode == 0, done.stderr
    assert MARK not in (done.stdout + done.stderr).lower()
