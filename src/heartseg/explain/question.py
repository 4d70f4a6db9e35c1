"""From a target to what each network is asked, a plane (or volume) at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heartseg.explain.asked import Asked, Score, Settings
from heartseg.explain.methods import OfAnswers, OfNetwork
from heartseg.explain.seen import Seen
from heartseg.explain.target import Slopes, Target, mean_log_odds, slopes, soft_volume

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is asked of a network about one plane or volume.

    Attributes:
        asked: the network, its pixels and the number.
        mask: (*size) bool, the pixels that the network gave the structure.
    """

    asked: Asked
    mask: Tensor


class Question:
    """A model before an image, and what it is asked.

    Args:
        seen: the two.
        target: what is explained.
        needed: the frames that a measure is made of, by phase.

    Raises:
        ConfigError: the model was not taught the structure.
        MeasureError: there is no volume at end-diastole.
    """

    def __init__(self, seen: Seen, target: Target, needed: Mapping[str, int]) -> None:
        self._seen, self._target, self._needed = seen, target, needed
        self.channel = target.channel(seen.model.bundle.structures)
        self._last: tuple[int, tuple[int, ...], dict[int, Piece]] | None = None

    @cached_property
    def slopes(self) -> Slopes | None:
        """The measure in soft volumes; None where a structure is explained."""
        measure = self._target.measure
        if measure is None:
            return None
        volume, volumes = self._volume, {}
        with torch.no_grad():
            for name, frame in self._needed.items():
                logits = (self._logits(piece) for piece in self._seen.pieces(frame))
                volumes[name] = float(sum(volume(one).sum() for one in logits))
        return slopes(measure, volumes)

    def pieces(self, frame: int, slices: Sequence[int]) -> dict[int, Piece]:
        """What is asked about slices of a frame, by the place of the piece among all of its frame.

        A plane without the structure that is explained is left out.
        """
        whole = self._seen.pieces(frame)
        asked = {}
        for place in sorted({self._place(one) for one in slices}):
            mask = self._logits(whole[place])[0].argmax(0) == self.channel
            if self.slopes is not None or mask.any():
                score = self._score(frame, mask)
                question = Asked(self._seen.model.network, whole[place], score)
                asked[place] = Piece(question, mask)
        return asked

    def map_of(self, method: OfNetwork, frame: int, slices: Sequence[int], how: Settings) -> Array:
        """A method's map (z, y, x) of a frame on the image's own grid.

        NaN in slices that were not asked about, or where a model finds no such structure.

        Args:
            method: of the table.
            frame: of the image.
            slices: that are asked about, in the image's own order.
            how: settings.
        """
        pieces = self._kept(frame, tuple(slices))
        maps = [torch.zeros(self._size)] * (1 if self._seen.model.volumes else self._slices)
        for place, piece in pieces.items():
            maps[place] = method.function(piece.asked, how).cpu().to(torch.float32)
        planes: Array = self._seen.planes(maps).numpy()
        told = [one for one in slices if self._place(one) in pieces]
        return only(self._seen.sample.restore_map(planes, outside=0.0), told)

    def _place(self, stored: int) -> int:
        """Of a slice's piece among all of a frame."""
        return 0 if self._seen.model.volumes else self._seen.slice_of(stored)

    @property
    def _size(self) -> tuple[int, ...]:
        size = self._seen.sample.geometry.shape
        return size if self._seen.model.volumes else size[1:]

    @property
    def _slices(self) -> int:
        return self._seen.sample.geometry.shape[0]

    def _kept(self, frame: int, slices: tuple[int, ...]) -> dict[int, Piece]:
        """As `pieces`; the last once only, since several methods ask about them."""
        if self._last is None or self._last[:2] != (frame, slices):
            self._last = frame, slices, self.pieces(frame, slices)
        return self._last[2]

    def answers(self, frame: int) -> Array:
        """Probabilities (structures, z, y, x) on the image's own grid."""
        return self._seen.answers(frame)

    def _score(self, frame: int, mask: Tensor) -> Score:
        if self.slopes is None:
            return mean_log_odds(self.channel, mask)
        slope = sum(
            self.slopes.of_phase[name] for name, one in self._needed.items() if one == frame
        )
        volume = self._volume
        return lambda logits: volume(logits) * slope

    @property
    def _volume(self) -> Score:
        return soft_volume(self.channel, self._seen.sample.geometry.voxel_ml)

    def _logits(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            found: Tensor = self._seen.model.network(pixels)
        return found


def only(map_: Array, slices: Sequence[int]) -> Array:
    """A map (z, y, x) with NaN in all slices but these."""
    kept = np.full_like(map_, np.nan)
    kept[list(slices)] = map_[list(slices)]
    return kept


def together(maps: Sequence[Array]) -> Array:
    """The mean of the maps that say something about a voxel; NaN where none does."""
    known = np.sum([np.isfinite(one) for one in maps], axis=0)
    total = np.sum([np.nan_to_num(one) for one in maps], axis=0)
    mean: Array = np.where(known > 0, total / np.maximum(known, 1), np.nan).astype(np.float32)
    return mean


def compared(
    method: OfAnswers, answers: Sequence[Array], orders: Sequence[Sequence[int]], channel: int
) -> Array:
    """A method's map (z, y, x) of the answers of models, their structures in the same order."""
    same = np.stack([one[list(order)] for one, order in zip(answers, orders, strict=True)])
    return method.function(same, channel)
