"""Findings and the report that holds them.

A `Finding` is one number with its unit, or the reason why there is none: absent is not zero.
Fractions are fractions here; they become percent on the page only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from heartseg.core.anatomy import Code
from heartseg.core.provenance import Provenance
from heartseg.core.study import Body, Modality, Phases, View

Interval = tuple[float, float]
Verdict = Literal["pass", "review", "reject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One measure.

    Attributes:
        key: stable name, the unit in it, e.g. `lv_edv_ml`.
        name: for people, e.g. `LV end-diastolic volume`.
        value: None when it could not be had; `problem` then says why.
        unit: "mL", "g", "1" (a fraction), "L/min", "mm", "mL/m2", ...
        interval: segmentation interval, where there is one.
        reference: normal range, only where sex, age, modality and convention match its source.
        problem: why there is no value, or what to mind about it.
        code: for DICOM, where a standard one exists.
    """

    key: str
    name: str
    value: float | None
    unit: str
    interval: Interval | None = None
    reference: Interval | None = None
    problem: str | None = None
    code: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Whether a person should look before the numbers are used, and why."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """The model that made the segmentation, or the file that it was read from.

    `members` are the models that predicted together; their ensemble has no `sha256` of its own.
    """

    name: str
    version: str
    sha256: str | None
    licence: str
    precision: str | None
    members: "tuple[ModelUse, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceAreas:
    """Areas of one slice: where it lies along the stack, and mm2 by structure key and phase."""

    position_mm: float
    areas_mm2: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is said of a study; `report.json` is this, field by field."""

    study: str
    modality: Modality
    views: tuple[View, ...]
    model: ModelUse
    phases: Mapping[View, Phases]
    findings: tuple[Finding, ...]
    quality: Quality
    strategy: Mapping[str, str]
    body: Body
    conventions: tuple[str, ...]
    provenance: Provenance
    curves: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    slices: tuple[SliceAreas, ...] = ()
    landmarks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    segments: Mapping[str, float | None] = field(default_factory=dict)
    interval_level: float | None = None
    interval_covers: str | None = None

    def value(self, key: str) -> float | None:
        """The value of the finding of that key; None when it is absent or has none."""
        return next((f.value for f in self.findings if f.key == key), None)
