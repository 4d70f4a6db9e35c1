"""The disturbances of robustness.py: families, and in each the strengths that are measured."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from disturbed_places import (
    EXCHANGED,
    HALF_TURN,
    MIRRORED,
    QUARTER_TURN,
    UPSIDE_DOWN,
    Scene,
    black_middle_slice,
    cropped,
    cropped_through_rv,
    every_second_slice,
    rotated,
    single_slice,
    spaced,
    stored,
    turned,
    twice_as_far,
    without_middle_slice,
)
from disturbed_values import (
    blurred,
    breathing,
    coarse,
    inverted,
    noisy,
    saturated,
    shaded,
    toned,
    with_bright_stripe,
)

from heartseg.core.image import Image

Change = Callable[[Scene, np.random.Generator], Scene]
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """One strength of one family.

    Attributes:
        family: what is disturbed.
        level: how strongly, in words.
        change: of a scene.
        turn: when it is measured: those of turn 0 come first, the strongest of each family.
    """

    family: str
    level: str
    change: Change
    turn: int

    @property
    def name(self) -> str:
        """Family and level."""
        return f"{self.family}: {self.level}"

    def of(self, scene: Scene, patient: str) -> Scene:
        """The disturbed scene; chance depends on the patient and on nothing else."""
        seed = [SEED, zlib.crc32(f"{patient} {self.name}".encode())]
        return self.change(scene, np.random.default_rng(seed))


def _place(change: Callable[[Scene], Scene]) -> Change:
    return lambda scene, _: change(scene)


def _values(change: Callable[[Image], Image]) -> Change:
    return lambda scene, _: replace(scene, image=change(scene.image))


def _noise(ratio: float) -> Change:
    return lambda scene, random: replace(
        scene, image=noisy(scene.image, scene.signal / ratio, random)
    )


def _family(family: str, *levels: tuple[str, Change, int]) -> Iterator[Disturbance]:
    for level, change, turn in levels:
        yield Disturbance(family=family, level=level, change=change, turn=turn)


NONE = Disturbance(family="none", level="as it is", change=lambda scene, _: scene, turn=0)

DISTURBANCES = (
    NONE,
    *_family(
        "rotation",
        *(
            (f"{angle} degrees", _place(partial(rotated, degrees=angle)), turn)
            for angle, turn in ((15, 2), (30, 3), (45, 1), (75, 0))
        ),
    ),
    *_family(
        "turns",
        ("quarter turn", _place(partial(turned, orientation=QUARTER_TURN)), 0),
        ("half turn", _place(partial(turned, orientation=HALF_TURN)), 2),
        ("mirrored", _place(partial(turned, orientation=MIRRORED)), 1),
    ),
    *_family(
        "storage",
        ("rows as columns", _place(partial(stored, orientation=EXCHANGED)), 1),
        ("upside down", _place(partial(stored, orientation=UPSIDE_DOWN)), 2),
    ),
    *_family(
        "pixel size",
        *(
            (f"{size} mm", _place(partial(spaced, spacing_mm=size)), turn)
            for size, turn in ((0.7, 1), (1.0, 2), (1.5, 3), (2.0, 2), (2.5, 0))
        ),
    ),
    *_family(
        "slices",
        ("every second one", _place(every_second_slice), 0),
        ("middle one missing", _place(without_middle_slice), 2),
        ("middle one black", _place(black_middle_slice), 1),
        ("distance said to be double", _place(twice_as_far), 1),
    ),
    *_family(
        "single slice",
        *(
            (name, _place(partial(single_slice, place=place)), 0)
            for name, place in (("basal", 0.1), ("middle", 0.5), ("apical", 0.9))
        ),
    ),
    *_family(
        "field of view",
        *(
            (f"{margin} mm about the heart", _place(partial(cropped, margin_mm=margin)), turn)
            for margin, turn in ((10, 1), (5, 1), (0, 0))
        ),
        (
            "a quarter of the RV outside",
            _place(partial(cropped_through_rv, share=0.25)),
            0,
        ),
    ),
    *_family(
        "noise",
        *((f"signal to noise {ratio}", _noise(ratio), turn) for ratio, turn in ((20, 2), (10, 1), (5, 0))),
    ),
    *_family(
        "coil",
        *(
            (f"{ratio} to 1", _values(partial(shaded, ratio=ratio)), turn)
            for ratio, turn in ((4, 1), (16, 0))
        ),
    ),
    *_family(
        "motion",
        *(
            (f"breathing by {size} mm", _values(partial(breathing, amplitude_mm=size)), turn)
            for size, turn in ((2, 1), (5, 0))
        ),
        *(
            (f"blur of {size} mm", _values(partial(blurred, deviation_mm=size)), turn)
            for size, turn in ((1.5, 2), (3, 1))
        ),
    ),
    *_family(
        "contrast",
        ("gamma 0.4", _values(partial(toned, exponent=0.4)), 2),
        ("gamma 2.5", _values(partial(toned, exponent=2.5)), 1),
        ("negative", _values(inverted), 0),
    ),
    *_family(
        "grey values",
        ("256 of them (8 bit)", _values(partial(coarse, levels=256)), 2),
        ("32 of them", _values(partial(coarse, levels=32)), 2),
        ("8 of them", _values(partial(coarse, levels=8)), 0),
    ),
    *_family(
        "range",
        *(
            (f"clipped at percentile {place}", _values(partial(saturated, percentile=place)), turn)
            for place, turn in ((90, 2), (75, 1))
        ),
        *(
            (f"stripe {factor} times as bright", _values(partial(with_bright_stripe, factor=factor)), turn)
            for factor, turn in ((2, 1), (4, 0))
        ),
    ),
)  # fmt: skip
"""Within a family from weak to strong."""

FAMILIES = tuple(dict.fromkeys(one.family for one in DISTURBANCES if one is not NONE))


def in_turn(families: Sequence[str], patients: Sequence[str]) -> Iterator[tuple[Disturbance, str]]:
    """What is measured of whom, in the order in which it is: an early end leaves a fair part.

    The strongest of each family come first, and of each turn every second patient.
    """
    chosen = [NONE, *(one for one in DISTURBANCES if one.family in families)]
    for turn in sorted({one.turn for one in chosen}):
        for some in (patients[1::2], patients[::2]):
            for disturbance in chosen:
                if disturbance.turn == turn:
                    yield from ((disturbance, patient) for patient in some)
