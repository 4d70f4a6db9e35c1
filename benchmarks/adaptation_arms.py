"""The arms of adaptation.py: which run file, whose translation, how many annotated patients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SEEDS = ("1", "2", "3")
NONE, SUPERVISED, PLAIN, FULL = "none", "supervised", "CycleGAN", "all"

TRANSLATORS: Mapping[str, str] = {
    "cyclegan": "plain CycleGAN",
    "fastcut": "FastCUT",
    "consistency": "CycleGAN + consistency",
    "edges": "CycleGAN + edges",
    "all": "CycleGAN + consistency + edges",
}
"""By the ending of runs/translate/to-late-*.toml."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A way to come to a segmenter of late enhancement.

    Attributes:
        name: in the table.
        run: runs/translate/late-RUN.toml.
        translator: whose images it learns from; empty for none.
        annotated: patients of the target whose labels it learns from; None for as the file says.
        taught_by: the arm whose masks of the target it learns from; empty for none.
    """

    name: str
    run: str
    translator: str = ""
    annotated: int | None = None
    taught_by: str = ""

    @property
    def folder(self) -> str:
        """Its name on disk."""
        return self.run if self.annotated is None else f"{self.run}-{self.annotated}"


ARMS = (
    Arm(name=NONE, run="none"),
    Arm(name=SUPERVISED, run="supervised"),
    Arm(name="histogram matching", run="histogram"),
    Arm(name="intensity randomisation", run="random"),
    Arm(name=PLAIN, run="cyclegan", translator="cyclegan"),
    Arm(name=FULL, run="all", translator="all"),
    Arm(name="FastCUT", run="fastcut", translator="fastcut"),
    Arm(name="CycleGAN + consistency", run="consistency", translator="consistency"),
    Arm(name="CycleGAN + edges", run="edges", translator="edges"),
    Arm(name="CycleGAN + fusion", run="fusion", translator="cyclegan"),
    Arm(name="fusion alone", run="fusion-alone"),
    Arm(name="all + self-training", run="self", translator="all", taught_by=FULL),
)
"""The two ends of the gap first, then what is simple, then the plain and the full method: each is a
part of the table that can be read without the rest."""

CURVE = tuple(
    arm
    for annotated in (2, 5, 10, 20)
    for arm in (
        Arm(name=f"{annotated} annotated", run="few", annotated=annotated),
        Arm(
            name=f"{annotated} annotated + translated",
            run="few-translated",
            translator="all",
            annotated=annotated,
        ),
    )
)
"""The scarcity curve: annotated patients of the target, without translated images and with."""


def in_turn(names: Sequence[str] = (), seeds: Sequence[str] = SEEDS) -> Iterator[tuple[str, Arm]]:
    """Seed by seed all arms: of any part, the seeds that its arms share make a fair table."""
    for seed in seeds:
        for arm in (*ARMS, *CURVE):
            if not names or arm.name in names:
                yield seed, arm
