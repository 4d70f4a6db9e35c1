"""What is said of a model besides its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ModelError
from heartseg.core.study import Modality, View
from heartseg.measure.calibration import Calibration
from heartseg.measure.likeness import Familiar
from heartseg.prepare import Preparation
from heartseg.segment.window import Window

BF16_LIMIT = 1e-3
"""Half precision may change no larger share of all voxels' labels than this."""

BF16_SCORE = "bf16_label_difference"
"""Key in `scores`: the share that bf16 was seen to change, measured before shipping."""

INT8_LIMIT = 0.003
"""Eight bits may cost no more of the mean Dice than this."""

INT8_SCORE = "int8_dice_loss"
"""Key in `scores`: mean Dice in f32 less that in int8, measured before shipping."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """Everything that a bundle says in model.toml, but the hash.

    Attributes:
        name: of the model, e.g. `cine-mr`.
        version: of the model.
        licence: of the weights, one line.
        modality: of the images it was made for.
        view: of the images it was made for.
        structures: what each channel of the output means; the first is the background.
        architecture: name and settings, as `heartseg.models.architecture` reads them.
        activation: `softmax`, or `sigmoid` where the network has no channel for the background;
            the ONNX file then answers with a first channel of 0 for it.
        preparation: what is done to an image first.
        training: data, split, seeds, commit, steps: whatever tells where it comes from.
        scores: measured numbers, by name.
        window: of a network that is shown volumes, or cannot be shown whole planes; None for all
            others.
        int8_ranges: least and greatest number that goes into each convolution, measured on training
            images (`heartseg.segment.int8`); none where nobody measured them.
        intervals: what makes intervals of findings; None where nobody calibrated any.
        familiar: what the training patients looked like; None where nobody measured it.
    """

    name: str
    version: str
    licence: str
    modality: Modality
    view: View
    structures: tuple[Structure, ...]
    architecture: Mapping[str, Any]
    preparation: Preparation
    activation: Literal["softmax", "sigmoid"] = "softmax"
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    window: Window | None = None
    int8_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    intervals: Calibration | None = None
    familiar: Familiar | None = None

    def require_size(self, size: Sequence[int]) -> None:
        """Refuse what the network cannot be shown at once.

        Raises:
            ModelError: with the sizes that it can.
        """
        if self.window is not None:
            window = self.window
            allowed = f"{window.smallest_px} and {window.stride_px} more, to {window.largest_px}"
            fits = window.takes(size)
        else:
            allowed = f"multiples of {self.preparation.stride}"
            fits = not any(length % self.preparation.stride for length in size)
        if not fits:
            got = f"planes of {'x'.join(map(str, size))}"
            raise ModelError(f"model '{self.name}'", got=got, allowed=allowed)

    @property
    def bf16_safe(self) -> bool:
        """True when bf16 was measured and changed too few labels to matter."""
        difference = self.scores.get(BF16_SCORE)
        return isinstance(difference, (int, float)) and 0 <= difference < BF16_LIMIT

    @property
    def int8_safe(self) -> bool:
        """True when eight bits were measured and cost too little to matter."""
        loss = self.scores.get(INT8_SCORE)
        return bool(self.int8_ranges) and isinstance(loss, (int, float)) and loss < INT8_LIMIT
