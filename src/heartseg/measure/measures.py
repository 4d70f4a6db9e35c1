"""Every measure of a heart: its key, name, unit, function and code.

This is the one list. Adding a measure is a function (`ventricles.py` for a stack of short-axis
slices, `apical_volumes.py` for long-axis views) and its line here, in the report's order; the
tests of `tests/measure/test_measure_contract.py`, every report and the reference find it by this
line. The test asks for one value by hand.

Codes are those that pydicom's tables hold (LOINC `LN`, SNOMED CT `SCT`, `DCM`); where no standard
concept means the same thing there is none. What is measured in one view has the view in its key
(`lv_ef_4ch`), and is there for the views that are.
"""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.core.anatomy import Code
from heartseg.core.study import Modality
from heartseg.measure import apical_volumes, contours, echo_codes, ventricles, wall_strain
from heartseg.measure.apical import Apical
from heartseg.measure.contours import Contours
from heartseg.measure.heart import Heart
from heartseg.measure.table import (
    FLOW,
    FRACTION,
    LENGTH,
    MASS,
    MASS_TO_VOLUME,
    RATE,
    SURFACE,
    VOLUME,
    Codes,
    Indexed,
    Measure,
)
from heartseg.measure.wall_strain import WallStrain


def _code(scheme: str, value: str, meaning: str) -> Codes:
    return Codes(any=Code(scheme, value, meaning))


_LVEF_BY = {
    Modality.MR: Code("LN", "8811-2", "Left ventricular ejection fraction by MR"),
    Modality.CT: Code("LN", "8810-4", "Left ventricular ejection fraction by CT"),
    Modality.US: Code("LN", "18043-0", "Left Ventricular Ejection Fraction by US"),
}
_RVEF_BY = {
    Modality.MR: Code("LN", "8818-7", "Right ventricular ejection fraction by MR"),
    Modality.CT: Code("LN", "8817-9", "Right ventricular ejection fraction by CT"),
}
_EJECTION_RATE = _code("DCM", "122616", "Peak Ejection Rate")
_FILLING_RATE = _code("DCM", "122618", "Peak Filling Rate")

