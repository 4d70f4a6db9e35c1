"""What the network said of each plane, kept on disk: what follows it can be done again cheaply.

The place is below everything else: a runtime that remembers. Whatever the pipeline does with the
answers, a second run over the same planes does it without the network; planes that it has not seen
are asked for. Kept probabilities are rounded to 1/10000; the first run uses them as they came.
"""

import hashlib
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartseg.choice import Models
from heartseg.segment.bundle import Bundle
from heartseg.segment.runtime import Runtime

PARTS = 10_000
Planes = dict[str, NDArray[np.uint16]]


class KeptRuntime:
    """A runtime that answers a second time from memory.

    Args:
        runtime: that answers the first time.
        planes: what is known, by the plane that was asked about; answers are added.
    """

    def __init__(self, runtime: Runtime, planes: Planes) -> None:
        self._runtime, self._planes, self.name = runtime, planes, runtime.name

    @property
    def precision(self) -> str:
        """As the runtime's."""
        return self._runtime.precision

    def infer(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """As the runtime's, which is asked about what is not known yet, all together."""
        keys = [_key(one) for one in pixels]
        todo = [place for place, key in enumerate(keys) if key not in self._planes]
        fresh = self._runtime.infer(pixels[todo]) if todo else ()
        answers = dict(zip(todo, fresh, strict=True))
        for place, answer in answers.items():
            self._planes[keys[place]] = np.round(answer * PARTS).astype(np.uint16)
        known = (answers.get(place) for place in range(len(keys)))
        return np.stack(
            [
                self._planes[key].astype(np.float32) / np.float32(PARTS) if one is None else one
                for key, one in zip(keys, known, strict=True)
            ]
        )


def _key(plane: NDArray[np.float32]) -> str:
    said = repr(plane.shape).encode() + np.ascontiguousarray(plane).tobytes()
    return hashlib.blake2b(said, digest_size=16).hexdigest()


class KeptModels(Models):
    """Models of one process that remember the planes in `planes`, which may be exchanged."""

    def __init__(self, device: str = "cpu", threads: int | None = None) -> None:
        super().__init__(device, threads)
        self.planes: Planes = {}
        self._remembering: dict[str, tuple[Bundle, Runtime]] = {}

    def ready(self, name: str) -> tuple[Bundle, Runtime]:
        """As `Models.ready`, remembering."""
        if name not in self._remembering:
            bundle, runtime = super().ready(name)
            self._remembering[name] = bundle, KeptRuntime(runtime, self.planes)
        return self._remembering[name]

    def remember(self, planes: Planes) -> None:
        """Know these planes and no others."""
        self.planes.clear()
        self.planes.update(planes)


def save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name, packed quickly: nearly all of a plane is sure, so 0 or 1."""
    memory = io.BytesIO()
    np.savez(memory, **arrays)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(zlib.compress(memory.getvalue(), 1))
    unfinished.replace(path)


def load(path: Path) -> dict[str, NDArray[Any]]:
    """What a file holds; nothing where there is none."""
    if not path.exists():
        return {}
    with np.load(io.BytesIO(zlib.decompress(path.read_bytes()))) as arrays:
        return dict(arrays)
