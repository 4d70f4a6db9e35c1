"""What heartseg sees at a path, before anything is segmented."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np

from heartseg.core.anatomy import SCHEMES
from heartseg.core.errors import InputError
from heartseg.core.fault import said_of
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import Study, View
from heartseg.read import Candidate, find_studies
from heartseg.read.candidate import safe_id, stem_of
from heartseg.read.dicom_labels import is_segmentation, segments_in
from heartseg.read.doubts import doubts, timing
from heartseg.read.layouts import LAYOUTS
from heartseg.read.numbers import (
    Meaning,
    few_numbers,
    guess_schemes,
    meaning_of,
    ventricles_exchanged,
)

_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Patient directions for a LPS axis that falls or grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One image of a study, or the reason why the study cannot be read.

    Every key is always there, null where nothing is known.

    Attributes:
        study: its id.
        layout: how its files lie: a data set's name, `dicom` or `files`.
        files: number of source files of the image.
        names: their base names; null for DICOM, whose names may identify the patient.
        modality: MR, US, CT or OT (not known).
        view: what the image shows.
        view_reason: how that was known.
        frames, slices: counts.
        size: rows and columns.
        spacing: along z, y and x, in `unit`; z is null for one plane of unknown thickness.
        unit: mm, or px without calibration.
        orientation: patient directions in which z, y and x grow: left, right, anterior,
            posterior, head, foot.
        orientation_known: false where the file's directions are not the patient's.
        times_ms: of the first and last frame, where the file says.
        frame_step_ms: the usual time between frames.
        times_regular: whether all steps are about that.
        cycle_covered: share of the heart's cycle, where the heart rate is known.
        phases: ed and es, frames from 0, where the files give them; null: to be detected.
        body: what is known of the patient, with `sources`, and `not_used`: what was refused.
        group: diagnosis of a data set.
        labels: `published` labels of a data set, or the `image` itself holds label numbers.
        label_numbers: that were found.
        label_schemes: built-in schemes that fit numbers and anatomy.
        label_swapped: schemes that know the numbers but would exchange the ventricles.
        label_unknown: numbers that mean nothing.
        scheme: of the labels where it is certain.
        model: that `segment` would choose.
        model_reason: why that, or why none.
        notes: what the reader wants said.
        problems: what may be wrong, each with what to do.
        problem: why the study cannot be read; null when it can.
    """

    study: str
    layout: str
    files: int = 0
    names: tuple[str, ...] | None = None
    modality: str | None = None
    view: str | None = None
    view_reason: str | None = None
    frames: int | None = None
    slices: int | None = None
    size: tuple[int, int] | None = None
    spacing: tuple[float | None, float, float] | None = None
    unit: str | None = None
    orientation: str | None = None
    orientation_known: bool | None = None
    times_ms: tuple[float, float] | None = None
    frame_step_ms: float | None = None
    times_regular: bool | None = None
    cycle_covered: float | None = None
    phases: Mapping[str, object] | None = None
    body: Mapping[str, object] | None = None
    group: str | None = None
    labels: str | None = None
    label_numbers: tuple[int, ...] | None = None
    label_schemes: tuple[str, ...] | None = None
    label_swapped: tuple[str, ...] | None = None
    label_unknown: tuple[int, ...] | None = None
    scheme: str | None = None
    model: str | None = None
    model_reason: str | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    problem: str | None = None


