"""The phantoms of known_truth.py: the same hearts as cine MR and as CT, pixel on pixel.

`DATA/mr` and `DATA/ct` are folders that `heartseg train` reads. Whose number % 5 is 2 lies in `mr`
alone, 3 in `ct` alone, so that the two kinds are trained on without a pair; 0 lies in both, to
test. Every patient has ED, about ES, and late diastole, in six slices of 96 x 96 pixels of 2 mm.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from heartseg.core.image import Image, Segmentation
from heartseg.core.study import View
from heartseg.phantom import Acquisition, make_ct_study, make_study, write_study
from heartseg.phantom.study import Made, draw, say_numbers
from heartseg.read import Candidate, find_studies
from heartseg.train.split import patient_of

KINDS: Mapping[str, Callable[..., Made]] = {"mr": make_study, "ct": make_ct_study}
TRAINS: Mapping[str, int] = {"mr": 2, "ct": 3}
"""Remainder of the numbers, divided by 5, of the patients of one kind alone."""

TESTS = 0
SLICES, FRAMES, SIDE_PX, PIXEL_MM = 6, 3, 96, 2.0


def write_data(folder: Path, train: int, test: int) -> None:
    """Write what is not there yet: `train` patients of each kind alone, `test` of both."""
    for kind in KINDS:
        for seed in (*numbers(TRAINS[kind], train), *numbers(TESTS, test)):
            place = folder / kind
            if not (place / f"phantom-{seed:04d}").exists():
                unfinished = place.with_name(f"{kind}-unfinished-{seed}")
                made = KINDS[kind](seed, acquisition=scan_of(seed))
                written = write_study(unfinished, made)
                place.mkdir(parents=True, exist_ok=True)
                written.rename(place / written.name)
                unfinished.rmdir()
        say_numbers(folder / kind)


def numbers(remainder: int, count: int) -> list[int]:
    """The first patients whose number leaves this remainder; 0 itself is nobody."""
    return [5 * n + remainder for n in range(remainder == 0, count + (remainder == 0))]


def scan_of(seed: int) -> Acquisition:
    """Six planes from the apex to the base of that heart, its own scanner's noise and shading."""
    heart, _, _, drawn = draw(seed)
    return replace(
        drawn,
        slices=SLICES,
        frames=FRAMES,
        matrix=(SIDE_PX, SIDE_PX),
        spacing_mm=(PIXEL_MM, PIXEL_MM),
        slice_distance_mm=heart.length_mm / SLICES,
        start_phase=0.0,
    )


def pairs(
    folder: Path, source: str, target: str
) -> Iterator[tuple[str, Image, Image, Segmentation]]:
    """Of every patient that tests: the name, both images, and the labels."""
    theirs = _by_patient(folder / target)
    for name, candidate in _by_patient(folder / source).items():
        if name in theirs:
            truth = (candidate.reference() if candidate.reference else {})[View.SAX]
            images = (one.load().images[View.SAX] for one in (candidate, theirs[name]))
            yield name, *images, truth  # type: ignore[misc]  # two images


def _by_patient(folder: Path) -> dict[str, Candidate]:
    return {patient_of(one): one for one in find_studies(folder)}
