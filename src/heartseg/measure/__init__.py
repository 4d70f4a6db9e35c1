"""Segmentation -> numbers: volumes, function, agreement, plausibility. numpy and scipy only.

What compares segmentations loads when it is first used: measuring a study does without it.
"""

import importlib as _importlib
import typing as _typing

from heartseg.measure.choices import Choices as Choices
from heartseg.measure.conventions import ACDC as ACDC
from heartseg.measure.conventions import Convention as Convention
from heartseg.measure.function import measure_function as measure_function
from heartseg.measure.phases import detect_phases as detect_phases
from heartseg.measure.plausibility import quality as quality
from heartseg.measure.study import Measured as Measured
from heartseg.measure.study import measure_study as measure_study

_HOMES = {
    "EMPTY_MASK_RULE": "heartseg.measure.agreement",
    "agreement_table": "heartseg.measure.agreement",
    "clinical_agreement": "heartseg.measure.concordance",
    "level_table": "heartseg.measure.agreement",
    "summarise": "heartseg.measure.summary",
}

if _typing.TYPE_CHECKING:
    from heartseg.measure.agreement import EMPTY_MASK_RULE as EMPTY_MASK_RULE
    from heartseg.measure.agreement import agreement_table as agreement_table
    from heartseg.measure.agreement import level_table as level_table
    from heartseg.measure.concordance import clinical_agreement as clinical_agreement
    from heartseg.measure.summary import summarise as summarise


def __getattr__(name: str) -> _typing.Any:
    if name in _HOMES:
        return getattr(_importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'heartseg.measure' has no attribute '{name}'")
