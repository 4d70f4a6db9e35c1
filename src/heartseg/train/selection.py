"""What a run learns from: the studies of its data set, divided, and their prepared frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from heartseg.core.errors import StudyError
from heartseg.core.study import View
from heartseg.read import Candidate, find_studies
from heartseg.train.split import PARTS, Part, Split, parts_of, patient_of, smaller


class Selecting(Protocol):
    """Settings that say where a data set is, how it is divided, and which parts do what."""

    @property
    def folder(self) -> str:
        """Of the data set, relative to the RUN.toml."""
        ...

    @property
    def scheme(self) -> str | None:
        """What the numbers of the labels mean, where the data set does not say it."""
        ...

    @property
    def view(self) -> View:
        """Which image of each study."""
        ...

    @property
    def assume_view(self) -> bool:
        """Whether every image is taken for one of `view`."""
        ...

    @property
    def train_on(self) -> tuple[str, ...]:
        """Parts of the split that train."""
        ...

    @property
    def validate_on(self) -> tuple[str, ...]:
        """Parts that are looked at on the way."""
        ...

    @property
    def split(self) -> Split:
        """How patients are divided."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """The studies of a run.

    Attributes:
        found: all of the data set.
        parts: the part of each study by its id.
        training: that train, after `split.patients`.
        validation: that validate.
    """

    found: tuple[Candidate, ...]
    parts: dict[str, Part]
    training: tuple[Candidate, ...]
    validation: tuple[Candidate, ...]

    def of(self, parts: Sequence[str]) -> list[Candidate]:
        """The studies of these parts, whether they train here or are kept for scoring."""
        return [one for one in self.found if self.parts.get(one.id) in parts]

    def table(self) -> dict[str, list[str]]:
        """Patients by part, and those that train: what is written to the run's folder."""
        patients = {one.id: patient_of(one) for one in self.found}
        lists: dict[str, list[str]] = {
            part: sorted({patients[i] for i, mine in self.parts.items() if mine == part})
            for part in PARTS
        }
        return {
            **lists,
            "trained_on": sorted({patient_of(one) for one in self.training}),
            "validated_on": sorted({patient_of(one) for one in self.validation}),
        }


def select(settings: Selecting, root: Path, given: Sequence[Candidate] | None = None) -> Selection:
    """Divide the studies of a run; no pixels are read.

    Args:
        settings: of the run.
        root: folder of the RUN.toml.
        given: studies in place of those in `settings.folder`.

    Raises:
        InputError: there is no data set, or no patient of a part that is wanted.
        ConfigError: it cannot be divided so.
    """
    found = _found(settings, root) if given is None else list(given)
    parts = parts_of(found, settings.split, root)
    training = _of(found, parts, settings.train_on, settings.folder)
    patients = {patient_of(one): one.group for one in training}
    kept = set(smaller(patients, settings.split))
    return Selection(
        found=tuple(found),
        parts=parts,
        training=tuple(one for one in training if patient_of(one) in kept),
        validation=tuple(_of(found, parts, settings.validate_on, settings.folder)),
    )


def _found(settings: Selecting, root: Path) -> list[Candidate]:
    return find_studies(
        root / settings.folder,
        scheme=settings.scheme,
        view=settings.view if settings.assume_view else None,
    )


def _of(
    found: Sequence[Candidate], parts: dict[str, Part], wanted: Sequence[str], where: str
) -> list[Candidate]:
    chosen = [one for one in found if parts.get(one.id) in wanted]
    if wanted and not chosen:
        raise StudyError(Path(where).name, got="no patient of " + ", ".join(wanted))
    return chosen
