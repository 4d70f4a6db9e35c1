"""A prepared data set: arrays in memory, on the device; no worker processes that can die."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import LabelError, StudyError
from heartseg.core.image import Segmentation
from heartseg.core.study import Study, View
from heartseg.losses import IGNORED
from heartseg.prepare import Preparation
from heartseg.prepare.neighbours import slices_shown
from heartseg.read import Candidate
from heartseg.train.sparse import Sparse, frame_name

_UNKNOWN = IGNORED - 1
_NOT_DRAWN = 255
"""Beside the values of `Structure`: a voxel that nobody annotated."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedFrame:
    """One labelled frame as the network sees it: pixels and class indices, (z, H, W).

    A voxel that counts nowhere has the class `IGNORED`.
    """

    patient: str
    phase: int
    pixels: NDArray[np.float32]
    classes: NDArray[np.uint8]


def prepared_frames(
    candidate: Candidate,
    preparation: Preparation,
    structures: Sequence[Structure],
    view: View,
    ignored: Sequence[Structure] = (),
    *,
    merged: Sequence[Structure] = (),
    taken_for: Mapping[Structure, Structure] = MappingProxyType({}),
    sparse: Sparse | None = None,
) -> list[PreparedFrame]:
    """The labelled frames of a study, prepared.

    Args:
        candidate: the study.
        preparation: what is done to the image.
        structures: in the order of the classes.
        view: which image.
        ignored: structures whose voxels become `IGNORED`.
        merged: structures whose voxels become background.
        taken_for: structures whose voxels become another's.
        sparse: what counts as annotated, the rest becomes `IGNORED`; None: all of it.

    Raises:
        StudyError: the study has no such view or no labels or scribbles, or they do not fit the
            image.
        LabelError: the labels hold a structure that is neither trained nor ignored.
    """
    study: Study = candidate.load()
    truth = _drawn(candidate, view, sparse)
    if view not in study.images or truth is None:
        what = "scribbled" if sparse and sparse.drawn == "scribbles" else "labelled"
        raise StudyError(candidate.id, got=f"no {what} {view} image", do="leave it out")
    truth = truth.taken_for(taken_for)
    image, labels = study.images[view], truth.labels
    if len(labels) != image.frames or not image.geometry.same_grid(truth.geometry):
        raise StudyError(candidate.id, got="labels on another grid than the image")
    sample = preparation.sample(image)
    table = _table(structures, ignored, merged)
    frames = [
        PreparedFrame(
            patient=candidate.id,
            phase=frame,
            pixels=sample.frame(frame),
            classes=_class_indices(sample.frame_labels(labels[frame]), table, candidate.id),
        )
        for frame in _drawn_frames(candidate, structures, view, len(labels))
        if ((labels[frame] > 0) & (labels[frame] < _NOT_DRAWN)).any()
    ]
    return frames if sparse is None else [_thinned(frame, sparse) for frame in frames]


def _drawn(candidate: Candidate, view: View, sparse: Sparse | None) -> Segmentation | None:
    """The labels to learn from, `_NOT_DRAWN` where nobody said what a voxel is."""
    if sparse is None or sparse.drawn == "whole":
        return (candidate.reference() if candidate.reference else {}).get(view)
    found = (candidate.scribbles() if candidate.scribbles else {}).get(view)
    if found is None:
        return None
    whole = found.segmentation
    return whole.like(np.where(found.annotated, whole.labels, np.uint8(_NOT_DRAWN)))


def _thinned(frame: PreparedFrame, sparse: Sparse) -> PreparedFrame:
    """Annotated in the slices that are kept alone."""
    classes = frame.classes.copy()
    kept = sparse.kept(frame_name(frame.patient, frame.phase), len(classes))
    classes[~kept] = IGNORED
    return replace(frame, classes=classes)


def _drawn_frames(
    candidate: Candidate, structures: Sequence[Structure], view: View, frames: int
) -> list[int]:
    """Frames where everything that is trained was drawn: elsewhere its absence means nothing."""
    if candidate.covered is None:
        return list(range(frames))
    drawn = candidate.covered().get(view, {})
    wanted = set(structures) - {Structure.BACKGROUND}
    return sorted(frame for frame, there in drawn.items() if wanted <= set(there))


