"""The checks as a picture: the cascade of every method, and its deletion and insertion curves.

matplotlib's own objects are used, not pyplot: no window, no state that outlives a picture.
"""

import io
from collections.abc import Sequence
from typing import Any

from heartseg.core.errors import MissingExtraError
from heartseg.explain.checks import MOST_ALIKE, Checked
from heartseg.explain.deletion import SHARES

DOTS_PER_INCH = 110
WIDTH, HEIGHT = 3.4, 2.7
"""Inches, of a panel."""

MAP = "#0b6e4f"
OTHERS = {"random": ("#9aa3ae", "-"), "edges": ("#c2571a", "--"), "bright": ("#6a4c93", ":")}
"""Colour and stroke of the orders that know nothing of the network."""


def checks_picture(checks: Sequence[Checked]) -> bytes:
    """A PNG: a row a method.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as fault:
        raise MissingExtraError("the picture of the checks", "train") from fault

    size = (3 * WIDTH, HEIGHT * max(1, len(checks)))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(max(1, len(checks)), 3, squeeze=False)
    for row, checked in zip(panels, checks, strict=False):
        _cascade(row[0], checked)
        for panel, kind in zip(row[1:], ("deletion", "insertion"), strict=True):
            _curves(panel, checked, kind)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DOTS_PER_INCH, facecolor="white")
    return out.getvalue()


def _cascade(panel: Any, checked: Checked) -> None:
    places = range(1, len(checked.steps) + 1)
    ranks = [step.rank_correlation for step in checked.steps]
    known = [(at, rank) for at, rank in zip(places, ranks, strict=True) if rank is not None]
    panel.axhline(MOST_ALIKE, color="#c9ced6", linewidth=1)
    panel.plot([at for at, _ in known], [r for _, r in known], "o-", color=MAP, label="rank")
    similar = [step.similarity for step in checked.steps]
    panel.plot(places, similar, "s--", color="#8b94a1", label="SSIM", markersize=4)
    panel.set(ylim=(-0.55, 1.05), title=checked.method, ylabel="likeness to the trained map")
    stages = [step.stage for step in checked.steps]
    panel.set_xticks(list(places), stages, rotation=35, ha="right", fontsize=7)
    panel.legend(fontsize=7, frameon=False, loc="best")


def _curves(panel: Any, checked: Checked, kind: str) -> None:
    if checked.curves is None:
        panel.axis("off")
        panel.text(0.5, 0.5, f"{kind}: not asked of this method", ha="center", fontsize=8)
        return
    curves = checked.curves.deletion if kind == "deletion" else checked.curves.insertion
    for order, (colour, stroke) in OTHERS.items():
        area = checked.curves.area(kind, order)
        panel.plot(SHARES, curves[order], stroke, color=colour, label=f"{order} {area:.2f}")
    label = f"map {checked.curves.area(kind, 'map'):.2f}"
    panel.plot(SHARES, curves["map"], color=MAP, linewidth=2, label=label)
    done = "hidden" if kind == "deletion" else "shown"
    panel.set(ylim=(-0.02, 1.02), xlabel=f"share of the plane {done}", title=kind)
    panel.set_ylabel("mean probability")
    panel.legend(fontsize=7, frameon=False, title="area below", title_fontsize=7)
