"""Several atlases, each registered, that vote.

T. Rohlfing and others, Evaluation of atlas selection strategies for atlas-based image
segmentation, NeuroImage 2004;21:1428; P. Aljabar and others, Multi-atlas based segmentation of
brain images: atlas selection and its effect on accuracy, NeuroImage 2009;46:726. An atlas is an
image that people drew on. The ones that look most like the image are laid over it; their drawings,
carried along, vote with weights that grow with the likeness. The atlases are the user's: none comes
with heartseg.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from heartseg.classical.method import Method, setting
from heartseg.classical.registration import Effort, itk, registered, warped
from heartseg.classical.scene import Scene, sight
from heartseg.core.anatomy import Labels, Structure
from heartseg.core.errors import ConfigError, StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.prepare.localise import Look

THUMB_PX = 24
"""Likeness before registration is judged by so many rows and columns about the seed."""

THUMB_MM = 4.0
"""Their distance."""

Thumb = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A frame that people drew on.

    Attributes:
        scene: as methods see it.
        labels: (z, y, x) `Structure` labels on its grid.
        thumb: its middle plane, coarse, for a first comparison.
    """

    scene: Scene
    labels: Labels
    thumb: Thumb


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas(Method):
    """The vote of registered atlases.

    Attributes:
        seeds: as every method's; the map begins there.
        folder: of labelled studies, in any layout that heartseg reads.
        studies: of the folder at most, the first ones; ED and ES of each are atlases.
        votes: so many atlases are registered, those that look most like the image.
        gain: an atlas votes with its correlation to this power.
        affine_steps: of the affine map at most.
        spline_steps: of the B-splines at most; 0 for none.
        mesh_mm: distance of the B-splines' knots in the plane.
    """

    paper: ClassVar[str] = "Rohlfing 2004, Aljabar 2009"
    extra: ClassVar[str | None] = "itk"

    folder: Path | None = None
    studies: int = setting(10, 1, 200)
    votes: int = setting(5, 1, 50)
    gain: float = setting(4.0, 0.0, 50.0)
    affine_steps: int = setting(60, 1, 2000)
    spline_steps: int = setting(20, 0, 2000)
    mesh_mm: float = setting(25.0, 5.0, 100.0)

    def finds(self, look: Look) -> tuple[Structure, ...]:
        """What the atlases show; nothing without any."""
        if self.folder is None:
            return ()
        found = {int(one) for drawn in self._drawn(look) for one in np.unique(drawn.labels)}
        return tuple(Structure(one) for one in sorted(found - {0}))

    def segment(self, scene: Scene) -> Labels:
        """As `Method.segment`."""
        itk()  # said before anything is read
        drawn, thumb = _fitting(self._drawn(scene.look), scene), _thumb(scene)
        if thumb is None:
            return np.zeros(scene.planes.shape, np.uint8)
        alike = sorted(range(len(drawn)), key=lambda at: (-_likeness(thumb, drawn[at].thumb), at))
        effort = Effort(
            affine_steps=self.affine_steps,
            spline_steps=self.spline_steps,
            mesh_mm=self.mesh_mm,
        )
        order = (Structure.BACKGROUND, *self.finds(scene.look))
        total = np.zeros((len(order), *scene.planes.shape), np.float32)
        for at in alike[: self.votes]:
            way, likeness = registered(scene, drawn[at].scene, effort)
            weight = np.float32(max(likeness, 0.01) ** self.gain)
            for channel, structure in enumerate(order[1:], start=1):
                mask = (drawn[at].labels == structure).astype(np.float32)
                total[channel] += weight * warped(mask, drawn[at].scene, scene, way)
            total[0] += weight
        total[0] -= total[1:].sum(axis=0)
        best = total.argmax(axis=0)
        labels: Labels = np.array(order, np.uint8)[best]
        return labels

    def _drawn(self, look: Look) -> tuple[Drawn, ...]:
        if self.folder is None:
            raise ConfigError(
                "folder",
                got="nothing",
                allowed="a folder of labelled studies",
                do="say where it is with --set folder=FOLDER",
            )
        return _read(self.folder, look, self.studies)


def _fitting(drawn: tuple[Drawn, ...], scene: Scene) -> tuple[Drawn, ...]:
    """Atlases of as many axes as a scene: of volumes the middle plane where it is a plane alone.

    Raises:
        StudyError: a volume cannot be laid over planes.
    """
    if len(scene.planes) == 1:
        return tuple(_middle_plane(one) for one in drawn)
    volumes = tuple(one for one in drawn if len(one.scene.planes) > 1)
    if not volumes:
        raise StudyError("the atlas", got="single planes", allowed="volumes, as the image is one")
    return volumes


def _middle_plane(drawn: Drawn) -> Drawn:
    scene = drawn.scene
    seen = [plane.index for plane in scene.seen]
    at = seen[len(seen) // 2]
    plane = replace(scene, planes=scene.planes[at : at + 1], seeds=scene.seeds[at : at + 1])
    return Drawn(plane, drawn.labels[at : at + 1], drawn.thumb)


@lru_cache(maxsize=2)
def _read(folder: Path, look: Look, most: int) -> tuple[Drawn, ...]:
    """The atlases of a folder, ED and ES of each study.

    Raises:
        StudyError: there is none for such images.
    """
    from heartseg.classical.run import looks_of
    from heartseg.read import find_studies

    found: list[Drawn] = []
    taken = 0
    for candidate in find_studies(folder):
        if candidate.reference is None or taken == most:
            continue
        study, masks = candidate.load(), candidate.reference()
        views = [view for view, one in looks_of(study).items() if one == look and view in masks]
        for view in views:
            found += _frames(study.images[view], masks[view], look)
        taken += bool(views)
    if not found:
        raise StudyError(
            folder.name, got="no labelled studies of such images", allowed=f"{look} with labels"
        )
    return tuple(found)


def _frames(image: Image, drawn: Segmentation, look: Look) -> Iterator[Drawn]:
    """The frames with the largest and the smallest cavity of an image that people drew on."""
    try:
        seen = sight(image, look)
    except StudyError:  # where the ventricle is not found there is no place to begin from
        return
    sizes = {
        frame: int(np.count_nonzero(drawn.labels[frame] == Structure.LV_CAVITY))
        for frame in range(drawn.frames)
        if drawn.covers(frame)
    }
    there = [frame for frame, size in sizes.items() if size]
    for frame in sorted({max(there, key=sizes.__getitem__), min(there, key=sizes.__getitem__)}):
        scene = seen.scene(frame)
        thumb = _thumb(scene)
        if thumb is not None:
            yield Drawn(scene, seen.sample.frame_labels(drawn.labels[frame]), thumb)


def _thumb(scene: Scene) -> Thumb | None:
    """(y, x) about the seed of the middle plane that has one, of mean 0 and length 1."""
    from scipy import ndimage

    planes = list(scene.seen)
    if not planes:
        return None
    plane = planes[len(planes) // 2]
    reach = (np.arange(THUMB_PX) - (THUMB_PX - 1) / 2) * plane.pixels(THUMB_MM)
    places = np.meshgrid(plane.seed[0] + reach, plane.seed[1] + reach, indexing="ij")
    smooth = ndimage.gaussian_filter(plane.grey, plane.pixels(THUMB_MM / 2))
    values = ndimage.map_coordinates(smooth, places, order=1, mode="nearest").astype(np.float64)
    values -= values.mean()
    out: Thumb = values / max(float(np.linalg.norm(values)), 1e-9)
    return out


def _likeness(one: Thumb, other: Thumb) -> float:
    return float((one * other).sum())
