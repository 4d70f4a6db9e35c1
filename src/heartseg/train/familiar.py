"""What the patients that train a model look like, which its bundle takes along.

The gate of a report compares a study with it (`heartseg.measure.likeness`): of short-axis stacks
with contours in every frame that is labelled, since what it compares are volumes and their beat.
"""

from collections.abc import Iterable

from heartseg.core.errors import MeasureError
from heartseg.core.study import View
from heartseg.measure.likeness import FEWEST, Familiar, Looks, familiar_of, looks_of
from heartseg.measure.phases import detect_phases
from heartseg.read import Candidate


def familiar_patients(training: Iterable[Candidate], view: View) -> Familiar | None:
    """From the images and the published labels of the studies that train; None where they are few.

    Args:
        training: studies of the training part.
        view: which image; of other views than short-axis stacks nothing is known.
    """
    looks = [seen for one in training if (seen := _looks(one, view))] if view is View.SAX else []
    return familiar_of(looks) if len(looks) >= FEWEST else None


def _looks(candidate: Candidate, view: View) -> Looks | None:
    if candidate.reference is None or candidate.covered is not None:
        return None
    study, drawn = candidate.load(), candidate.reference().get(view)
    if view not in study.images or drawn is None:
        return None
    try:
        phases = study.phases.get(view) or detect_phases(drawn)
    except MeasureError:  # nothing drawn
        return None
    return looks_of(study.images[view].voxels, drawn, phases)
