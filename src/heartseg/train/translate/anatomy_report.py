"""The anatomy report of a translated set: who was rejected and why, and how near the sets came."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import MeasureError, StudyError
from heartseg.core.image import Image
from heartseg.core.provenance import Provenance
from heartseg.prepare import Preparation
from heartseg.read import Candidate
from heartseg.train.translate.distances import (
    frechet_distance,
    histogram_distance,
    principal_axes,
)
from heartseg.train.translate.features import Encoder
from heartseg.train.translate.judges import Line, Thresholds
from heartseg.train.translate.translator import KindOfImage

FEATURES = 16
"""Most numbers of the small feature space: directions in which the target's planes vary most."""

FRAMES = 2
"""Of each real target image that are looked at, evenly through the beat."""

PIXELS = 20_000
"""Of each image whose intensities are kept, evenly through it: memory stays small."""

KEYS = ("dice_target", "dice_back", "dice_source", "border_px", "moved_px", "edges")
"""Numbers of a line that means are taken of."""


@dataclass(slots=True)
class Pool:
    """What is kept of a set of images to compare it with another.

    Attributes:
        intensities: of each image, some of the prepared pixels, in [0, 1].
        features: of each image, (planes, features).
    """

    intensities: list[NDArray[np.float32]] = field(default_factory=list)
    features: list[NDArray[np.float64]] = field(default_factory=list)

    def add(
        self,
        image: Image,
        frames: Sequence[int],
        preparation: Preparation,
        encoder: Encoder | None,
    ) -> None:
        """Keep frames of an image, prepared as a network would see them."""
        sample = preparation.sample(image)
        values = np.concatenate([sample.frame(frame).ravel() for frame in frames])
        self.intensities.append(values[:: max(1, values.size // PIXELS)])
        if encoder is not None:
            self.features.append(encoder.of_image(image, frames))

    def half(self, rest: int) -> "Pool":
        """Every other image, from the first or the second."""
        return Pool(self.intensities[rest::2], self.features[rest::2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far two sets are apart.

    Attributes:
        after: of the translations from the target, rejected ones too; None with the reason in
            `problem`.
        before: of the source itself from the target: what there was to gain.
        floor: of one half of the target's images from the other: as near as one can come.
        problem: why there is none.
    """

    after: float | None = None
    before: float | None = None
    floor: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnatomyReport:
    """What is said of a translated set.

    Attributes:
        lines: a frame of an image each.
        failed: id of a study and why nothing was made of it.
        thresholds: that images were rejected by.
        histogram: distance of the intensities, in [0, 1].
        frechet: distance in the small feature space.
        features: what that space is.
        models: who judged, by role: name, version, hash.
        translator: name, version, hash, method.
        provenance: of the set.
    """

    lines: tuple[Line, ...]
    failed: tuple[tuple[str, str], ...]
    thresholds: Thresholds
    histogram: Distance
    frechet: Distance
    features: Mapping[str, Any]
    models: Mapping[str, Any]
    translator: Mapping[str, Any]
    provenance: Provenance

    @property
    def images(self) -> int:
        """That were made."""
        return len({line.study for line in self.lines})

    @property
    def rejected(self) -> list[str]:
        """Studies with a frame that is rejected."""
        return sorted({line.study for line in self.lines if line.rejected})

    def means(self) -> dict[str, float | None]:
        """Of each number over the frames where somebody could say it."""
        return {key: _mean(getattr(line, key) for line in self.lines) for key in KEYS}

    def to_table(self) -> dict[str, Any]:
        """For the JSON file."""
        return {
            "images": self.images,
            "accepted": self.images - len(self.rejected),
            "rejected": self.rejected,
            "failed": [{"study": study, "reason": reason} for study, reason in self.failed],
            "thresholds": asdict(self.thresholds),
            "means": self.means(),
            "histogram_distance": asdict(self.histogram),
            "frechet_distance": asdict(self.frechet),
            "feature_space": dict(self.features),
            "models": dict(self.models),
            "translator": dict(self.translator),
            "provenance": asdict(self.provenance),
            "frames": [asdict(line) for line in self.lines],
        }


def target_pool(found: Iterable[Candidate], side: KindOfImage, encoder: Encoder | None) -> Pool:
    """What real images of the target look like; their labels are not read.

    Raises:
        InputError: one cannot be read.
        StudyError: none has an image of the view.
    """
    pool = Pool()
    for candidate in found:
        study = candidate.load()
        image = study.images.get(side.view)
        if image is not None:
            frames = sorted({index * image.frames // FRAMES for index in range(FRAMES)})
            pool.add(image, frames, side.preparation, encoder)
    if not pool.intensities:
        raise StudyError("target", got=f"no {side.view} image", do="name another folder")
    return pool


def histogram_of(made: Pool, source: Pool, target: Pool | None) -> Distance:
    """Distances of the intensities."""
    if target is None:
        return Distance(problem=_NO_TARGET)

    def apart(one: Pool, other: Pool) -> float:
        return histogram_distance(*(np.concatenate(p.intensities) for p in (one, other)))

    return _distance(apart, made, source, target)


def frechet_of(made: Pool, source: Pool, target: Pool | None) -> Distance:
    """Distances in the space of the target's main directions, at most `FEATURES` of them."""
    if target is None:
        return Distance(problem=_NO_TARGET)
    if not target.features:
        return Distance(problem="no model whose encoder could tell")
    axes = principal_axes(np.concatenate(target.features), FEATURES)

    def apart(one: Pool, other: Pool) -> float:
        return frechet_distance(*(np.concatenate(p.features) @ axes for p in (one, other)))

    return _distance(apart, made, source, target)


_NO_TARGET = "no folder of real target images was named"


def _distance(
    apart: Callable[[Pool, Pool], float], made: Pool, source: Pool, target: Pool
) -> Distance:
    try:
        after, before = apart(made, target), apart(source, target)
    except (MeasureError, ValueError) as fault:  # numpy's, of no images at all
        return Distance(problem=str(fault))
    try:
        floor = apart(target.half(0), target.half(1))
    except (MeasureError, ValueError):
        floor = None
    return Distance(after=after, before=before, floor=floor)


def _mean(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
