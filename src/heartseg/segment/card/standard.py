"""What a reporting checklist is: questions in the words of this project, answered by a record."""

from dataclasses import dataclass

from heartseg.segment.card.answers import Answering


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a standard.

    Attributes:
        number: in the standard, e.g. "12a".
        part: of the standard that it stands in.
        asks: in our own words.
        answer: from the record.
    """

    number: str
    part: str
    asks: str
    answer: Answering


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A checklist.

    Attributes:
        title: its name and year.
        source: where it was published.
        lead: what to know before its table is read.
        items: in order.
    """

    title: str
    source: str
    lead: str
    items: tuple[Item, ...]
