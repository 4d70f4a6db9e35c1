"""A card as a document: sections of facts and tables, for people in Markdown and for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from heartseg.segment.card.facts import in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under heads.

    Attributes:
        key: for machines.
        title: for people.
        heads: of the columns.
        rows: cells in words.
        note: below it.
    """

    key: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a card.

    Attributes:
        key: for machines.
        title: for people.
        facts: what is said, by its name.
        points: sentences.
        tables: below them.
        picture: (file, caption) of a drawing beside the card.
    """

    key: str
    title: str
    facts: Mapping[str, object] = field(default_factory=dict)
    points: Sequence[str] = ()
    tables: Sequence[Table] = ()
    picture: tuple[str, str] | None = None


def markdown(heading: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """The document as Markdown; no text in it can break a table or become HTML."""
    blocks = [f"# {escaped(heading)}", *lead]
    for section in sections:
        blocks.append(f"## {section.title}")
        if section.facts:
            cells = [(name, in_words(value)) for name, value in section.facts.items()]
            blocks.append(_table(("what", "value"), cells))
        if section.points:
            blocks.append("\n".join(f"- {escaped(point)}" for point in section.points))
        for table in section.tables:
            blocks += [f"### {escaped(table.title)}", _table(table.heads, table.rows)]
            blocks += [escaped(table.note)] if table.note else []
        if section.picture:
            file, caption = section.picture
            blocks.append(f"![{escaped(section.title)}]({file})\n\n*{escaped(caption)}*")
    return "\n\n".join(blocks) + "\n"


def plain(sections: Sequence[Section]) -> dict[str, Any]:
    """The same for machines: by the keys of sections and tables, a row as cells under its heads."""
    return {
        section.key: {
            **dict(section.facts),
            **({"notes": list(section.points)} if section.points else {}),
            **{
                table.key: [dict(zip(table.heads, row, strict=True)) for row in table.rows]
                for table in section.tables
            },
        }
        for section in sections
    }


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, *rows]
    told = [f"| {' | '.join(escaped(cell) for cell in line)} |" for line in lines]
    return "\n".join([told[0], "|" + "---|" * len(heads), *told[1:]])


def escaped(text: str) -> str:
    """One line that cannot break a table or become HTML."""
    line = " ".join(text.split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;")
