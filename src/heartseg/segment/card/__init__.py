"""The model card: what people should read before they use a model (Mitchell et al., FAT* 2019).

Written from the record in the bundle and nothing else; the checklists are too.
"""

from typing import Any

from heartseg.segment.appraisal import read_appraisals
from heartseg.segment.bundle import Bundle
from heartseg.segment.card.document import escaped, markdown, plain
from heartseg.segment.card.facts import Facts
from heartseg.segment.card.sections import DRAWING, image_kind, sections
from heartseg.segment.onnx_check import read_onnx

_STATISTICS = ("running_mean", "running_var")
"""Ends of the names of what a network saw on the way and nobody trained."""


def facts_of(bundle: Bundle) -> Facts:
    """What the folder of a bundle tells.

    Raises:
        ModelError: a broken file in it.
    """
    weights = read_onnx(bundle.onnx).weights
    return Facts(
        description=bundle,
        sha256=bundle.sha256,
        parameters=sum(w.size for name, w in weights.items() if not name.endswith(_STATISTICS)),
        appraisals=read_appraisals(bundle.folder, bundle.sha256),
        drawn=(bundle.folder / DRAWING).is_file(),
    )


def card_text(facts: Facts) -> str:
    """Markdown; says nothing that the bundle does not hold."""
    d = facts.description
    lead = (
        f"Draws {escaped(facts.finds)} in {escaped(image_kind(facts))}.",
        f"**Research use only, not for diagnosis.** Licence of the weights: {escaped(d.licence)}.",
    )
    return markdown(f"{d.name} {d.version}", lead, sections(facts))


def card_table(facts: Facts) -> dict[str, Any]:
    """The same for machines, by section."""
    return plain(sections(facts))
