"""`heartseg train`."""

from collections.abc import Sequence
from pathlib import Path

from heartseg.core.errors import MissingExtraError


def run_training(
    run_toml: Path, out: Path, changes: Sequence[str], resume: bool, device: str
) -> None:
    """Train, then write `OUT/bundle`.

    Raises:
        MissingExtraError: torch is not installed.
        HeartsegError: as training says.
    """
    try:
        import torch
    except ModuleNotFoundError as fault:
        raise MissingExtraError("train", "train") from fault
    from heartseg.config import load
    from heartseg.train.artefact import write_artefact
    from heartseg.train.run import RunSettings, frames_of, train

    settings = load(RunSettings, run_toml, changes)
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    print(f"training {settings.name} for {settings.schedule.steps} steps in {out}")
    checkpoint = train(
        settings,
        run_toml.parent,
        out,
        device=torch.device("cuda" if cuda else "cpu"),
        resume=resume,
        watch=_say,
    )
    frames = frames_of(settings, run_toml.parent, settings.train_on)
    bundle = write_artefact(settings, checkpoint, out / "bundle", frames)
    print(f"wrote the model {bundle.name} {bundle.version} to {out / 'bundle'}")


def _say(step: int, numbers: object) -> None:
    said = "  ".join(f"{k} {v:.4f}" for k, v in dict(numbers).items())  # type: ignore[call-overload]
    print(f"{step:6d}  {said}", flush=True)
