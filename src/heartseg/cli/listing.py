"""Lists: of studies in files, of models, of networks."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heartseg.report.json_file import as_json, plain
from heartseg.report.words import clean

if TYPE_CHECKING:
    from heartseg.batch import Outcome
    from heartseg.core.anatomy import Structure

Row = Mapping[str, Any]


def to_json(rows: object) -> str:
    """For machines."""
    # Nothing but ASCII: names from files may hold what commands a terminal, or no text at all.
    return json.dumps(plain(rows), indent=2, allow_nan=False)


def table(rows: Sequence[Row]) -> str:
    """Aligned columns under their names, for people."""
    if not rows:
        return "none"
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([clean(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def outcome(one: "Outcome") -> Row:
    """What became of a study; `report` is its report.json, None where it failed."""
    report = None if one.report is None else as_json(one.report)
    return {"study": one.id, "status": one.status, "said": one.said, "report": report}


def models() -> list[Row]:
    """The shipped bundles."""
    from heartseg.segment import load_bundle, shipped_bundles

    rows: list[Row] = []
    for name in shipped_bundles():
        bundle = load_bundle(name)
        rows.append(
            {
                "name": bundle.name,
                "version": bundle.version,
                "modality": str(bundle.modality),
                "view": str(bundle.view),
                "structures": ", ".join(s.key for s in bundle.structures[1:]),
                **{k: v for k, v in bundle.scores.items() if k.startswith("test_dice")},
                "licence": bundle.licence,
            }
        )
    return rows


def methods() -> list[Row]:
    """The traditional methods."""
    from heartseg.classical import METHODS, bounds, resolved

    return [
        {
            "name": name,
            "paper": method.paper,
            "short axis": _keys(method.finds("short-axis")),
            "echo": _keys(method.finds("apical")),
            "needs": f"heartseg[{method.extra}]" if method.extra else "",
            "settings": ", ".join(
                f"{key}={value}" for key, value in resolved(method).items() if key in bounds(method)
            ),
        }
        for name, method in METHODS.items()
    ]


def _keys(structures: "Sequence[Structure]") -> str:
    return ", ".join(one.key for one in structures) or "what its folder shows"
