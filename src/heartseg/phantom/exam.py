"""A whole cardiac MR examination of one synthetic heart, as untidy as archives are.

Around the short-axis cine stand a localiser in three directions, long-axis cines through the same
heart, a perfusion series, late enhancement, flow, and a slice that was acquired twice: its first
version moved, the second counts. One slice has fewer frames than the others; the heart's rate
drifts from breath-hold to breath-hold; names of series help or do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.study import View
from heartseg.phantom.acquisition import Acquisition
from heartseg.phantom.cine_mr import render
from heartseg.phantom.contrast import Contrast
from heartseg.phantom.heart import Heart, Kind
from heartseg.phantom.study import Made, draw, make_study
from heartseg.phantom.torso import Torso

if TYPE_CHECKING:
    from heartseg.formats.dicom_exam import ExamSeries, Loop

RATE_DRIFT = 0.05
"""Largest change of the heart's cycle from breath-hold to breath-hold, as a share of it."""

FEWER = 0.75
"""Share of the frames that one slice has."""

BEATS = 24
"""Frames of the perfusion series, one a beat."""

DIASTOLE = 0.72
"""Phase at which stills are taken."""

LONG_AXES: dict[View, float] = {View.LAX_2CH: 95.0, View.LAX_3CH: 35.0, View.LAX_4CH: -12.0}
"""Where each plane cuts the short axis: degrees from the lateral to the inferior wall."""

NAMES: dict[str, tuple[str, ...]] = {
    "scout": ("localizer", "3-plane", "Übersicht", ""),
    View.LAX_2CH: ("cine_2ch", "tf2d_retro 2 Kammer", "LAX", "cine_bh"),
    View.LAX_3CH: ("LVOT", "cine_3ch", "coeur_3", ""),
    View.LAX_4CH: ("4CH", "Vierkammerblick", "SAX planning", "cine_bh"),
    View.SAX: ("cine_bh", "Kurzachse", "SA stack", "petit axe", "eje corto", ""),
    "perfusion": ("dynamic 3sl", "FIRST PASS", "tfl_sr"),
    "flow": ("Q_asc_ao", "flow_250bh", "VENC 200"),
    View.LATE_ENHANCEMENT: ("MF_vue", "LGE", "", "tardif 2D"),
}
"""What people call series; some say nothing, some say something else."""


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """Everything that was acquired, in the order of the day.

    Attributes:
        made: the short-axis study with labels and truth, as `make_study` gives it.
        stack: short-axis breath-holds, apex first; one of them has fewer frames.
        discarded: the first, spoilt version of a slice of `stack`.
        again: which slice that is.
        others: series that are not the short-axis cine.
        name: of the short-axis series.
    """

    made: Made
    stack: tuple["Loop", ...]
    discarded: "Loop"
    again: int
    others: tuple["ExamSeries", ...]
    name: str


def make_exam(
    seed: int, *, kind: Kind | None = None, acquisition: Acquisition | None = None
) -> Exam:
    """Scan the heart of a seed from all sides.

    Args:
        seed: of everything; the short-axis cine is that of `make_study`.
        kind: of heart; None draws one.
        acquisition: how the short axis is scanned; None draws that too.
    """
    made = make_study(seed, kind=kind, acquisition=acquisition)
    heart, torso, _, drawn = draw(seed, kind)
    scanner = _Scanner(heart, torso, acquisition or drawn, np.random.default_rng([seed, 99]))
    before = [scanner.scout(), *scanner.long_axes()]
    image = made[0].images[View.SAX]
    stack = tuple(scanner.stack(image))
    again = len(stack) // 2
    spoilt = scanner.spoilt(stack[again])
    after = [scanner.perfusion(), *scanner.flow(), scanner.late_enhancement()]
    return Exam(made, stack, spoilt, again, (*before, *after), scanner.name(View.SAX))


