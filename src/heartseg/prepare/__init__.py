"""2 prepare: Study -> Sample and exactly back; deterministic, belongs to the model.

In: an `Image`. Out: a `Sample` whose planes a network can read, and the way back to the study's
own grid. Never random (that is `augment`), never aware of which network will look.
"""

from heartseg.prepare.clahe import Clahe
from heartseg.prepare.localise import Locate
from heartseg.prepare.preparation import Preparation
from heartseg.prepare.sample import Sample, Step

__all__ = ["Clahe", "Locate", "Preparation", "Sample", "Step"]
