"""The anatomy report as files: a row a frame, all numbers, and a page to look at."""

import base64
import json
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.report import words
from heartseg.report.atomic import write_atomically
from heartseg.report.csv_text import csv_text
from heartseg.report.json_file import plain
from heartseg.report.words import clean
from heartseg.train.translate.anatomy_report import AnatomyReport
from heartseg.train.translate.judges import Line
from heartseg.train.translate.outlines import Shown

if TYPE_CHECKING:
    from jinja2 import Template

CSV, JSON, PAGE = "anatomy.csv", "anatomy.json", "anatomy.html"
MOST_SHOWN = 12
TEMPLATE = Path(__file__).with_name("anatomy.html.j2")


def save_report(report: AnatomyReport, shown: Sequence[Shown], folder: Path) -> tuple[Path, ...]:
    """Write `anatomy.csv`, `anatomy.json` and `anatomy.html`, the worst images first.

    Raises:
        OutputError: they cannot be written.
    """
    worst = sorted(shown, key=lambda one: (one.key, one.study))[:MOST_SHOWN]
    contents = {
        CSV: _rows(report.lines),
        JSON: json.dumps(plain(report.to_table()), indent=1, allow_nan=False) + "\n",
        PAGE: html_page(report, worst),
    }
    for name, text in contents.items():
        write_atomically(folder / name, text.encode("utf-8"))
    return tuple(folder / name for name in contents)


def _rows(lines: Sequence[Line]) -> str:
    keys = sorted({key for line in lines for key in line.structures})
    own = [one.name for one in fields(Line) if one.name != "structures"]
    heads = [*own[:-1], *(f"dice_{key}" for key in keys), own[-1]]
    rows = [
        [
            *(_cell(getattr(line, name)) for name in own[:-1]),
            *(_cell(line.structures.get(key)) for key in keys),
            line.rejected,
        ]
        for line in lines
    ]
    return csv_text(heads, rows)


def _cell(value: str | int | float | None) -> str | int | float | None:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return "'" + value  # a name from a file is no formula
    return clean(value) if isinstance(value, str) else value


def html_page(report: AnatomyReport, worst: Sequence[Shown]) -> str:
    """The page: what was rejected, how near the sets came, and the worst images."""
    lines = sorted(
        report.lines,
        key=lambda one: (not one.rejected, 1.0 if one.dice_target is None else one.dice_target),
    )
    return _template().render(
        report=report,
        lines=lines,
        means=report.means(),
        pictures=[(one, base64.b64encode(one.png).decode()) for one in worst],
        research_only=words.RESEARCH_ONLY,
    )


@lru_cache(maxsize=1)
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = lambda value: "" if value is None else f"{value:.3f}"
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
