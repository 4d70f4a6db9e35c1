"""A study's folder of results appears whole or not at all, and holds nobody else's files."""

import os
from fnmatch import fnmatch
from pathlib import Path

from heartseg.core.errors import OutputError

FINISHED = "report.json"
"""Its presence says that a study is done."""

PROBABILITIES = ("*_prob.nii.gz", "*_prob.json")

EXPLAINED = "explain.json"
"""Its presence says that a study was explained; the maps beside it are named like these."""

MAPS = ("*_map.nii.gz", "*_map.tiff", "*_map.png", "*_checks.png")

OURS = (
    *(FINISHED, "report.html", "report.pdf", "overview.png"),
    *("*_seg.nii.gz", "*_seg.png", *PROBABILITIES),
    *("*_areas.csv", "*_contours.csv", "*_osirix.csv", "IM-????-*-[io]contour-manual.txt"),
    *("*_e[ds]_*.stl", "*_e[ds].glb"),
)
"""What doing a study again replaces; anything else in its folder is somebody's and stays."""


def is_finished(folder: Path) -> bool:
    """True for the results of a study that was done."""
    return (folder / FINISHED).is_file()


def is_foreign(place: Path) -> bool:
    """True for what heartseg did not make: it may be the very study that is to be read."""
    return os.path.lexists(place) and not is_finished(place)


def is_result(file: Path) -> bool:
    """True for a picture or map of ours: results often lie below the folder of the images."""
    ours = ("overview.png", *PROBABILITIES)
    if any(fnmatch(file.name, one) for one in ours):
        return is_finished(file.parent)
    return any(fnmatch(file.name, one) for one in MAPS) and (file.parent / EXPLAINED).is_file()


def put_in_place(source: Path, target: Path) -> None:
    """Make a folder of results the study's own; of an older result nothing remains.

    Raises:
        OutputError: the files cannot be moved, or the place holds something else.
    """
    if is_foreign(target):
        raise OutputError(target.name, got="a folder of that name that is not heartseg's")
    try:
        if not target.exists():
            source.replace(target)
            return
        (target / FINISHED).unlink()
        for old in [file for file in target.iterdir() if _is_ours(file.name)]:
            old.unlink()
        for new in sorted(source.iterdir(), key=lambda file: file.name == FINISHED):
            new.replace(target / new.name)
    except OSError as fault:
        raise OutputError(target.name, got=fault.strerror or type(fault).__name__) from fault


def require_writable(folder: Path) -> None:
    """Make a folder for results, and see that files can be made in it.

    Raises:
        OutputError: it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".heartseg-probe"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        raise OutputError(
            f"output folder {folder.absolute().name}",
            got=fault.strerror or type(fault).__name__,
            do="choose a folder that you may write to with -o",
        ) from fault


def _is_ours(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in OURS)
