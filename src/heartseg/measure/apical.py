"""What is known of a heart from its long-axis views: what the measures of these look at."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from heartseg.core.study import Body, Modality, View
from heartseg.measure.beats import beat_ms
from heartseg.measure.body import Formula, body_surface
from heartseg.measure.echo_words import VIEW_NAMES
from heartseg.measure.long_axis import LongAxis
from heartseg.measure.number import NO_MILLIMETRES, Number
from heartseg.measure.phases import Beat, beat
from heartseg.measure.table import Part

NO_COMMON_SCALE = (
    "two views without millimetres have no common scale: the values of each view are given"
)

Beats = tuple[tuple[int | None, ...], ...]
"""A frame of each view, for every beat."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Apical:
    """The 4- and the 2-chamber view, or one of them, with the body.

    Attributes:
        views: measured, the 4-chamber first.
        body: whose heart it is.
        formula: of the body surface area.
        modality: decides codes.
    """

    views: tuple[LongAxis, ...]
    body: Body
    formula: Formula = "mosteller"
    modality: Modality = Modality.US

    @property
    def surface(self) -> Number:
        """Of the body, in m2; or the reason why it is not known."""
        return body_surface(self.body, self.formula)

    @property
    def shown(self) -> tuple[View, ...]:
        """The views, by name."""
        return tuple(view.view for view in self.views)

    def parts(self, place: str) -> Iterable[Part]:
        """Each view on its own; each beat, where several can be measured."""
        if place == "view":
            return [
                Part(view.view.value, VIEW_NAMES[view.view], replace(self, views=(view,)))
                for view in self.views
            ]
        if self.beats < 2 or self.without_volumes:
            return ()
        return [Part(str(n + 1), str(n + 1), self._in_beat(n)) for n in range(self.beats)]

    def _in_beat(self, number: int) -> "Apical":
        one = (replace(view, beats=view.beats[number : number + 1]) for view in self.views)
        return replace(self, views=tuple(one))

    @property
    def beats(self) -> int:
        """Beats that every view has."""
        return min(len(view.beats) for view in self.views)

    def frames(self, phase: int) -> Beats:
        """Frames of end-diastole (0) or end-systole (1): for every beat, one in each view.

        The views were recorded one after the other, so that the n-th beats of both go together as
        well as any others.
        """
        of_views = ([one[phase] for one in view.beats] for view in self.views)
        return tuple(zip(*of_views, strict=False))

    @property
    def calibrated(self) -> bool:
        """True when every view has millimetres."""
        return all(view.calibrated for view in self.views)

    @property
    def without_beats(self) -> str | None:
        """Why the phases of a view cannot be told; None when they can."""
        return next((str(view.ventricle[0]) for view in self.views if not view.beats), None)

    @property
    def without_volumes(self) -> str | None:
        """Why the views give no volume together, of whatever unit; None when they do."""
        if len(self.views) > 1 and not self.calibrated:
            return NO_COMMON_SCALE
        return self.without_beats

    def in_ml(self, cubic: Number) -> Number:
        """A volume in mm3 as mL; without millimetres the reason."""
        if not self.calibrated:
            return cubic if cubic.value is None else Number(None, NO_MILLIMETRES)
        return cubic.times(1e-3)

    @property
    def beat(self) -> Beat:
        """The heart rate: known, or from end-systole to end-systole, or of a loop of one beat."""
        first = self.views[0]
        times = first.segmentation.times_ms
        rate = self.body.heart_rate_bpm
        between = beat_ms([(ed, es) for ed, es in first.beats if es is not None], times)
        if rate is None and between is not None:
            return Beat(heart_rate_bpm=60_000.0 / between, from_times=True)
        return beat(times, rate, first.curve)
