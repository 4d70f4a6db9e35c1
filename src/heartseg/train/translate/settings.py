"""What a RUN.toml with `task = "translate"` may say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from heartseg.augment import SpatialChange
from heartseg.core.anatomy import STRUCTURES_BY_KEY, Structure
from heartseg.core.errors import ConfigError
from heartseg.core.study import Modality, View
from heartseg.models.patch_discriminator import PatchDiscriminator
from heartseg.prepare import Preparation
from heartseg.train.learning import Learning, Precision
from heartseg.train.schedule import Schedule
from heartseg.train.split import Split
from heartseg.train.translate.methods import Anatomy, CycleGAN, FastCUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two kinds of image.

    Attributes:
        folder: data set, relative to the RUN.toml.
        scheme: what the numbers of its labels mean, where the data set does not say it.
        modality, view: which image of each study.
        assume_view: take every image for one of `view`, whatever its name and header say.
        train_on: parts of the split that train.
        validate_on: parts that are shown on the way; none shows training patients.
        frames: of each image without labels, evenly through the beat.
        preparation: what is done to its images first; the same distance of pixels on both sides.
        split: how its patients are divided.
    """

    folder: str
    scheme: str | None = None
    modality: Modality = Modality.MR
    view: View = View.SAX
    assume_view: bool = False
    train_on: tuple[str, ...] = ("train",)
    validate_on: tuple[str, ...] = ("validate",)
    frames: int = 4
    preparation: Preparation = field(default_factory=Preparation)
    split: Split = field(default_factory=Split)

    def __post_init__(self) -> None:
        both = set(self.train_on) & set(self.validate_on)
        if both or not self.train_on:
            got = f"{', '.join(sorted(both))} in both" if both else "nothing to train on"
            raise ConfigError("train_on and validate_on", got=got, allowed="parts without overlap")
        if self.frames < 1:
            raise ConfigError("frames", got=str(self.frames), allowed="at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateLearning:
    """How the weights of both rivals move: Adam, as in the papers.

    Attributes:
        batch: planes of each kind a step.
        rate: of the generators, at its height.
        discriminator_rate: of the discriminators.
        momentum: the first of Adam's two averages decays so.
        average: decay a step of the generators' moving-average weights, which are what is kept; 0
            keeps the weights themselves, as the papers do.
        clip: largest norm of a gradient; `none` leaves it as it is.
        away: share of the source's crops that are centred on the image instead of the heart. The
            target's always are, since nobody says where its hearts are: 1 frames both alike.
        precision: of the generators' convolutions, as in `Learning`.
    """

    batch: int = 1
    rate: float = 2e-4
    discriminator_rate: float = 2e-4
    momentum: float = 0.5
    average: float = 0.99
    clip: float | None = None
    away: float = 1.0
    precision: Precision = "f32"

    def __post_init__(self) -> None:
        if self.discriminator_rate <= 0:
            got = str(self.discriminator_rate)
            raise ConfigError("learning.discriminator_rate", got=got, allowed="above 0")
        self.of_generators()  # refuses the rest

    def of_generators(self) -> Learning:
        """As the update of weights takes it."""
        return Learning(
            batch=self.batch,
            optimiser="adam",
            rate=self.rate,
            weight_decay=0.0,
            momentum=self.momentum,
            average=self.average,
            away=self.away,
            clip=self.clip,
            precision=self.precision,
        )

    def of_discriminators(self) -> Learning:
        """The same for the rivals, whose weights themselves count."""
        return Learning(
            batch=self.batch,
            optimiser="adam",
            rate=self.discriminator_rate,
            weight_decay=0.0,
            momentum=self.momentum,
            average=0.0,
            clip=self.clip,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CropChange(SpatialChange):
    """How crops are cut and moved: less than for segmentation, since no label has to be learnt."""

    size_px: int = 128
    rotation_degrees: float = 10.0
    scaling: tuple[float, float] = (0.9, 1.1)
    stretch: float = 0.0
    shift_px: float = 8.0
    elastic_px: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Schedule):
    """How long, and at what rate: at its height for half the steps, then straight down (Zhu 2017).

    `patience` and `plateau` are of no use: no number says that a translation is better.
    """

    steps: int = 20_000
    shape: Literal["cosine", "constant", "polynomial", "linear", "step", "plateau"] = "linear"
    warm_up: int = 0
    validate_every: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a run shows besides its log and `pictures/`.

    Attributes:
        tensorboard: write every number of the log for TensorBoard too, to `tensorboard/`.
    """

    tensorboard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateSettings:
    """What a RUN.toml may say; everything left out keeps its default.

    Attributes:
        task: always `translate`.
        name: of the run, and of the translator it writes.
        version: of the translator.
        source: the images that are to become others; its labels, where there are some, go along.
        target: what they become. Its labels are never read.
        structures: keys of what the source's labels hold; the background is implied.
        ignored: keys of what they hold too and what counts nowhere.
        seed: of weights, batches and everything else.
        training_data: one line on where the images are from.
        licence: of the weights.
        generator: `name` and settings of the generators, of both where there are two.
        discriminator: of each kind that is made.
        cyclegan, fastcut: the method, one of the two; neither means CycleGAN by its defaults.
        anatomy: who has to see the same anatomy before and after; none asks nobody.
        spatial: crops, of both kinds alike.
    """

    name: str
    source: Side
    target: Side
    task: Literal["translate"] = "translate"
    version: str = "0.1.0"
    structures: tuple[str, ...] = ("lv", "myo", "rv")
    ignored: tuple[str, ...] = ()
    seed: int = 0
    training_data: str = ""
    licence: str = "research use only"
    generator: Mapping[str, Any] = field(default_factory=dict)
    discriminator: PatchDiscriminator = field(default_factory=PatchDiscriminator)
    cyclegan: CycleGAN | None = None
    fastcut: FastCUT | None = None
    anatomy: Anatomy | None = None
    spatial: CropChange = field(default_factory=CropChange)
    learning: TranslateLearning = field(default_factory=TranslateLearning)
    schedule: Duration = field(default_factory=Duration)
    log: Showing = field(default_factory=Showing)

    def __post_init__(self) -> None:
        if self.cyclegan and self.fastcut:
            raise ConfigError("method", got="[cyclegan] and [fastcut]", allowed="one of them")
        if self.schedule.needs_scores:
            got = "patience or a plateau: no number says that a translation is better"
            raise ConfigError("schedule", got=got, allowed="linear, or another fixed shape")
        sides = (self.source.preparation, self.target.preparation)
        if sides[0].neighbours != sides[1].neighbours:
            got = " and ".join(str(one.neighbours) for one in sides)
            raise ConfigError("preparation.neighbours", got=got, allowed="the same on both sides")
        if set(self.classes()) & set(self.ignores):
            got = "a structure that is both"
            raise ConfigError("structures and ignored", got=got, allowed="one or the other")

    @property
    def method(self) -> CycleGAN | FastCUT:
        """The one that was chosen."""
        return self.fastcut or self.cyclegan or CycleGAN()

    @property
    def channels(self) -> int:
        """Of the images: a slice, and its neighbours."""
        return self.source.preparation.channels

    def classes(self) -> tuple[Structure, ...]:
        """The structures in class order, the background first.

        Raises:
            ConfigError: a key that names no structure.
        """
        return (Structure.BACKGROUND, *_structures("structures", self.structures))

    @property
    def ignores(self) -> tuple[Structure, ...]:
        """The structures of the source that count nowhere."""
        return _structures("ignored", self.ignored)


def _structures(where: str, keys: tuple[str, ...]) -> tuple[Structure, ...]:
    unknown = [key for key in keys if key not in STRUCTURES_BY_KEY]
    if unknown:
        raise ConfigError(where, got=repr(unknown[0]), allowed=", ".join(STRUCTURES_BY_KEY))
    return tuple(STRUCTURES_BY_KEY[key] for key in keys)
