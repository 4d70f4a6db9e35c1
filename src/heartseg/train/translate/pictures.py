"""Pictures of a run: images before and after, a grid at every validation, numbered by its step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heartseg.report.atomic import write_atomically
from heartseg.train.log import Watcher
from heartseg.train.task import Numbers

if TYPE_CHECKING:
    from heartseg.train.translate.looks import Look

FOLDER = "pictures"
ROWS = 4
"""Of each kind; the pictures of a long run stay small."""

GAP_PX = 4
_SHOWN = "shown_histogram"
"""Among the numbers that a validation gives, and no step."""


class Shows(Protocol):
    """A task that can be looked at."""

    def look(self) -> "Mapping[str, Look]":
        """Fixed images of each kind."""
        ...


def picture_watcher(task: Shows, folder: Path) -> Watcher:
    """Draws `folder`/pictures/NNNNNN.png whenever it is told of a validation."""

    def watch(step: int, numbers: Numbers) -> None:
        if _SHOWN in numbers:
            from heartseg.train.translate.looks import rows_of

            rows = [row for rows in rows_of(task.look(), ROWS).values() for row in rows]
            write_atomically(folder / FOLDER / f"{step:06d}.png", grid(rows))

    return watch


def grid(rows: Sequence[Sequence[NDArray[Any]]]) -> bytes:
    """A PNG of planes (y, x) in [0, 1], a row of the picture for a row of them."""
    height = max(plane.shape[0] for row in rows for plane in row)
    width = max(plane.shape[1] for row in rows for plane in row)
    columns = max(len(row) for row in rows)
    canvas = np.full(
        (len(rows) * (height + GAP_PX) - GAP_PX, columns * (width + GAP_PX) - GAP_PX), 255, np.uint8
    )
    for y, row in enumerate(rows):
        for x, plane in enumerate(row):
            top, left = y * (height + GAP_PX), x * (width + GAP_PX)
            grey = (plane.clip(0, 1) * 255 + 0.5).astype(np.uint8)
            canvas[top : top + plane.shape[0], left : left + plane.shape[1]] = grey
    return as_png(canvas)


def as_png(pixels: NDArray[np.uint8]) -> bytes:
    """(y, x) grey or (y, x, 3) colours as the bytes of a PNG file."""
    import io

    from PIL import Image as Pictures

    file = io.BytesIO()
    Pictures.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()
