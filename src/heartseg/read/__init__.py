"""Step 1: files -> Study."""

from pathlib import Path

from heartseg.core.errors import StudyError
from heartseg.core.study import Study, View
from heartseg.read.candidate import Candidate, Options, with_unique_ids
from heartseg.read.layouts import LAYOUTS

__all__ = ["Candidate", "Options", "find_studies", "read_study"]


def find_studies(
    path: Path,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
) -> list[Candidate]:
    """The studies at a path, in the order of their names; pixels are not read yet.

    Args:
        path: a file, a folder, or a DICOM .zip.
        spacing_mm: (z, y, x) to use instead of what the files say.
        view: what the images show, instead of what the files say.

    Raises:
        InputError: nothing there that heartseg can read.
    """
    if not path.exists():
        raise StudyError(path.name, got="no such file or folder", do="check the path")
    options = Options(spacing_mm=spacing_mm, view=view)
    for find in LAYOUTS.values():
        found = find(path, options)
        if found:
            return with_unique_ids(found)
    raise StudyError(path.name, got="nothing that heartseg can read")


def read_study(
    path: Path,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
) -> Study:
    """Read the one study at a path.

    Raises:
        StudyError: there is none, or more than one.
        InputError: it cannot be read.
    """
    found = find_studies(path, spacing_mm=spacing_mm, view=view)
    if len(found) > 1:
        some = ", ".join(candidate.id for candidate in found[:8])
        raise StudyError(
            path.name,
            got=f"{len(found)} studies ({some}{', ...' if len(found) > 8 else ''})",
            allowed="one",
            do="name one of them, or use find_studies",
        )
    return found[0].load()
