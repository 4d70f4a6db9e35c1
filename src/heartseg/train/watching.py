"""What a run shows besides its log: curves for TensorBoard, and a picture at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from heartseg.core.errors import MissingExtraError
from heartseg.train.log import Watcher
from heartseg.train.task import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What a run shows besides its log.

    Attributes:
        tensorboard: write every number of the log for TensorBoard too, to `tensorboard/`.
        curves: draw `curves.png` at the end.
    """

    tensorboard: bool = False
    curves: bool = True


def tensorboard_watcher(folder: Path) -> Watcher:
    """Writes what it is told to `folder`/tensorboard; `tensorboard --logdir` shows it.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as fault:
        raise MissingExtraError("log.tensorboard", "train") from fault
    writer = SummaryWriter(str(folder / "tensorboard"))

    def write(step: int, numbers: Numbers) -> None:
        part = "validation" if "score" in numbers else "training"
        for name, value in numbers.items():
            writer.add_scalar(f"{part}/{name}", value, step)
        writer.flush()

    return write


def all_of(watchers: Sequence[Watcher]) -> Watcher | None:
    """One that tells each of these; None for none."""
    if not watchers:
        return None

    def tell(step: int, numbers: Numbers) -> None:
        for watch in watchers:
            watch(step, numbers)

    return tell
