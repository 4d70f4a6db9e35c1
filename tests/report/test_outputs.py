import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.finding import Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.report.atomic import write_atomically
from heartseg.report.json_file import load_report
from heartseg.report.outputs import OUTPUTS, save_report
from heartseg.report.study_folder import _is_ours


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_every_output_is_written_and_named(
    report: Report, study: Study, segmentation: Segmentation, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "case-7"
    written = save_report(
        report, folder, study=study, segmentations={View.SAX: segmentation}, formats=OUTPUTS
    )
    assert {path.name for path in written} == names(folder)
    texts = {name for name in names(folder) if name.endswith("contour-manual.txt")}
    assert names(folder) - texts == {
        *("report.json", "report.html", "report.pdf", "overview.png"),
        *("sax_areas.csv", "sax_contours.csv", "sax_osirix.csv"),
        *("sax_ed.glb", "sax_es.glb"),
        *(f"sax_{phase}_{key}.stl" for phase in ("ed", "es") for key in ("lv", "myo", "rv")),
    }
    assert all(_is_ours(name) for name in names(folder))
    assert load_report(folder / "report.json") == report
    assert "data:image/jpeg;base64," in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_without_images_the_pictures_are_left_out(report: Report, tmp_path: Path) -> None:
    save_report(report, tmp_path)
    assert names(tmp_path) == {"report.json", "report.html"}
    assert "<img" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_picture_without_images_says_what_is_missing(report: Report, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="pass study= and segmentations="):
        save_report(report, tmp_path, formats=["json", "png"])
    assert names(tmp_path) == set()


def test_an_unknown_format_is_refused_with_the_known_ones(report: Report, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'docx'; allowed: json, html, png"):
        save_report(report, tmp_path, formats=["docx"])


def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"report\.json: got No space left on device; free"):
        write_atomically(path, b"new and longer")
    assert names(tmp_path) == {"report.json"}
    assert path.read_bytes() == b"old"


def test_a_file_that_may_not_grow_leaves_no_part_of_itself(tmp_path: Path) -> None:
    """The kernel refuses the bytes in the middle of the file: as real as a full disk."""
    code = (
        "import sys, resource, signal\n"
        "from pathlib import Path\n"
        "from heartseg.report.atomic import write_atomically\n"
        "from heartseg.core.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_atomically(Path(sys.argv[1]) / 'overview.png', bytes(100_000))\n"
        "except OutputError as error:\n"
        "    sys.exit(str(error))\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "overview.png: got File too large" in done.stderr
    assert names(tmp_path) == set()


def test_an_interrupt_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(source: object, target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.json", b"x")
    assert names(tmp_path) == set()


def test_the_target_never_holds_half_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "a.json", []
    path.write_bytes(b"old")
    replace = os.replace

    def watched(source: Path, target: Path) -> None:
        seen.append((source.read_bytes(), target.read_bytes()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    write_atomically(path, b"whole")
    assert seen == [(b"whole", b"old")]
    assert path.read_bytes() == b"whole"


def test_a_folder_that_is_a_file_is_an_output_error(report: Report, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OutputError, match=r"report\.json"):
        save_report(report, tmp_path / "taken", formats=["json"])


def test_files_are_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_atomically(tmp_path / "ours", b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "ours")}
    assert len(modes) == 1


def test_importing_the_report_loads_no_heavy_library() -> None:
    code = (
        "import sys, heartseg.report\n"
        "print([m for m in ('PIL', 'jinja2', 'scipy', 'nibabel', 'reportlab') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
