"""LOINC's codes of what echo measures in the apical views, by method: both views, or one."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.core.anatomy import Code
from heartseg.core.study import View

Of = Mapping[tuple[View, ...], Code]


def _by_views(
    *,
    both: tuple[str, str] | None = None,
    four: tuple[str, str] | None = None,
    two: tuple[str, str] | None = None,
) -> Of:
    """(value, meaning) for both views, the 4-chamber alone, the 2-chamber alone."""
    given = {
        (View.LAX_4CH, View.LAX_2CH): both,
        (View.LAX_4CH,): four,
        (View.LAX_2CH,): two,
    }
    return MappingProxyType({views: Code("LN", *code) for views, code in given.items() if code})


LV_EF = _by_views(
    both=("79991-6", "Left ventricular ejection fraction biplane (MOD)"),
    four=("79993-2", "Left ventricular ejection fraction single plane 4C (MOD)"),
    two=("79992-4", "Left ventricular ejection fraction single plane 2C (MOD)"),
)
LV_EDV = _by_views(
    both=("79996-5", "Left ventricular end diastolic volume biplane (MOD)"),
    four=("79999-9", "Left ventricular end diastolic volume single plane 4C (MOD)"),
    two=("79998-1", "Left ventricular end diastolic volume single plane 2C (MOD)"),
)
LV_ESV = _by_views(
    both=("80001-1", "Left ventricular end systolic volume biplane (MOD)"),
    four=("80004-5", "Left ventricular end systolic volume single plane 4C (MOD)"),
    two=("80003-7", "Left ventricular end systolic volume single plane 2C (MOD)"),
)
LA_ESV = _by_views(
    both=("79983-3", "Left atrial end systolic volume biplane (MOD)"),
    four=("79986-6", "Left atrial end systolic volume single plane 4C (MOD)"),
    two=("79985-8", "Left atrial end systolic volume single plane 2C (MOD)"),
)
LV_EDV_INDEX = _by_views(
    both=("79997-3", "Left ventricular end diastolic volume biplane (MOD) / BSA")
)
LV_ESV_INDEX = _by_views(
    both=("80002-9", "Left ventricular end systolic volume biplane (MOD) / BSA")
)
LA_ESV_INDEX = _by_views(both=("79984-1", "Left atrial end systolic volume biplane (MOD) / BSA"))
LV_LENGTH_ED = _by_views(four=("79994-0", "Left ventricular end diastolic length 4C"))
