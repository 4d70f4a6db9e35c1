"""Is a copy of a data set whole, readable, and free of leaks between its parts?

One engine for every layout: it reads each case as training would, one at a time, keeps a digest of
every plane, and asks the layout what its copy lacks. A leak is a patient, or the same pixels under
two names, in two splits: scores are then too good.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from heartseg.core.anatomy import ventricles_swapped
from heartseg.core.errors import FormatError, GeometryError, LabelError, StudyError
from heartseg.core.fault import said_of
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.formats.box import Box
from heartseg.formats.table import format_of
from heartseg.read.candidate import Candidate, Options
from heartseg.read.folder import names_labels
from heartseg.read.layout import Layout
from heartseg.read.layouts import LAYOUTS

Kind = Literal[
    "missing", "unreadable", "grid", "labels", "split", "duplicate", "twice", "left over"
]
_KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (GeometryError, "grid"),
    (LabelError, "labels"),
    (StudyError, "missing"),
    (FormatError, "unreadable"),
)
_SHOWN = 5
"""How many names a message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something wrong with a copy, or a note about it.

    Attributes:
        case: its id; empty where it is about the whole copy.
        kind: what sort of thing.
        said: which file, what is wrong, and what to do.
        wrong: False for a note, which takes nothing from the copy's use.
    """

    case: str
    kind: Kind
    said: str
    wrong: bool = True


def recognised(path: Path, name: str | None = None) -> tuple[Layout, list[Candidate]]:
    """The layout of a copy and its cases; no pixels are read.

    Args:
        path: the folder.
        name: the layout that it should have; None tries all.

    Raises:
        StudyError: no such folder, no such layout, or no case of it.
    """
    if not path.exists():
        raise StudyError(path.name, got="no such file or folder", do="check the path")
    if name is not None and name not in LAYOUTS:
        raise StudyError("--as", got=f"'{name}'", allowed=", ".join(LAYOUTS))
    for layout in LAYOUTS.values() if name is None else [LAYOUTS[name]]:
        found = layout.find(path, Options())
        if found:
            return layout, found
    card = LAYOUTS[name].card if name else None
    raise StudyError(
        path.name,
        got=f"no case of {name or 'any layout'}",
        allowed=card.tree.replace("\n", ", ") if card else "a known data set",
        do="name the folder that was unpacked",
    )


def flaws(
    path: Path,
    layout: Layout,
    found: Sequence[Candidate],
    step: Callable[[], None] = lambda: None,
) -> Iterator[Flaw]:
    """What is wrong with a copy, as it is found; one case is in memory at a time.

    Args:
        path: the folder.
        layout: as recognised.
        found: its cases.
        step: called after each case.
    """
    yield from _patients(found)
    planes = _Planes()
    labelled = any(candidate.reference for candidate in found)
    for candidate in found:
        yield from _case(candidate, labelled, planes)
        step()
    if not labelled:
        yield Flaw(case="", kind="missing", said="no case has labels", wrong=False)
    yield from (
        Flaw(case="", kind="missing", said=f"{line}; download it again")
        for line in (layout.missing(path) if layout.missing and path.is_dir() else ())
    )
    yield from _left_over(path, found)
    yield from _partial(layout, found)


# Patients


def _patients(found: Iterable[Candidate]) -> Iterator[Flaw]:
    """Patients in two splits, and cases that are there twice."""
    first: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.patient is None:
            continue
        other = first.setdefault(candidate.patient, candidate)
        if other is candidate:
            continue
        if _two_splits(other.split, candidate.split):
            said = f"patient {candidate.patient} is in {other.split} and in {candidate.split}"
            yield Flaw(case=candidate.id, kind="split", said=f"{said}: leave one out")
        elif other.id == candidate.id:
            where = f"{other.path.parent.name}/{other.path.name}"
            said = f"patient {candidate.patient} is there twice, first in {where}"
            yield Flaw(case=candidate.id, kind="twice", said=f"{said}: delete one copy")


def _two_splits(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


# A case


def _case(candidate: Candidate, labelled: bool, planes: "_Planes") -> Iterator[Flaw]:
    yield from _empty_files(candidate)
    try:
        study = candidate.load()
        yield from planes.repeated(candidate, study)
        truth = candidate.reference() if candidate.reference else None
        sparse = candidate.scribbles() if candidate.scribbles else {}
    # One case must not end the check of a hundred, whatever its fault.
    except Exception as fault:  # noqa: BLE001
        yield Flaw(case=candidate.id, kind=_kind(fault), said=said_of(fault))
        return
    if truth is None:
        if labelled and candidate.labels_published and candidate.split != "test":
            name = candidate.path.name
            said = f"{name}: no labels, or not of every image; download the case again"
            yield Flaw(case=candidate.id, kind="missing", said=said)
    else:
        drawn = {view: one.segmentation for view, one in sparse.items()}
        for labels in (truth, drawn) if drawn else (truth,):
            yield from _fit(candidate, study, labels)
        yield from _plausible(candidate, truth)


def _kind(fault: Exception) -> Kind:
    return next((kind for cls, kind in _KINDS if isinstance(fault, cls)), "unreadable")


def _empty_files(candidate: Candidate) -> Iterator[Flaw]:
    for file in candidate.files:
        if file.is_file() and file.stat().st_size == 0:
            said = f"{file.name}: an empty file; download it again"
            yield Flaw(case=candidate.id, kind="unreadable", said=said)


def _fit(candidate: Candidate, study: Study, labels: Mapping[View, Segmentation]) -> Iterator[Flaw]:
    """Labels of every image, on its grid."""
    for view, image in study.images.items():
        name = study.sources[view][0].path.name
        seg = labels.get(view)
        if seg is None:
            said = f"{name}: no labels of view {view}; download the case again"
            yield Flaw(case=candidate.id, kind="missing", said=said)
        elif seg.frames != image.frames or not seg.geometry.same_grid(image.geometry):
            said = f"{name}: its labels lie on another grid; download the case again"
            yield Flaw(case=candidate.id, kind="grid", said=said)


def _plausible(candidate: Candidate, truth: Mapping[View, Segmentation]) -> Iterator[Flaw]:
    for view, seg in truth.items():
        where = f"{candidate.path.name}, {view}"
        if ventricles_swapped(seg.labels):
            said = f"{where}: the myocardium surrounds the RV and not the LV: other label numbers"
            yield Flaw(case=candidate.id, kind="labels", said=f"{said}; read it as another layout")
        if not seg.labels.any():
            said = f"{where}: nothing is drawn"
            yield Flaw(case=candidate.id, kind="labels", said=said, wrong=False)


# The same pixels under two names


@dataclass(frozen=True, slots=True)
class _Planes:
    """Digests of the planes seen so far: 16 bytes and a reference each."""

    seen: dict[bytes, tuple[str, str, str | None]] = field(default_factory=dict)

    def repeated(self, candidate: Candidate, study: Study) -> Iterator[Flaw]:
        """Files that share planes with an earlier one; a blank plane says nothing.

        Of a loop the first frame is compared: a copy of a loop repeats that too.
        """
        for view, sources in study.sources.items():
            for source in sources:
                mine = (candidate.id, source.stem, candidate.split)
                voxels = study.images[view].voxels[source.frames[0]]
                same: Counter[tuple[str, str, str | None]] = Counter()
                for plane in voxels:
                    if plane.min() < plane.max():
                        other = self.seen.setdefault(_digest(plane), mine)
                        if other != mine:
                            same[other] += 1
                for other, count in same.items():
                    yield _repeat(mine, other, f"{count} of {len(voxels)} planes")


def _repeat(
    mine: tuple[str, str, str | None], other: tuple[str, str, str | None], count: str
) -> Flaw:
    said = f"{mine[1]}: {count} have the very pixels of {other[1]} of {other[0]}"
    leaks = _two_splits(mine[2], other[2])
    if leaks:
        said += f", and one is in {other[2]}, the other in {mine[2]}: leave one out"
    return Flaw(case=mine[0], kind="duplicate", said=said, wrong=leaks)


def _digest(plane: np.ndarray) -> bytes:
    digest = hashlib.blake2b(repr((plane.shape, plane.dtype.str)).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(plane).data)
    return digest.digest()


# The copy as a whole


def _left_over(path: Path, found: Sequence[Candidate]) -> Iterator[Flaw]:
    """Images and labels that belong to no case: a case may have lost another of its files."""
    if not path.is_dir() or not all(candidate.files for candidate in found):
        return
    taken = {file.absolute() for candidate in found for file in candidate.files}
    root = path.absolute()
    try:
        with Box(path) as box:
            others = [name for name in box.names() if format_of(name) and root / name not in taken]
    except StudyError as fault:
        yield Flaw(case="", kind="left over", said=f"not looked for: {fault}", wrong=False)
        return
    labels = [name for name in others if names_labels(Path(name))]
    for names, what, wrong in (
        (labels, "label files without their image or case", True),
        ([name for name in others if name not in set(labels)], "images of no case", False),
    ):
        if names:
            more = ", ..." if len(names) > _SHOWN else ""
            said = f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"
            yield Flaw(case="", kind="left over", said=said, wrong=wrong)


def _partial(layout: Layout, found: Sequence[Candidate]) -> Iterator[Flaw]:
    whole = layout.card.patients if layout.card else None
    patients = len({candidate.patient or candidate.id for candidate in found})
    if whole is not None and patients != whole:
        said = f"{patients} of {whole} published patients"
        yield Flaw(case="", kind="missing", said=said, wrong=False)
