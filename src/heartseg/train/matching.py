"""Training images with the greys of another kind of image: histogram matching, unpaired.

Each labelled frame takes the histogram of a frame of another data set, drawn once and by chance,
whose labels nobody reads. Nothing moves, so the labels stay true. It is the simplest way to learn
for one kind of image from another, and what `heartseg translate` is compared with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from heartseg.core.study import View
from heartseg.prepare import Preparation
from heartseg.prepare.histogram import matched, quantiles_of
from heartseg.train.data import PreparedFrame
from heartseg.train.selection import select
from heartseg.train.split import Split, chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Whose histograms the training images take.

    Attributes:
        folder: data set, relative to the RUN.toml; no label of it is read.
        view: which image of each study.
        assume_view: take every image for one of `view`, whatever its name and header say.
        train_on: parts of its split that are looked at; none that is scored belongs here.
        frames: of each image, evenly through the beat.
        split: how its patients are divided.
    """

    folder: str
    view: View = View.SAX
    assume_view: bool = False
    train_on: tuple[str, ...] = ("train",)
    frames: int = 1
    split: Split = field(default_factory=Split)


def with_histograms(
    frames: Sequence[PreparedFrame],
    settings: Matched,
    preparation: Preparation,
    root: Path,
    seed: int = 0,
) -> list[PreparedFrame]:
    """The same frames with the greys of the other data set.

    Args:
        frames: to train on, prepared.
        settings: whose greys.
        preparation: of the run, which the other images go through as well.
        root: folder of the RUN.toml.
        seed: of who takes whose.

    Raises:
        InputError: there is no such data set, or an image of it that cannot be read.
        StudyError: no patient of these parts, or no image of the view.
    """
    from heartseg.train.translate.frames import frames_of_side
    from heartseg.train.translate.settings import Side

    side = Side(
        folder=settings.folder,
        view=settings.view,
        assume_view=settings.assume_view,
        train_on=settings.train_on,
        validate_on=(),
        frames=settings.frames,
        preparation=preparation,
        split=settings.split,
    )
    others = frames_of_side(select(side, root).training, side)
    known = [quantiles_of(one.pixels) for one in others]

    def taken(frame: PreparedFrame) -> PreparedFrame:
        drawn = chance(seed, f"histogram of {frame.patient}/{frame.phase}") % len(known)
        return replace(frame, pixels=matched(frame.pixels, known[drawn]))

    return [taken(frame) for frame in frames]
