"""Sample batches -> sample batches: random, for training only, batched on the device.

In and out: planes (n, channels, y, x) in about [0, 1] and class indices (n, y, x); of stacks,
slices take the place of the channels. All slices that belong together move and change alike. All
randomness comes from the generator that is handed in, so a run can be repeated and resumed to the
bit. At zero strength every step is the identity.
"""

from heartseg.augment.intensity import IntensityChange, change_intensity
from heartseg.augment.spatial import SpatialChange, move_planes
from heartseg.augment.stacks import StackChange

__all__ = ["IntensityChange", "SpatialChange", "StackChange", "change_intensity", "move_planes"]
