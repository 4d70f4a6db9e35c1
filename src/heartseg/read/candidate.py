"""What a reader offers before it reads pixels: one entry a study."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.errors import FormatError
from heartseg.core.image import Segmentation, SparseSegmentation
from heartseg.core.study import Study, View

Reference = Callable[[], Mapping[View, Segmentation]]
Scribbles = Callable[[], Mapping[View, SparseSegmentation]]
Covered = Callable[[], Mapping[View, Mapping[int, tuple[Structure, ...]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user knows better than the files.

    Attributes:
        spacing_mm: (z, y, x) of every image.
        view: what every image shows.
        scheme: name or TOML file of what the label numbers mean, for layouts whose files do not
            say it themselves.
    """

    spacing_mm: tuple[float, float, float] | None = None
    view: View | None = None
    scheme: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A study that could be read.

    Attributes:
        id: of the study to be, unique among those found together.
        layout: name of the layout that found it.
        path: the file or folder.
        load: reads the pixels; raises InputError.
        reference: reads the published labels, where the data set has them.
        covered: the frames that the reference covers and what was drawn there; None where it
            covers all. Elsewhere the reference's background means nothing.
        scribbles: reads sparse labels, where the data set has them. They stand beside the
            reference, not in its place: nothing that compares or trains with whole masks can
            take a voxel that nobody looked at for background.
        published: what the data set says of the study, by key of a finding (`lv_edv_ml`, `lv_ef`
            as a fraction), to hold measurements against.
        labels_published: False where the data set's makers drew nothing in it on purpose.
        patient: whose study it is, in the data set's own words; None where ids name patients.
        split: "train", "validate" or "test" where the data set decides it.
        group: diagnosis, vendor or centre, where the data set names one without pixels being read.
        files: all files that it is made of, references too, for checking a copy.
    """

    id: str
    layout: str
    path: Path
    load: Callable[[], Study]
    reference: Reference | None = None
    covered: Covered | None = None
    scribbles: Scribbles | None = None
    published: Mapping[str, float] = field(default_factory=dict)
    labels_published: bool = True
    patient: str | None = None
    split: str | None = None
    group: str | None = None
    files: tuple[Path, ...] = ()

    def renamed(self, new: str) -> Self:
        """The same candidate under another id, which its study then has too."""
        load = self.load
        return replace(self, id=new, load=lambda: replace(load(), id=new))

    def explained(self, given: View | None) -> Self:
        """The same candidate, whose study says of every view how it was known.

        Args:
            given: what the user said that every image shows.
        """
        load, layout = self.load, self.layout
        return replace(self, load=lambda: _explained(load(), layout, given))


def _explained(study: Study, layout: str, given: View | None) -> Study:
    known = dict.fromkeys(study.images, f"so are all images of {layout}")
    known |= {view: "given" for view in study.images if view is given}
    return replace(study, reasons=known | dict(study.reasons))


Find = Callable[[Path, Options], list[Candidate]]
"""Finds the studies at a path, none where the layout is not this one; reads no pixels."""


def safe_id(name: str) -> str:
    """`name` as a study id or file stem: [A-Za-z0-9._-], 1 to 64 characters, never hidden."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")[:64].rstrip("._-")
    return kept or "study"


def stem_of(path: Path) -> str:
    """File name without what its format adds (`.nii.gz` is one suffix)."""
    name = path.name
    for suffix in (".nii.gz", ".tar.gz"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem if path.suffix else name


def with_unique_ids(found: Iterable[Candidate]) -> list[Candidate]:
    """The same candidates; where ids collide, later ones get `-2`, `-3`, ..."""
    seen: set[str] = set()
    unique = []
    for candidate in found:
        new, count = candidate.id, 1
        while new.lower() in seen:  # some file systems do not tell A from a
            count += 1
            suffix = f"-{count}"
            new = candidate.id[: 64 - len(suffix)] + suffix
        seen.add(new.lower())
        unique.append(candidate if new == candidate.id else candidate.renamed(new))
    return unique


def require_picture(voxels: NDArray[np.generic], where: str) -> None:
    """Refuse voxels that show nothing.

    Raises:
        FormatError: some are not finite numbers, or all are equal.
    """
    if voxels.dtype.kind == "f":
        bad = int(voxels.size - np.count_nonzero(np.isfinite(voxels)))
        if bad:
            raise FormatError(
                where,
                got=f"{bad} of {voxels.size} voxels that are not numbers (NaN or infinite)",
                allowed="finite numbers",
                do="replace them, for example by 0, and try again",
            )
    low, high = voxels.min(), voxels.max()
    if low == high:
        raise FormatError(
            where,
            got=f"a constant image (every voxel is {low})",
            do="there is no picture in it: export it again",
        )