def _table(
    structures: Sequence[Structure], ignored: Sequence[Structure], merged: Sequence[Structure]
) -> Labels:
    """The class of every structure."""
    table = np.full(256, _UNKNOWN, np.uint8)
    table[list(structures)] = range(len(structures))
    table[list(merged)] = 0
    table[list(ignored)] = IGNORED
    table[_NOT_DRAWN] = IGNORED
    return table


def _class_indices(labels: Labels, table: Labels, where: str) -> Labels:
    indices: Labels = table[labels]
    if (indices == _UNKNOWN).any():
        names = ", ".join(s.title for s in Structure if table[s] != _UNKNOWN)
        do = "name it in loss.ignored or as_background, or learn it"
        raise LabelError(where, got="a structure that is not trained", allowed=names, do=do)
    return indices


class PreparedSet:
    """All planes of many frames as three tensors, ready to draw batches from.

    Args:
        frames: at least one.
        device: where the tensors are.
        ignored_as: the class that `IGNORED` voxels become, so that moving may carry them along.
        neighbours: slices on each side that are shown with a plane, as its channels.
        ends: share of planes that are drawn among `ends` alone.

    Attributes:
        planes: (N, S, S) float16 in [0, 1], padded about the centre to one size.
        classes: (N, S, S) uint8.
        centres: (N, 2) (y, x) of the heart of each plane's volume.
        corners: (N, 2) first row and column of each plane itself, without what was padded.
        sizes: (N, 2) its rows and columns.
        stacks: (frames, 2) first plane and number of planes of each frame.
        neighbours: as given.
        shown: (N, channels) the planes that are shown as the channels of each.
        ends: the first and the last plane of each frame that hold something, and those just beyond.
        annotated: (N,) False for planes of which nobody annotated a voxel.
    """

    def __init__(
        self,
        frames: Sequence[PreparedFrame],
        device: torch.device,
        ignored_as: int = IGNORED,
        neighbours: int = 0,
        ends: float = 0.0,
    ) -> None:
        side = max(max(frame.pixels.shape[1:]) for frame in frames)
        self.planes = _stacked([f.pixels.astype(np.float16) for f in frames], side).to(device)
        classes = [np.where(f.classes == IGNORED, np.uint8(ignored_as), f.classes) for f in frames]
        self.classes = _stacked(classes, side).to(device)
        self.centres = torch.cat([_centres(frame, side) for frame in frames]).to(device)
        counts = torch.tensor([len(frame.pixels) for frame in frames])
        sizes = torch.tensor([frame.pixels.shape[1:] for frame in frames])
        self.sizes = sizes.repeat_interleave(counts, dim=0).to(device)
        self.corners = (side - self.sizes) // 2
        self.stacks = torch.stack([counts.cumsum(0) - counts, counts], dim=1).to(device)
        there = np.concatenate([(f.classes != IGNORED).any(axis=(1, 2)) for f in frames])
        self.annotated = torch.from_numpy(there).to(device)
        self._learnt = torch.from_numpy(np.flatnonzero(there)).to(device)
        self._ignored_as = ignored_as
        self.neighbours = neighbours
        self.shown = torch.cat(
            [
                torch.from_numpy(first + slices_shown(count, neighbours))
                for first, count in self.stacks.tolist()
            ]
        ).to(device)
        places = np.concatenate([_at_ends(frame.classes) for frame in frames])
        self.ends = torch.from_numpy(np.flatnonzero(places)).to(device)
        self._ends_share = ends if len(self.ends) else 0.0

    def __len__(self) -> int:
        return len(self.planes)

    def require_annotated(self) -> None:
        """Refuse frames that nobody annotated a voxel of, from which labels cannot be learnt.

        Raises:
            StudyError: always then.
        """
        if not len(self._learnt):
            raise StudyError("training labels", got="no annotated voxel")

    def draw(
        self, count: int, away: float, generator: torch.Generator, reverse: float = 0.0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A random batch: planes (n, channels, S, S), classes (n, S, S), crop centres (n, 2).

        Args:
            count: n.
            away: share of the crops that are centred on the image rather than the heart, so
                that the rest of the chest is seen too.
            generator: the run's randomness.
            reverse: probability that neighbours change sides, see `draw_shown`.
        """
        index = self.draw_planes(count, generator)
        centres = self.draw_centres(index, away, generator)
        shown = self.draw_shown(index, reverse, generator)
        return self.planes[shown].float(), self.classes[index], centres

    def draw_planes(self, count: int, generator: torch.Generator) -> Tensor:
        """(n,) annotated planes, at the ends of the heart as often as was asked for."""
        device = generator.device
        index = torch.randint(len(self._learnt), (count,), generator=generator, device=device)
        index = self._learnt[index]
        if self._ends_share == 0:
            return index
        place = torch.randint(len(self.ends), (count,), generator=generator, device=device)
        chosen = torch.rand(count, generator=generator, device=device) < self._ends_share
        return torch.where(chosen, self.ends[place], index)

    def only_annotated(self, truth: Tensor, planes: Tensor) -> Tensor:
        """The truth (n, z, y, x) of these planes (n, z), ignored where a plane is not annotated.

        Beyond its borders an image shows nothing, which counts as background: not in such planes.
        """
        there = self.annotated[planes]
        return truth if there.all() else truth.where(there[:, :, None, None], self._ignored_as)

    def draw_shown(self, index: Tensor, reverse: float, generator: torch.Generator) -> Tensor:
        """(n, channels): the planes that are shown with these, their neighbours about them.

        Args:
            index: (n,) planes.
            reverse: probability that what lies towards the apex comes where the base was: of
                images that do not say how the patient lay, either may come first.
            generator: the run's randomness; not asked for planes alone.
        """
        shown = self.shown[index]
        if shown.shape[1] == 1:
            return shown
        over = torch.rand((len(index), 1), generator=generator, device=generator.device) < reverse
        return torch.where(over, shown.flip(1), shown)

    def draw_centres(self, index: Tensor, away: float, generator: torch.Generator) -> Tensor:
        """(n, 2) of (y, x): where crops of these planes are centred, see `draw`."""
        count, device = len(index), generator.device
        elsewhere = torch.rand((count, 1), generator=generator, device=device) < away
        spread = (torch.rand((count, 2), generator=generator, device=device) - 0.5) * 0.4
        middle = (0.5 + spread) * self.planes.shape[-1]
        return torch.where(elsewhere, middle, self.centres[index])


def _stacked(arrays: list[NDArray[np.generic]], side: int) -> Tensor:
    canvas = np.zeros((sum(len(a) for a in arrays), side, side), arrays[0].dtype)
    done = 0
    for array in arrays:
        count, rows, columns = array.shape
        top, left = (side - rows) // 2, (side - columns) // 2
        canvas[done : done + count, top : top + rows, left : left + columns] = array
        done += count
    return torch.from_numpy(canvas)


def _at_ends(classes: Labels) -> NDArray[np.bool_]:
    """(z,) whether a slice is the first or the last with something in it, or just beyond one."""
    there = np.flatnonzero(((classes > 0) & (classes != IGNORED)).any(axis=(1, 2)))
    at = np.zeros(len(classes), bool)
    if len(there):
        first, last = int(there[0]), int(there[-1])
        at[max(0, first - 1) : first + 1] = True
        at[last : last + 2] = True
    return at


def _centres(frame: PreparedFrame, side: int) -> Tensor:
    planes, rows, columns = frame.classes.shape
    where = np.argwhere((frame.classes > 0) & (frame.classes != IGNORED))[:, 1:]
    middle = where.mean(0) if len(where) else np.array([rows / 2, columns / 2])
    shifted = middle + np.array([(side - rows) // 2, (side - columns) // 2])
    return torch.tensor(shifted, dtype=torch.float32).expand(planes, 2)
