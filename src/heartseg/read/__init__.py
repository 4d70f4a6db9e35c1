"""Step 1: files -> Study."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from heartseg.core.errors import StudyError
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.read import folder
from heartseg.read.candidate import Candidate, Options, with_unique_ids
from heartseg.read.layout import Layout

__all__ = ["Candidate", "Options", "find_studies", "published_labels", "read_study"]


def find_studies(
    path: Path | str,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
    scheme: str | None = None,
) -> list[Candidate]:
    """The studies at a path, in the order of their names; pixels are not read yet.

    Args:
        path: a file, a folder, or a DICOM .zip.
        spacing_mm: (z, y, x) to use instead of what the files say.
        view: what the images show, instead of what the files say.
        scheme: what label numbers mean, where the layout does not say it: a name or a TOML file.

    Raises:
        InputError: nothing there that heartseg can read.
    """
    path = Path(path)
    if not path.exists():
        raise StudyError(path.name, got="no such file or folder", do="check the path")
    options = Options(spacing_mm=spacing_mm, view=view, scheme=scheme)
    found = _found(path, options, _layouts(path))
    if not found:
        raise StudyError(path.name, got="nothing that heartseg can read")
    return found


def read_study(
    path: Path | str,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
) -> Study:
    """Read the one study at a path.

    Raises:
        StudyError: there is none, or more than one.
        InputError: it cannot be read.
    """
    found = find_studies(Path(path), spacing_mm=spacing_mm, view=view)
    if len(found) > 1:
        some = ", ".join(candidate.id for candidate in found[:8])
        raise StudyError(
            Path(path).name,
            got=f"{len(found)} studies ({some}{', ...' if len(found) > 8 else ''})",
            allowed="one",
            do="name one of them, or use find_studies",
        )
    return found[0].load()


def published_labels(path: Path, study: Study) -> Mapping[View, Segmentation] | None:
    """The labels that a known data set at `path` has for a study; None where it is none.

    Raises:
        StudyError: it is one, without this study.
        InputError: the labels cannot be read.
    """
    if not path.is_dir():
        return None
    # Plain files publish no labels, and a folder of masks alone is no fault here.
    found = _found(path, Options(), [one for one in _layouts(path) if one.name != folder.NAME])
    labelled = [one for one in found if one.reference is not None]
    if not labelled:
        return None
    mine = [one for one in labelled if one.id == study.id]
    if not mine or mine[0].reference is None:
        raise StudyError(path.name, got=f"no labels of {study.id}", do="name its own folder")
    return mine[0].reference()


def _layouts(path: Path) -> Iterable[Layout]:
    """Those that the path may have: the data sets are folders, and are loaded for folders only."""
    if not path.is_dir():
        return (folder.LAYOUT,)
    from heartseg.read.layouts import LAYOUTS

    return LAYOUTS.values()


def _found(path: Path, options: Options, layouts: Iterable[Layout]) -> list[Candidate]:
    """The studies of the first layout that knows the path; none where no layout does."""
    for layout in layouts:
        found = layout.find(path, options)
        if found:
            return with_unique_ids(one.explained(options.view) for one in found)
    return []
