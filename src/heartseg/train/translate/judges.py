"""What is said of one translated image: does it still show the heart that its labels describe?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import ConfigError
from heartseg.core.image import Image, Segmentation
from heartseg.measure.overlap import dice
from heartseg.measure.surfaces import surface_distances
from heartseg.segment import Bundle, choose_runtime, frames
from heartseg.train.translate.made import Making
from heartseg.train.translate.moved import moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Beyond which an image is rejected; None asks for nothing.

    Attributes:
        least_dice: of the segmentation of the translation, and of the way back, with the labels.
        most_border_px: mean distance of the borders seen in the translation from the labels'.
        most_moved_px: shift of the whole image, by its edges.
    """

    least_dice: float | None = 0.7
    most_border_px: float | None = None
    most_moved_px: float | None = 1.5

    def __post_init__(self) -> None:
        if self.least_dice is not None and not 0 <= self.least_dice <= 1:
            raise ConfigError("least Dice", got=str(self.least_dice), allowed="a share in [0, 1]")
        for name, value in (("border", self.most_border_px), ("moved", self.most_moved_px)):
            if value is not None and not value > 0:
                raise ConfigError(f"most {name}", got=str(value), allowed="pixels above 0, or none")

    def broken(self, line: "Line") -> str:
        """Why a frame is rejected; empty where it is not."""
        said = []
        for name, value in (("translation", line.dice_target), ("way back", line.dice_back)):
            if value is not None and self.least_dice is not None and value < self.least_dice:
                said.append(f"Dice {value:.3f} of the {name}, below {self.least_dice:g}")
        for name, value, most in (
            ("borders", line.border_px, self.most_border_px),
            ("edges", line.moved_px, self.most_moved_px),
        ):
            if value is not None and most is not None and value > most:
                said.append(f"{name} {value:.2f} px away, more than {most:g}")
        return "; ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One frame of one image; None where nobody could say it.

    Attributes:
        study, patient: whose it is.
        frame: in the written image, from 0.
        judged_by: `labels`, or `source model` where there are none.
        dice_target: mean over the structures of the target model's masks of the translation.
        dice_back: the same of the source model's masks of what was translated back.
        dice_source: the same of its masks of the image itself: no way back can be better.
        border_px: mean distance, in pixels of the image's own planes, between the borders that the
            target model sees in the translation and those they should be at.
        moved_px: shift of the whole image, by its edges.
        edges: correlation of its edges before and after.
        structures: Dice of the translation by structure.
        rejected: why; empty where it is not.
    """

    study: str
    patient: str
    frame: int
    judged_by: str
    dice_target: float | None = None
    dice_back: float | None = None
    dice_source: float | None = None
    border_px: float | None = None
    moved_px: float | None = None
    edges: float | None = None
    structures: Mapping[str, float] = field(default_factory=dict)
    rejected: str = ""


class Eye:
    """A model of one kind of image, ready to segment.

    Args:
        bundle: that was checked.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, bundle: Bundle, device: str = "auto") -> None:
        self.bundle, self._runtime = bundle, choose_runtime(device, bundle)

    def masks(self, image: Image) -> Segmentation:
        """The likeliest structure of each voxel, as the network says it."""
        table = np.array(self.bundle.structures, np.uint8)
        found = [table[p.argmax(0)] for p in frames(image, self.bundle, self._runtime)]
        structures = self.bundle.structures[1:]
        return Segmentation(np.stack(found), image.geometry, structures, image.times_ms)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """An image that was judged.

    Attributes:
        lines: a frame each.
        truth: what it was judged by; None where there was nothing.
        seen: what the target model saw in the translation; None without one.
    """

    lines: tuple[Line, ...]
    truth: Segmentation | None
    seen: Segmentation | None

    @property
    def rejected(self) -> bool:
        """True when a frame of it is."""
        return any(line.rejected for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judges:
    """Who judges translated images, and by what measure.

    Attributes:
        target: a model of the kind that is made; None where there is none.
        source: a model of the kind that it was made of.
        thresholds: beyond which an image is rejected.
    """

    target: Eye | None = None
    source: Eye | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)

    def judge(
        self,
        before: Image,
        made: Image,
        truth: Segmentation | None,
        making: Making,
        whose: tuple[str, str],
    ) -> Judged:
        """Judge one image.

        Args:
            before: the frames that were translated.
            made: their translation, on the same grid.
            truth: their labels, where there are some.
            making: the translator, for the way back.
            whose: study and patient.
        """
        itself = self.source.masks(before) if self.source else None
        reference = truth if truth is not None else itself
        seen = self.target.masks(made) if self.target else None
        back = making.back(made) if self.source and reference is not None else None
        seen_back = self.source.masks(back) if self.source and back is not None else None
        judged_by = "labels" if truth is not None else "source model" if itself else "edges alone"
        lines, shown = [], making.shown(before)
        for frame in range(made.frames):
            line = Line(study=whose[0], patient=whose[1], frame=frame, judged_by=judged_by)
            found = moved(before.voxels[frame].astype(np.float32), made.voxels[frame], shown)
            if found is not None:
                line = replace(line, moved_px=found.pixels, edges=found.edges)
            if reference is not None:
                line = _by_masks(line, reference, frame, seen, seen_back)
                if truth is not None:
                    line = replace(line, dice_source=_mean(_dices(itself, truth, frame)))
            lines.append(replace(line, rejected=self.thresholds.broken(line)))
        return Judged(tuple(lines), reference, seen)


def _by_masks(
    line: Line,
    reference: Segmentation,
    frame: int,
    seen: Segmentation | None,
    seen_back: Segmentation | None,
) -> Line:
    each = _dices(seen, reference, frame)
    return replace(
        line,
        dice_target=_mean(each),
        dice_back=_mean(_dices(seen_back, reference, frame)),
        border_px=None if seen is None else border_px(seen, reference, frame),
        structures={one.key: value for one, value in each.items()},
    )


def _dices(
    seen: Segmentation | None, reference: Segmentation, frame: int
) -> dict[Structure, float]:
    """Dice of each structure that was drawn in the frame and that the model looks for."""
    if seen is None:
        return {}
    return {
        one: dice(seen.mask(one, frame), reference.mask(one, frame))
        for one in _both(seen.structures, reference.structures)
        if reference.mask(one, frame).any()
    }


def border_px(seen: Segmentation, reference: Segmentation, frame: int) -> float | None:
    """Mean distance of two masks' borders in their planes, in pixels, over all structures.

    Planes where one of the two is empty have no distance; Dice counts them. None where all are.
    """
    distances = []
    for one in _both(seen.structures, reference.structures):
        pairs = zip(seen.mask(one, frame), reference.mask(one, frame), strict=True)
        found = [surface_distances(mine, theirs, (1.0, 1.0)) for mine, theirs in pairs]
        distances += [way for d in found if d is not None for way in (d.to_truth, d.to_pred)]
    return float(np.concatenate(distances).mean()) if distances else None


def _both(ours: Sequence[Structure], theirs: Sequence[Structure]) -> list[Structure]:
    return [one for one in ours if one in theirs]


def _mean(values: Mapping[Structure, float]) -> float | None:
    return float(np.mean(list(values.values()))) if values else None


def drawn(labels: Labels) -> list[int]:
    """Frames (t, z, y, x) in which something is drawn."""
    return [frame for frame, planes in enumerate(labels) if planes.any()]
