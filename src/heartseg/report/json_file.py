"""report.json: the report, field by field, and back again.

Every key is always there, in the order below; only a right ventricle's own end-systole and the
members of an ensemble are left out where there are none. What is not a finite number is null: NaN
never appears. Frames count from 0 (in sentences from 1), fractions are fractions.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from heartseg.core.anatomy import Code
from heartseg.core.errors import FormatError
from heartseg.core.finding import Finding, Interval, ModelUse, Quality, Report, SliceAreas
from heartseg.core.provenance import Provenance
from heartseg.core.study import Body, Modality, Phases, View
from heartseg.report.words import clean

MAX_BYTES = 64 * 2**20
"""A report larger than this is not one of ours."""

NOT_FINITE = "the computed value is not a finite number"

Json = dict[str, Any]


def json_text(report: Report) -> str:
    """The report as indented JSON that ends with a newline."""
    return json.dumps(as_json(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_json(report: Report) -> Json:
    """The report as plain dictionaries, lists, text, numbers and None."""
    return {
        "study": clean(report.study),
        "modality": report.modality.value,
        "views": [view.value for view in report.views],
        "model": model_as_json(report.model),
        "phases": {view.value: _phases(phases) for view, phases in report.phases.items()},
        "findings": [_finding(finding) for finding in report.findings],
        "quality": plain(asdict(report.quality)),
        "strategy": plain(report.strategy),
        "body": plain(asdict(report.body)),
        "conventions": plain(report.conventions),
        "landmarks": plain(report.landmarks),
        "curves": plain(report.curves),
        "slices": [
            {"position_mm": plain(part.position_mm), "areas_mm2": plain(part.areas_mm2)}
            for part in report.slices
        ],
        "segments": plain(report.segments),
        "interval_level": plain(report.interval_level),
        "interval_covers": plain(report.interval_covers),
        "provenance": _provenance(report.provenance),
    }


def model_as_json(model: ModelUse) -> Json:
    """The model, and the members of an ensemble; the key is left out where there is one model."""
    table: Json = plain(asdict(replace(model, members=())))
    del table["members"]
    if model.members:
        table["members"] = [model_as_json(one) for one in model.members]
    return table


def plain(value: object) -> Any:
    """Any value as JSON knows it: paths lose their folders, text its control characters."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return clean(value.name)
    if isinstance(value, Mapping):
        return {clean(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    tolist = getattr(value, "tolist", None)  # numpy's arrays and scalars, without importing it
    return plain(tolist()) if callable(tolist) else clean(value)


def _phases(phases: Phases) -> Json:
    found: Json = {"ed": phases.ed, "es": phases.es}
    if phases.rv_es is not None:
        found["rv_es"] = phases.rv_es
    return plain({**found, "how": phases.how})  # type: ignore[no-any-return]


def _finding(finding: Finding) -> Json:
    value = plain(finding.value)
    problem = plain(finding.problem)
    if value is None and finding.value is not None:
        problem = problem or NOT_FINITE
    return {
        "key": clean(finding.key),
        "name": clean(finding.name),
        "value": value,
        "unit": clean(finding.unit),
        "interval": _interval(finding.interval),
        "reference": _interval(finding.reference),
        "problem": problem,
        "code": None if finding.code is None else plain(asdict(finding.code)),
    }


def _interval(interval: Interval | None) -> list[float] | None:
    ends = plain(interval)
    return None if ends is None or None in ends else ends


def _provenance(provenance: Provenance) -> Json:
    return {
        "version": clean(provenance.version),
        "commit": plain(provenance.commit),
        "created": clean(provenance.created),
        "inputs": [clean(name) for name in provenance.inputs],
        "settings": plain(provenance.settings),
        "person": plain(provenance.person),
    }


def load_report(path: Path) -> Report:
    """Read a report.json back.

    Raises:
        FormatError: not a file of ours; the message names what is missing or wrong.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(path.name, got="more than 64 MB", allowed="a report.json")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        raise _not_ours(path.name, fault) from fault
    return read_report(text, path.name)


def read_report(text: str, name: str) -> Report:
    """What `json_text` gave; `name` says in errors where it came from.

    Raises:
        FormatError: not ours; the message names what is missing or wrong.
    """
    try:
        return _report(json.loads(text, parse_constant=_refuse))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise _not_ours(name, fault) from fault


def _not_ours(name: str, fault: Exception) -> FormatError:
    return FormatError(
        name,
        got=f"{type(fault).__name__}: {clean(fault, longest=200)}",
        allowed="a report.json that heartseg wrote",
        do="make it again with heartseg segment --overwrite",
    )


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number that JSON knows")


def _report(content: Json) -> Report:
    return Report(
        study=content["study"],
        modality=Modality(content["modality"]),
        views=tuple(View(view) for view in content["views"]),
        model=_read_model(content["model"]),
        phases={View(view): Phases(**phases) for view, phases in content["phases"].items()},
        findings=tuple(_read_finding(finding) for finding in content["findings"]),
        quality=Quality(
            verdict=content["quality"]["verdict"], reasons=tuple(content["quality"]["reasons"])
        ),
        strategy=dict(content["strategy"]),
        body=Body(**content["body"]),
        conventions=tuple(content["conventions"]),
        landmarks=_each(content["landmarks"], tuple),
        curves=_each(content["curves"], tuple),
        slices=tuple(SliceAreas(**part) for part in content["slices"]),
        segments=dict(content["segments"]),
        interval_level=content["interval_level"],
        interval_covers=content["interval_covers"],
        provenance=Provenance(
            **{**content["provenance"], "inputs": tuple(content["provenance"]["inputs"])}
        ),
    )


def _read_model(content: Json) -> ModelUse:
    members = tuple(ModelUse(**one) for one in content.get("members", ()))
    return ModelUse(**{**content, "members": members})


def _each(table: Json, make: Callable[[Any], Any]) -> Json:
    return {key: make(value) for key, value in table.items()}


def _read_finding(content: Json) -> Finding:
    pairs = {
        key: None if content[key] is None else tuple(content[key])
        for key in ("interval", "reference")
    }
    code = None if content["code"] is None else Code(**content["code"])
    return Finding(**{**content, **pairs, "code": code})
