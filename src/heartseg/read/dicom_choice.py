"""Which of several series of one view is used, by a rule that can be said."""

from collections.abc import Sequence
from dataclasses import dataclass

from heartseg.core.study import View
from heartseg.formats.dicom_series import Stack
from heartseg.read.dicom_kind import HEART, Purpose
from heartseg.read.dicom_stack import Series

WHOLE_EXTENT = 0.8
"""A stack of at least this share of the longest one covers the heart too."""

WHOLE_FRAMES = 2 / 3
"""The same of the number of phases."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A series with its place in space and time, and the view that it shows."""

    series: Series
    stack: Stack
    view: View
    why: str

    @property
    def frames(self) -> int:
        """Phases."""
        return len(self.stack.planes)

    @property
    def size(self) -> int:
        """Planes."""
        return self.frames * len(self.stack.planes[0])

    @property
    def extent(self) -> float:
        """Slices times their distance."""
        return self.stack.geometry.shape[0] * self.stack.geometry.spacing[0]

    @property
    def derived(self) -> bool:
        """Made from other images, as reformats and compressed copies are."""
        return self.series.headers[0].facts.get("ImageType", "").upper().startswith("DERIVED")


def best(candidates: Sequence[Found]) -> tuple[Found, list[str]]:
    """The series to use, and a note for each other why it is not.

    A cine goes before stills; of the cines, one that covers the heart; of those, original images
    before derived ones; then the last acquired, for what is repeated was not good.
    """
    rank = min(_rank(one) for one in candidates)
    alike = [one for one in candidates if _rank(one) == rank]
    extent, frames = max(one.extent for one in alike), max(one.frames for one in alike)
    whole = [one for one in alike if _whole(one, extent, frames)] or alike
    winner = max(whole, key=lambda one: (not one.derived, one.series.finished, one.size))
    notes = [
        f"{winner.series.label} chosen over {one.series.label} ({one.view}, {one.size} images): "
        + _reason(winner, one, extent, frames)
        for one in candidates
        if one is not winner
    ]
    return winner, notes


def _rank(found: Found) -> int:
    purposes = (*HEART, Purpose.LATE_ENHANCEMENT)
    purpose = found.series.verdict.purpose
    return purposes.index(purpose) if purpose in purposes else len(purposes)


def _whole(one: Found, extent: float, frames: int) -> bool:
    return one.extent >= WHOLE_EXTENT * extent and one.frames >= WHOLE_FRAMES * frames


def _reason(winner: Found, one: Found, extent: float, frames: int) -> str:
    if _rank(one) != _rank(winner):
        verdict = one.series.verdict
        return f"the other is {verdict.purpose} ({verdict.why})"
    if one.extent < WHOLE_EXTENT * extent:
        unit = one.stack.geometry.unit
        return f"it covers {winner.extent:.0f} {unit}, the other only {one.extent:.0f} {unit}"
    if one.frames < WHOLE_FRAMES * frames:
        return f"it has {winner.frames} phases, the other only {one.frames}"
    if one.derived and not winner.derived:
        return "the other was derived from other images"
    return "both cover the heart, and the last acquired counts"
