"""The folder of a model bundle, read with every check and written whole (`bundle.py`)."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from math import prod
from pathlib import Path
from typing import Any, Literal

from heartseg.config import from_table, to_table, to_toml
from heartseg.config.strict import PRESET
from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError, ModelError, OutputError
from heartseg.core.study import Modality, View
from heartseg.measure.calibration import Calibration
from heartseg.measure.likeness import Familiar
from heartseg.prepare import Preparation
from heartseg.segment.bundle import INPUT, OUTPUT, Bundle
from heartseg.segment.description import Description
from heartseg.segment.onnx_check import LARGEST_ONNX_BYTES, OnnxSummary, read_onnx
from heartseg.segment.window import Window

LARGEST_TOML_BYTES = 256_000
LARGEST_FIELD_PX = 2048
LONGEST_LINE = 300
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModelFile:
    """What a model.toml may say, and must."""

    name: str
    version: str
    licence: str
    modality: Modality
    view: View
    sha256: str
    labels: Mapping[str, str]
    architecture: Mapping[str, Any]
    preparation: Preparation
    activation: Literal["softmax", "sigmoid"] = "softmax"
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    window: Window | None = None
    int8_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    intervals: Calibration | None = None
    familiar: Familiar | None = None


def shipped_bundles() -> tuple[str, ...]:
    """Names of the models that came with the package, in alphabetical order."""
    folder = _shipped_folder()
    if not folder.is_dir():
        return ()
    return tuple(sorted(f.name for f in folder.iterdir() if (f / "model.toml").is_file()))


def load_bundle(name_or_folder: str | Path) -> Bundle:
    """Read and check a model.

    Args:
        name_or_folder: the name of a shipped model, or a folder that holds a bundle.

    Raises:
        ModelError: no such model; a file is missing, broken or too large; the weights are not
            those that model.toml was written for; labels, sizes or operators do not fit.
    """
    shipped = str(name_or_folder) in shipped_bundles()
    folder = _shipped_folder() / name_or_folder if shipped else Path(name_or_folder)
    if not (folder / "model.toml").is_file():
        known = ", ".join(shipped_bundles()) or "none is shipped"
        raise ModelError(
            f"model '{folder.name}'",
            got="no such model, and no folder with a model.toml",
            allowed=f"a folder, or one of: {known}",
        )
    table = _toml(_bytes(folder / "model.toml", LARGEST_TOML_BYTES), folder.name)
    onnx = _bytes(folder / "model.onnx", LARGEST_ONNX_BYTES)
    return _checked(table, onnx, folder, shipped=shipped)


def write_bundle(folder: Path, onnx: bytes, description: Description) -> Bundle:
    """Write a model, model.toml last, so that an interrupted one cannot be mistaken for whole.

    Args:
        folder: made when it does not exist; a bundle in it is replaced.
        onnx: network and weights, see `INPUT` and `OUTPUT`.
        description: everything else.

    Raises:
        ModelError: it would not load again.
        OutputError: the folder cannot be written.
    """
    # Only who writes a model needs what a card is made of.
    from heartseg.segment.appraisal import drop_strange_appraisals
    from heartseg.segment.card import card_text, facts_of

    sha256 = hashlib.sha256(onnx).hexdigest()
    table = _table(description, sha256)
    bundle = _checked(from_table(_ModelFile, table), onnx, folder, shipped=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.toml").unlink(missing_ok=True)
        (folder / "model.onnx").write_bytes(onnx)
        drop_strange_appraisals(folder, sha256)
        (folder / "card.md").write_text(card_text(facts_of(bundle)), encoding="utf-8")
        unfinished = folder / "model.toml.tmp"
        unfinished.write_text(to_toml(table), encoding="utf-8")
        unfinished.replace(folder / "model.toml")
    except OSError as fault:
        raise OutputError(f"bundle {folder.name}", got=fault.strerror or str(fault)) from fault
    return bundle


def _shipped_folder() -> Path:
    return Path(str(resources.files("heartseg"))) / "bundles"


def bounded_bytes(path: Path, largest: int, *, allowed: str, do: str = "") -> bytes:
    """A file of a model's folder.

    Args:
        path: of the file.
        largest: bytes.
        allowed, do: said where there is no such file.

    Raises:
        ModelError: it is missing or larger.
    """
    try:
        size = path.stat().st_size
        if size > largest:
            raise ModelError(path.name, got=f"{size} bytes", allowed=f"at most {largest}")
        return path.read_bytes()
    except OSError as fault:
        got = fault.strerror or "nothing that can be read"
        raise ModelError(path.name, got=got, allowed=allowed, do=do) from fault


def _bytes(path: Path, largest: int) -> bytes:
    allowed, do = "model.onnx beside model.toml", "fetch the bundle again"
    return bounded_bytes(path, largest, allowed=allowed, do=do)


def _toml(content: bytes, name: str) -> _ModelFile:
    try:
        table = tomllib.loads(content.decode("utf-8"))
        _require_resolved(table, name)
        return from_table(_ModelFile, table, where=f"{name}/model.toml")
    except (ValueError, RecursionError) as fault:
        raise ModelError(f"{name}/model.toml", got=f"no TOML: {fault}") from fault
    except ConfigError as fault:
        raise ModelError(str(fault)) from fault


def _require_resolved(table: Mapping[str, Any], name: str) -> None:
    """Refuse a preset: what it means may change, what a model was trained with may not."""
    preparation = table.get("preparation")
    if isinstance(preparation, Mapping) and PRESET in preparation:
        got = f"{PRESET} = {preparation[PRESET]!r:.64}"
        raise ModelError(f"{name}/model.toml: preparation", got=got, allowed="the settings")


def _table(description: Description, sha256: str) -> dict[str, Any]:
    said = {f.name: getattr(description, f.name) for f in fields(Description)}
    table = to_table(Description(**said))  # a Bundle is one too, and holds more
    keys = [structure.key for structure in description.structures]
    del table["structures"]
    if not description.int8_ranges:
        del table["int8_ranges"]
    labels = {str(channel): key for channel, key in enumerate(keys)}
    return {**table, "sha256": sha256, "labels": labels}


def _checked(file: _ModelFile, onnx: bytes, folder: Path, *, shipped: bool) -> Bundle:
    where = f"model '{folder.name}'"
    sha256 = hashlib.sha256(onnx).hexdigest()
    if sha256 != file.sha256.lower():
        raise ModelError(
            where,
            got=f"a model.onnx with SHA-256 {sha256[:12]}...",
            allowed=f"{file.sha256[:12]!r}..., as model.toml says",
            do="the files do not belong together or were changed: fetch the bundle again",
        )
    _require_sane(file, where)
    structures = _structures(file.labels, where)
    _require_fit(read_onnx(onnx), len(structures), file, where)
    common = {f.name: getattr(file, f.name) for f in fields(Description) if f.name != "structures"}
    return Bundle(
        **common, structures=structures, sha256=sha256, folder=folder, shipped=shipped, onnx=onnx
    )


def require_plain_words(where: str, *, name: str, version: str, licence: str) -> None:
    """Refuse words of a stranger's model that would not stand in a report as they are.

    Raises:
        ModelError: a name of other signs, or a version or licence that is no line of text.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(where, got=f"name {name[:64]!r}", allowed="a-z 0-9 . _ -, at most 64")
    for what, line in (("version", version), ("licence", licence)):
        if not line.strip() or len(line) > LONGEST_LINE or not line.isprintable():
            raise ModelError(where, got=f"{what} {line[:40]!r}", allowed="one line of text")


