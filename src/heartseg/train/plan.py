"""A RUN.toml for a folder of images and labels: every choice by a rule, its reason beside it.

The idea is nnU-Net's (Isensee 2021): what fits a data set follows from its spacing, its size and
its labels. The rules here are for networks of planes that train on a processor or one card. The
same folder gives the same settings.
"""

import math
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heartseg.config import from_table, to_toml
from heartseg.core.errors import OutputError, StudyError
from heartseg.core.study import Modality
from heartseg.report.atomic import write_atomically
from heartseg.train.device import choose_device
from heartseg.train.estimate import estimate
from heartseg.train.examples import FEW_FOLDS, FOLDS, name_of
from heartseg.train.fingerprint import Fingerprint, Look, fingerprint
from heartseg.train.settings import RunSettings

WIDTHS = (16, 32, 64, 128, 160, 192)
LARGEST_PX = 320
"""Of a whole plane's rows or columns, at the spacing that is chosen."""

STRETCHED_PX = 256
LOWEST_PX = 4
"""The coarsest map is at least so wide in a crop."""

BATCH, PIXELS = 16, 16 * 192 * 192
"""Of a step: planes at most, and pixels of their crops at most."""

PASSES = 85
"""How often the shipped model's training saw each of its planes."""

CT_WINDOW = (-200.0, 600.0)
"""Hounsfield units: fat about the heart is darker than muscle, cavities with contrast brighter."""

OUTLIERS = 1.2
"""Brightest by the 99th percentile: above it, a few pixels would set the scale for all."""

MEASURED_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes, by the rules; see `_lines` for the reasons.

    Attributes:
        spacing_mm: None where whole planes are stretched; absent lengths keep their pixels.
        field_px, heart_px, crop_px: of whole planes, of the largest heart, of training crops.
        halvings: of the network.
        batch, planes, steps: of training; planes are estimated.
    """

    spacing_mm: float | None
    field_px: int
    heart_px: int
    crop_px: int
    halvings: int
    batch: int
    planes: int
    steps: int


def planned(found: Fingerprint) -> Plan:
    """Apply the rules.

    Raises:
        StudyError: fewer patients than it takes to train, validate and test.
    """
    if found.patients < FEW_FOLDS:
        got = f"{found.patients} patients with labels"
        raise StudyError("plan", got=got, allowed=f"at least {FEW_FOLDS}", do="add patients")
    spacing = _spacing(found.looks)
    sides = [_pixels(look, spacing, look.size) for look in found.looks]
    heart = max(_pixels(look, spacing, look.heart) for look in found.looks)
    largest = min(max(sides), 2 * LARGEST_PX)
    halvings = max(
        1, min(len(WIDTHS) - 1, int(math.log2(max(2, min(2 * heart, largest)) / LOWEST_PX)))
    )
    stride = 2**halvings
    field = STRETCHED_PX if spacing is None else _up(largest, stride)
    crop = min(_up(2 * heart, stride), field)
    batch = 2 ** int(math.log2(max(2, min(BATCH, PIXELS // crop**2))))
    share = 1 - 2 / _folds(found)
    planes = max(1, round(share * found.studies * float(np.mean([o.planes for o in found.looks]))))
    steps = min(6000, max(500, round(PASSES * planes / batch, -2)))
    return Plan(
        spacing_mm=spacing,
        field_px=field,
        heart_px=heart,
        crop_px=crop,
        halvings=halvings,
        batch=batch,
        planes=planes,
        steps=int(steps),
    )


def _spacing(looks: tuple[Look, ...]) -> float | None:
    """Median of the pixels', coarser where half of the planes would be larger than wanted."""
    if any(look.unit != "mm" for look in looks):
        large = any(max(look.size) > LARGEST_PX for look in looks)
        return None if large else 1.5  # which images without lengths do not heed
    usual = float(np.median([math.sqrt(look.spacing[0] * look.spacing[1]) for look in looks]))
    whole = float(np.median([max(np.multiply(look.size, look.spacing)) for look in looks]))
    return float(f"{min(20.0, max(0.1, usual, whole / LARGEST_PX)):.2g}")


def _pixels(look: Look, spacing: float | None, size: tuple[int, int]) -> int:
    """The longer side of something in prepared pixels."""
    if spacing is None:
        return max(
            math.ceil(STRETCHED_PX * n / all_) for n, all_ in zip(size, look.size, strict=True)
        )
    if look.unit != "mm":
        return max(size)
    return max(math.ceil(n * mm / spacing) for n, mm in zip(size, look.spacing, strict=True))


def _up(pixels: int, stride: int) -> int:
    return math.ceil(pixels / stride) * stride


def _folds(found: Fingerprint) -> int:
    return FOLDS if found.patients >= FOLDS else FEW_FOLDS


def plan_text(found: Fingerprint, plan: Plan, name: str, folder: str) -> str:
    """The RUN.toml, a reason behind each setting; it is loaded once, strictly, before it is given.

    Args:
        found: what was seen.
        plan: what follows.
        name: of the run.
        folder: of the data, relative to the RUN.toml.
    """
    lines = [
        f"# Planned by heartseg from {len(found.looks)} of {found.studies} studies with labels,"
        f" {found.patients} patients, layout {found.layout}.",
        *_head(found, name, folder),
        *_body(found, plan),
    ]
    text = "\n".join(lines) + "\n"
    from_table(RunSettings, tomllib.loads(text))
    return text


