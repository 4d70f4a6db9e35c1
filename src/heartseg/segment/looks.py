"""The same model looks again at a few frames, in other ways: how far its answers lie apart.

Each look turns or mirrors the planes (`frames.turned`; Wang 2019, arXiv 1807.07356) and is refined
as the segmentation itself is. It sees the heart and its surroundings instead of the whole field,
which is a fraction of the work, and shifts the network's grid against the pixels besides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases
from heartseg.prepare import Preparation
from heartseg.prepare.sample import Sample
from heartseg.refine import refine_cine
from heartseg.segment.bundle import Bundle
from heartseg.segment.frames import looking, turned, unturned
from heartseg.segment.runtime import Runtime

MARGIN_MM = 30.0
"""Seen around the heart: what lies further away does not change its contours."""

MARGIN_PX = 20
"""The same for images without millimetres."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What was seen in the measured frames.

    Attributes:
        phases: among the frames of `seen`, not of the study.
        seen: a segmentation of the frames for each look, on the part of the grid with the heart.
    """

    phases: Phases
    seen: tuple[Segmentation, ...]


def look_again(
    image: Image, found: Segmentation, phases: Phases, model: tuple[Bundle, Runtime], ways: int
) -> Looks:
    """Look at the frames of the phases in so many ways, the first of `frames.turned`.

    Args:
        image: of the study.
        found: its segmentation, which says where the heart is.
        phases: frames of both.
        model: that made the segmentation.
        ways: 1 to 8.
    """
    frames = measured_frames(phases)
    bundle, _ = model
    sample, indices = _sample(image, found, frames, bundle.preparation)
    planes = np.stack([sample.channels(index) for index in indices])
    grid, structures = sample.image.geometry, bundle.structures
    seen = []
    for way in range(ways):
        labels = refine_cine(seen_from(planes, sample, model, way), structures, grid)
        seen.append(Segmentation(labels, grid, structures[1:]))
    return Looks(_among(phases, frames), tuple(seen))


def seen_from(
    planes: NDArray[np.float32], sample: Sample, model: tuple[Bundle, Runtime], way: int
) -> Iterator[NDArray[np.float32]]:
    """Probabilities (structures, z, y, x) of prepared frames (t, z, channels, H, W)."""
    bundle, runtime = model
    look = looking(bundle, runtime)
    for frame in planes:
        yield sample.restore(unturned(look(turned(frame, way)), way))


def measured_frames(phases: Phases) -> tuple[int, ...]:
    """The frames that volumes are measured in, rising, each once."""
    named = (phases.ed, phases.es, phases.rv_es)
    return tuple(sorted({frame for frame in named if frame is not None}))


def _among(phases: Phases, frames: tuple[int, ...]) -> Phases:
    es, rv_es = (
        None if frame is None else frames.index(frame) for frame in (phases.es, phases.rv_es)
    )
    return Phases(ed=frames.index(phases.ed), es=es, how=phases.how, rv_es=rv_es)


def _sample(
    image: Image, found: Segmentation, frames: tuple[int, ...], preparation: Preparation
) -> tuple[Sample, tuple[int, ...]]:
    """The frames around the heart as the network sees them, and where they stand in the sample."""
    whole = preparation.sample(image)
    if not _may_be_cut(preparation):
        return whole, frames
    near = _near(image.part(frames), found.part(frames))
    return replace(preparation.sample(near), intensities=whole.intensities), tuple(
        range(len(frames))
    )


def _may_be_cut(preparation: Preparation) -> bool:
    """True when the pixels of a part are prepared as they are in the whole."""
    plain = preparation.locate is None and preparation.clahe is None
    return plain and preparation.spacing_mm is not None


def _near(image: Image, found: Segmentation) -> Image:
    """The heart of all frames with the margin around it, as far as the image reaches."""
    there = np.asarray(found.labels.any(axis=(0, 1)))
    if not there.any():
        return image
    in_mm = image.geometry.unit == "mm"
    below, beside = (
        round(MARGIN_MM / one) if in_mm else MARGIN_PX for one in image.geometry.spacing[1:]
    )
    rows = _cut(np.asarray(there.any(axis=1)), below)
    columns = _cut(np.asarray(there.any(axis=0)), beside)
    return replace(
        image,
        voxels=image.voxels[..., rows, columns],
        geometry=image.geometry.cropped(rows, columns),
    )


def _cut(held: NDArray[np.bool_], margin: int) -> slice:
    """From a margin before to a margin behind; the middle whole pixels away from the image's."""
    found = np.flatnonzero(held)
    start, stop = max(0, int(found[0]) - margin), min(len(held), int(found[-1]) + 1 + margin)
    if (start + stop - len(held)) % 2:  # the network's grid is laid about the middle
        start, stop = (start, stop + 1) if stop < len(held) else (start - 1, stop)
    return slice(start, stop)
