"""What a layout of files is: how its studies are found, and what is known of its data set."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heartseg.read.candidate import Find


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A published data set in a few lines, for `heartseg datasets` and the reference.

    Attributes:
        title: its name and what it shows.
        paper: to cite.
        modality: `Modality` value of its images.
        cases: how many patients and images it has.
        labels: what is drawn, and the scheme of the numbers.
        licence: terms of use, as its makers state them.
        obtain: where and how to get it, in words; nothing is ever downloaded by heartseg.
        source: where counts, licence and the way to get it were read, and what could not be
            confirmed: a licence that heartseg repeats wrongly is worse than none.
        scanners: vendors and field strengths, as its makers state them; "" where they do not.
        patients: in the whole published set, so that a partial copy can be told; None if unknown.
        tree: the folder as it is unpacked, a line an entry, for people who look for a mistake.
    """

    title: str
    paper: str
    modality: str
    cases: str
    labels: str
    licence: str
    obtain: str
    tree: str
    source: str = ""
    scanners: str = ""
    patients: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A way to lay files in a folder.

    Attributes:
        name: for notes, commands and tables.
        find: the studies at a path, none where the layout is not this one; reads no pixels.
        card: of the data set, None for plain files.
        missing: what a copy at a path lacks, a line each; None where nothing is known of that.
        scheme: of the numbers in its published masks; None where it has contours, or says itself
            what its numbers mean.
    """

    name: str
    find: Find
    card: Card | None = None
    missing: Callable[[Path], list[str]] | None = None
    scheme: str | None = None
