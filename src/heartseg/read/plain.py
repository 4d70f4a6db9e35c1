"""What names and headers say of files that no data set describes: whose, and what they show."""

import re
from pathlib import Path

from heartseg.core.study import Modality, View
from heartseg.read.candidate import Options, stem_of
from heartseg.read.image_file import grid_of
from heartseg.read.view import plain_words, view_of

_WITHIN = re.compile(
    r"^(?P<patient>.+?)[_-](?:(?:slice|frame|phase|z|t)[_-]?\d+|ED|ES|[234]CH|SAX|LAX)(?=[_-]|$)",
    re.I,
)


def patient_of(stem: str) -> str:
    """The leading part of a file's stem that names its patient.

    It ends where a part of a study begins: `_slice3`, `_frame01`, `_phase2`, `_z4`, `_t07`, `_ED`,
    `_ES`, `_2CH`, `_SAX`. Without such a word the whole stem is the patient: better one patient too
    many than two in one.
    """
    match = _WITHIN.match(stem)
    return match["patient"] if match else stem


def modality_in(stem: str, view: View) -> Modality:
    """What made an image of a format that does not say it: its name may; else the view tells.

    A file with the word `ct` in its name is CT; a short axis or late enhancement is MR.
    """
    if says_ct(stem):
        return Modality.CT
    return Modality.MR if view in (View.SAX, View.LATE_ENHANCEMENT) else Modality.OTHER


def says_ct(stem: str) -> bool:
    """Whether a name has the word `ct`."""
    return "ct" in plain_words(stem).split()


def view_in(path: Path, modality: Modality | None, options: Options) -> View:
    """What an image shows, by its header and name, unless the user knows.

    Raises:
        FormatError, GeometryError: the file cannot be read.
    """
    if options.view is not None:
        return options.view
    grid, frames = grid_of(path, options.spacing_mm)
    known = None if modality is Modality.OTHER else modality
    if known is None and says_ct(stem_of(path)):
        known = Modality.CT
    view, _ = view_of(
        modality=known, geometry=grid, frames=frames, words=stem_of(path), placed=grid.oblique
    )
    return view
