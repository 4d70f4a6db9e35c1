"""The gallery: one patient's ED and ES, the reference and every method's contours side by side."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.benchmark.results import Method
from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError
from heartseg.report.palette import COLOURS, css

ON_A_PAGE = 7
"""Methods beside the reference; more go to further pages."""
MARGIN_MM = 18.0
"""Shown around the heart."""
LINE = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A run's sight.npz."""

    case: str
    pixels: NDArray[Any]
    truth: NDArray[Any]
    found: NDArray[Any]
    spacing: tuple[float, float]


def draw_gallery(methods: Sequence[Method], new_figure: Callable[[float, float], Any]) -> list[Any]:
    """Pages of a row a phase and a column a method, the reference first.

    Only methods that were scored on the same patient stand side by side: the first method's.

    Raises:
        FormatError: a picture of a finished run that cannot be read.
    """
    kept = [(method.title, _read(method.sight)) for method in methods if method.sight]
    if not kept:
        return []
    first = kept[0][1]
    same = [(title, one) for title, one in kept if _alike(one, first)]
    pages = math.ceil(len(same) / ON_A_PAGE)
    parts = [same[page * ON_A_PAGE : (page + 1) * ON_A_PAGE] for page in range(pages)]
    return [_page(first, part, new_figure) for part in parts]


def _read(path: Path) -> _Kept:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            y, x = arrays["spacing"].tolist()
            return _Kept(
                case=str(arrays["case"]),
                pixels=arrays["pixels"],
                truth=arrays["truth"],
                found=arrays["found"],
                spacing=(float(y), float(x)),
            )
    except (OSError, ValueError, KeyError) as fault:
        raise FormatError(path.name, got=type(fault).__name__) from fault


def _alike(one: _Kept, other: _Kept) -> bool:
    return one.case == other.case and np.array_equal(one.truth, other.truth)


def _page(
    first: _Kept, part: Sequence[tuple[str, _Kept]], new_figure: Callable[[float, float], Any]
) -> Any:
    phases = len(first.pixels)
    columns = [("reference", first.truth), *((title, one.found) for title, one in part)]
    window = _window(first)
    height, width = np.multiply(first.pixels[0][window].shape, first.spacing)
    figure = new_figure(1.9 * len(columns) + 0.3, 1.9 * phases * height / width + 0.6)
    grid = figure.subplots(phases, len(columns), squeeze=False)
    low, high = np.percentile(first.pixels, (1, 99.5))
    for row in range(phases):
        for column, (title, labels) in enumerate(columns):
            axes = grid[row][column]
            axes.imshow(
                first.pixels[row][window],
                cmap="gray",
                vmin=low,
                vmax=max(high, low + 1e-6),
                aspect=first.spacing[0] / first.spacing[1],
            )
            _contours(axes, labels[row][window])
            axes.set_xticks([])
            axes.set_yticks([])
            if row == 0:
                axes.set_title(title, fontsize=8)
            if column == 0 and phases == 2:
                axes.set_ylabel(("ED", "ES")[row], fontsize=9)
    figure.suptitle(first.case, fontsize=8, x=0.01, ha="left")
    return figure


_DRAWN = sorted(Structure, key=lambda structure: structure is not Structure.LV_MYOCARDIUM)
"""The wall first: the cavity's line lies on its inner one."""


def _contours(axes: Any, labels: NDArray[Any]) -> None:
    for structure in _DRAWN:
        mask = labels == structure
        if structure != Structure.BACKGROUND and mask.any() and min(mask.shape) > 1:
            colour = css(COLOURS[structure])
            axes.contour(mask.astype(float), levels=[0.5], colors=[colour], linewidths=LINE)


def _window(sight: _Kept) -> tuple[slice, slice]:
    """Rows and columns around the heart of the reference, a margin with it."""
    rows, columns = (np.flatnonzero(sight.truth.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if not rows.size:
        return slice(None), slice(None)
    return tuple(
        slice(
            max(0, int(found[0] - MARGIN_MM / step)),
            int(min(length, math.ceil(found[-1] + 1 + MARGIN_MM / step))),
        )
        for found, step, length in zip(
            (rows, columns), sight.spacing, sight.truth.shape[1:], strict=True
        )
    )  # type: ignore[return-value]
