"""The model card: what people should read before they use a model (Mitchell 2019)."""

from collections.abc import Mapping
from typing import Any

from heartseg.config import to_table
from heartseg.segment.description import Description


def card_text(description: Description, sha256: str) -> str:
    """Markdown; says nothing that the bundle does not hold."""
    d = description
    classes = "\n".join(f"| {i} | {s.title} |" for i, s in enumerate(d.structures))
    return f"""# {_plain(d.name)} {_plain(d.version)}

Segments {", ".join(s.title for s in d.structures[1:])} in {d.modality} images, view `{d.view}`.

**Research use only, not for diagnosis.** Licence of the weights: {_plain(d.licence)}.

| channel | meaning |
|---|---|
{classes}

## Network
{_rows(d.architecture)}

## Preparation
{_rows(to_table(d.preparation))}

## Training
{_rows(d.training)}

## Scores
{_rows(d.scores)}
{_intervals(d)}
Scores hold for images like those it learnt from: other scanners, ages, diseases and views may do
worse, and nothing was measured there. SHA-256 of `model.onnx`: `{sha256}`
"""


def _intervals(d: Description) -> str:
    """What the intervals of its findings come from; nothing where it has none."""
    if d.intervals is None:
        return ""
    said = {key: one for key, one in to_table(d.intervals).items() if key != "findings"}
    widths = {
        key: f"+- {one.times:.4g} x sqrt(spread^2 + {one.floor:.4g}^2)"
        for key, one in d.intervals.findings.items()
    }
    return f"\n## Intervals\n{_rows({**said, **widths})}\n"


def _rows(table: Mapping[str, Any]) -> str:
    if not table:
        return "\nNothing is recorded."
    rows = "\n".join(f"| {_plain(key)} | {_plain(value)} |" for key, value in table.items())
    return f"\n| what | value |\n|---|---|\n{rows}"


def _plain(value: object) -> str:
    """One line that cannot break the table or become HTML."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return ", ".join(_plain(item) for item in value)
    line = " ".join(str(value).split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;")
