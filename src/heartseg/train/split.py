"""Which patients train, validate and test.

Patients are divided, never images: all studies of a patient lie in one part, and so do records of
one examination that a data set holds twice (but for the split by number, which stays as it was).
Chance is a hash of seed and name: a patient keeps its place whoever else is there.
"""

import csv
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from heartseg.core.errors import ConfigError
from heartseg.core.small_text import read_small_text
from heartseg.read import Candidate

Part = Literal["train", "validate", "test"]
PARTS: tuple[Part, ...] = ("train", "validate", "test")

SAME_EXAMINATION: Mapping[str, tuple[frozenset[str], ...]] = MappingProxyType(
    {"acdc": (frozenset({"patient074", "patient076"}),)}
)
"""By layout, patients whose images are the same ones, drawn twice (benchmarks/LOG.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How patients are divided into those that train, validate and test.

    Attributes:
        by: `number`: of the patient, % 5 == 0 tests, == 1 validates; `fold`: into `folds` equal
            parts, of which `fold` tests and the next one validates; `group`: those of `group` test
            (diagnosis, vendor or centre, as the data set names it), and a fold of the others
            validates; `data-set`: as the data set says; `file`: as `file` says.
        folds: how many, at least 3 with `fold`.
        fold: which one, from 0.
        group: that is left out to test.
        stratified: folds hold the same share of every group, as far as that is possible.
        seed: of the folds, and of what `patients` and `slices` choose.
        file: relative to the RUN.toml. TOML or JSON with lists of patients `train`, `validate` and
            `test`, such as the `split.json` of another run, or CSV with the columns `patient` and
            `split`.
        patients: train on so many only; fewer are among more, groups keep their shares.
        slices: train on so many only; fewer are among more.
    """

    by: Literal["number", "fold", "group", "data-set", "file"] = "number"
    folds: int = 5
    fold: int = 0
    group: str | None = None
    stratified: bool = True
    seed: int = 0
    file: str | None = None
    patients: int | None = None
    slices: int | None = None

    def __post_init__(self) -> None:
        if self.folds < 3 or not 0 <= self.fold < self.folds:
            got = f"fold {self.fold} of {self.folds}"
            raise ConfigError("split.fold", got=got, allowed="0 <= fold < folds, folds >= 3")
        for name, value in (("group", self.group), ("file", self.file)):
            if (value is not None) != (self.by == name):
                got = f"split.by '{self.by}' and split.{name} {value or 'none'}"
                raise ConfigError(
                    f"split.{name}", got=got, allowed=f"a {name} by {name}, and else none"
                )
        if min(self.patients or 1, self.slices or 1) < 1 or 0 in (self.patients, self.slices):
            got = f"{self.patients} patients, {self.slices} slices"
            raise ConfigError("split", got=got, allowed="at least 1")


def part_of(patient: str) -> Part:
    """The part of a patient, from the number in the id: % 5 == 0 tests, == 1 validates.

    Raises:
        ConfigError: the id holds no number.
    """
    found = re.search(r"\d+", patient)
    if found is None:
        raise ConfigError(
            "patient id",
            got=repr(patient),
            allowed="a name with a number in it",
            do="or choose another split.by",
        )
    remainder = int(found.group()) % 5
    return "test" if remainder == 0 else "validate" if remainder == 1 else "train"


def patient_of(candidate: Candidate) -> str:
    """Whose study it is."""
    return candidate.patient or candidate.id


def parts_of(found: Sequence[Candidate], split: Split, root: Path = Path()) -> dict[str, Part]:
    """The part of each study, by its id; studies that a split file leaves out are in none.

    Args:
        found: the studies of the data set.
        split: settings.
        root: folder of the RUN.toml.

    Raises:
        ConfigError: the studies cannot be divided so.
    """
    if split.by == "number":
        return {one.id: part_of(one.id) for one in found}
    if split.by == "data-set":
        return {one.id: _published(one) for one in found}
    if split.by == "file":
        listed = _listed(root / str(split.file))
        return {one.id: listed[p] for one in found if (p := patient_of(one)) in listed}
    examinations = _examinations(found)
    if split.by == "fold":
        return _spread(_folds(examinations, split), split.fold, split.folds)
    rest = [one for one in examinations if split.group not in one.groups]
    if len(rest) == len(examinations) or not rest:
        groups = sorted({group for one in examinations for group in one.groups})
        raise ConfigError("split.group", got=repr(split.group), allowed=", ".join(groups) or "none")
    left: dict[str, Part] = {i: "test" for one in examinations if one not in rest for i in one.ids}
    folds = _folds(rest, split)
    inside = {name: "validate" if fold == split.fold else "train" for name, fold in folds.items()}
    return {**left, **inside}  # type: ignore[dict-item]


