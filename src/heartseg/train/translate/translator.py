"""A translator: generators with everything that using them takes.

A folder like a model's bundle. `there.onnx` makes the target of the source and `back.onnx`, where
the method has one, the source of the target; `translator.toml` says what goes in, what comes out,
whence it is, and the SHA-256 of both. No other name: a translator is no model of segmentation, and
`--model` does not take it for one. Loading checks what a bundle's loading checks; needs no torch.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from heartseg.config import from_table, to_table, to_toml
from heartseg.core.errors import ConfigError, ModelError, OutputError
from heartseg.core.study import Modality, View
from heartseg.prepare import Preparation
from heartseg.segment.bundle import INPUT
from heartseg.segment.bundle_folder import (
    LARGEST_FIELD_PX,
    LARGEST_TOML_BYTES,
    bounded_bytes,
    require_plain_words,
)
from heartseg.segment.onnx_check import LARGEST_ONNX_BYTES, read_onnx

OUTPUT = "translated"
"""Name in the ONNX files: float32 (n, channels, y, x) in and out, intensities in [0, 1]."""

TOML, THERE_ONNX, BACK_ONNX = "translator.toml", "there.onnx", "back.onnx"
LARGEST_STRIDE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOfImage:
    """One side of a translation: what images of it are, and what is done to them first."""

    modality: Modality
    view: View
    preparation: Preparation


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatorText:
    """What is said of a translator besides its weights and their hashes.

    Attributes:
        name: of the translator, e.g. `cine-to-late`.
        version: of it.
        licence: of the weights, one line.
        method: that it was trained with.
        source, target: the two kinds of image.
        stride: prepared planes have multiples of this many rows and columns.
        generator: name and settings of the generators, for people.
        training: data, split, seeds, commit, steps: whatever tells where it comes from.
    """

    name: str
    version: str
    licence: str
    method: Literal["cyclegan", "fastcut"]
    source: KindOfImage
    target: KindOfImage
    stride: int
    generator: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File(TranslatorText):
    """What a translator.toml may say, and must."""

    sha256: str
    back_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Translator:
    """A translator that was read, checked and may be used.

    Attributes:
        text: what is said of it.
        there: checked bytes of the network that makes the target of the source.
        back: of the one that makes the source of the target; None where the method has none.
        sha256: of `there`, in hexadecimal.
        folder: where it was read.
    """

    text: TranslatorText
    there: bytes = field(repr=False)
    back: bytes | None = field(repr=False)
    sha256: str
    folder: Path


def load_translator(folder: Path) -> Translator:
    """Read and check a translator.

    Raises:
        ModelError: no such folder; a file is missing, broken or too large; the weights are not
            those that translator.toml was written for; sizes or operators do not fit.
    """
    if not (folder / TOML).is_file():
        raise ModelError(
            f"translator '{folder.name}'",
            got=f"no folder with a {TOML}",
            allowed="what `heartseg translate train` writes to RUN/translator",
        )
    try:
        table = tomllib.loads(_bytes(folder / TOML, LARGEST_TOML_BYTES).decode("utf-8"))
        file = from_table(_File, table, where=f"{folder.name}/{TOML}")
    except (ValueError, RecursionError) as fault:
        raise ModelError(f"{folder.name}/{TOML}", got=f"no TOML: {fault}") from fault
    except ConfigError as fault:
        raise ModelError(str(fault)) from fault
    there = _bytes(folder / THERE_ONNX, LARGEST_ONNX_BYTES)
    back = None if file.back_sha256 is None else _bytes(folder / BACK_ONNX, LARGEST_ONNX_BYTES)
    return _checked(file, there, back, folder)


def write_translator(
    folder: Path, there: bytes, back: bytes | None, text: TranslatorText
) -> Translator:
    """Write a translator, its TOML last, so that an interrupted one cannot be mistaken for whole.

    Args:
        folder: made when it does not exist; a translator in it is replaced.
        there, back: networks and weights, see `OUTPUT`.
        text: everything else.

    Raises:
        ModelError: it would not load again.
        OutputError: the folder cannot be written.
    """
    table = {**to_table(text), "sha256": _hash(there)}
    if back is not None:
        table["back_sha256"] = _hash(back)
    made = _checked(from_table(_File, table), there, back, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (TOML, THERE_ONNX, BACK_ONNX):
            (folder / name).unlink(missing_ok=True)
        (folder / THERE_ONNX).write_bytes(there)
        if back is not None:
            (folder / BACK_ONNX).write_bytes(back)
        unfinished = folder / f"{TOML}.tmp"
        unfinished.write_text(to_toml(table), encoding="utf-8")
        unfinished.replace(folder / TOML)
    except OSError as fault:
        raise OutputError(f"translator {folder.name}", got=fault.strerror or str(fault)) from fault
    return made


def _bytes(path: Path, largest: int) -> bytes:
    allowed = f"{THERE_ONNX} (and {BACK_ONNX}) beside {TOML}"
    return bounded_bytes(path, largest, allowed=allowed)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _checked(file: _File, there: bytes, back: bytes | None, folder: Path) -> Translator:
    where = f"translator '{folder.name}'"
    _require_sane(file, where)
    wanted = [(THERE_ONNX, there, file.sha256)]
    if back is not None:
        wanted.append((BACK_ONNX, back, file.back_sha256 or ""))
    for name, content, sha256 in wanted:
        if _hash(content) != sha256.lower():
            raise ModelError(
                where,
                got=f"a {name} with SHA-256 {_hash(content)[:12]}...",
                allowed=f"{sha256[:12]!r}..., as {TOML} says",
                do="the files do not belong together or were changed: fetch them again",
            )
        _require_fit(content, file.source.preparation.channels, f"{where}: {name}")
    said = {name: getattr(file, name) for name in TranslatorText.__dataclass_fields__}
    return Translator(
        text=TranslatorText(**said), there=there, back=back, sha256=file.sha256, folder=folder
    )


def _require_sane(file: _File, where: str) -> None:
    require_plain_words(where, name=file.name, version=file.version, licence=file.licence)
    if not 1 <= file.stride <= LARGEST_STRIDE:
        raise ModelError(where, got=f"stride {file.stride}", allowed=f"1-{LARGEST_STRIDE}")
    if file.source.preparation.channels != file.target.preparation.channels:
        raise ModelError(where, got="other neighbours on one side", allowed="the same on both")
    for side in (file.source, file.target):
        size, stride = side.preparation.field_px, side.preparation.stride
        if size > LARGEST_FIELD_PX or stride % file.stride:
            got = f"planes of up to {size} pixels in multiples of {stride}"
            allowed = f"at most {LARGEST_FIELD_PX}, in multiples of {file.stride}"
            raise ModelError(where, got=got, allowed=allowed)


def _require_fit(onnx: bytes, channels: int, where: str) -> None:
    summary = read_onnx(onnx)
    given, wanted = summary.inputs.get(INPUT), summary.outputs.get(OUTPUT)
    if len(summary.inputs) != 1 or len(summary.outputs) != 1 or given is None or wanted is None:
        got = f"inputs {sorted(summary.inputs)[:4]}, outputs {sorted(summary.outputs)[:4]}"
        raise ModelError(where, got=got, allowed=f"input '{INPUT}' and output '{OUTPUT}'")
    if given != (None, channels, None, None):
        allowed = f"(free, {channels}, free, free)"
        raise ModelError(where, got=f"input of shape {given}", allowed=allowed)
    if len(wanted) != 4 or wanted[1] not in (None, channels):
        allowed = f"(n, {channels}, y, x)"
        raise ModelError(where, got=f"output of shape {wanted}", allowed=allowed)
