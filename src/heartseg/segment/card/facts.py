"""What is recorded of a model, in one place for its card and its checklists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heartseg.core.study import Modality, View
from heartseg.segment.appraisal import EXTERNAL, INTERNAL, Appraisal
from heartseg.segment.description import Description

if TYPE_CHECKING:
    from heartseg.read.layout import Card

NOT_RECORDED = "not recorded"
NOT_STATED = "not stated in the files"

FEW = 10
"""Fewer test patients than this make a group whose mean says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A bundle's record.

    Attributes:
        description: what model.toml says.
        sha256: of the weights.
        parameters: of the network, batch statistics not counted.
        appraisals: what it was tested on.
        drawn: pictures of its failures lie beside it.
    """

    description: Description
    sha256: str
    parameters: int
    appraisals: tuple[Appraisal, ...] = ()
    drawn: bool = False

    def training(self, *keys: str) -> Any:
        """An entry of the training record, by the names of its tables; None where it is silent."""
        found: Any = self.description.training
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def said(self, *keys: str) -> str:
        """That entry in words, or that nothing is recorded."""
        found = self.training(*keys)
        return NOT_RECORDED if found in (None, "", "unknown", {}, []) else in_words(found)

    @property
    def tested(self) -> Appraisal | None:
        """On kept patients of the data set that trained it."""
        return next((one for one in self.appraisals if one.split == INTERNAL), None)

    @property
    def elsewhere(self) -> tuple[Appraisal, ...]:
        """On patients of other places."""
        return tuple(one for one in self.appraisals if one.split == EXTERNAL)

    @property
    def cine(self) -> bool:
        """Whether the human limit of short-axis cine MR is its own."""
        return (self.description.modality, self.description.view) == (Modality.MR, View.SAX)

    @property
    def finds(self) -> str:
        """Its structures in words."""
        return ", ".join(one.title for one in self.description.structures[1:])

    @property
    def commercial(self) -> bool:
        """False where the licence of the weights says that they are not for commerce."""
        licence = self.description.licence.lower()
        return "-nc" not in licence and "non-commercial" not in licence

    def data_sets(self) -> dict[str, "Card"]:
        """What is known of the published data sets that trained it, by the layout's name."""
        names = self.training("data_sets") or {}
        return {name: card for name in names if (card := self.card_of(name))}

    def card_of(self, data_set: str) -> "Card | None":
        """What is known of a published data set, by the layout's name."""
        from heartseg.read.layouts import LAYOUTS

        return LAYOUTS[data_set].card if data_set in LAYOUTS else None


def in_words(value: object) -> str:
    """One line: numbers short, tables as `key value, key value`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {in_words(item)}" for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return ", ".join(in_words(item) for item in value)
    return " ".join(str(value).split())
