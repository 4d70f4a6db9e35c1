"""What a network looked at: maps of the pixels that move a structure or a measure.

In: a study and a model (or several). Out: a map a method on the study's own grid, with its unit and
with checks of whether the method shows the network at all. `methods.METHODS` is the one list of
methods; each lies in a file of its own. Torch and captum are needed, heartseg[train].

Nothing here decides what a voxel is, or measures: a map is about the network, not about the heart.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heartseg.core.errors import MissingExtraError
from heartseg.core.study import Study

if TYPE_CHECKING:
    from heartseg.explain.study import Explanation

NEEDED = ("torch", "captum")


def explain_study(
    study: Study,
    target: str = "lv",
    *,
    methods: Sequence[str] = (),
    model: str | Sequence[str] | None = None,
    device: str = "auto",
    frames: str | None = None,
    slices: str = "all",
    settings: Mapping[str, Any] | None = None,
) -> "Explanation":
    """See which pixels move a structure or a measure of a study, for the network that drew it.

    Args:
        study: as `read_study` gives it.
        target: key of a structure (`lv`, `myo`, `rv`) or a measure (`lv_ef`, `lv_edv_ml`, ...).
        methods: names of `heartseg.explain.methods.METHODS`; none for saliency, grad-cam, entropy.
        model: name or folder of a bundle, or of several; None chooses by modality and view.
        device: "auto", "cpu" or "cuda".
        frames: "all", or `ed`, `es` and numbers from 0 with commas between; None for end-diastole
            and end-systole.
        slices: "all", "middle", or numbers from 0 in the file's own order, with commas between.
        settings: of the methods, by the names in `heartseg.explain.asked.Settings`.

    Returns:
        `maps`: of every view and method (frames, z, y, x) float32 on the study's own grid, NaN
        where nothing was asked; `soft`: a measure as it was explained beside that of the masks.
        `heartseg.explain.files.save_explanation` writes all of it.

    Raises:
        MissingExtraError: torch or captum is not installed.
        ConfigError: no such target, method, frame, slice, setting or device.
        ModelError: a model cannot be used, or has not what a method needs.
        StudyError: no model for it, no such structure or phase in it.
    """
    require_extra()
    from heartseg.config import from_table
    from heartseg.explain.asked import Settings
    from heartseg.explain.study import explained
    from heartseg.explain.wanted import Wanted

    given = (model,) if isinstance(model, str) else tuple(map(str, model or ()))
    wanted = Wanted(
        target=target,
        methods=tuple(methods),
        models=given,
        device=device,
        frames=frames,
        slices=slices,
        settings=from_table(Settings, settings or {}),
    )
    return explained(study, wanted)


def require_extra() -> None:
    """Say how to install what maps are made with.

    Raises:
        MissingExtraError: torch or captum is not there.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtraError("explain", "train")