def _require_sane(file: _ModelFile, where: str) -> None:
    require_plain_words(where, name=file.name, version=file.version, licence=file.licence)
    if file.preparation.field_px > LARGEST_FIELD_PX:
        got = f"planes of {file.preparation.field_px} pixels"
        raise ModelError(where, got=got, allowed=f"at most {LARGEST_FIELD_PX}")
    if file.window is None:
        return
    if file.window.axes == 3 and file.preparation.neighbours:
        got = f"{file.preparation.neighbours} neighbours for a network of volumes"
        raise ModelError(where, got=got, allowed="0: it sees all slices")
    if max(file.window.largest_px) > LARGEST_FIELD_PX:
        got = f"a window of {file.window.largest_px} pixels"
        raise ModelError(where, got=got, allowed=f"at most {LARGEST_FIELD_PX}")
    if prod(file.window.second_px) > LARGEST_FIELD_PX**2:
        got = f"a window of {file.window.second_px} pixels where a few would do"
        raise ModelError(where, got=got, allowed=f"at most {LARGEST_FIELD_PX**2} in all")


def _structures(labels: Mapping[str, str], where: str) -> tuple[Structure, ...]:
    names = [labels.get(str(channel), "") for channel in range(len(labels))]
    unknown = [name for name in names if name not in STRUCTURES_BY_KEY]
    if unknown or len(set(names)) < len(names) or names[:1] != ["background"] or len(names) < 2:
        got = ", ".join(f"{channel} {key!r}" for channel, key in list(labels.items())[:16])
        known = ", ".join(STRUCTURES_BY_KEY)
        allowed = f"channels 0, 1, ... with 0 background, the others once each of {known}"
        raise ModelError(f"{where}: labels", got=got, allowed=allowed)
    return tuple(STRUCTURES_BY_KEY[name] for name in names)


def _require_fit(onnx: OnnxSummary, classes: int, file: _ModelFile, where: str) -> None:
    window, channels = file.window, file.preparation.channels
    given, wanted = onnx.inputs.get(INPUT), onnx.outputs.get(OUTPUT)
    if len(onnx.inputs) != 1 or len(onnx.outputs) != 1 or given is None or wanted is None:
        got = f"inputs {sorted(onnx.inputs)[:4]}, outputs {sorted(onnx.outputs)[:4]}"
        raise ModelError(where, got=got, allowed=f"input '{INPUT}' and output '{OUTPUT}'")
    axes = 2 if window is None else window.axes
    shapes: list[tuple[int | None, ...]] = [(None, channels, *(None,) * axes)]
    if window is not None and window.only_px is not None:
        shapes.append((None, channels, *window.only_px))
    if given not in shapes:
        allowed = " or ".join(str(shape).replace("None", "free") for shape in shapes)
        raise ModelError(where, got=f"input of shape {given}", allowed=allowed)
    if len(wanted) != 2 + axes or wanted[1] not in (None, classes):
        space = "y, x" if axes == 2 else "z, y, x"
        allowed = f"(n, {classes}, {space}), as its labels"
        raise ModelError(where, got=f"output of shape {wanted}", allowed=allowed)
