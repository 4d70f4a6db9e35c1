"""Pictures of a benchmark: scores by method, against size, confusions, and a gallery of contours.

matplotlib's own objects are used, not pyplot: no window, no state that outlives a picture.
"""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from heartseg.benchmark.gallery import draw_gallery
from heartseg.benchmark.results import Method, Results
from heartseg.benchmark.tables import NAMES
from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import MissingExtraError
from heartseg.measure.readers import READERS_DICE
from heartseg.report.atomic import write_atomically

FOLDER = "figures"
DOTS_PER_INCH = 130
SHOWN_AT_MOST = 40
"""Methods in one picture; a table has them all."""
CONFUSIONS_AT_MOST = 12

INK, FAINT, HUMAN = "#1b3a5b", "#9db3c8", "#d9822b"


def write_figures(results: Results, folder: Path) -> tuple[Path, ...]:
    """Write what there is to draw as PNG into `folder`/figures.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: they cannot be written.
    """
    if not results.scored:
        return ()
    written = []
    for name, figure in _figures(results):
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=DOTS_PER_INCH, facecolor="white")
        path = folder / FOLDER / f"{name}.png"
        write_atomically(path, out.getvalue())
        written.append(path)
    return tuple(written)


def _figures(results: Results) -> Iterator[tuple[str, Any]]:
    yield "scores", draw_scores(results)
    if results.grid.report.curve:
        yield "curve", draw_curves(results, results.grid.report.curve)
    if any(method.confusion is not None for method in results.scored):
        yield "confusion", draw_confusions(results)
    pages = draw_gallery(results.scored, new_figure)
    for number, page in enumerate(pages, start=1):
        yield f"gallery-{number}" if len(pages) > 1 else "gallery", page


def new_figure(width: float, height: float) -> Any:
    """An empty figure of so many inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as fault:
        raise MissingExtraError("figures", "train") from fault
    return Figure(figsize=(width, height), layout="constrained")


def draw_scores(results: Results) -> Any:
    """A line a method: every patient a dot, the mean with its interval, the human limit behind."""
    metric, methods = results.metric, results.scored[:SHOWN_AT_MOST]
    figure = new_figure(8.0, 1.3 + 0.42 * len(methods))
    axes = figure.subplots()
    random = np.random.default_rng(0)
    for place, method in enumerate(methods):
        values = np.array(list(method.by_case(metric).values()))
        spread = random.uniform(-0.16, 0.16, len(values))
        axes.plot(values, place + spread, "o", color=FAINT, markersize=3.5, zorder=2)
        mean = method.mean(metric)
        if mean is None:
            continue
        if mean.interval is not None:
            axes.plot(mean.interval, (place, place), color=INK, linewidth=2.5, zorder=3)
        axes.plot(mean.value, place, "D", color=INK, markersize=6, zorder=4)
    _draw_human(axes, results)
    axes.set_yticks(range(len(methods)), [method.title for method in methods])
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_xlabel(f"{NAMES[metric]}: patients, mean, 95 % interval")
    axes.set_title(f"{results.grid.title}: {results.grid.part}", loc="left", fontsize=10)
    _plain(axes)
    return figure


def _draw_human(axes: Any, results: Results) -> None:
    """Mean of what readers reach, where that is known of every structure."""
    limits = [READERS_DICE.get(key) for key in results.structures]
    known = [limit for limit in limits if limit is not None]
    if results.metric != "dice" or not results.short_axis_mr or len(known) != len(limits):
        return
    low, high = np.mean(known, axis=0)
    axes.axvspan(low, high, color=HUMAN, alpha=0.25, zorder=1, label="two human readers")
    axes.legend(loc="best", fontsize=8, frameon=False)


def draw_curves(results: Results, axis: str) -> Any:
    """Score against the numbers of an axis, a line for what the other axes say."""
    metric = results.metric
    figure = new_figure(7.0, 4.6)
    axes = figure.subplots()
    lines: dict[str, list[tuple[float, Method]]] = {}
    for method in results.scored:
        rest = [label for name, label in method.labels.items() if name != axis]
        size = _size(method, axis)
        if size is not None:
            lines.setdefault(", ".join(rest) or axis, []).append((size, method))
    for name, points in lines.items():
        found = [(size, mean) for size, method in points if (mean := method.mean(metric))]
        found.sort(key=lambda pair: pair[0])
        middle = [mean.value for _, mean in found]
        edges = np.array([mean.interval or (mean.value, mean.value) for _, mean in found]).T
        errors = np.abs(edges - middle) if found else None
        places = [size for size, _ in found]
        axes.errorbar(places, middle, yerr=errors, marker="o", capsize=3, label=name)
    axes.set_xlabel(axis)
    axes.set_ylabel(f"{NAMES[metric]}, 95 % interval")
    axes.set_title(results.grid.title, loc="left", fontsize=10)
    sizes = sorted({size for points in lines.values() for size, _ in points})
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    if len(lines) > 1:
        axes.legend(fontsize=8, frameon=False)
    _plain(axes)
    return figure


def _size(method: Method, axis: str) -> float | None:
    """The number of a label; where it has none, the patients that its runs were trained on."""
    try:
        return float(method.labels[axis])
    except (KeyError, ValueError):
        return method.average("patients_trained")


def draw_confusions(results: Results) -> Any:
    """Of each method, what the voxels of every structure were found to be: shares of a row."""
    methods = [m for m in results.scored if m.confusion is not None][:CONFUSIONS_AT_MOST]
    columns = min(4, len(methods))
    rows = math.ceil(len(methods) / columns)
    figure = new_figure(3.1 * columns + 0.6, 3.0 * rows + 0.6)
    figure.suptitle("Voxels of each true structure: shares of a row", fontsize=9)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for place in grid[len(methods) :]:
        place.set_axis_off()
    for axes, method in zip(grid, methods, strict=False):
        _draw_confusion(axes, method)
    return figure


def _draw_confusion(axes: Any, method: Method) -> None:
    counts = np.zeros((0, 0)) if method.confusion is None else method.confusion.astype(float)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.55 else "black"
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=7, color=colour)
    names = [_short(key) for key in method.structures]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_title(method.title, fontsize=8)
    axes.set_xlabel("found", fontsize=7)
    axes.set_ylabel("truth", fontsize=7)


def _short(key: str) -> str:
    if key == Structure.BACKGROUND.key:
        return "none"
    return STRUCTURES_BY_KEY[key].key if key in STRUCTURES_BY_KEY else key


def _plain(axes: Any) -> None:
    axes.grid(visible=True, color="#e3e8ee", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
