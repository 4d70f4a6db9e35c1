"""What a run was started with: written once, compared on resume, quoted by the bundle."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from heartseg.config import from_table, to_table
from heartseg.core.errors import ConfigError, ModelError, OutputError
from heartseg.core.provenance import now, source_commit
from heartseg.train.data import PreparedFrame
from heartseg.train.log import LOG, PLANNED, lines_until
from heartseg.train.loop import LAST

RECORD = "run.json"

SPLIT = "split.json"

MAY_CHANGE = {
    *("name", "version", "licence", "training_data", "folder", "schedule.log_every"),
    *("log.tensorboard", "log.curves"),
}
"""Settings that no weight depends on; the patients themselves are compared."""


def begin_record(
    folder: Path,
    settings: Any,
    data: Sequence[PreparedFrame],
    validation: Sequence[PreparedFrame],
    split: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    precision: str | None = None,
    told: Mapping[str, Any] = MappingProxyType({}),
    writes: bool = True,
) -> None:
    """Write `run.json` and `split.json`, or on resume compare with what is to be run now.

    Args:
        folder: of the run.
        settings: the resolved settings, a dataclass.
        data: what is trained on.
        validation: what is validated on.
        split: patients by part; as `split.file` it gives another run the same patients.
        precision: that is computed in here, which the settings may leave to the machine.
        told: what else is worth knowing of the data and the machine; nothing is compared with it.
        writes: False in a process that only compares.

    Raises:
        ConfigError: the run was started with other settings or data.
        ModelError: a record that cannot be read.
        OutputError: it could not be written.
    """
    fresh = {
        "settings": to_table(settings),
        "data": {"training": _counted(data), "validation": _counted(validation)},
    }
    begun = read_record(folder)
    if (folder / LAST).exists():
        if begun:
            _require_same(_completed(begun, type(settings)), fresh)
            return
        here: dict[str, Any] = {"commit": None, "started": None}  # begun before records were kept
    else:
        here = {
            "commit": source_commit(),
            "started": now(),
            "torch": str(torch.__version__),
            "precision": precision,
            **told,
        }
    if writes:
        _write(folder, RECORD, {**here, **fresh})
        _write(folder, SPLIT, dict(split))


def read_record(folder: Path) -> dict[str, Any]:
    """What `begin_record` wrote; empty where there is none.

    Raises:
        ModelError: not such a file.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as fault:
        raise ModelError(RECORD, got=str(fault)) from fault
    if not isinstance(record, dict) or not {"commit", "settings", "data"} <= set(record):
        raise ModelError(RECORD, got="another kind of file")
    return record


def steps_of(folder: Path) -> int | None:
    """Steps of a run that has begun: planned by its minutes, or set; None where nothing is known.

    Raises:
        ModelError: a record that cannot be read.
    """
    planned = [line[PLANNED] for line in lines_until(folder / LOG, 0) if PLANNED in line]
    steps = read_record(folder).get("settings", {}).get("schedule", {}).get("steps")
    return int(planned[0]) if planned else steps


def _counted(frames: Sequence[PreparedFrame]) -> dict[str, Any]:
    return {
        "patients": sorted({frame.patient for frame in frames}),
        "frames": len(frames),
        "planes": sum(len(frame.pixels) for frame in frames),
    }


def _require_same(begun: dict[str, Any], fresh: dict[str, Any]) -> None:
    before, after = _flat(begun["settings"]), _flat(json.loads(json.dumps(fresh["settings"])))
    changed = sorted(
        key
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key) and key not in MAY_CHANGE
    )
    if begun["data"] != fresh["data"]:
        changed.append("the patients")
    if changed:
        key = changed[0]
        raise ConfigError(
            f"resume: {', '.join(changed)}",
            got=f"{after.get(key)}" if key in after else "another selection",
            allowed=f"{before.get(key)}, as the run was started" if key in before else "the same",
            do="resume with the same settings, or start another run in another folder",
        )


def _completed(begun: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    """With the defaults of settings that are newer than the record."""
    try:
        settings = to_table(from_table(kind, begun["settings"], where=RECORD))
    except ConfigError:  # a setting that is gone: the comparison will name it
        return begun
    return {**begun, "settings": json.loads(json.dumps(settings))}


def _flat(table: dict[str, Any], lead: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{lead}{key}."))
        else:
            flat[f"{lead}{key}"] = value
    return flat


def _write(folder: Path, name: str, record: dict[str, Any]) -> None:
    unfinished = (folder / name).with_suffix(".tmp")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(folder / name)
    except OSError as fault:
        raise OutputError(name, got=fault.strerror or str(fault)) from fault
