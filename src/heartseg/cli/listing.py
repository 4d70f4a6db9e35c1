"""Lists: of studies in files, of models, of networks."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heartseg.report.json_file import as_json, plain
from heartseg.report.words import clean

if TYPE_CHECKING:
    from heartseg.batch import Outcome
    from heartseg.core.anatomy import Structure
    from heartseg.segment import Bundle

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


def models(*, cards: bool = False) -> list[Row]:
    """The shipped bundles, with the fields of their cards where these are wanted."""
    from heartseg.segment import load_bundle, shipped_bundles

    return [_model(load_bundle(name), cards=cards) for name in shipped_bundles()]


def _model(bundle: "Bundle", *, cards: bool) -> Row:
    from heartseg.segment.card import card_table, facts_of

    return {
        "name": bundle.name,
        "version": bundle.version,
        "modality": str(bundle.modality),
        "view": str(bundle.view),
        "structures": ", ".join(s.key for s in bundle.structures[1:]),
        **{k: v for k, v in bundle.scores.items() if k.startswith("test_dice")},
        "licence": bundle.licence,
        **({"card": card_table(facts_of(bundle))} if cards else {}),
    }


def card(name: str, *, json: bool) -> str:
    """The card of a model, by its name or folder.

    Raises:
        ModelError: no such model, or a broken one.
    """
    from heartseg.segment import load_bundle
    from heartseg.segment.card import card_text, facts_of

    bundle = load_bundle(name)
    if json:
        return to_json(_model(bundle, cards=True))
    return card_text(facts_of(bundle)).removesuffix("\n")


def checklist(name: str, standard: str, *, json: bool) -> str:
    """A reporting checklist filled in from the record of a model.

    Raises:
        ModelError: no such model, or a broken one.
        ConfigError: no such checklist.
    """
    from heartseg.segment import load_bundle
    from heartseg.segment.card import facts_of
    from heartseg.segment.card.checklist import checklist_rows, checklist_text

    facts = facts_of(load_bundle(name))
    if json:
        return to_json(checklist_rows(standard, facts))
    return checklist_text(standard, facts).removesuffix("\n")


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
