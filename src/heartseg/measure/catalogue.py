"""The findings of a short-axis study: key, name, unit and code of each, in the report's order.

Codes are those that pydicom's tables hold (LOINC `LN`, SNOMED CT `SCT`); where no standard concept
means the same thing there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from heartseg.core.anatomy import Code
from heartseg.core.finding import Finding, Interval
from heartseg.core.study import Modality

LVEF_BY: Mapping[Modality, Code] = MappingProxyType(
    {
        Modality.MR: Code("LN", "8811-2", "Left ventricular ejection fraction by MR"),
        Modality.CT: Code("LN", "8810-4", "Left ventricular ejection fraction by CT"),
        Modality.US: Code("LN", "18043-0", "Left Ventricular Ejection Fraction by US"),
    }
)
RVEF_BY: Mapping[Modality, Code] = MappingProxyType(
    {
        Modality.MR: Code("LN", "8818-7", "Right ventricular ejection fraction by MR"),
        Modality.CT: Code("LN", "8817-9", "Right ventricular ejection fraction by CT"),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What never changes about a finding."""

    name: str
    unit: str
    code: Code | None = None


def _entry(name: str, unit: str, scheme: str = "", value: str = "", meaning: str = "") -> Entry:
    return Entry(name, unit, Code(scheme, value, meaning) if value else None)


_PLAIN: Mapping[str, Entry] = {
    "lv_edv_ml": _entry(
        "LV end-diastolic volume", "mL", "LN", "8821-1", "Left Ventricular ED Volume"
    ),
    "lv_esv_ml": _entry(
        "LV end-systolic volume", "mL", "LN", "8823-7", "Left Ventricular ES Volume"
    ),
    "lv_sv_ml": _entry("LV stroke volume", "mL", "SCT", "90096001", "Stroke Volume"),
    "lv_ef": _entry("LV ejection fraction", "1"),
    "co_l_min": _entry("Cardiac output", "L/min", "SCT", "82799009", "Cardiac Output"),
    "lv_mass_g": _entry("LV mass at end-diastole", "g", "LN", "18087-7", "Left Ventricle Mass"),
    "lv_mass_es_g": _entry("LV mass at end-systole (check)", "g"),
    "lv_mass_volume_ratio": _entry("LV mass to end-diastolic volume", "g/mL"),
    "lv_wall_max_mm": _entry("Largest end-diastolic LV wall thickness", "mm"),
    "lv_peak_ejection_rate_ml_s": _entry(
        "LV peak ejection rate", "mL/s", "DCM", "122616", "Peak Ejection Rate"
    ),
    "lv_peak_filling_rate_ml_s": _entry(
        "LV peak filling rate", "mL/s", "DCM", "122618", "Peak Filling Rate"
    ),
    "lv_scar_fraction": _entry("LV scar, share of the myocardium", "1"),
    "rv_edv_ml": _entry(
        "RV end-diastolic volume", "mL", "LN", "8822-9", "Right Ventricular ED Volume"
    ),
    "rv_esv_ml": _entry(
        "RV end-systolic volume", "mL", "LN", "8824-5", "Right Ventricular ES Volume"
    ),
    "rv_sv_ml": _entry(
        "RV stroke volume",
        "mL",
        "SCT",
        "429483009",
        "Right ventricular stroke volume (observable entity)",
    ),
    "rv_ef": _entry("RV ejection fraction", "1"),
    "rv_peak_ejection_rate_ml_s": _entry(
        "RV peak ejection rate", "mL/s", "DCM", "122616", "Peak Ejection Rate"
    ),
    "rv_peak_filling_rate_ml_s": _entry(
        "RV peak filling rate", "mL/s", "DCM", "122618", "Peak Filling Rate"
    ),
    "la_esv_ml": _entry(
        "LA volume at LV end-systole", "mL", "DCM", "122408", "Left Atrial ES Volume"
    ),
    "sv_difference_ml": _entry("LV minus RV stroke volume", "mL"),
    "bsa_m2": _entry("Body surface area", "m2"),
}

INDEXED_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "lv_sv_ml": Code("SCT", "277381004", "Stroke Index"),
        "co_l_min": Code("SCT", "54993008", "Cardiac Index"),
        "rv_sv_ml": Code("SCT", "429619008", "Right ventricular stroke index (observable entity)"),
    }
)

INDEXED = (
    "lv_edv_ml",
    "lv_esv_ml",
    "lv_sv_ml",
    "lv_mass_g",
    "co_l_min",
    "rv_edv_ml",
    "rv_esv_ml",
    "rv_sv_ml",
    "la_esv_ml",
)
"""Findings that are also given per square metre of body surface, under `<key>_per_m2`."""


def _indexed(key: str) -> Entry:
    plain = _PLAIN[key]
    return Entry(f"{plain.name}, indexed", f"{plain.unit}/m2", INDEXED_CODES.get(key))


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {**_PLAIN, **{f"{key}_per_m2": _indexed(key) for key in INDEXED}}
)
"""Every finding of a short-axis study, in the report's order."""


def code_of(key: str, modality: Modality) -> Code | None:
    """The code of a finding; that of an ejection fraction depends on how it was imaged."""
    by_modality = {"lv_ef": LVEF_BY, "rv_ef": RVEF_BY}
    return by_modality[key].get(modality) if key in by_modality else ENTRIES[key].code


def finding(
    key: str,
    value: float | None,
    modality: Modality,
    *,
    problem: str | None = None,
    reference: Interval | None = None,
) -> Finding:
    """A finding of that key, with its name, unit and code from the catalogue."""
    entry = ENTRIES[key]
    return Finding(
        key=key,
        name=entry.name,
        value=value,
        unit=entry.unit,
        reference=reference,
        problem=problem,
        code=code_of(key, modality),
    )
