"""One view of a study: its models are asked, frame by frame, method by method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from heartseg.core.errors import StudyError
from heartseg.core.finding import Report
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases, View
from heartseg.explain.checks import Checked, checked_methods
from heartseg.explain.methods import OfAnswers, OfNetwork
from heartseg.explain.question import Piece, Question, compared, only, together
from heartseg.explain.seen import Model
from heartseg.explain.target import Target
from heartseg.explain.wanted import Wanted, chosen_frames, chosen_slices

Methods = Mapping[str, OfNetwork | OfAnswers]

Watch = Callable[[str], None]
"""Hears what is done next."""

POINTS = 100.0
"""EF is a fraction in findings and in points here."""


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """What a method says of a view.

    Attributes:
        method: its name.
        view: of the study.
        frames: that were explained, from 0.
        slices: that were asked about, in the image's own order.
        values: (frames, z, y, x) on the image's own grid, NaN where nothing was asked.
        unit: of the values.
        signed: the values tell raising from lowering.
        asks: it is about the target; other maps are about the whole answer.
    """

    method: str
    view: View
    frames: tuple[int, ...]
    slices: tuple[int, ...]
    values: NDArray[np.float32]
    unit: str
    signed: bool
    asks: bool


@dataclass(frozen=True, slots=True)
class Soft:
    """A measure as it was explained, beside the same measure of the masks.

    Attributes:
        value: of soft volumes; the mean over the models.
        hard: of the masks, as the report has it; None where it has none.
        unit: of both.
        volumes_ml: the soft volumes of the first model, by phase.
    """

    value: float
    hard: float | None
    unit: str
    volumes_ml: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """A view that is explained.

    Attributes:
        view: which.
        image: of it.
        segmentation: as `heartseg segment` draws it.
        phases: as the report has them.
        models: that are explained together; a map is the mean of theirs.
        target: what is explained.
        wanted: the whole question.

    Raises:
        ConfigError: no such frame or slice, or a structure that a model was not taught.
        StudyError: a phase or structure that the study has not.
    """

    view: View
    image: Image
    segmentation: Segmentation
    phases: Phases | None
    models: Sequence[Model]
    target: Target
    wanted: Wanted

    @cached_property
    def needed(self) -> dict[str, int]:
        """The frames that a measure is made of, by phase."""
        return self.target.frames(self.phases)

    @cached_property
    def frames(self) -> tuple[int, ...]:
        """That are explained."""
        return chosen_frames(self.wanted.frames, self.phases, self.image.frames, self.needed)

    @cached_property
    def slices(self) -> tuple[int, ...]:
        """That are asked about, in the image's own order."""
        there = self.segmentation.labels[list(self.frames)] == self.target.structure
        held: list[int] = np.flatnonzero(there.any(axis=(0, 2, 3))).tolist()
        slices = chosen_slices(self.wanted.slices, held, self.image.geometry.shape[0])
        if not set(held) & set(slices):
            places = ", ".join(map(str, held)) or "none"
            raise StudyError(
                f"--target {self.target.key}",
                got=f"no {self.target.structure.title} in the frames and slices asked for",
                allowed=f"slices that hold it: {places}",
                do="choose another structure, --frames or --slices",
            )
        return slices

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """One a model."""
        return tuple(
            Question(model.seeing(self.image), self.target, self.needed) for model in self.models
        )

    def soft(self, report: Report) -> Soft | None:
        """The measure in soft volumes beside that of the masks; None for a structure."""
        measure = self.target.measure
        found = [one.slopes for one in self.questions if one.slopes is not None]
        if measure is None or not found:
            return None
        hard = report.value(self.target.key)
        if hard is not None and measure.unit == "EF points":
            hard *= POINTS
        value = float(np.mean([one.value for one in found]))
        return Soft(value, hard, measure.unit, found[0].volumes_ml)

    def maps(self, methods: Methods, watch: Watch) -> list[Map]:
        """A map of every method, on the image's own grid."""
        shape = (len(self.frames), *self.image.geometry.shape)
        values = {name: np.full(shape, np.nan, np.float32) for name in methods}
        for number, frame in enumerate(self.frames):
            for name, method in methods.items():
                watch(f"{self.view} frame {frame}, {name}")
                values[name][number] = self._map(method, frame)
        return [
            Map(
                name,
                self.view,
                self.frames,
                self.slices,
                values[name],
                method.unit.format(unit=self.target.unit),
                isinstance(method, OfNetwork) and method.signed,
                method.asks,
            )
            for name, method in methods.items()
        ]

    def checks(self, methods: Methods, watch: Watch) -> list[Checked]:
        """Whether each method shows the first network at all, in the plane with most to show."""
        frame = self.frames[0]
        pieces = self.questions[0].pieces(frame, self.slices)
        if not pieces:
            return []
        fullest: Piece = max(pieces.values(), key=lambda one: int(one.mask.sum()))
        watch(f"{self.view} frame {frame}, checks of {', '.join(methods)}")
        channel = self.questions[0].channel
        return list(checked_methods(methods, fullest, channel, self.wanted.settings))

    def _map(self, method: OfNetwork | OfAnswers, frame: int) -> NDArray[np.float32]:
        if isinstance(method, OfNetwork):
            settings = self.wanted.settings
            return together(
                [one.map_of(method, frame, self.slices, settings) for one in self.questions]
            )
        structures = [one.bundle.structures for one in self.models]
        orders = [[one.index(each) for each in structures[0]] for one in structures]
        answers = [one.answers(frame) for one in self.questions]
        return only(compared(method, answers, orders, self.questions[0].channel), self.slices)