STACK: Mapping[str, Measure[Heart]] = MappingProxyType(
    {
        "lv_edv_ml": Measure(
            name="LV end-diastolic volume",
            of=ventricles.lv_edv,
            kind=VOLUME,
            codes=_code("LN", "8821-1", "Left Ventricular ED Volume"),
            indexed=Indexed(),
        ),
        "lv_esv_ml": Measure(
            name="LV end-systolic volume",
            of=ventricles.lv_esv,
            kind=VOLUME,
            codes=_code("LN", "8823-7", "Left Ventricular ES Volume"),
            indexed=Indexed(),
        ),
        "lv_sv_ml": Measure(
            name="LV stroke volume",
            of=ventricles.lv_sv,
            kind=VOLUME,
            codes=_code("SCT", "90096001", "Stroke Volume"),
            indexed=Indexed(codes=_code("SCT", "277381004", "Stroke Index")),
        ),
        "lv_ef": Measure(
            name="LV ejection fraction",
            of=ventricles.lv_ef,
            kind=FRACTION,
            codes=Codes(by=_LVEF_BY),
        ),
        "co_l_min": Measure(
            name="Cardiac output",
            of=ventricles.cardiac_output,
            kind=FLOW,
            codes=_code("SCT", "82799009", "Cardiac Output"),
            indexed=Indexed(codes=_code("SCT", "54993008", "Cardiac Index"), after="lv_mass_g"),
        ),
        "lv_mass_g": Measure(
            name="LV mass at end-diastole",
            of=ventricles.lv_mass,
            kind=MASS,
            codes=_code("LN", "18087-7", "Left Ventricle Mass"),
            indexed=Indexed(),
        ),
        "lv_mass_es_g": Measure(
            name="LV mass at end-systole (check)", of=ventricles.lv_mass_es, kind=MASS
        ),
        "lv_mass_volume_ratio": Measure(
            name="LV mass to end-diastolic volume",
            of=ventricles.lv_mass_to_volume,
            kind=MASS_TO_VOLUME,
        ),
        "lv_wall_max_mm": Measure(
            name="Largest end-diastolic LV wall thickness",
            of=ventricles.lv_wall_max,
            kind=LENGTH,
            as_drawn=True,  # a papillary muscle on the wall is no thicker wall
        ),
        "lv_peak_ejection_rate_ml_s": Measure(
            name="LV peak ejection rate",
            of=ventricles.lv_peak_ejection_rate,
            kind=RATE,
            codes=_EJECTION_RATE,
        ),
        "lv_peak_filling_rate_ml_s": Measure(
            name="LV peak filling rate",
            of=ventricles.lv_peak_filling_rate,
            kind=RATE,
            codes=_FILLING_RATE,
        ),
        "lv_scar_fraction": Measure(
            name="LV scar, share of the myocardium", of=ventricles.lv_scar_fraction, kind=FRACTION
        ),
        "rv_edv_ml": Measure(
            name="RV end-diastolic volume",
            of=ventricles.rv_edv,
            kind=VOLUME,
            codes=_code("LN", "8822-9", "Right Ventricular ED Volume"),
            indexed=Indexed(),
        ),
        "rv_esv_ml": Measure(
            name="RV end-systolic volume",
            of=ventricles.rv_esv,
            kind=VOLUME,
            codes=_code("LN", "8824-5", "Right Ventricular ES Volume"),
            indexed=Indexed(),
        ),
        "rv_sv_ml": Measure(
            name="RV stroke volume",
            of=ventricles.rv_sv,
            kind=VOLUME,
            codes=_code("SCT", "429483009", "Right ventricular stroke volume (observable entity)"),
            indexed=Indexed(
                codes=_code(
                    "SCT", "429619008", "Right ventricular stroke index (observable entity)"
                )
            ),
        ),
        "rv_ef": Measure(
            name="RV ejection fraction",
            of=ventricles.rv_ef,
            kind=FRACTION,
            codes=Codes(by=_RVEF_BY),
        ),
        "rv_peak_ejection_rate_ml_s": Measure(
            name="RV peak ejection rate",
            of=ventricles.rv_peak_ejection_rate,
            kind=RATE,
            codes=_EJECTION_RATE,
        ),
        "rv_peak_filling_rate_ml_s": Measure(
            name="RV peak filling rate",
            of=ventricles.rv_peak_filling_rate,
            kind=RATE,
            codes=_FILLING_RATE,
        ),
        "la_esv_ml": Measure(
            name="LA volume at LV end-systole",
            of=ventricles.la_esv,
            kind=VOLUME,
            codes=_code("DCM", "122408", "Left Atrial ES Volume"),
            indexed=Indexed(),
            from_long_axis=True,
        ),
        "sv_difference_ml": Measure(
            name="LV minus RV stroke volume", of=ventricles.sv_difference, kind=VOLUME
        ),
        "bsa_m2": Measure(name="Body surface area", of=ventricles.body_surface, kind=SURFACE),
    }
)
"""By key, of a stack of short-axis slices."""