class _Scanner:
    """Keeps the clock of the day and the numbers of the series."""

    def __init__(
        self, heart: Heart, torso: Torso, scan: Acquisition, rng: np.random.Generator
    ) -> None:
        self._heart, self._torso, self._scan, self._rng = heart, torso, scan, rng
        self._clock = count(12 * 3600, 40)  # a breath-hold every forty seconds
        self._number = count(1)

    def name(self, what: str) -> str:
        return str(self._rng.choice(NAMES[what]))

    def scout(self) -> "ExamSeries":
        """Axial, coronal and sagittal stills in one series."""
        loops = []
        for axes in _PATIENT_AXES:
            scan = self._variant(slices=3, frames=1, directions=axes, distance_mm=40.0)
            loops += self._loops(self._render(scan))
        return self._series("scout", loops)

    def long_axes(self) -> "Iterator[ExamSeries]":
        """A cine of one plane each, in the planes of `LONG_AXES`."""
        for view, degrees in LONG_AXES.items():
            axes = long_axis(self._heart, degrees)
            scan = self._variant(slices=1, frames=self._scan.frames, directions=axes)
            yield self._series(view, self._loops(self._render(scan)))

    def stack(self, image: Image) -> "Iterator[Loop]":
        """The short-axis cine, a breath-hold a slice, each with its own heart rate."""
        slices = image.geometry.shape[0]
        rates = np.linspace(-1.0, 1.0, slices)[self._rng.permutation(slices)]
        for z, rate in enumerate(rates.tolist()):
            rr = round(self._scan.rr_ms * (1.0 + RATE_DRIFT * rate), 1)
            plane = one_slice(image, z)
            if z == 1:
                plane = self._with_fewer_frames(plane)
            yield self._loop(plane, rr)

    def _with_fewer_frames(self, plane: Image) -> Image:
        frames = max(2, round(FEWER * plane.frames))
        middle = [(n - 1) / 2 for n in plane.geometry.shape]
        x, y, z = plane.geometry.point(middle).tolist()
        return self._render(replace(self._scan, slices=1, frames=frames, centre_mm=(x, y, z)))

    def spoilt(self, loop: "Loop") -> "Loop":
        """The same slice, earlier, by a patient who breathed: ghosts along the rows."""
        voxels = loop.image.voxels.astype(np.float64)
        shift = max(3, voxels.shape[2] // 12)
        ghosts = sum(np.roll(voxels, way * shift, axis=2) for way in (-2, -1, 1, 2))
        spoilt = np.rint(0.5 * voxels + 0.12 * ghosts).astype(loop.image.voxels.dtype)
        rr = round(0.97 * loop.rr_ms, 1)
        times = tuple(rr * t / loop.image.frames for t in range(loop.image.frames))
        image = replace(loop.image, voxels=spoilt, times_ms=times)
        return replace(loop, image=image, rr_ms=rr, taken_s=loop.taken_s - 20.0)

    def perfusion(self) -> "ExamSeries":
        """Three slices, a frame a beat, while contrast agent passes."""
        loops = []
        scan = self._variant(slices=3, frames=1, distance_mm=20.0)
        empty = self._render(scan, Contrast(lv_blood=0.1, rv_blood=0.1, myocardium=0.08, fat=-0.3))
        full = self._render(scan, Contrast(lv_blood=1.0, rv_blood=0.8, myocardium=0.3, fat=-0.3))
        beats = np.arange(BEATS)[:, None, None, None]
        share = np.exp(-(((beats - 10.0) / 5.0) ** 2))
        for z in range(scan.slices):
            low, high = one_slice(empty, z), one_slice(full, z)
            voxels = np.rint(low.voxels + share * (high.voxels - low.voxels)).astype(np.int16)
            image = Image(voxels, low.geometry, tuple(float(beat) for beat in range(BEATS)))
            loops.append(self._loop(image, self._scan.rr_ms, gated=False, inversion_ms=110.0))
        return self._series("perfusion", loops)

    def flow(self) -> "Iterator[ExamSeries]":
        """Magnitude and velocity of the ascending aorta, across it."""
        up = 0.8 * self._heart.length_mm * self._heart.directions[:, 2]
        x, y, z = np.add(self._heart.position_mm, up).tolist()
        scan = self._variant(slices=1, frames=self._scan.frames, directions=_PATIENT_AXES[0])
        magnitude = self._render(replace(scan, centre_mm=(x, y, z)))
        beat = np.sin(np.pi * np.arange(scan.frames) / scan.frames)[:, None, None, None]
        blood = magnitude.voxels > 0.7 * float(magnitude.voxels.max())
        velocity = np.rint(2048 + 900 * beat * blood).astype(np.int16)
        name, loops = self.name("flow"), self._loops(magnitude)
        yield self._series("flow", loops, name)
        loops = [replace(loop, image=magnitude.like(velocity)) for loop in loops]
        types = ("ORIGINAL", "PRIMARY", "VELOCITY MAP")
        yield replace(self._series("flow", loops, f"{name}_P"), image_type=types)

    def late_enhancement(self) -> "ExamSeries":
        """A still of every slice with inversion, myocardium black."""
        scan = replace(self._scan, frames=1, start_phase=DIASTOLE, seed=self._scan.seed + 5)
        dark = Contrast(lv_blood=0.75, rv_blood=0.7, myocardium=0.06, papillary=0.06, fat=-0.8)
        loops = self._loops(self._render(scan, dark), inversion_ms=280.0)
        return self._series(View.LATE_ENHANCEMENT, loops)

    def _variant(
        self,
        *,
        slices: int,
        frames: int,
        directions: NDArray[np.float64] | None = None,
        distance_mm: float = 10.0,
    ) -> Acquisition:
        """Another stack through the middle of the heart, by the same scanner."""
        x, y, z = self._heart.position_mm
        return replace(
            self._scan,
            slices=slices,
            frames=frames,
            slice_distance_mm=distance_mm,
            slice_thickness_mm=min(8.0, distance_mm),
            directions=directions if directions is not None else self._scan.directions,
            centre_mm=(x, y, z),
            start_phase=DIASTOLE if frames == 1 else self._scan.start_phase,
            breath_hold_mm=0.0,
            seed=int(self._rng.integers(2**31)),
        )

    def _render(self, scan: Acquisition, contrast: Contrast | None = None) -> Image:
        return render(self._heart, scan, torso=self._torso, contrast=contrast)

    def _loops(self, image: Image, *, inversion_ms: float | None = None) -> "list[Loop]":
        planes = (one_slice(image, z) for z in range(image.geometry.shape[0]))
        return [self._loop(p, self._scan.rr_ms, inversion_ms=inversion_ms) for p in planes]

    def _loop(
        self,
        image: Image,
        rr_ms: float,
        *,
        gated: bool = True,
        inversion_ms: float | None = None,
    ) -> "Loop":
        from heartseg.formats.dicom_exam import Loop

        times = tuple(rr_ms * t / image.frames for t in range(image.frames))
        timed = replace(image, times_ms=times)
        taken = float(next(self._clock))
        return Loop(image=timed, rr_ms=rr_ms, taken_s=taken, gated=gated, inversion_ms=inversion_ms)

    def _series(self, what: str, loops: "list[Loop]", name: str | None = None) -> "ExamSeries":
        from heartseg.formats.dicom_exam import ExamSeries

        said = self.name(what) if name is None else name
        return ExamSeries(number=next(self._number), description=said, loops=tuple(loops))


def long_axis(heart: Heart, degrees: float) -> NDArray[np.float64]:
    """3x3 axes (z, y, x) of a plane along the long axis: rows run to the base.

    Args:
        heart: whose axis.
        degrees: direction in which columns run, from the lateral to the inferior wall.
    """
    u, v, w = heart.directions.T
    angle = np.radians(degrees)
    across = np.cos(angle) * u + np.sin(angle) * v
    return np.stack([np.cross(across, w), w, across], axis=1)


def one_slice(image: Image, z: int) -> Image:
    """A slice of a stack as an image of its own, at the same place."""
    affine = image.geometry.affine.copy()
    affine[:3, 3] = image.geometry.point((z, 0, 0))
    geometry = Geometry((1, *image.geometry.shape[1:]), affine)
    return Image(image.voxels[:, z : z + 1], geometry, image.times_ms)


_PATIENT_AXES = (
    np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),  # axial
    np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),  # coronal
    np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),  # sagittal
)
"""Columns are the (z, y, x) axes of a plane: z its normal, y down, x right."""