def _set(key: str, value: Any, why: str) -> str:
    return f"{to_toml({key: value}).strip()}  # {why}"


def _head(found: Fingerprint, name: str, folder: str) -> Iterator[str]:
    yield _set("name", name, "of the bundle")
    yield _set("folder", folder, "relative to this file")
    if found.assumed:
        yield "# Nothing says what the images show: correct modality and view if they are wrong."
    yield _set("modality", found.modality.value, "of its images")
    yield _set("view", found.view.value, "labelled in most of the studies that were read")
    if found.assumed:
        yield _set("assume_view", True, "the files do not say it")
    if found.without:
        yield f"# {len(found.without)} of the studies read have no labels of this view."
        yield "# Training refuses such studies: list the others in a file, see split.by."
    yield _set("structures", list(found.structures), "all that is drawn")


def _body(found: Fingerprint, plan: Plan) -> Iterator[str]:
    look, depth = found.looks, plan.halvings
    yield "\n[model]"
    yield _set("name", "unet", "the shipped model's network, for planes")
    coarse = plan.crop_px // 2**depth
    yield _set("widths", list(WIDTHS[: depth + 1]), f"{depth} halvings: {coarse} px at the lowest")
    yield "\n[preparation]"
    yield _set("spacing_mm", *_spacing_said(look, plan))
    yield _set("stride", 2**depth, "of the network")
    yield _set("field_px", plan.field_px, "holds the largest plane seen; larger ones are cut")
    yield _span(found)
    yield "\n[spatial]"
    why = f"twice the largest heart seen, {plan.heart_px} px, or the whole plane"
    yield _set("size_px", plan.crop_px, why)
    if found.modality is Modality.US:
        yield _set("rotation_degrees", 15.0, "a sector stands upright")
        yield _set("flip", 0.0, "left and right are not alike")
    yield "\n[learning]"
    yield _set(
        "batch", plan.batch, f"{plan.batch * plan.crop_px**2 / 1e6:.2g} million pixels a step"
    )
    yield "\n[schedule]"
    yield _set("steps", plan.steps, f"about {plan.planes} planes, seen {PASSES} times; 500 to 6000")
    every = max(50, plan.steps // 12)
    yield _set("validate_every", every, "a dozen validations")
    yield "\n[split]"
    yield _set("by", "fold", "patients with numbers or without")
    folds = _folds(found)
    yield _set(
        "folds", folds, f"a {'fifth' if folds == FOLDS else 'third'} tests, as many validate"
    )


def _span(found: Fingerprint) -> str:
    """What becomes 0 and 1."""
    if found.modality is Modality.CT:
        return _set("window", list(CT_WINDOW), "Hounsfield units, from fat to contrast medium")
    bright = float(np.median([one.brightest for one in found.looks]))
    ends = [1.0, 99.0] if bright > OUTLIERS else [0.0, 100.0]
    return _set("percentiles", ends, f"the brightest pixel is {bright:.2g} x the 99th percentile")


def _spacing_said(looks: tuple[Look, ...], plan: Plan) -> tuple[float | str, str]:
    if plan.spacing_mm is None:
        return "none", f"no lengths, and large: whole planes become {STRETCHED_PX} px"
    if any(look.unit != "mm" for look in looks):
        return plan.spacing_mm, "not heeded: the files know no lengths and keep their pixels"
    usual = float(np.median([math.sqrt(look.spacing[0] * look.spacing[1]) for look in looks]))
    if plan.spacing_mm > usual * 1.1:
        return (
            plan.spacing_mm,
            f"half of the planes within {LARGEST_PX} px; the files' is {usual:.3g}",
        )
    return plan.spacing_mm, f"the median of the files, {usual:.3g}"


def write_plan(folder: Path, out: Path | None = None, device: str = "auto") -> Path:
    """Look at a folder and write a RUN.toml for it; where it was written.

    Its second line says how long the training would take here, measured: the only line that
    may differ when it is planned again.

    Args:
        folder: images and labels, in any layout that heartseg reads.
        out: the file; None for the folder's name in the working folder.
        device: where it would be trained.

    Raises:
        InputError: nothing to learn from.
        OutputError: the file is there already, or cannot be written.
    """
    name = name_of(folder.absolute())
    path = out or Path(f"{name}.toml")
    if path.exists():
        raise OutputError(path.name, got="a file of that name", do="name another with -o")
    chosen, found = choose_device(device), fingerprint(folder)
    relative = Path(os.path.relpath(folder.resolve(), path.absolute().parent.resolve())).as_posix()
    text = plan_text(found, planned(found), name, relative)
    settings = from_table(RunSettings, tomllib.loads(text))
    took = estimate(settings, path.absolute().parent, chosen, MEASURED_S)
    said = f"# About {took.minutes:.0f} minutes on {took.device} here, {took.step_s:.2g} s a step."
    first, _, rest = text.partition("\n")
    write_atomically(path, f"{first}\n{said}\n{rest}".encode())
    return path