LONG_AXIS: Mapping[str, Measure[Apical]] = MappingProxyType(
    {
        "lv_edv_ml": STACK["lv_edv_ml"].by(
            apical_volumes.lv_edv, echo=echo_codes.LV_EDV, indexed_echo=echo_codes.LV_EDV_INDEX
        ),
        "lv_esv_ml": STACK["lv_esv_ml"].by(
            apical_volumes.lv_esv, echo=echo_codes.LV_ESV, indexed_echo=echo_codes.LV_ESV_INDEX
        ),
        "lv_sv_ml": STACK["lv_sv_ml"].by(apical_volumes.lv_sv),
        "lv_ef": STACK["lv_ef"].by(apical_volumes.lv_ef, echo=echo_codes.LV_EF),
        "co_l_min": STACK["co_l_min"].by(apical_volumes.cardiac_output),
        "lv_ef_beat_{beat}": Measure(
            name="LV ejection fraction, beat {beat}",
            of=apical_volumes.lv_ef_of_beat,
            kind=FRACTION,
        ),
        "lv_edv_{view}_ml": Measure(
            name="LV end-diastolic volume, {view} single plane",
            of=apical_volumes.lv_edv_of_view,
            kind=VOLUME,
            codes=Codes(echo=echo_codes.LV_EDV),
        ),
        "lv_esv_{view}_ml": Measure(
            name="LV end-systolic volume, {view} single plane",
            of=apical_volumes.lv_esv_of_view,
            kind=VOLUME,
            codes=Codes(echo=echo_codes.LV_ESV),
        ),
        "lv_ef_{view}": Measure(
            name="LV ejection fraction, {view} single plane",
            of=apical_volumes.lv_ef_of_view,
            kind=FRACTION,
            codes=Codes(echo=echo_codes.LV_EF),
        ),
        "lv_length_ed_{view}_mm": Measure(
            name="LV end-diastolic length, {view}",
            of=apical_volumes.lv_length_ed,
            kind=LENGTH,
            codes=Codes(echo=echo_codes.LV_LENGTH_ED),
        ),
        "lv_length_es_{view}_mm": Measure(
            name="LV end-systolic length, {view}", of=apical_volumes.lv_length_es, kind=LENGTH
        ),
        "lv_edv_area_length_ml": Measure(
            name="LV end-diastolic volume, area-length",
            of=apical_volumes.lv_edv_area_length,
            kind=VOLUME,
        ),
        "lv_esv_area_length_ml": Measure(
            name="LV end-systolic volume, area-length",
            of=apical_volumes.lv_esv_area_length,
            kind=VOLUME,
        ),
        "lv_ef_area_length": Measure(
            name="LV ejection fraction, area-length",
            of=apical_volumes.lv_ef_area_length,
            kind=FRACTION,
        ),
        "lv_peak_ejection_rate_ml_s": STACK["lv_peak_ejection_rate_ml_s"].by(
            apical_volumes.lv_peak_ejection_rate
        ),
        "lv_peak_filling_rate_ml_s": STACK["lv_peak_filling_rate_ml_s"].by(
            apical_volumes.lv_peak_filling_rate
        ),
        "la_esv_ml": STACK["la_esv_ml"].by(
            apical_volumes.la_esv, echo=echo_codes.LA_ESV, indexed_echo=echo_codes.LA_ESV_INDEX
        ),
        "bsa_m2": STACK["bsa_m2"].by(apical_volumes.body_surface),
    }
)
"""By key, of long-axis views."""

LONGITUDINAL: Mapping[str, Measure[Contours]] = MappingProxyType(
    {
        "lv_gls": Measure(
            name="LV geometric longitudinal strain at end-systole",
            of=contours.lv_gls,
            kind=FRACTION,
        ),
        "lv_gls_peak": Measure(
            name="LV peak geometric longitudinal strain", of=contours.lv_gls_peak, kind=FRACTION
        ),
        "lv_gls_{view}": Measure(
            name="LV geometric longitudinal strain at end-systole, {view}",
            of=contours.lv_gls_of_view,
            kind=FRACTION,
        ),
        "lv_gls_peak_{view}": Measure(
            name="LV peak geometric longitudinal strain, {view}",
            of=contours.lv_gls_peak_of_view,
            kind=FRACTION,
        ),
    }
)
"""By key, of the endocardium in apical views, the 3-chamber among them. Strains have no code and no
reference range: those that exist are of speckle tracking, which follows tissue."""

RINGS: Mapping[str, Measure[WallStrain]] = MappingProxyType(
    {
        "lv_gcs": Measure(
            name="LV geometric circumferential strain at end-systole, mid-wall",
            of=wall_strain.lv_gcs,
            kind=FRACTION,
        ),
        "lv_grs": Measure(
            name="LV geometric radial strain at end-systole", of=wall_strain.lv_grs, kind=FRACTION
        ),
    }
)
"""By key, of the wall in a stack of short-axis slices."""
