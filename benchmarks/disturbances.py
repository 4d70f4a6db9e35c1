"""The disturbances of robustness.py: families, and in each the strengths that are measured."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
        turn: when it is measured: those of turn 0 first, the strongest of each family.
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


Level = tuple[str, Change, int]


def _levels(
    words: str, change: Callable[[float], Change], *strengths: tuple[float, int]
) -> tuple[Level, ...]:
    """Levels of rising strength, each with its turn; `{}` in the words stands for the strength."""
    return tuple((words.format(value), change(value), turn) for value, turn in strengths)


def _family(family: str, *levels: Level) -> Iterator[Disturbance]:
    for level, change, turn in levels:
        yield Disturbance(family=family, level=level, change=change, turn=turn)


NONE = Disturbance(family="none", level="as it is", change=lambda scene, _: scene, turn=0)

DISTURBANCES = (
    NONE,
    *_family(
        "rotation",
        *_levels(
            "{} degrees",
            lambda angle: _place(lambda scene: rotated(scene, angle)),
            *((15, 3), (30, 3), (45, 2), (75, 0)),
        ),
    ),
    *_family(
        "turns",
        ("quarter turn", _place(lambda scene: turned(scene, QUARTER_TURN)), 0),
        ("half turn", _place(lambda scene: turned(scene, HALF_TURN)), 2),
        ("mirrored", _place(lambda scene: turned(scene, MIRRORED)), 2),
    ),
    *_family(
        "storage",
        ("rows as columns", _place(lambda scene: stored(scene, EXCHANGED)), 1),
        ("upside down", _place(lambda scene: stored(scene, UPSIDE_DOWN)), 2),
    ),
    *_family(
        "pixel size",
        *_levels(
            "{} mm",
            lambda size: _place(lambda scene: spaced(scene, size)),
            *((0.7, 1), (1.0, 2), (1.5, 3), (2.0, 2), (2.5, 0)),
        ),
    ),
    *_family(
        "slices",
        ("every second one", _place(every_second_slice), 0),
        ("middle one missing", _place(without_middle_slice), 2),
        ("middle one black", _place(black_middle_slice), 1),
        ("distance said to be double", _place(twice_as_far), 2),
    ),
    *_family(
        "single slice",
        ("basal", _place(lambda scene: single_slice(scene, 0.1)), 0),
        ("middle", _place(lambda scene: single_slice(scene, 0.5)), 0),
        ("apical", _place(lambda scene: single_slice(scene, 0.9)), 0),
    ),
    *_family(
        "field of view",
        *_levels(
            "{} mm about the heart",
            lambda margin: _place(lambda scene: cropped(scene, margin)),
            *((10, 1), (5, 1), (0, 0)),
        ),
        ("a quarter of the RV outside", _place(lambda s: cropped_through_rv(s, 0.25)), 0),
    ),
    *_family("noise", *_levels("signal to noise {}", _noise, (20, 2), (10, 1), (5, 0))),
    *_family(
        "coil",
        *_levels("{} to 1", lambda ratio: _values(lambda i: shaded(i, ratio)), (4, 2), (16, 0)),
    ),
    *_family(
        "motion",
        *_levels(
            "breathing by {} mm",
            lambda size: _values(lambda image: breathing(image, size)),
            *((2, 1), (5, 0)),
        ),
        *_levels(
            "blur of {} mm",
            lambda size: _values(lambda image: blurred(image, size)),
            *((1.5, 2), (3, 1)),
        ),
    ),
    *_family(
        "contrast",
        *_levels("gamma {}", lambda power: _values(lambda i: toned(i, power)), (0.4, 2), (2.5, 1)),
        ("negative", _values(inverted), 0),
    ),
    *_family(
        "grey values",
        ("256 of them (8 bit)", _values(lambda image: coarse(image, 256)), 2),
        ("32 of them", _values(lambda image: coarse(image, 32)), 2),
        ("8 of them", _values(lambda image: coarse(image, 8)), 0),
    ),
    *_family(
        "range",
        *_levels(
            "clipped at percentile {}",
            lambda place: _values(lambda image: saturated(image, place)),
            *((90, 2), (75, 1)),
        ),
        *_levels(
            "stripe {} times as bright",
            lambda factor: _values(lambda image: with_bright_stripe(image, factor)),
            *((2, 2), (4, 0)),
        ),
    ),
)
"""Within a family, or a kind of it, from weak to strong."""

FAMILIES = tuple(dict.fromkeys(one.family for one in DISTURBANCES if one is not NONE))


def in_turn(families: Sequence[str], patients: Sequence[str]) -> Iterator[tuple[Disturbance, str]]:
    """What is measured of whom, in the order in which it is: an early end leaves a fair part.

    Of the first quarter of the patients the strongest of each family come first; then the next
    strength of these and the strongest of the next quarter, and so on. The numbers of ACDC go by
    diagnosis, so a quarter is every fourth patient.
    """
    chosen = [NONE, *(one for one in DISTURBANCES if one.family in families)]
    quarters = [patients[first::4] for first in (1, 3, 0, 2)]
    turns = sorted({one.turn for one in chosen})
    for late in range(max(turns) + len(quarters)):
        for place, quarter in enumerate(quarters[: late + 1]):
            for disturbance in chosen:
                if disturbance.turn == late - place:
                    yield from ((disturbance, patient) for patient in quarter)
