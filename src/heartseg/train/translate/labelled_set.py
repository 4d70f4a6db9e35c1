"""A folder of translated images that `heartseg train` reads: the layout `pairs`.

`images/NAME.nii.gz` beside `labels/NAME.nii.gz` on the same grid, `labels.toml` with what the
numbers mean, `split.csv` with whose they are and the part that the source's data set put them in.
Images that are refused lie apart, in `rejected/`, where no training looks.
"""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from heartseg.core.anatomy import SCHEMES, Scheme, Structure
from heartseg.core.errors import LabelError, OutputError
from heartseg.core.image import Image, Segmentation
from heartseg.formats import nifti
from heartseg.read import Candidate
from heartseg.read.layouts import LAYOUTS
from heartseg.report.atomic import write_atomically
from heartseg.report.csv_text import csv_text

IMAGES, LABELS, REJECTED = "images", "labels", "rejected"
SCHEME_FILE, SPLIT_FILE = "labels.toml", "split.csv"


class LabelledSet:
    """A folder that translated images are written to.

    Args:
        folder: made when it does not exist.

    Raises:
        OutputError: there is a set in it already, or it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if (folder / IMAGES).exists():
            raise OutputError(
                f"folder {folder.name}",
                got="a translated set, which would be mixed with this one",
                do="choose another folder with -o, or remove it",
            )
        try:
            (folder / IMAGES).mkdir(parents=True)
        except OSError as fault:
            raise OutputError(folder.name, got=fault.strerror or str(fault)) from fault
        self._rows: list[tuple[str, str, str]] = []
        self._scheme: Scheme | None = None

    def write(
        self, candidate: Candidate, image: Image, truth: Segmentation | None, *, rejected: bool
    ) -> Path:
        """Write an image and its labels; the image's path.

        Args:
            candidate: whose it is.
            image: that was made.
            truth: of the same frames, where there is one.
            rejected: put it apart.

        Raises:
            LabelError: structures that another study of the set numbers otherwise.
            OutputError: it cannot be written.
        """
        place = self.folder / REJECTED if rejected else self.folder
        name = f"{candidate.id}.nii.gz"
        try:
            for part in (IMAGES, LABELS) if truth is not None else (IMAGES,):
                (place / part).mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutputError(place.name, got=fault.strerror or str(fault)) from fault
        nifti.write_image(place / IMAGES / name, image)
        if truth is not None:
            numbers = self._numbers(candidate, truth)
            nifti.write_labels(place / LABELS / name, truth, numbers)
        if not rejected:
            row = (candidate.id, candidate.patient or candidate.id, candidate.split or "")
            self._rows.append(row)
        return place / IMAGES / name

    def finish(self) -> None:
        """Say whose the images are, and what the numbers of the labels mean."""
        rows = csv_text(("file", "patient", "split"), self._rows)
        write_atomically(self.folder / SPLIT_FILE, rows.encode())
        if self._scheme is not None:
            numbers = sorted(self._scheme.numbers.items())
            lines = ["[labels]", *(f'{number} = "{one.key}"' for number, one in numbers), ""]
            write_atomically(self.folder / SCHEME_FILE, "\n".join(lines).encode())

    def _numbers(self, candidate: Candidate, truth: Segmentation) -> Scheme:
        mine = scheme_of(candidate.layout, truth.structures)
        if self._scheme is None:
            self._scheme = mine
        if dict(self._scheme.numbers) != dict(mine.numbers):
            raise LabelError(
                candidate.id,
                got=mine.legend(),
                allowed=f"{self._scheme.legend()}, as the studies before it",
                do="translate data sets of different structures into folders of their own",
            )
        return self._scheme


def scheme_of(layout: str, structures: Sequence[Structure]) -> Scheme:
    """The numbers of a layout's own scheme; where it has none, the structures counted from 1."""
    known = LAYOUTS.get(layout)
    if known is not None and known.scheme is not None:
        return SCHEMES[known.scheme]
    numbered = dict(enumerate((Structure.BACKGROUND, *structures)))
    return Scheme("copied", MappingProxyType(numbered))
