"""An explanation on the disk: arrays on the files' own grids, overlays, JSON and a page."""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.core.image import Image
from heartseg.core.provenance import now, source_commit
from heartseg.core.study import Source
from heartseg.core.version import __version__
from heartseg.explain.checks import MOST_ALIKE, Checked
from heartseg.explain.deletion import SHARES, SQUARE_PX
from heartseg.explain.page import html_page
from heartseg.explain.picture import Scene, map_picture
from heartseg.explain.study import Explanation
from heartseg.explain.view import Map
from heartseg.formats.stored import STORED_XYZ
from heartseg.formats.table import FORMATS
from heartseg.report import words
from heartseg.report.atomic import write_atomically
from heartseg.report.json_file import model_as_json, plain
from heartseg.report.overview import png_bytes
from heartseg.report.study_folder import EXPLAINED

INDEX = "index.html"


def save_explanation(explanation: Explanation, folder: Path, name: str) -> tuple[Path, ...]:
    """Write everything that was found; `explain.json` last, so that it tells a whole folder.

    `<stem>_<method>_map.nii.gz` for each file of the study that holds explained frames: float32
    with the file's own geometry header, NaN where nothing was asked (`_map.tiff` for a single
    picture); `<view>_<method>_map.png`, the overlay; `<view>_checks.png`; `index.html`.

    Args:
        explanation: to write.
        folder: where; made when missing.
        name: of the study, for people.

    Raises:
        OutputError: a file could not be written.
    """
    written: list[Path] = []
    pictures: dict[str, bytes] = {}
    rows = []
    for map_ in explanation.maps:
        arrays = list(_arrays(explanation, map_))
        overlay = f"{map_.view}_{_file_name(map_.method)}_map.png"
        pictures[overlay] = png_bytes(map_picture(map_, _scene(explanation, map_, name)))
        for file, content in (*arrays, (overlay, pictures[overlay])):
            write_atomically(folder / file, content)
            written.append(folder / file)
        rows.append(_map_row(map_, [file for file, _ in arrays], overlay))
    for view, checks in explanation.checks.items():
        from heartseg.explain.curves import checks_picture

        pictures[f"{view}_checks.png"] = checks_picture(checks)
        write_atomically(folder / f"{view}_checks.png", pictures[f"{view}_checks.png"])
        written.append(folder / f"{view}_checks.png")
    said = as_json(explanation, rows, name)
    page = html_page(said, pictures)
    text = json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    for file, content in ((INDEX, page.encode()), (EXPLAINED, text.encode())):
        write_atomically(folder / file, content)
        written.append(folder / file)
    return tuple(written)


def as_json(explanation: Explanation, maps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """explain.json, as plain tables; every key is always there."""
    target, wanted = explanation.target, explanation.wanted
    table = {
        "study": words.clean(name),
        "target": {
            "key": target.key,
            "name": target.title,
            "unit": target.unit,
            "structure": target.structure.key,
        },
        "model": model_as_json(explanation.model),
        "phases": {view: _phases(one) for view, one in explanation.phases.items()},
        "measure": {view: asdict(one) for view, one in explanation.soft.items()},
        "maps": maps,
        "settings": asdict(wanted.settings),
        "checks": {
            view: [_check_row(one) for one in checks] for view, checks in explanation.checks.items()
        },
        "checked_by": {
            "rank_correlation_below": MOST_ALIKE,
            "shares": SHARES,
            "square_px": SQUARE_PX,
        },
        "provenance": {
            "version": __version__,
            "commit": source_commit(),
            "created": now(),
            "device": wanted.device,
            "research_only": words.RESEARCH_ONLY,
        },
    }
    said: dict[str, Any] = plain(table)
    return said


def _phases(phases: Any) -> dict[str, Any]:
    return {"ed": phases.ed, "es": phases.es, "rv_es": phases.rv_es, "how": phases.how}


def _map_row(map_: Map, arrays: list[str], overlay: str) -> dict[str, Any]:
    known = map_.values[np.isfinite(map_.values)]
    silent = [
        [frame, stored]
        for row, frame in enumerate(map_.frames)
        for stored in map_.slices
        if not np.isfinite(map_.values[row, stored]).any()
    ]
    return {
        "method": map_.method,
        "view": map_.view,
        "unit": map_.unit,
        "signed": map_.signed,
        "frames": map_.frames,
        "slices": map_.slices,
        "without_structure": silent,
        "lowest": float(known.min()) if known.size else None,
        "highest": float(known.max()) if known.size else None,
        "arrays": arrays,
        "overlay": overlay,
    }


def _check_row(checked: Checked) -> dict[str, Any]:
    curves = checked.curves
    areas = None
    if curves is not None:
        orders = list(curves.deletion)
        areas = {
            kind: {order: curves.area(kind, order) for order in orders}
            for kind in ("deletion", "insertion")
        }
    return {
        "method": checked.method,
        "depends_on_weights": checked.depends_on_weights,
        "beats_plain_orders": checked.beats_plain_orders,
        "steps": [asdict(step) for step in checked.steps],
        "areas": areas,
        "deletion": None if curves is None else dict(curves.deletion),
        "insertion": None if curves is None else dict(curves.insertion),
    }


def _scene(explanation: Explanation, map_: Map, name: str) -> Scene:
    return Scene(
        explanation.study.images[map_.view],
        explanation.segmentations[map_.view],
        explanation.phases.get(map_.view),
        explanation.target,
        name,
        words.model_name(explanation.model),
    )


def _arrays(explanation: Explanation, map_: Map) -> Iterator[tuple[str, bytes]]:
    """Name and content of an array for each file that holds explained frames."""
    study, method = explanation.study, _file_name(map_.method)
    image = study.images[map_.view]
    sources = study.sources.get(map_.view, ())
    for source in sources:
        if not set(source.frames) & set(map_.frames):
            continue
        part = image.part(source.frames).like(_in_frames(map_, source.frames))
        known = FORMATS.get(source.format)
        if known is not None and known.flat and part.voxels.shape[:2] == (1, 1):
            yield f"{source.stem}_{method}_map.tiff", _tiff(part.voxels[0, 0])
        else:
            yield f"{source.stem}_{method}_map.nii.gz", _nifti(part, source)
    if not sources:
        from heartseg.formats import nifti

        whole = image.like(_in_frames(map_, range(image.frames)))
        yield f"{map_.view}_{method}_map.nii.gz", nifti.map_as_bytes(whole)


def _in_frames(map_: Map, frames: Any) -> NDArray[np.float32]:
    """(frames, z, y, x) with NaN in frames that were not explained."""
    values = np.full((len(frames), *map_.values.shape[1:]), np.nan, np.float32)
    for place, frame in enumerate(frames):
        if frame in map_.frames:
            values[place] = map_.values[map_.frames.index(frame)]
    return values


def _nifti(image: Image, source: Source) -> bytes:
    from heartseg.formats import nifti

    known = FORMATS.get(source.format)
    like = source.path if source.format == "nifti" else None
    order = getattr(known and known.door, "stored_order", lambda _: STORED_XYZ)
    return nifti.map_as_bytes(image, like, order(source.path))


def _tiff(plane: NDArray[np.float32]) -> bytes:
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(out, np.ascontiguousarray(plane), compression="zlib")
    return out.getvalue()


def _file_name(method: str) -> str:
    return method.replace("+", "-plus")
