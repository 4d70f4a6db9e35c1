"""Models that predict together: the mean of their probabilities on the study's own grid.

Each prepares the image in its own way, so that networks of other spacings and sizes may stand side
by side; the folds of a cross-validation are the usual members (Isensee 2021). One model is an
ensemble of one, and its answer is passed on as it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heartseg.core.anatomy import Structure
from heartseg.core.errors import ModelError
from heartseg.core.finding import ModelUse
from heartseg.core.image import Image
from heartseg.core.probability import Region
from heartseg.core.study import View
from heartseg.measure.likeness import Familiar
from heartseg.prepare.localise import Location
from heartseg.segment.bundle import Bundle
from heartseg.segment.bundle_folder import shipped_bundles
from heartseg.segment.frames import frames, regions
from heartseg.segment.runtime import Runtime

Ready = tuple[Bundle, Runtime]

RUN_BUNDLE = "bundle"
"""Where a training run keeps its model, in its folder."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Models that are ready to compute, at least one.

    Raises:
        ModelError: as `require_agreement`.
    """

    members: tuple[Ready, ...]

    def __post_init__(self) -> None:
        require_agreement(self.bundles)

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """Of the members."""
        return tuple(bundle for bundle, _ in self.members)

    @property
    def structures(self) -> tuple[Structure, ...]:
        """What each channel of the probabilities means."""
        return self.bundles[0].structures

    @property
    def view(self) -> View:
        """Of the images that they are made for."""
        return self.bundles[0].view

    @property
    def name(self) -> str:
        """For people."""
        unique = _joined(bundle.name for bundle in self.bundles)
        return unique if len(self.members) == 1 else f"ensemble of {len(self.members)}: {unique}"

    @property
    def familiar(self) -> Familiar | None:
        """What the first that tells was trained on; folds of one data set see about the same."""
        told = (bundle.familiar for bundle in self.bundles)
        return next((one for one in told if one is not None), None)

    def frames(
        self, image: Image, *, turns: int = 1, place: Location | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Mean probabilities (structures, z, y, x) of each frame, one in memory at a time.

        Where the heart is, a `place`, they see that alone.

        Raises:
            ConfigError, FormatError: as `heartseg.segment.frames`.
        """
        each = [
            frames(image, bundle, runtime, turns=turns, place=place)
            for bundle, runtime in self.members
        ]
        return each[0] if len(each) == 1 else self._mean(each)

    def regions(
        self, image: Image, *, turns: int = 1, place: Location | None = None
    ) -> Iterator[Region]:
        """As `frames`, where anatomy may be: one model alone does not compute the rest.

        Raises:
            ConfigError, FormatError: as `heartseg.segment.frames`.
        """
        if len(self.members) == 1:
            return regions(image, *self.members[0], turns=turns, place=place)
        return map(Region.whole, self.frames(image, turns=turns, place=place))

    def use(self) -> ModelUse:
        """What a report says of them."""
        alone = tuple(_use(bundle, runtime) for bundle, runtime in self.members)
        if len(alone) == 1:
            return alone[0]
        versions = {one.version for one in alone}
        return ModelUse(
            name=self.name,
            version=versions.pop() if len(versions) == 1 else "",
            sha256=None,
            licence=_joined((one.licence for one in alone), "; "),
            precision=_joined(one.precision or "" for one in alone),
            members=alone,
        )

    def origin(self) -> str | None:
        """Who answers for the strangers among them; None where there is none."""
        strangers = [bundle.origin for bundle in self.bundles if not bundle.shipped]
        return _joined(strangers, "; ") if strangers else None

    def _mean(self, each: Sequence[Iterator[NDArray[np.float32]]]) -> Iterator[NDArray[np.float32]]:
        orders = [_order(bundle, self.structures) for bundle in self.bundles]
        for answers in zip(*each, strict=True):
            total = np.zeros(answers[0].shape, np.float32)
            for answer, order in zip(answers, orders, strict=True):
                for channel, theirs in enumerate(order):
                    total[channel] += answer[theirs]
            total /= np.float32(len(answers))
            yield total


def members_at(name_or_folder: str) -> tuple[str, ...]:
    """The models that a name or a folder stands for.

    A shipped model's name or a bundle's folder is itself. Any other folder stands for the bundles
    in it, in the order of their names: its subfolders, or the `bundle` in each of them, as training
    writes it.
    """
    folder = Path(name_or_folder)
    if name_or_folder in shipped_bundles() or (folder / "model.toml").is_file():
        return (name_or_folder,)
    if not folder.is_dir():
        return (name_or_folder,)  # loading it says what is wrong
    places = [
        place
        for below in sorted(folder.iterdir())
        for place in (below, below / RUN_BUNDLE)
        if (place / "model.toml").is_file()
    ]
    return tuple(map(str, places)) or (name_or_folder,)


def require_agreement(bundles: Sequence[Bundle]) -> None:
    """Refuse models whose answers do not mean the same.

    Raises:
        ModelError: other structures, another modality or view, or the same weights twice.
    """
    if not bundles:
        raise ModelError("models together", got="none", allowed="at least one")
    first = bundles[0]
    for number, other in enumerate(bundles[1:], start=2):
        for what in ("structures", "modality", "view"):
            mine, theirs = _said(first, what), _said(other, what)
            if mine != theirs:
                got = f"{what} {mine} of '{first.name}' and {theirs} of '{other.name}'"
                raise ModelError(
                    "models together",
                    got=f"{got} (the 1st and no. {number})",
                    allowed="the same structures, modality and view",
                    do="let each predict alone",
                )
    if len({bundle.sha256 for bundle in bundles}) < len(bundles):
        names = _joined(bundle.folder.name for bundle in bundles)
        raise ModelError("models together", got=f"the same weights twice ({names})", allowed="once")


def _said(bundle: Bundle, what: str) -> str:
    if what == "structures":  # in any order
        return ", ".join(sorted(structure.key for structure in bundle.structures[1:]))
    return str(getattr(bundle, what))


def _order(bundle: Bundle, structures: Sequence[Structure]) -> list[int]:
    return [bundle.structures.index(structure) for structure in structures]


def _use(bundle: Bundle, runtime: Runtime) -> ModelUse:
    return ModelUse(
        name=bundle.name,
        version=bundle.version,
        sha256=bundle.sha256,
        licence=bundle.licence,
        precision=runtime.precision,
    )


def _joined(words: Iterator[str] | Sequence[str], by: str = ", ") -> str:
    """Each once."""
    return by.join(dict.fromkeys(words))
