"""`heartseg doctor`: what a bug report needs, and how fast this machine is."""

import importlib.metadata
import importlib.util
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from heartseg.cli.listing import to_json
from heartseg.config import load
from heartseg.core.errors import MissingExtraError, ModelError
from heartseg.core.geometry import Geometry
from heartseg.core.image import Image
from heartseg.core.provenance import source_commit
from heartseg.core.study import Modality, Study, View

PACKAGES = ("numpy", "scipy", "nibabel", "pydicom", "openvino", "torch", "SimpleITK")
EXTRAS: Mapping[str, str] = {
    "itk": "SimpleITK",
    "video": "av",
    "classical": "skimage",
    "train": "torch",
    "web": "fastapi",
    "pacs": "pynetdicom",
    "scale": "ray",
    "postgres": "psycopg",
}
PROBE_SECONDS = 5.0
SLICES, PLANE_PX = 10, 256


def examination() -> dict[str, Any]:
    """Versions, extras, processor, and seconds that a usual study would take."""
    from heartseg.core.version import __version__
    from heartseg.segment import shipped_bundles

    return {
        "heartseg": __version__,
        "commit": source_commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else _cores(),
        "packages": {name: _version(name) for name in PACKAGES},
        "extras": {name: importlib.util.find_spec(m) is not None for name, m in EXTRAS.items()},
        "models": list(shipped_bundles()),
        "speed": _speed(),
    }


def training(run_toml: Path, runs: int, device: str) -> dict[str, Any]:
    """How long a run, and so many like it one after the other, would take here.

    Raises:
        MissingExtraError: torch is not installed.
        ConfigError: no such run, or settings that do not fit.
    """
    try:
        from heartseg.train.device import choose_device
        from heartseg.train.estimate import estimate
        from heartseg.train.settings import RunSettings
    except ModuleNotFoundError as fault:
        raise MissingExtraError("--train", "train") from fault
    settings = load(RunSettings, run_toml)
    found = estimate(settings, run_toml.parent, choose_device(device), PROBE_SECONDS)
    return {
        "run": settings.name,
        "device": found.device,
        "precision": settings.learning.precision,
        "seconds_a_step": round(found.step_s, 3),
        "seconds_a_validation": round(found.validation_s, 1),
        "validated_studies": found.validated_studies,
        "steps": found.steps,
        "minutes": round(found.minutes, 1),
        "runs": runs,
        "hours_for_all_runs": round(runs * found.minutes / 60, 2),
        "not_counted": "reading and preparing the images, and the export",
    }


def as_json(found: Mapping[str, Any]) -> str:
    """For machines."""
    return to_json(found)


def as_text(found: Mapping[str, Any]) -> str:
    """For people."""
    lines = []
    for name, value in found.items():
        if isinstance(value, Mapping):
            lines.append(f"{name}:")
            lines.extend(f"  {key}: {_word(one)}" for key, one in value.items())
        else:
            lines.append(f"{name}: {_word(value)}")
    return "\n".join(lines)


def _speed() -> dict[str, Any]:
    """How fast the shipped model segments here, and what follows for usual studies."""
    from heartseg.choice import Models
    from heartseg.pipeline import Settings, segment

    models, study = Models(), _probe()
    try:
        _, runtime = models.ready("cine-mr")
    except ModelError as fault:
        return {"problem": str(fault)}
    segment(study, models, Settings())
    begin, done = time.perf_counter(), 0
    while time.perf_counter() - begin < PROBE_SECONDS:
        segment(study, models, Settings())
        done += SLICES
    rate = done / (time.perf_counter() - begin)
    return {
        "runtime": runtime.name,
        "precision": runtime.precision,
        "planes_a_second": round(rate, 1),
        "seconds_to_segment_10_planes": round(10 / rate, 2),
        "seconds_to_segment_a_cine_of_240_planes": round(240 / rate, 1),
        "not_counted": "starting, reading and the report: about 2 seconds",
    }


def _probe() -> Study:
    """A stack of the usual size with a bright ball in it."""
    z, y, x = np.ogrid[-1 : 1 : SLICES * 1j, -1 : 1 : PLANE_PX * 1j, -1 : 1 : PLANE_PX * 1j]
    ball = np.exp(-4 * (z**2 + y**2 + x**2)).astype(np.float32)[None]
    spacing_mm = (8.0, 1.5, 1.5)
    image = Image(ball, Geometry.from_pixels(ball.shape[1:], spacing_mm))
    return Study(id="probe", modality=Modality.MR, images={View.SAX: image}, sources={})


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "not installed" if value is None else str(value)
