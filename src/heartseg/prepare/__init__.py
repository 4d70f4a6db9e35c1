"""2 prepare: Study -> Sample and exactly back; deterministic, belongs to the model.

In: an `Image`. Out: a `Sample` whose planes a network can read, and the way back to the study's
own grid. Never random (that is `augment`), never aware of which network will look.
"""

from heartseg.prepare.preparation import Preparation, Sample, Step

__all__ = ["Preparation", "Sample", "Step"]
