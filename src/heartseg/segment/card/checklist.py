"""Reporting checklists, filled in from a bundle's record.

The numbers are those of the standards; what an item asks is told in our own words, so the standard
itself has to be read before a paper is sent in. The record of a model is no study: where an item is
about a paper, or about choices that people made, the answer is that it is not recorded.
"""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.core.errors import ConfigError
from heartseg.segment.card.claim import CLAIM
from heartseg.segment.card.document import Section, Table, markdown
from heartseg.segment.card.facts import Facts
from heartseg.segment.card.standard import Standard
from heartseg.segment.card.tripod_ai import TRIPOD_AI

STANDARDS: Mapping[str, Standard] = MappingProxyType({"claim": CLAIM, "tripod-ai": TRIPOD_AI})
"""By the name that the command line knows."""


def checklist_rows(name: str, facts: Facts) -> list[dict[str, str]]:
    """A row an item: number, part, what it asks, the answer, where it is found.

    Raises:
        ConfigError: no checklist of that name.
    """
    return [
        {
            "item": item.number,
            "part": item.part,
            "asks": item.asks,
            "answer": answer.said,
            "where": answer.where,
        }
        for item in _standard(name).items
        for answer in (item.answer(facts),)
    ]


def checklist_text(name: str, facts: Facts) -> str:
    """The same as a Markdown table under its title.

    Raises:
        ConfigError: no checklist of that name.
    """
    standard = _standard(name)
    rows = [tuple(row.values()) for row in checklist_rows(name, facts)]
    heads = ("item", "part", "asks", "answer", "where")
    table = Table(key="items", title="Items", heads=heads, rows=rows)
    d = facts.description
    return markdown(
        f"{standard.title}: {d.name} {d.version}",
        (f"{standard.source}.", standard.lead),
        [Section(key="checklist", title="Checklist", tables=[table])],
    )


def _standard(name: str) -> Standard:
    if name not in STANDARDS:
        raise ConfigError("checklist", got=f"'{name}'", allowed=", ".join(STANDARDS))
    return STANDARDS[name]
