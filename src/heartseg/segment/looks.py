"""The same model looks again at the frames that are measured, in other ways.

Each look turns or mirrors the planes (`frames.turned`; Wang 2019, arXiv 1807.07356) and sees the
heart and its surroundings instead of the whole field, which is a fraction of the work. What the
looks say on average is a better segmentation than that of one of them; how far they lie apart tells
how far off the numbers may be.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Labels
from heartseg.core.geometry import Box
from heartseg.core.image import Image, Segmentation
from heartseg.core.probability import Region
from heartseg.core.study import Phases
from heartseg.prepare import Preparation
from heartseg.prepare.sample import Sample
from heartseg.refine import no_flicker, refine_region
from heartseg.segment.bundle import Bundle
from heartseg.segment.frames import looking, turned, unturned
from heartseg.segment.runtime import Runtime

MARGIN_MM = 30.0
"""Seen around the heart: what lies further away does not change its contours."""

MARGIN_PX = 20
"""The same for images without millimetres."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameLooks:
    """What was seen of one frame, on the part of the grid with the heart.

    Attributes:
        labels: of each look, (z, rows, columns).
        mean: the looks' mean probabilities, (structures, z, rows, columns).
        settled: labels (z, rows, columns) of the mean.
    """

    labels: tuple[Labels, ...]
    mean: NDArray[np.float32]
    settled: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What was seen in the measured frames.

    Attributes:
        phases: among the frames of `seen`, not of the study.
        seen: a segmentation of the frames for each look, on the part of the grid with the heart.
    """

    phases: Phases
    seen: tuple[Segmentation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A segmentation whose measured frames are the mean of several looks.

    Attributes:
        segmentation: of all frames.
        looks: at the measured frames.
        regions: what the looks say on average of each frame that was looked at again.
    """

    segmentation: Segmentation
    looks: Looks
    regions: Mapping[int, Region]


class Closer:
    """One image that a model looks at again, around the heart.

    Args:
        image: of the study.
        found: its segmentation, which says where the heart is.
        model: that made the segmentation.
        ways: 1 to 8, the first of `frames.turned`.
    """

    def __init__(
        self, image: Image, found: Segmentation, model: tuple[Bundle, Runtime], ways: int
    ) -> None:
        self._bundle, self._runtime = model
        self._sample, self.box = _cut_sample(image, found, self._bundle.preparation)
        self._whole, self._ways = image.geometry.shape, ways

    def look(self, frame: int) -> FrameLooks:
        """Look at one frame in all ways."""
        structures, grid = self._bundle.structures, self._sample.image.geometry
        labels, total = [], np.zeros((len(structures), *grid.shape), np.float32)
        for seen in self._seen(frame):
            labels.append(refine_region(Region.whole(seen), structures, grid))
            total += seen
        mean = total / np.float32(self._ways)
        settled = refine_region(Region.whole(mean), structures, grid)
        return FrameLooks(tuple(labels), mean, settled)

    def region(self, looks: FrameLooks) -> Region:
        """The mean of the looks at a frame, where it lies in the frame."""
        return Region(looks.mean, self.box, self._whole)

    def together(self, looked: Mapping[int, FrameLooks], phases: Phases) -> Looks:
        """The looks at the frames of these phases, each of which was looked at."""
        frames, grid = measured_frames(phases), self._sample.image.geometry
        each = [np.stack([looked[one].labels[way] for one in frames]) for way in range(self._ways)]
        structures = self._bundle.structures[1:]
        return Looks(
            _among(phases, frames), tuple(Segmentation(one, grid, structures) for one in each)
        )

    def _seen(self, frame: int) -> Iterator[NDArray[np.float32]]:
        """Probabilities (structures, z, rows, columns) of each way."""
        pixels, look = self._sample.channels(frame), looking(self._bundle, self._runtime)
        for way in range(self._ways):
            yield self._sample.restore(unturned(look(turned(pixels, way)), way))


def settle(
    found: Segmentation, closer: Closer, phases_in: Callable[[Segmentation], Phases]
) -> Settled:
    """Look again at the measured frames until the looks no longer change which these are.

    Args:
        found: by one look at each frame.
        closer: at the image of `found`.
        phases_in: the measured phases of a segmentation.
    """
    looked: dict[int, FrameLooks] = {}
    labels, settled, phases = found.labels.copy(), found, phases_in(found)
    while new := [one for one in measured_frames(phases) if one not in looked]:
        for frame in new:
            looked[frame] = closer.look(frame)
            labels[frame] = 0
            labels[frame][closer.box] = looked[frame].settled
        settled = found.like(no_flicker(labels))
        phases = phases_in(settled)
    regions = {frame: closer.region(one) for frame, one in looked.items()}
    return Settled(settled, closer.together(looked, phases), regions)


def look_again(found: Segmentation, closer: Closer, phases: Phases) -> Looks:
    """Look at the frames of the phases of `found`, which stays as it is."""
    looked = {frame: closer.look(frame) for frame in measured_frames(phases)}
    return closer.together(looked, phases)


def measured_frames(phases: Phases) -> tuple[int, ...]:
    """The frames that volumes are measured in, rising, each once."""
    named = (phases.ed, phases.es, phases.rv_es)
    return tuple(sorted({frame for frame in named if frame is not None}))


def _among(phases: Phases, frames: tuple[int, ...]) -> Phases:
    es, rv_es = (
        None if frame is None else frames.index(frame) for frame in (phases.es, phases.rv_es)
    )
    return Phases(ed=frames.index(phases.ed), es=es, how=phases.how, rv_es=rv_es)


def _cut_sample(image: Image, found: Segmentation, preparation: Preparation) -> tuple[Sample, Box]:
    """The part of the image around the heart as the network sees it, and where it lies."""
    whole = preparation.sample(image)
    box = _around(found) if _may_be_cut(preparation) else _everything(found)
    if box == _everything(found):
        return whole, box
    near = replace(
        image,
        voxels=image.voxels[(..., *box[1:])],
        geometry=image.geometry.cropped(*box[1:]),
    )
    return preparation.sample(near, intensities=whole.intensities), box


def _may_be_cut(preparation: Preparation) -> bool:
    """True when the pixels of a part are prepared as they are in the whole."""
    plain = preparation.locate is None and preparation.clahe is None
    return plain and preparation.spacing_mm is not None


def _everything(found: Segmentation) -> Box:
    z, y, x = found.geometry.shape
    return slice(0, z), slice(0, y), slice(0, x)


def _around(found: Segmentation) -> Box:
    """The heart of all frames with the margin around it, as far as the image reaches."""
    there = np.asarray(found.labels.any(axis=(0, 1)))
    if not there.any():
        return _everything(found)
    in_mm = found.geometry.unit == "mm"
    below, beside = (
        round(MARGIN_MM / one) if in_mm else MARGIN_PX for one in found.geometry.spacing[1:]
    )
    rows = _cut(np.asarray(there.any(axis=1)), below)
    columns = _cut(np.asarray(there.any(axis=0)), beside)
    return slice(0, found.geometry.shape[0]), rows, columns


def _cut(held: NDArray[np.bool_], margin: int) -> slice:
    """From a margin before to a margin behind; the middle whole pixels away from the image's."""
    found = np.flatnonzero(held)
    start, stop = max(0, int(found[0]) - margin), min(len(held), int(found[-1]) + 1 + margin)
    if (start + stop - len(held)) % 2:  # the network's grid is laid about the middle
        start, stop = (start, stop + 1) if stop < len(held) else (start - 1, stop)
    return slice(start, stop)
