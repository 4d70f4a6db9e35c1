"""What every traditional method is: a frozen dataclass of settings that turns a scene to labels."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from heartseg.classical.scene import Plane, Scene
from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import ConfigError, MissingExtraError
from heartseg.prepare.localise import Look

LOW, HIGH = "low", "high"

Point = tuple[float, float, float]


def setting(default: float, low: float, high: float) -> Any:
    """A field of a method whose values lie in [low, high]; an integer stays one."""
    return field(default=default, metadata={LOW: low, HIGH: high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(ABC):
    """A traditional method with its settings.

    Attributes:
        seeds: points (z, y, x) in the LV cavity, in voxels of the image counted from 0; between
            them the seed moves along a straight line. None: the localiser finds them.
    """

    paper: ClassVar[str]
    """Who described it: "Name year"."""

    extra: ClassVar[str | None] = None
    """The part of heartseg that has to be installed for it."""

    seeds: tuple[Point, ...] | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            low, high = one.metadata.get(LOW), one.metadata.get(HIGH)
            if low is not None and not low <= value <= high:
                raise ConfigError(one.name, got=f"{value:g}", allowed=f"{low:g} to {high:g}")
        if self.seeds is not None and not (self.seeds and np.isfinite(self.seeds).all()):
            got = str(self.seeds)
            raise ConfigError("seeds", got=got, allowed="points [z, y, x] in voxels, at least one")

    def finds(self, look: Look) -> tuple[Structure, ...]:
        """What it looks for in such images; nothing else is ever labelled."""
        return (Structure.LV_CAVITY,)

    @abstractmethod
    def segment(self, scene: Scene) -> Labels:
        """`Structure` labels (z, y, x) of a frame, on the scene's own grid.

        Raises:
            MissingExtraError: the library that it needs is not installed.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneMethod(Method):
    """A method that looks at one plane at a time; planes without a seed stay empty."""

    def segment(self, scene: Scene) -> Labels:
        """As `Method.segment`."""
        labels = np.zeros(scene.planes.shape, np.uint8)
        for plane in scene.seen:
            labels[plane.index] = self.label(plane)
        return labels

    @abstractmethod
    def label(self, plane: Plane) -> Labels:
        """`Structure` labels (y, x) of a plane that has a seed."""


def scikit_image(part: str, method: str) -> ModuleType:
    """`skimage.<part>`, imported when it is first needed.

    Raises:
        MissingExtraError: with the line that installs it.
    """
    import importlib

    try:
        return importlib.import_module(f"skimage.{part}")
    except ModuleNotFoundError as fault:
        raise MissingExtraError(f"method '{method}' needs scikit-image", "classical") from fault
