"""Function from long-axis views, as echo laboratories measure it: biplane Simpson, or one view.

Both apical views give the numbers; with one view every disc is taken for round, and that is said.
Ratios of one view need no millimetres, two views need the same scale. Several beats are measured
one by one and averaged (ASE/EACVI 2015).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heartseg.core.finding import Finding, Quality
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Modality, Phases, View
from heartseg.measure.apical_strain import ApicalStrain, apical_strain, outflow_view, strained
from heartseg.measure.beats import beat_ms
from heartseg.measure.body import body_problem, indexed
from heartseg.measure.echo_quality import echo_quality
from heartseg.measure.echo_words import echo_sentences, foreshortening
from heartseg.measure.long_axis import (
    SINGLE_PHASE,
    LongAxis,
    Method,
    atrial_volume,
    long_axis,
    volume,
)
from heartseg.measure.long_axis_catalogue import INDEXED, code, entries, of_view
from heartseg.measure.number import (
    NO_MILLIMETRES,
    Number,
    difference,
    ejected_share,
    mean_of_beats,
)
from heartseg.measure.phases import FEWEST_CURVE, Beat, beat
from heartseg.measure.ranges import ECHO_SOURCE, echo_reference, why_no_echo
from heartseg.measure.rates import peak_rates
from heartseg.measure.simpson import area_length, biplane, single_plane

VIEWS = (View.LAX_4CH, View.LAX_2CH)
"""Views that volumes are measured in, the first of them first."""

NO_COMMON_SCALE = (
    "two views without millimetres have no common scale: the values of each view are given"
)

Beats = tuple[tuple[int | None, ...], ...]
"""A frame of each view, for every beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongAxisFunction:
    """What long-axis views say of the left heart; as `Function`, with the landmarks of each view.

    Attributes:
        landmarks: `<view>_<phase>_<point>`: (z, y, x) index of `apex`, `hinge_1` and `hinge_2`.
        strain: of these views and of the 3-chamber, with findings of its own.
    """

    findings: tuple[Finding, ...]
    phases: Mapping[View, Phases]
    curves: Mapping[str, tuple[float | None, ...]]
    landmarks: Mapping[str, tuple[float, ...]]
    conventions: tuple[str, ...]
    quality: Quality
    strain: ApicalStrain


def measure_long_axis(
    segmentations: Mapping[View, Segmentation],
    phases: Mapping[View, Phases],
    body: Body | None = None,
    *,
    modality: Modality = Modality.US,
) -> LongAxisFunction:
    """Measure the 4- and the 2-chamber view, or the one that is there.

    Args:
        segmentations: (t, 1, y, x) labels by view, at least one of `VIEWS`.
        phases: where the files say them; else each view's own volume curve does.
        body: for indexed values, cardiac output and reference ranges.
        modality: decides codes and ranges.

    Raises:
        MeasureError: given phases that are not frames of a view.
    """
    body = body or Body()
    views = tuple(
        long_axis(view, segmentations[view], phases.get(view))
        for view in VIEWS
        if view in segmentations
    )
    known = _numbers(views, body)
    why = why_no_echo(body, modality, views=len(views))
    told = echo_sentences(views, body=body_problem(body) is None)
    others = tuple(outflow_view(segmentations[view], phases.get(view))
                   for view in strained(segmentations) if view not in VIEWS)  # fmt: skip
    return LongAxisFunction(
        findings=_findings(
            known, tuple(view.view for view in views), modality, None if why else body
        ),
        phases={view.view: view.phases for view in (*views, *others) if view.phases},
        curves=_curves(views[0]),
        landmarks=_landmarks(views),
        conventions=(*told, f"Reference ranges: none ({why})." if why else ECHO_SOURCE),
        quality=echo_quality(views, {key: one.value for key, one in known.items()}),
        strain=apical_strain((*views, *others), modality),
    )


def _findings(
    known: Mapping[str, Number], shown: tuple[View, ...], modality: Modality, judged: Body | None
) -> tuple[Finding, ...]:
    """In the catalogue's order; with reference ranges of the body that is judged by them."""
    beats = sum(key.startswith("lv_ef_beat_") for key in known)
    found = []
    for key, entry in entries(shown, beats).items():
        number = known[key]
        normal = echo_reference(key, judged) if judged and number.value is not None else None
        found.append(
            Finding(
                key=key,
                name=entry.name,
                value=number.value,
                unit=entry.unit,
                reference=normal,
                problem=number.problem,
                code=code(key, shown, modality),
            )
        )
    return tuple(found)


def _numbers(views: tuple[LongAxis, ...], body: Body) -> dict[str, Number]:
    known = _by_method("", views, biplane)
    for view in views:
        own = _by_method("", (view,), biplane)
        known |= {of_view(key, view.view): own[key] for key in ("lv_edv_ml", "lv_esv_ml", "lv_ef")}
        known |= _lengths(view)
    known |= _by_method("_area_length", views, area_length)
    for phase, remark in foreshortening(known).items():
        for key in (f"lv_{phase}v_ml", "lv_ef"):
            known[key] = known[key].minded(remark.partition(":")[0] if key == "lv_ef" else remark)
    known["lv_sv_ml"] = difference(known["lv_edv_ml"], known["lv_esv_ml"])
    known["co_l_min"] = _output(known["lv_sv_ml"], _heart(views, body))
    known["la_esv_ml"] = _atrium(views)
    known |= _rates(views[0])
    return known | indexed(known, INDEXED, body)


def _beats_in(views: tuple[LongAxis, ...]) -> int:
    """Beats that every view has."""
    return min(len(view.beats) for view in views)


