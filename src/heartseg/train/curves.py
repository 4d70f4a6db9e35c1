"""The curves of a run: losses of training and validation with the gap between, scores, the rate."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MissingExtraError, OutputError
from heartseg.train.log import LOG, lines_until

CURVES = "curves.png"
SMOOTHED_SHARE = 0.05
"""Of the training losses, over which the drawn line is a mean; the losses themselves are behind."""

_INK, _TRAINING, _VALIDATION, _GAP = "#333333", "#1f5fa8", "#c4501b", "#e9c9b9"
_MANY = 9
_MEAN = "mean"

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Steps and values."""


def require_drawing() -> None:
    """Said before hours of training, not after.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("log.curves", "train")


def draw_curves(folder: Path, titles: Sequence[str] = ()) -> Path | None:
    """Draw `log.jsonl` of a run as `curves.png`; None where nothing was logged.

    Training losses are those of augmented crops by the weights as they move, validation losses
    those of whole frames by the weights that are kept: their gap tells whether the run goes on to
    learn what it cannot use, not how large an error is.

    Args:
        folder: of the run.
        titles: of the classes from 1 on, for people.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the picture cannot be written.
    """
    lines = lines_until(folder / LOG)
    training, validation = curve(lines, "loss"), curve(lines, "validation_loss")
    scores = [n for n in _names(lines) if n == "score" or n.startswith("dice_")]
    if not len(training[0]):
        return None
    require_drawing()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 7.5 if scores else 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    heights = [4, 3, 1.2] if scores else [4, 1.2]
    axes = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
    _draw_losses(axes[0], training, validation)
    if scores:
        _draw_scores(axes[1], [(_title(name, titles), curve(lines, name)) for name in scores])
    _draw_rate(axes[-1], curve(lines, "rate"))
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(colors=_INK)
    return _written(figure, folder / CURVES)


def curve(lines: Sequence[dict[str, Any]], name: str) -> Curve:
    """A number over the steps that told it."""
    pairs = [(line["step"], line[name]) for line in lines if name in line]
    table = np.array(pairs, float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def smoothed(values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Means over a window of that share of the values, narrower at both ends."""
    half = int(len(values) * share / 2)
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])


def gap(training: Curve, validation: Curve) -> Curve:
    """Validation less training loss, at the validations."""
    steps, values = validation
    return steps, values - np.interp(steps, *training)


def _names(lines: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for line in lines for name in line))


def _draw_losses(axis: Any, training: Curve, validation: Curve) -> None:
    line = (training[0], smoothed(training[1], SMOOTHED_SHARE))
    if len(training[0]) > _MANY:
        axis.plot(*training, color=_TRAINING, alpha=0.25, linewidth=0.8)
    axis.plot(*line, color=_TRAINING, label="training (augmented crops)")
    if len(validation[0]):
        steps, apart = gap(line, validation)
        said = f"gap, {apart[-1]:+.3f} at the end"
        below = np.interp(steps, *line)
        axis.fill_between(steps, below, validation[1], color=_GAP, alpha=0.6, lw=0, label=said)
        axis.plot(*validation, "o-", color=_VALIDATION, ms=3, label="validation (whole frames)")
    axis.set_ylabel("loss")
    axis.legend(frameon=False)


def _title(name: str, titles: Sequence[str]) -> str:
    if name == "score":
        return _MEAN
    number = int(name.removeprefix("dice_"))
    return titles[number - 1] if number <= len(titles) else f"class {number}"


def _draw_scores(axis: Any, scores: Sequence[tuple[str, Curve]]) -> None:
    for title, (steps, values) in scores:
        if title == _MEAN:
            best = int(values.argmax())
            said = f"{_MEAN}, best {values[best]:.3f} at step {steps[best]:.0f}"
            axis.plot(steps, values, ".-", color=_INK, linewidth=2, label=said)
            axis.plot(steps[best], values[best], "o", ms=8, mfc="none", mec=_INK)
        else:
            axis.plot(steps, values, ".-", linewidth=1, alpha=0.8, label=title)
    axis.set_ylabel("validation Dice")
    axis.legend(frameon=False, loc="lower right", ncols=2)


def _draw_rate(axis: Any, rate: Curve) -> None:
    axis.plot(*rate, color=_INK, linewidth=1)
    axis.set_ylim(0, None)
    axis.set_ylabel("share of\nthe rate")
    axis.set_xlabel("step")


def _written(figure: Any, path: Path) -> Path:
    unfinished = path.with_suffix(".tmp.png")
    try:
        figure.savefig(unfinished, dpi=110)
        unfinished.replace(path)
    except OSError as fault:
        raise OutputError(path.name, got=fault.strerror or str(fault)) from fault
    return path