Look = tuple[Study | None, list[Seen]]
"""A study and its images; None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Looks:
    """The studies at a path: counted at once, each read when its turn comes."""

    reads: Sequence[Callable[[], Look]]

    def __len__(self) -> int:
        return len(self.reads)

    def __iter__(self) -> Iterator[Look]:
        return (read() for read in self.reads)


def looks(
    path: Path,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
) -> Looks:
    """Every study at a path; one that cannot be read does not stop the others.

    Raises:
        InputError: nothing there that heartseg can read.
    """
    if is_segmentation(path):
        seen = Seen(study=safe_id(stem_of(path)), layout="dicom-seg", notes=segments_in(path))
        return Looks([lambda: (None, [seen])])
    found = find_studies(path, spacing_mm=spacing_mm, view=view)
    return Looks([partial(_look, candidate) for candidate in found])


def _look(candidate: Candidate) -> Look:
    try:
        study = candidate.load()
        return study, [_seen_image(candidate, study, view) for view in study.images]
    # A list of a hundred studies must survive a fault in one that nobody foresaw.
    except Exception as fault:  # noqa: BLE001
        problem = said_of(fault)
        return None, [Seen(study=candidate.id, layout=candidate.layout, problem=problem)]


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
    return [one for _, seen in looks(path, spacing_mm=spacing_mm, view=view) for one in seen]


def _seen_image(candidate: Candidate, study: Study, view: View) -> Seen:
    image, sources = study.images[view], study.sources[view]
    geometry, times = image.geometry, timing(image, study.body)
    names = tuple(dict.fromkeys(source.path.name for source in sources))
    kind, meaning, problems = _labels(candidate, image, view)
    phases = study.phases.get(view)
    if kind != "image":
        problems = (*problems, *doubts(image, view, times))
    return Seen(
        study=study.id,
        layout=candidate.layout,
        files=len(sources),
        names=None if sources[0].format == "dicom" else names,
        modality=str(study.modality),
        view=str(view),
        view_reason=study.reasons[view],
        frames=image.frames,
        slices=geometry.shape[0],
        size=geometry.shape[1:],
        spacing=_spacing(geometry),
        unit=geometry.unit,
        orientation=orientation_letters(geometry),
        orientation_known=orientation_known(geometry, view),
        times_ms=(image.times_ms[0], image.times_ms[-1]) if image.times_ms else None,
        frame_step_ms=times.step_ms,
        times_regular=times.regular,
        cycle_covered=times.covered,
        phases=None
        if phases is None
        else {k: v for k, v in asdict(phases).items() if v is not None},
        body=asdict(study.body),
        group=study.group,
        labels=kind,
        label_numbers=meaning.numbers if meaning else None,
        label_schemes=meaning.schemes if meaning else None,
        label_swapped=meaning.swapped if meaning else None,
        label_unknown=meaning.unknown if meaning else None,
        scheme=meaning.schemes[0] if meaning and len(meaning.schemes) == 1 else None,
        notes=study.notes,
        problems=(*problems, *study.body.not_used.values()),
    )


# Where the axes point


def orientation_letters(geometry: Geometry) -> str:
    """Where z, y and x grow in the patient, e.g. `HPL`: the nearest axes, each of them once."""
    directions = geometry.directions.T
    axes = max(
        permutations(range(3)),
        key=lambda order: sum(abs(directions[i][axis]) for i, axis in enumerate(order)),
    )
    return "".join(_LETTERS[a][int(d[a] > 0)] for a, d in zip(axes, directions, strict=True))


def orientation_known(geometry: Geometry, view: View) -> bool:
    """Whether the directions can be the patient's.

    Oblique ones are. Those along the patient's axes are of a volume that has a place; a plane
    through a heart never lies so: a converter lost the directions (ACDC's files).
    """
    if geometry.unit != "mm":
        return False
    if (np.abs(geometry.directions).max(axis=0) < 0.999).any():
        return True
    return view is View.VOLUME and bool(geometry.affine[:3, 3].any())


# What the labels mean


def _labels(
    candidate: Candidate, image: Image, view: View
) -> tuple[str | None, Meaning | None, tuple[str, ...]]:
    """`published`, `image` or None; what the numbers may mean; and what is wrong with them."""
    if candidate.reference is not None:
        return "published", *_published(candidate, view)
    if not few_numbers(image.voxels):
        return None, None, ()
    meaning = meaning_of(image.voxels)
    if meaning.schemes:
        return "image", meaning, ()
    return "image", meaning, (_unfit(meaning),)


def _unfit(meaning: Meaning) -> str:
    if meaning.unknown:
        numbers = ", ".join(map(str, meaning.unknown))
        return f"label numbers without a meaning: {numbers}; write a scheme as a TOML file"
    numbers = ", ".join(map(str, meaning.numbers))
    known = " and ".join(guess_schemes(meaning.numbers))
    if not known:
        return f"label numbers {numbers} are of no built-in scheme; write one as a TOML file"
    return f"label numbers {numbers} are known to {known}, but make no heart; see --preview"


def _published(candidate: Candidate, view: View) -> tuple[Meaning | None, tuple[str, ...]]:
    try:
        reference = candidate.reference() if candidate.reference else {}
    except InputError as fault:
        return None, (f"the published labels cannot be used: {fault}",)
    if view not in reference:
        return None, (f"no published labels of view {view}",)
    labels = reference[view].labels
    name = LAYOUTS[candidate.layout].scheme
    if name is None:
        return Meaning(numbers=()), ()
    there = set(np.unique(labels).tolist())
    numbers = tuple(sorted(n for n, one in SCHEMES[name].numbers.items() if one in there))
    if ventricles_exchanged(labels):
        other = "mnms" if name == "acdc" else "acdc"
        said = (
            "the published labels are numbered the other way round: the myocardium rings what "
            f"{name} numbers as RV; measure the files with --scheme {other}"
        )
        return Meaning(numbers=numbers, swapped=(name,)), (said,)
    return Meaning(numbers=numbers, schemes=(name,)), ()


def _spacing(geometry: Geometry) -> tuple[float | None, float, float]:
    z, y, x = (round(value, 4) for value in geometry.spacing)
    return z if geometry.depth_known else None, y, x
