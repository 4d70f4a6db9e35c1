"""A study: the images of one examination of one heart, and what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from heartseg.core.image import Image


class Modality(StrEnum):
    """How the images were made; the values are DICOM's."""

    MR = "MR"
    US = "US"
    CT = "CT"
    OTHER = "OT"


class View(StrEnum):
    """What an image shows; the values name files and keys.

    OTHER is recognised and none of these (a localiser, a flow measurement); UNKNOWN is not.
    """

    SAX = "sax"
    LAX_2CH = "2ch"
    LAX_3CH = "3ch"
    LAX_4CH = "4ch"
    LATE_ENHANCEMENT = "lge"
    VOLUME = "volume"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is known of the patient; None where nothing is.

    Attributes:
        sex, age_years, height_cm, weight_kg, heart_rate_bpm: the values.
        sources: where each value came from, in words, by its name.
        not_used: why a value that was found is not used, by its name.
    """

    sex: Literal["F", "M"] | None = None
    age_years: float | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    heart_rate_bpm: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    not_used: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def known(self) -> dict[str, str | float]:
        """The values that there are, by their names."""
        values = {name: getattr(self, name) for name in BODY_VALUES}
        return {name: value for name, value in values.items() if value is not None}

    def under(self, better: "Body") -> "Body":
        """Both together; what `better` knows wins, and answers what was found but not used."""
        known = {**self.known, **better.known}
        mine = {name: told for name, told in self.sources.items() if name not in better.known}
        asked = {**self.not_used, **better.not_used}
        return Body(
            **known,  # type: ignore[arg-type]
            sources={**mine, **better.sources},
            not_used={name: why for name, why in asked.items() if name not in known},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whose heart it is, as the files say: identifiers, written only where the user asks for them.

    Attributes:
        name: as people read it; several writings of it (letters, ideographs) side by side.
        number: of the patient in the hospital.
        birth_date, examined: `2001-12-31`, or as the file has it.
    """

    name: str = ""
    number: str = ""
    birth_date: str = ""
    examined: str = ""


BODY_VALUES = ("sex", "age_years", "height_cm", "weight_kg", "heart_rate_bpm")
"""Names of a body's values, in the order in which they are said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Frames of end-diastole and end-systole, counted from 0 in the study's image.

    `rv_es` is the right ventricle's own end-systole on a cine. `how` says whether a file
    gave them or the volume curve did.
    """

    ed: int
    es: int | None
    how: Literal["given", "detected"]
    rv_es: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where frames of a study's image came from, so that masks go back the same way.

    Attributes:
        stem: name for the written mask, already safe as a file name.
        format: "dicom", or a name in `formats/table.py`.
        path: the file (for DICOM: the folder or .zip).
        frames: which frames of the study's image it holds, in its own order.
    """

    stem: str
    format: str
    path: Path
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """One examination.

    Attributes:
        id: [A-Za-z0-9._-], at most 64 characters, free of identifiers.
        modality: of all its images.
        images: by view.
        sources: by view, the files that each image came from.
        phases: by view, only where the files say so.
        reasons: by view, how it was known that the image shows that.
        body: what the files or the user say of the patient.
        notes: what the readers want said (merged series, dropped slices, odd values).
        doubts: by view, those of the notes for which a person should look before numbers of it are
            used.
        group: the diagnosis group where a data set gives one.
        patient: identifiers, where the files hold some; no door writes them unasked.
    """

    id: str
    modality: Modality
    images: Mapping[View, Image]
    sources: Mapping[View, tuple[Source, ...]]
    phases: Mapping[View, Phases] = field(default_factory=dict)
    body: Body = field(default_factory=Body)
    notes: tuple[str, ...] = ()
    doubts: Mapping[View, tuple[str, ...]] = field(default_factory=dict)
    group: str | None = None
    reasons: Mapping[View, str] = field(default_factory=dict)
    patient: Patient | None = field(default=None, repr=False)
