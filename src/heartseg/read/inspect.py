"""What heartseg sees at a path, before anything is segmented."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import SCHEMES, ventricles_swapped
from heartseg.core.errors import InputError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Phases, Study, View
from heartseg.read import Candidate, find_studies
from heartseg.read.candidate import safe_id, stem_of
from heartseg.read.dicom_labels import is_segmentation, segments_in

_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Patient directions for a LPS axis that falls or grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One image of a study, or the reason why the study cannot be read.

    Attributes:
        study, layout, files: id, layout's name, number of source files.
        modality, view: as recognised; `why` says how, among the notes.
        frames, slices, size: counts; size is (rows, columns).
        spacing: along (z, y, x), in `unit`.
        orientation: patient directions in which z, y and x grow: left, right, anterior,
            posterior, head, foot.
        times_ms: first and last frame, where the file says.
        phases: where the files give them.
        scheme: of the published labels, or the guess from a label image's numbers.
        problem: None when the study can be read.
    """

    study: str
    layout: str
    modality: str | None = None
    view: str | None = None
    frames: int | None = None
    slices: int | None = None
    size: tuple[int, int] | None = None
    spacing: tuple[float, float, float] | None = None
    unit: str | None = None
    orientation: str | None = None
    times_ms: tuple[float, float] | None = None
    phases: Mapping[str, object] | None = None
    body: Mapping[str, object] | None = None
    group: str | None = None
    scheme: str | None = None
    files: int = 0
    notes: tuple[str, ...] = ()
    problem: str | None = None


def inspect(
    path: Path,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
) -> list[Seen]:
    """Everything that is readable at a path, an entry an image; unreadable studies say why.

    Raises:
        InputError: nothing there that heartseg can read.
    """
    if is_segmentation(path):
        return [Seen(study=safe_id(stem_of(path)), layout="dicom-seg", notes=segments_in(path))]
    seen = []
    for candidate in find_studies(path, spacing_mm=spacing_mm, view=view):
        try:
            seen += _seen(candidate, candidate.load())
        except InputError as fault:
            seen.append(Seen(study=candidate.id, layout=candidate.layout, problem=str(fault)))
    return seen


def _seen(candidate: Candidate, study: Study) -> list[Seen]:
    return [
        Seen(
            study=study.id,
            layout=candidate.layout,
            modality=str(study.modality),
            view=str(view),
            frames=image.frames,
            slices=image.geometry.shape[0],
            size=image.geometry.shape[1:],
            spacing=_rounded(image.geometry.spacing),
            unit=image.geometry.unit,
            orientation=orientation_letters(image.geometry),
            times_ms=(image.times_ms[0], image.times_ms[-1]) if image.times_ms else None,
            phases=_given(study.phases.get(view)),
            body={key: value for key, value in asdict(study.body).items() if value is not None},
            group=study.group,
            scheme=_scheme_of(candidate, image),
            files=len(study.sources[view]),
            notes=study.notes,
        )
        for view, image in study.images.items()
    ]


def orientation_letters(geometry: Geometry) -> str:
    """Where z, y and x grow in the patient, e.g. `HPL`; the nearest of the patient's axes."""
    letters = ""
    for direction in geometry.directions.T:
        axis = int(np.argmax(np.abs(direction)))
        letters += _LETTERS[axis][int(direction[axis] > 0)]
    return letters


def guess_schemes(values: Sequence[int]) -> tuple[str, ...]:
    """Names of the built-in schemes that know all these label numbers."""
    found = {int(value) for value in values}
    return tuple(name for name, one in SCHEMES.items() if found <= set(one.numbers))


def as_dict(seen: Seen) -> dict[str, object]:
    """For JSON."""
    return asdict(seen)


def as_rows(seen: Seen) -> list[tuple[str, str]]:
    """(name, value) lines for people; what is not known is left out."""
    if seen.problem:
        return [("study", seen.study), ("layout", seen.layout), ("problem", seen.problem)]
    rows = [
        ("study", seen.study),
        ("layout", seen.layout),
        ("modality", seen.modality or "unknown"),
        ("view", seen.view or "unknown"),
        ("grid", _grid(seen)),
        ("axes grow to", seen.orientation or ""),
        ("frames", _frames(seen)),
        ("phases", _words(seen.phases)),
        ("body", _words(seen.body)),
        ("group", seen.group or ""),
        ("reference labels", seen.scheme or ""),
        *(("note", note) for note in seen.notes),
    ]
    return [(name, value) for name, value in rows if value]


def _grid(seen: Seen) -> str:
    if seen.size is None:
        return ""
    rows, columns = seen.size
    z, y, x = seen.spacing or (0.0, 0.0, 0.0)
    return f"{seen.slices} slices of {rows} x {columns}, {z:g} x {y:g} x {x:g} {seen.unit}"


def _frames(seen: Seen) -> str:
    if seen.times_ms is None:
        return "" if seen.frames is None else str(seen.frames)
    first, last = seen.times_ms
    return f"{seen.frames}, {first:.0f} to {last:.0f} ms"


def _words(values: Mapping[str, object] | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in (values or {}).items())


def _given(phases: Phases | None) -> dict[str, object] | None:
    if phases is None:
        return None
    return {key: value for key, value in asdict(phases).items() if value is not None}


_FEW_VALUES = 16
"""An image of no more values than this holds labels."""


def _scheme_of(candidate: Candidate, image: Image) -> str | None:
    if candidate.reference is not None:
        return candidate.layout
    if len(np.unique(image.voxels[:1, :, ::4, ::4])) > _FEW_VALUES:
        return None
    values = np.unique(image.voxels)
    if len(values) > _FEW_VALUES or (values != np.rint(values)).any():
        return None
    names = guess_schemes(values.tolist())
    fitting = [n for n in names if not ventricles_swapped(SCHEMES[n].read(image.voxels))]
    return "looks like labels: " + (" or ".join(fitting) or "of no known scheme")


def _rounded(spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    z, y, x = (round(value, 4) for value in spacing)
    return z, y, x