def _frames(views: tuple[LongAxis, ...], phase: int) -> Beats:
    """Frames of one phase: for every beat, one in each view. They were recorded one after the
    other, so that the n-th beats of both views go together as well as any others."""
    return tuple(zip(*([one[phase] for one in view.beats] for view in views), strict=False))


def _by_method(suffix: str, views: tuple[LongAxis, ...], method: Method) -> dict[str, Number]:
    """Volumes and ejection fraction, means over the beats, and the fraction of each beat."""
    keys = [f"lv_{name}{suffix}{unit}" for name, unit in (("edv", "_ml"), ("esv", "_ml"))]
    fraction = f"lv_ef{suffix}"
    if len(views) > 1 and not all(view.calibrated for view in views):
        return dict.fromkeys((*keys, fraction), Number(None, NO_COMMON_SCALE))
    if not _beats_in(views):
        reason = next(str(view.ventricle[0]) for view in views if not view.beats)
        return dict.fromkeys((*keys, fraction), Number(None, reason))
    volumes = [[volume(views, frames, method) for frames in _frames(views, phase)]
               for phase in (0, 1)]  # fmt: skip
    shares = [ejected_share(edv, esv) for edv, esv in zip(*volumes, strict=True)]
    means = [mean_of_beats(of_beats) for of_beats in volumes]
    if means[1].problem == SINGLE_PHASE:
        means[0] = means[0].minded("a single phase, taken as end-diastole")
    known = {key: _ml(mean, views) for key, mean in zip(keys, means, strict=True)}
    known[fraction] = mean_of_beats(shares)
    if len(shares) > 1 and not suffix:
        known |= {f"lv_ef_beat_{number}": one for number, one in enumerate(shares, start=1)}
    return known


def _ml(cubic: Number, views: tuple[LongAxis, ...]) -> Number:
    if not all(view.calibrated for view in views):
        return cubic if cubic.value is None else Number(None, NO_MILLIMETRES)
    return cubic.times(1e-3)


def _lengths(view: LongAxis) -> dict[str, Number]:
    """Long axes at both phases, means over the beats."""
    known = {}
    for phase, name in enumerate(("ed", "es")):
        number = Number(None, str(view.ventricle[0]))
        if view.beats:
            number = mean_of_beats([volume((view,), frames, lambda one, _: one.length)
                            for frames in _frames((view,), phase)])  # fmt: skip
        if number.value is not None and not view.calibrated:
            number = Number(None, NO_MILLIMETRES)
        known[of_view(f"lv_length_{name}_mm", view.view)] = number
    return known


def _atrium(views: tuple[LongAxis, ...]) -> Number:
    if not _beats_in(views):
        return Number(None, next(str(view.ventricle[0]) for view in views if not view.beats))
    if not all(view.calibrated for view in views):
        return Number(None, NO_MILLIMETRES)
    measured = [atrial_volume(views, frames, biplane) for frames in _frames(views, 1)]
    return _ml(mean_of_beats(measured), views)


def _heart(views: tuple[LongAxis, ...], body: Body) -> Beat:
    """The heart rate: known, or from end-systole to end-systole, or of a loop of one beat."""
    first = views[0]
    times = first.segmentation.times_ms
    rate = body.heart_rate_bpm
    between = beat_ms([(ed, es) for ed, es in first.beats if es is not None], times)
    if rate is None and between is not None:
        return Beat(heart_rate_bpm=60_000.0 / between, from_times=True)
    return beat(times, rate, first.curve)


def _output(stroke: Number, heart: Beat) -> Number:
    if stroke.value is None:
        return stroke
    if heart.heart_rate_bpm is None:
        return Number(None, heart.problem)
    remark = "heart rate from the times of the loop" if heart.from_times else None
    return stroke.times(heart.heart_rate_bpm / 1000.0).minded(remark)


def _rates(view: LongAxis) -> dict[str, Number]:
    names = ("lv_peak_ejection_rate_ml_s", "lv_peak_filling_rate_ml_s")
    if not view.calibrated:
        return dict.fromkeys(names, Number(None, NO_MILLIMETRES))
    found = peak_rates(view.curve / 1000.0, view.segmentation.times_ms)
    return dict(zip(names, (found.ejection, found.filling), strict=True))


def _curves(view: LongAxis) -> dict[str, tuple[float | None, ...]]:
    """Times and single-plane volumes of LV and left atrium in the first view."""
    frames = view.segmentation.frames
    times = view.segmentation.times_ms or (None,) * frames
    finite = tuple(t if t is not None and np.isfinite(t) else None for t in times)
    curves: dict[str, tuple[float | None, ...]] = {"time_ms": finite}
    if not view.calibrated or frames < FEWEST_CURVE:
        return curves
    atria = [view.atrium(frame) for frame in range(frames)]
    chambers = {"lv_ml": view.ventricle, "la_ml": tuple(atria)}
    for key, found in chambers.items():
        if not all(isinstance(one, str) for one in found):
            curves[key] = tuple(
                None if isinstance(one, str) else single_plane(one) / 1000.0 for one in found
            )
    return curves


def _landmarks(views: tuple[LongAxis, ...]) -> dict[str, tuple[float, ...]]:
    """Apex and hinges of the LV at the phases that the report shows."""
    marks: dict[str, tuple[float, ...]] = {}
    for view in views:
        frames = {"ed": view.phases.ed, "es": view.phases.es} if view.phases else {}
        for phase, frame in frames.items():
            found = "" if frame is None else view.ventricle[frame]
            if isinstance(found, str):
                continue
            points = {"apex": found.apex, "hinge_1": found.hinges[0], "hinge_2": found.hinges[1]}
            for name, point in points.items():
                marks[f"{view.view}_{phase}_{name}"] = (0.0, *(float(p) for p in point))
    return marks
