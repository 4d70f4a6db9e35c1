"""What the intervals of a model's findings come from; no section where nobody calibrated any."""

from collections.abc import Iterator

from heartseg.config import to_table
from heartseg.segment.card.document import Section
from heartseg.segment.card.facts import Facts


def intervals(facts: Facts) -> Iterator[Section]:
    """How they were calibrated, and half of the length of each by the spread of the looks."""
    calibration = facts.description.intervals
    if calibration is None:
        return
    told = {key: one for key, one in to_table(calibration).items() if key != "findings"}
    widths = {
        key: f"+- {one.times:.4g} x sqrt(spread^2 + {one.floor:.4g}^2)"
        for key, one in calibration.findings.items()
    }
    yield Section(key="intervals", title="Intervals", facts={**told, **widths})
