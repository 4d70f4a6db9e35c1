"""Where the preview of a study is written, and what it may replace: its own kind only."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.core.errors import OutputError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SOFTWARE = "heartseg preview"
"""Written into the file, so that a preview is known from somebody's picture of the same name."""


def preview_file(where: Path, study: str, *, alone: bool) -> Path:
    """The file of a study's preview.

    Args:
        where: a .png file, or a folder that gets `<study>.png`.
        study: its id.
        alone: whether it is the only one.

    Raises:
        OutputError: one file for several studies.
    """
    if where.is_dir() or where.suffix.lower() != ".png":
        return where / f"{study}.png"
    if not alone:
        raise OutputError(
            where.name, got="one file for several studies", do="name a folder: a file for each"
        )
    return where


def keep(picture: "Picture", file: Path) -> None:
    """Write a preview; an older one is replaced, another file is not.

    Raises:
        OutputError: somebody's own file stands there, or nothing can be written there.
    """
    from PIL.PngImagePlugin import PngInfo

    from heartseg.report.atomic import write_atomically

    if file.exists() and not _is_preview(file):
        raise OutputError(
            file.name, got="a file that is no preview", do="it is kept: choose another name"
        )
    about = PngInfo()
    about.add_text("Software", SOFTWARE)
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=about)
    write_atomically(file, out.getvalue())


def _is_preview(file: Path) -> bool:
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    try:
        with Pictures.open(file, formats=("PNG",)) as picture:
            return picture.info.get("Software") == SOFTWARE
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        return False
