"""The findings of long-axis views: key, name, unit and code of each, in the report's order.

What is measured in one view has the view in its key (`lv_ef_4ch`), and is there for the views that
are. Codes are those of pydicom's tables; for echo they depend on the method.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType

from heartseg.core.anatomy import Code
from heartseg.core.study import Modality, View
from heartseg.measure.catalogue import ENTRIES, Entry, code_of

INDEXED = ("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "co_l_min", "la_esv_ml")
"""Findings that are also given per square metre of body surface, under `<key>_per_m2`."""

_MAIN = ("lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef", "co_l_min")
_RATES = ("lv_peak_ejection_rate_ml_s", "lv_peak_filling_rate_ml_s")

_AREA_LENGTH = {
    "lv_edv_area_length_ml": Entry("LV end-diastolic volume, area-length", "mL"),
    "lv_esv_area_length_ml": Entry("LV end-systolic volume, area-length", "mL"),
    "lv_ef_area_length": Entry("LV ejection fraction, area-length", "1"),
}

_ULTRASOUND: Mapping[tuple[View, ...], Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        (View.LAX_4CH, View.LAX_2CH): {
            "lv_ef": ("79991-6", "Left ventricular ejection fraction biplane (MOD)"),
            "lv_edv_ml": ("79996-5", "Left ventricular end diastolic volume biplane (MOD)"),
            "lv_esv_ml": ("80001-1", "Left ventricular end systolic volume biplane (MOD)"),
            "lv_edv_ml_per_m2": (
                "79997-3",
                "Left ventricular end diastolic volume biplane (MOD) / BSA",
            ),
            "lv_esv_ml_per_m2": (
                "80002-9",
                "Left ventricular end systolic volume biplane (MOD) / BSA",
            ),
            "la_esv_ml": ("79983-3", "Left atrial end systolic volume biplane (MOD)"),
            "la_esv_ml_per_m2": ("79984-1", "Left atrial end systolic volume biplane (MOD) / BSA"),
        },
        (View.LAX_4CH,): {
            "lv_ef": ("79993-2", "Left ventricular ejection fraction single plane 4C (MOD)"),
            "lv_edv_ml": (
                "79999-9",
                "Left ventricular end diastolic volume single plane 4C (MOD)",
            ),
            "lv_esv_ml": ("80004-5", "Left ventricular end systolic volume single plane 4C (MOD)"),
            "la_esv_ml": ("79986-6", "Left atrial end systolic volume single plane 4C (MOD)"),
            "lv_length_ed_mm": ("79994-0", "Left ventricular end diastolic length 4C"),
        },
        (View.LAX_2CH,): {
            "lv_ef": ("79992-4", "Left ventricular ejection fraction single plane 2C (MOD)"),
            "lv_edv_ml": (
                "79998-1",
                "Left ventricular end diastolic volume single plane 2C (MOD)",
            ),
            "lv_esv_ml": ("80003-7", "Left ventricular end systolic volume single plane 2C (MOD)"),
            "la_esv_ml": ("79985-8", "Left atrial end systolic volume single plane 2C (MOD)"),
        },
    }
)
_VIEWS = {View.LAX_4CH: "4-chamber", View.LAX_2CH: "2-chamber"}


def of_view(key: str, view: View) -> str:
    """The key of a finding in one view: `lv_edv_ml` of the 4-chamber is `lv_edv_4ch_ml`."""
    unit = next((end for end in ("_ml", "_mm") if key.endswith(end)), "")
    return f"{key.removesuffix(unit)}_{view.value}{unit}"


def entries(views: Iterable[View], beats: int) -> dict[str, Entry]:
    """Every finding of a study with these views, in the report's order.

    Args:
        views: that were segmented.
        beats: in the loop; more than one adds an ejection fraction for each.
    """
    every = {key: ENTRIES[key] for key in _MAIN}
    if beats > 1:
        every |= {
            f"lv_ef_beat_{number}": Entry(f"LV ejection fraction, beat {number}", "1")
            for number in range(1, beats + 1)
        }
    each = chain.from_iterable(_of_view(view).items() for view in views)
    indexed = {f"{key}_per_m2": ENTRIES[f"{key}_per_m2"] for key in INDEXED}
    rates = {key: ENTRIES[key] for key in _RATES}
    last = {"la_esv_ml": ENTRIES["la_esv_ml"], "bsa_m2": ENTRIES["bsa_m2"]}
    return {**every, **dict(each), **_AREA_LENGTH, **rates, **last, **indexed}


def _of_view(view: View) -> dict[str, Entry]:
    name = _VIEWS[view]
    plain = {
        "lv_edv_ml": Entry(f"LV end-diastolic volume, {name} single plane", "mL"),
        "lv_esv_ml": Entry(f"LV end-systolic volume, {name} single plane", "mL"),
        "lv_ef": Entry(f"LV ejection fraction, {name} single plane", "1"),
        "lv_length_ed_mm": Entry(f"LV end-diastolic length, {name}", "mm"),
        "lv_length_es_mm": Entry(f"LV end-systolic length, {name}", "mm"),
    }
    return {of_view(key, view): entry for key, entry in plain.items()}


def code(key: str, views: tuple[View, ...], modality: Modality) -> Code | None:
    """The code of a finding that was measured from these views, both (4-chamber first) or one.

    For echo the method has a code of its own.
    """
    own = next((view for view in _VIEWS if f"_{view.value}" in key), None)
    plain = key if own is None else key.replace(f"_{own.value}", "")
    if modality is Modality.US:
        found = _ULTRASOUND[views if own is None else (own,)].get(plain)
        if found is not None:
            return Code("LN", *found)
    return code_of(key, modality) if key in ENTRIES else None
