"""What the model was sure of, on the files' own grids."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from heartseg.core.finding import ModelUse
from heartseg.core.probability import CERTAIN, Probabilities
from heartseg.core.study import Source, Study, View
from heartseg.formats.stored import STORED_XYZ
from heartseg.formats.table import FORMATS
from heartseg.report.atomic import write_atomically
from heartseg.report.json_file import model_as_json, plain


def save_probabilities(
    study: Study, probabilities: Mapping[View, Probabilities], folder: Path, model: ModelUse
) -> tuple[Path, ...]:
    """Write `<stem>_prob.nii.gz` and `<stem>_prob.json` for each file of the study.

    The image has five axes, as NIfTI stores a vector in each voxel: the three of the source's own
    grid, the frames, the structures. Its numbers are float32, rounded to five digits so that they
    pack well. The JSON names axes, structures and model. Each file appears whole or not at all.

    Args:
        study: whose files these are.
        probabilities: by view, on the grids and frames of the study's images.
        folder: where; made when missing.
        model: what made them.

    Raises:
        OutputError: a file could not be written.
    """
    written = []
    for view, one in probabilities.items():
        for source in study.sources[view]:
            whole = source.frames == tuple(range(one.frames))
            part = one if whole else one.part(source.frames)
            image = folder / f"{source.stem}_prob.nii.gz"
            write_atomically(image, _packed(part, source))
            said = folder / f"{source.stem}_prob.json"
            write_atomically(said, _sidecar(part, image.name, model).encode())
            written += [image, said]
    return tuple(written)


def _packed(probabilities: Probabilities, source: Source) -> bytes:
    from heartseg.formats import nifti

    known = FORMATS.get(source.format)
    like = source.path if source.format == "nifti" else None
    order = getattr(known and known.door, "stored_order", lambda _: STORED_XYZ)
    return nifti.probabilities_as_bytes(probabilities, like, order(source.path))


def _sidecar(probabilities: Probabilities, name: str, model: ModelUse) -> str:
    structures: list[dict[str, Any]] = [
        {
            "index": index,
            "key": one.key,
            "name": one.title,
            "code": None if one.code is None else plain(asdict(one.code)),
        }
        for index, one in enumerate(probabilities.structures)
    ]
    said = {
        "file": name,
        "axes": ["i", "j", "k", "frame", "structure"],
        "structures": structures,
        "values": f"probabilities of 0 to 1 in float32, rounded to multiples of 1/{CERTAIN}",
        "rules": "none: as the model gave them, before refinement",
        "model": model_as_json(model),
    }
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"
