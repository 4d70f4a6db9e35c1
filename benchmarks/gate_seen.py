"""What the gate sees of each collected case, kept beside it so that limits can be tried at once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from gate_cases import KEPT, REFERENCE, Case, folder_of, kept, patients, reference
from gate_faults import OF_MASKS, WRONG_ANYHOW, Given

from heartseg.core.anatomy import Structure
from heartseg.core.image import Segmentation
from heartseg.core.study import Phases
from heartseg.measure.confidence import Standing, standings, unsureness
from heartseg.measure.function import measure_function
from heartseg.measure.likeness import Familiar, Looks, looks_of, unlikeness
from heartseg.measure.overlap import dice
from heartseg.measure.plausibility import quality

BAD = 0.8
PHASES = Phases(ed=0, es=1, how="given")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A case: how good it is, and all that the gate goes by.

    Attributes:
        dice: by structure and phase, of the structures that were sought: `LV cavity ED`.
        verdict, reasons: from the contours alone.
        stood: of the model's confidence; empty where there is none.
        looks: traits, see `heartseg.measure.likeness`.
    """

    part: str
    source: str
    patient: str
    fault: str
    dice: Mapping[str, float]
    verdict: str
    reasons: tuple[str, ...]
    stood: tuple[Standing, ...]
    looks: Looks | None

    @property
    def lowest(self) -> float:
        """The worst Dice of any structure in either phase."""
        return min(self.dice.values())

    @property
    def lowest_lv(self) -> float:
        """The worst Dice of the LV."""
        return min(value for name, value in self.dice.items() if name.startswith("LV cavity"))

    @property
    def wrong_anyhow(self) -> bool:
        """True when its numbers are wrong though every mask may fit its slice."""
        return self.fault in WRONG_ANYHOW

    @property
    def bad(self) -> bool:
        """What the gate should stop."""
        return self.wrong_anyhow or self.lowest < BAD

    @property
    def expected(self) -> float | None:
        """The worst Dice that the model expects of itself; None where it has no probabilities."""
        if not self.stood:
            return None
        return min(0.0 if one.expected is None else one.expected for one in self.stood)

    def judged(self, familiar: Familiar | None) -> tuple[str, ...]:
        """All reasons of the gate, as `heartseg.measure.doubts`; none is a pass."""
        if self.verdict == "reject":
            return self.reasons
        unlike = unlikeness(self.looks, familiar) if self.looks and familiar else ()
        return (*self.reasons, *unsureness(self.stood), *unlike)


def look_at(part: str, source: str) -> None:
    """Look at each collected case of a source once, and keep what was seen."""
    if source == REFERENCE:
        cases = ((case, lambda given=given: given) for case, given in _drawn(part))
    else:
        cases = kept(part, source)  # type: ignore[assignment]
    for case, given in cases:
        path = _path(part, source) / f"{case.path.stem}.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(asdict(look(case, given()))), encoding="utf-8")
            print("seen", part, source, case.path.stem, flush=True)


def seen_of(part: str, source: str) -> list[Seen]:
    """All of a source that was looked at so far; `REFERENCE` for the contours that people drew."""
    found = sorted(_path(part, source).glob("*.json"))
    return [_read(json.loads(path.read_text(encoding="utf-8"))) for path in found]


def _drawn(part: str) -> Iterator[tuple[Case, Given]]:
    for number, _ in enumerate(patients(part)):
        yield reference(part, number)


def _path(part: str, source: str) -> Path:
    return KEPT / "seen" / folder_of(part, source)


def look(case: Case, given: Given) -> Seen:
    """A case as the gate sees it, and how good it is."""
    drawn = Segmentation(case.labels, given.image.geometry, case.structures)
    function = measure_function(drawn, PHASES)
    from_contours = quality(drawn, function.phases, function.findings)
    scores = {
        f"{structure.title} {phase}": dice(
            drawn.labels[frame] == structure, given.truth[frame] == structure
        )
        for structure in case.structures
        for frame, phase in enumerate(("ED", "ES"))
    }
    return Seen(
        part=case.part,
        source=case.source,
        patient=case.patient,
        fault=case.fault,
        dice={name: round(value, 5) for name, value in scores.items()},
        verdict=from_contours.verdict,
        reasons=from_contours.reasons,
        stood=()
        if case.sure is None or case.fault in OF_MASKS
        else standings(case.sure, drawn, PHASES),
        looks=looks_of(given.image.voxels, drawn, PHASES),
    )


def _read(kept: Mapping[str, object]) -> Seen:
    table = dict(kept)
    stood = [{**one, "structure": Structure(one["structure"])} for one in table.pop("stood")]
    looks = table.pop("looks")
    return Seen(
        **{**table, "reasons": tuple(table["reasons"])},
        stood=tuple(Standing(**one) for one in stood),
        looks=None if looks is None else Looks(**looks),
    )
