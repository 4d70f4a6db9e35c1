"""`heartseg inspect`: what is seen in files, which model would be chosen, and a picture of it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from heartseg.choice import DEFAULT_MODELS, Models, chosen_models, why_model
from heartseg.core.errors import StudyError
from heartseg.core.study import Study, View
from heartseg.read.inspect import Look, Looks, Seen, looks

if TYPE_CHECKING:
    from heartseg.preview import Use


def inspected(
    path: Path,
    *,
    spacing_mm: tuple[float, float, float] | None = None,
    view: View | None = None,
) -> Looks:
    """Every study at a path with what is seen in it, models included; no weights are loaded.

    Raises:
        InputError: nothing there that heartseg can read.
    """
    found = looks(path, spacing_mm=spacing_mm, view=view)
    return Looks([partial(_with_models, read) for read in found.reads])


def _with_models(read: Callable[[], Look]) -> Look:
    study, seen = read()
    return study, seen if study is None else [_with_model(study, one) for one in seen]


def _with_model(study: Study, seen: Seen) -> Seen:
    if seen.labels == "image":
        return replace(seen, model_reason="label numbers are measured, not segmented")
    view = View(seen.view or View.UNKNOWN)
    try:
        names = chosen_models(study, Models())
    except StudyError:  # it speaks of all views at once
        names = {}
    if view not in names:
        made = ", ".join(f"{modality} {one}" for modality, one in DEFAULT_MODELS)
        seen_as = f"{study.modality} of view {view}"
        said = f"the shipped ones are for {made}, not {seen_as}; pass --view or --model"
        return replace(seen, model_reason=said)
    (name,) = names[view]
    return replace(seen, model=name, model_reason=why_model(study, view))


def write_preview(
    where: Path, study: Study, seen: list[Seen], *, alone: bool, preset: str | None = None
) -> Path:
    """Draw a study's preview into `where`, a .png file or a folder; the file that was written.

    Args:
        where: to write.
        study: to draw.
        seen: what was seen of its images.
        alone: it is the only study.
        preset: name of a preparation to show in place of the model's.

    Raises:
        OutputError: it cannot be written there.
        FormatError: an image without contrast.
    """
    from heartseg.preview import keep, preview_file, preview_picture

    file = preview_file(where, study.id, alone=alone)
    uses = {View(one.view or View.UNKNOWN): _use(one, preset) for one in seen}
    keep(preview_picture(study, uses), file)
    return file


def _use(seen: Seen, preset: str | None) -> "Use":
    from heartseg.prepare import Preparation
    from heartseg.preview import Use

    if preset is not None:
        return Use(Preparation.presets()[preset], f"preset {preset}, as asked for")
    if seen.model is None:
        return Use(Preparation(), "no model is made for this view: the usual preparation is shown")
    from heartseg.segment import load_bundle

    bundle = load_bundle(seen.model)
    return Use(bundle.preparation, f"as model {bundle.name} {bundle.version} does it")
