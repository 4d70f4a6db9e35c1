"""The findings of geometric strain: key, name and unit of each, in the report's order.

They have no code and no reference range: those that exist are of speckle tracking, which follows
tissue. What is of one view has the view in its key, `lv_gls_4ch`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from heartseg.core.finding import Finding
from heartseg.core.study import View
from heartseg.measure.catalogue import Entry
from heartseg.measure.number import Number

VIEW_NAMES: Mapping[View, str] = MappingProxyType(
    {
        View.LAX_4CH: "4-chamber",
        View.LAX_2CH: "2-chamber",
        View.LAX_3CH: "3-chamber",
    }
)
"""The apical views, in the report's order."""

_LONGITUDINAL = {
    "lv_gls": Entry("LV geometric longitudinal strain at end-systole", "1"),
    "lv_gls_peak": Entry("LV peak geometric longitudinal strain", "1"),
}
_SHORT_AXIS = {
    "lv_gcs": Entry("LV geometric circumferential strain at end-systole, mid-wall", "1"),
    "lv_grs": Entry("LV geometric radial strain at end-systole", "1"),
}


def longitudinal(views: Iterable[View]) -> dict[str, Entry]:
    """Of apical views: the means, then each view's own."""
    own = {
        f"{key}_{view.value}": Entry(f"{entry.name}, {VIEW_NAMES[view]}", entry.unit)
        for view in views
        for key, entry in _LONGITUDINAL.items()
    }
    return {**_LONGITUDINAL, **own}


def short_axis() -> dict[str, Entry]:
    """Of a stack of short-axis slices."""
    return dict(_SHORT_AXIS)


def strain_findings(
    entries: Mapping[str, Entry], known: Mapping[str, Number]
) -> tuple[Finding, ...]:
    """The findings of these entries from the numbers of the same keys."""
    return tuple(
        Finding(
            key=key,
            name=entry.name,
            value=known[key].value,
            unit=entry.unit,
            problem=known[key].problem,
        )
        for key, entry in entries.items()
    )