def smaller(patients: Mapping[str, str | None], split: Split) -> list[str]:
    """The patients to train on, `split.patients` of them; fewer are always among more.

    Args:
        patients: group of each patient, None where there is none.
        split: settings.

    Raises:
        ConfigError: there are not as many.
    """
    wanted = split.patients
    if wanted is None:
        return sorted(patients)
    if wanted > len(patients):
        raise ConfigError("split.patients", got=str(wanted), allowed=f"at most {len(patients)}")
    by_group: dict[str, list[str]] = {}
    for name in sorted(patients, key=lambda name: chance(split.seed, name)):
        by_group.setdefault(patients[name] or "", []).append(name)
    placed = [
        ((place + 0.5) / len(names), chance(split.seed, group), name)
        for group, names in by_group.items()
        for place, name in enumerate(names)
    ]
    return sorted(name for _, _, name in sorted(placed)[:wanted])


def chance(seed: int, name: str) -> int:
    """A number that depends on nothing but seed and name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class _Examination:
    """What has to stay together: patients, ids of their studies, their groups."""

    patients: tuple[str, ...]
    ids: tuple[str, ...]
    groups: tuple[str, ...]


def _examinations(found: Sequence[Candidate]) -> list[_Examination]:
    together: dict[str, list[Candidate]] = {}
    for one in found:
        patient = patient_of(one)
        twins = next((t for t in SAME_EXAMINATION.get(one.layout, ()) if patient in t), {patient})
        together.setdefault(min(twins), []).append(one)
    return [
        _Examination(
            patients=tuple(sorted({patient_of(one) for one in ones})),
            ids=tuple(one.id for one in ones),
            groups=tuple(sorted({one.group for one in ones if one.group})),
        )
        for _, ones in sorted(together.items())
    ]


def _folds(examinations: Sequence[_Examination], split: Split) -> dict[str, int]:
    """The fold of each study: dealt out group after group, so that all have their share."""
    if len(examinations) < split.folds:
        got = f"{len(examinations)} patients"
        do = "lower split.folds, or add patients"
        raise ConfigError("split.folds", got=got, allowed=f"at least {split.folds}", do=do)

    def place(one: _Examination) -> tuple[str, int]:
        group = "+".join(one.groups) if split.stratified else ""
        return group, chance(split.seed, one.patients[0])

    dealt = sorted(examinations, key=place)
    return {name: turn % split.folds for turn, one in enumerate(dealt) for name in one.ids}


def _spread(folds: Mapping[str, int], tested: int, count: int) -> dict[str, Part]:
    parts: dict[int, Part] = {tested: "test", (tested + 1) % count: "validate"}
    return {name: parts.get(fold, "train") for name, fold in folds.items()}


def _published(candidate: Candidate) -> Part:
    for part in PARTS:
        if candidate.split == part:
            return part
    raise ConfigError(
        f"split.by 'data-set': {candidate.id}",
        got="no split in the data set",
        do="choose another split.by",
    )


def _listed(path: Path) -> dict[str, Part]:
    """Part by patient.

    Raises:
        ConfigError: no such file, another kind of file, or a patient in two parts.
    """
    parts: dict[str, Part] = {}
    for part, patients in _lists(path).items():
        for patient in patients:
            if parts.setdefault(patient, part) != part:
                got = f"{patient} in {parts[patient]} and {part}"
                raise ConfigError(f"split file {path.name}", got=got, allowed="one part a patient")
    return parts


def _lists(path: Path) -> dict[Part, list[str]]:
    try:
        text = read_small_text(path)
        if path.suffix == ".csv":
            rows = list(csv.DictReader(text.splitlines()))
            table: Any = {
                part: [r["patient"] for r in rows if r["split"] == part] for part in PARTS
            }
            if sum(map(len, table.values())) != len(rows):
                raise ValueError("a split that is none of train, validate, test")
        else:
            table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        lists = {part: [str(name) for name in table.get(part, [])] for part in PARTS}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as fault:
        raise ConfigError(
            f"split file {path.name}",
            got=getattr(fault, "strerror", None) or str(fault),
            allowed="lists train, validate, test in TOML or JSON, or CSV: patient,split",
        ) from fault
    return lists
