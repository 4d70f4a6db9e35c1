"""Reference ranges, given only where sex, age, modality and convention match their source.

Source: Petersen et al., Reference ranges for cardiac structure and function using CMR in Caucasians
from the UK Biobank population cohort, J Cardiovasc Magn Reson 2017;19:18
(doi 10.1186/s12968-017-0327-9): healthy, 45-74 years, 1.5 T bSSFP, papillary muscles in the cavity.

Only what its abstract states is used: means and SDs by sex of the ejection fraction and of indexed
LV mass. The ranges here are mean +- 1.96 SD of these rounded numbers, not the limits of the paper's
tables, and the page says so. Volumes have no range on file until someone copies them from the
tables themselves: transcriptions found elsewhere contradict each other.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from heartseg.core.finding import Interval
from heartseg.core.study import Body, Modality
from heartseg.measure.conventions import Convention

AGES_YEARS = (45.0, 75.0)
"""From the 45th birthday to the day before the 75th."""

ADULT_YEARS = 18.0

SOURCE = (
    "Reference ranges: mean +- 1.96 SD of the means and SDs that Petersen 2017 states for healthy"
    " white European adults of 45-74 years (UK Biobank, 1.5 T, papillary muscles in the cavity;"
    " doi 10.1186/s12968-017-0327-9); LV ejection fraction and indexed LV mass only."
)

_RANGES: Mapping[str, Mapping[Literal["F", "M"], Interval]] = MappingProxyType(
    {
        "lv_ef": {"F": (0.51, 0.71), "M": (0.48, 0.68)},  # 61 +- 5 %, 58 +- 5 %
        "lv_mass_g_per_m2": {"F": (28.0, 56.0), "M": (35.0, 71.0)},  # 42 +- 7, 53 +- 9 g/m2
    }
)


def reference(
    key: str, body: Body, modality: Modality, convention: Convention
) -> tuple[Interval | None, str | None]:
    """The range of a finding, or None and the reason why there is none."""
    reason = why_none(body, modality, convention)
    if reason or body.sex is None:
        return None, reason
    if key.startswith("rv_") and not convention.rv_outflow_tract:
        return None, "the RV is measured without its outflow tract"
    if key not in _RANGES:
        return None, "no range on file"
    return _RANGES[key][body.sex], None


def why_none(body: Body, modality: Modality, convention: Convention) -> str | None:
    """Why this study gets no reference ranges at all; None when its LV does."""
    if modality is not Modality.MR:
        return f"none on file for modality {modality.value} in short axis"
    if not convention.papillary_in_cavity:
        return "none on file for papillary muscles counted as mass"
    if body.sex is None:
        return "sex not known"
    if body.age_years is None:
        return "age not known"
    return _age_problem(body.age_years)


def _age_problem(age_years: float) -> str | None:
    if age_years < ADULT_YEARS:
        return "under 18 years, adult ranges do not apply"
    low, high = AGES_YEARS
    return None if low <= age_years < high else "none on file for this age (45 to 74 years)"


ECHO_SOURCE = (
    "Reference ranges: Lang 2015 (ASE/EACVI, biplane, adults; doi 10.1016/j.echo.2014.10.003); LV"
    " ejection fraction, indexed LV end-diastolic and LA volume only."
)

_ECHO_RANGES: Mapping[str, Mapping[Literal["F", "M"], Interval]] = MappingProxyType(
    {
        "lv_ef": {"F": (0.54, 0.74), "M": (0.52, 0.72)},
        "lv_edv_ml_per_m2": {"F": (29.0, 61.0), "M": (34.0, 74.0)},
        "la_esv_ml_per_m2": {"F": (16.0, 34.0), "M": (16.0, 34.0)},
    }
)


def why_no_echo(body: Body, modality: Modality, *, views: int) -> str | None:
    """Why long-axis views get no reference ranges; None when they do."""
    if modality is not Modality.US:
        return f"none on file for modality {modality.value} in long-axis views"
    if views < 2:
        return "the ranges on file are of the biplane method"
    if body.sex is None:
        return "sex not known"
    if body.age_years is None:
        return "age not known"
    if body.age_years < ADULT_YEARS:
        return "under 18 years, adult ranges do not apply"
    return None


def echo_reference(key: str, body: Body) -> Interval | None:
    """The range of a biplane finding of an adult (Lang et al., J Am Soc Echocardiogr 2015)."""
    return None if body.sex is None else _ECHO_RANGES.get(key, {}).get(body.sex)
