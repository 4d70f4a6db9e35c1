"""Reference ranges, given only where sex, age, modality and convention match their source.

Source: Petersen et al., Reference ranges for cardiac structure and function using CMR in Caucasians
from the UK Biobank population cohort, J Cardiovasc Magn Reson 2017;19:18
(doi 10.1186/s12968-017-0327-9): 368 men, 432 women, 45-74 years, healthy, 1.5 T bSSFP, papillary
muscles in the cavity. Volumes: the limits beyond which a value is abnormal at any age of the
cohort. Ejection fraction and indexed mass: mean +- 1.96 SD of the means and SDs in the abstract.
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
    "Reference ranges: UK Biobank, healthy white European adults of 45-74 years, 1.5 T, papillary"
    " muscles in the cavity (Petersen 2017, doi 10.1186/s12968-017-0327-9)."
)

_RANGES: Mapping[str, Mapping[Literal["F", "M"], Interval]] = MappingProxyType(
    {
        "lv_edv_ml": {"M": (93.0, 232.0), "F": (80.0, 175.0)},
        "lv_esv_ml": {"M": (34.0, 103.0), "F": (25.0, 73.0)},
        "lv_sv_ml": {"M": (49.0, 140.0), "F": (47.0, 110.0)},
        "lv_ef": {"M": (0.48, 0.68), "F": (0.51, 0.71)},
        "lv_edv_ml_per_m2": {"M": (52.0, 117.0), "F": (50.0, 101.0)},
        "lv_esv_ml_per_m2": {"M": (19.0, 52.0), "F": (16.0, 43.0)},
        "lv_sv_ml_per_m2": {"M": (28.0, 70.0), "F": (29.0, 63.0)},
        "lv_mass_g_per_m2": {"M": (35.0, 71.0), "F": (28.0, 56.0)},
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
