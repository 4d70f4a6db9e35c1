"""Somebody's segmentation in place of a model's: where it lies, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heartseg.core.finding import ModelUse
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """An existing segmentation to measure: where it lies, and what its numbers mean."""

    place: Path
    scheme: str


def given(
    study: Study, labels: GivenLabels
) -> tuple[Mapping[View, Segmentation], Mapping[str, str], ModelUse]:
    """Read an existing segmentation in place of `segment` and `explain`.

    Raises:
        InputError: there is none for this study, or it does not fit.
    """
    from heartseg.read import published_labels
    from heartseg.read.masks import study_masks

    published = published_labels(labels.place, study)
    masks = published or study_masks(study, labels.place, labels.scheme)
    scheme_name = "its data set's own" if published else labels.scheme
    said = f"read from {labels.place.name}, scheme {scheme_name}"
    strategy = {"segmentation": said + "".join(_drawn(view, seg) for view, seg in masks.items())}
    return (
        masks,
        strategy,
        ModelUse(
            name=f"labels from {labels.place.name}",
            version="",
            sha256=None,
            licence="that of the labels",
            precision=None,
        ),
    )


def _drawn(view: View, segmentation: Segmentation) -> str:
    """Of a segmentation that does not cover all frames: which it does, counted from 1."""
    if segmentation.covered is None:
        return ""
    frames = ", ".join(str(frame + 1) for frame in segmentation.covered)
    return f"; {view} drawn in frames {frames} of {segmentation.frames} only: phases among these"
