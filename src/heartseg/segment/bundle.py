"""A model bundle: weights with everything that using them takes.

A folder of three files. `model.onnx` holds network and weights; `model.toml` says what goes in
(preparation), what comes out (labels), whence it is (training, scores, licence) and the SHA-256
of the weights; `card.md` tells people. Weights without their preprocessing are not a model. Once it
was tested, `appraisal.json` says on whom and how well (`appraisal.py`), and the card repeats it.
The folder is read and written by `bundle_folder.py`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from heartseg.segment.description import Description

INPUT, OUTPUT = "pixels", "logits"
"""Names in the ONNX file: float32 (n, channels, y, x) in, as many as the preparation shows, float32
(n, structures, y, x) out; z before y for a network of volumes, which always has a window of three
axes and one channel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle(Description):
    """A model that was read, checked and may be used.

    Attributes:
        sha256: of `onnx`, in hexadecimal.
        folder: where it was read.
        shipped: part of the package; anything else is a stranger's.
        onnx: the checked bytes themselves, so that nobody can change them after the check.
    """

    sha256: str
    folder: Path
    shipped: bool
    onnx: bytes = field(repr=False)

    @property
    def origin(self) -> str:
        """One line for people: who answers for this model."""
        if self.shipped:
            return "shipped with heartseg"
        return f"not shipped with heartseg: read from folder '{self.folder.name}', at your own risk"
